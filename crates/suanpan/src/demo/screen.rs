//! How the demo looks in a terminal: each step, and under it what went over the wire.

use serde::Serialize;

use super::books::Book;
use crate::shop::Stall;
use crate::talk::{self, Paint};
use crate::tape::Exchange;

/// Where it is told.
#[derive(Debug)]
pub(super) struct Screen {
    output: Output,
    paint: Paint,
}

#[derive(Debug)]
enum Output {
    Stdout,
    /// With `--json` there is one object at the end.
    Nobody,
    #[cfg(test)]
    Buffer(std::sync::Mutex<String>),
}

/// One step of a payment, as it is told.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Step {
    /// Its word, as in the timeline.
    pub(super) step: &'static str,
    /// Its number in the flow; none of the backend's own: `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<u8>,
    /// Its name and what it is, Chinese first.
    #[serde(skip)]
    pub(super) title: &'static str,
    /// What happened.
    pub(super) says: Vec<String>,
    /// What went over the wire.
    pub(super) wire: Vec<Exchange>,
}

impl Screen {
    pub(super) fn stdout() -> Self {
        Self { output: Output::Stdout, paint: Paint::stdout() }
    }

    pub(super) fn silent() -> Self {
        Self { output: Output::Nobody, paint: Paint::stdout() }
    }

    pub(super) fn title(&self, text: &str) {
        self.line(&self.paint.bold(text));
    }

    pub(super) fn payment(&self, stall: &Stall) {
        let text =
            format!("API{} · {} · 商户 {} · {}", stall.api, stall.name, stall.mchid, stall.app);
        self.line("");
        self.line(&self.paint.bold(&format!("── {text} ──")));
    }

    pub(super) fn step(&self, step: &Step) {
        let number = step.number.map_or_else(|| "·".to_owned(), |number| number.to_string());
        self.line("");
        self.line(&format!("{} {}", self.paint.cyan(&number), self.paint.bold(step.title)));
        for text in &step.says {
            self.line(&format!("    {text}"));
        }
        for exchange in &step.wire {
            self.exchange(exchange);
        }
    }

    fn exchange(&self, exchange: &Exchange) {
        let method = exchange.operation.split(' ').next().unwrap_or_default();
        self.line(&format!("    {} {method} {}", self.paint.cyan("→"), exchange.url));
        self.texts(&exchange.headers, &exchange.body);
        let status = exchange.status.map_or_else(|| "✗".to_owned(), |status| status.to_string());
        let good = exchange.status.is_some_and(|status| (200..300).contains(&status));
        let status = if good { self.paint.green(&status) } else { self.paint.red(&status) };
        self.line(&format!("    {} {status}", self.paint.cyan("←")));
        self.texts(&exchange.answer_headers, &exchange.answer);
    }

    fn texts(&self, headers: &[(String, String)], body: &str) {
        for (name, text) in headers {
            self.line(&self.paint.dim(&format!("        {name}: {text}")));
        }
        for text in body.lines() {
            self.line(&format!("      {text}"));
        }
    }

    pub(super) fn timeline(&self, text: &str) {
        self.line("");
        self.line(&self.paint.bold("  时间线 / timeline"));
        for text in text.lines() {
            self.line(&format!("    {text}"));
        }
    }

    pub(super) fn books(&self, books: &[Book], differences: &[String]) {
        self.line("");
        self.line(&self.paint.bold("  三方对账 / three books"));
        for book in books {
            self.line(&format!("    {} {}", talk::padded(book.title, 28), book.text()));
        }
        for difference in differences {
            self.line(&format!("    {} {difference}", self.paint.red("✗")));
        }
        if differences.is_empty() {
            self.line(&format!("    {} 一致 / they agree", self.paint.green("✔")));
        }
    }

    /// The end of the story with faults.
    pub(super) fn survived(&self, ok: bool) {
        self.line("");
        self.line(&if ok {
            self.paint.green("✔ 三次故障之后：只付了一次，只记了一次，只告诉了商户一次 / three faults later: paid once, booked once, told once")
        } else {
            self.paint.red("✗ 这笔支付没有走到底，见上 / the payment did not come through, see above")
        });
    }

    pub(super) fn verdict(&self, ok: bool) {
        self.line("");
        self.line(&if ok {
            self.paint.green("✔ 两笔都已支付，账本、订单、回调一致 / both are paid, and ledger, order and webhook agree")
        } else {
            self.paint.red("✗ 账目不一致，见上 / the books differ, see above")
        });
    }

    fn line(&self, text: &str) {
        match &self.output {
            Output::Stdout => talk::out(text),
            Output::Nobody => {}
            #[cfg(test)]
            Output::Buffer(buffer) => buffer.lock().unwrap().push_str(&format!("{text}\n")),
        }
    }
}

#[cfg(test)]
impl Screen {
    /// One that keeps what it is told.
    pub(super) fn buffer() -> Self {
        Self { output: Output::Buffer(std::sync::Mutex::default()), paint: Paint::plain() }
    }

    /// What it was told.
    pub(super) fn shown(&self) -> String {
        match &self.output {
            Output::Buffer(buffer) => buffer.lock().unwrap().clone(),
            Output::Stdout | Output::Nobody => String::new(),
        }
    }
}
