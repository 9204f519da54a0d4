//! One payment, step by step: the demo plays the merchant's system, the mini program and the payer.

use axum::http::Method;
use serde::Serialize;
use serde_json::{Value, json};
use suanpan_server::client::wechat::Fen;

use super::books::{self, Book};
use super::screen::{Screen, Step};
use super::waits::entries;
use crate::caller::{Answer, Caller, Question};
use crate::mask;
use crate::problem::Problem;
use crate::shop::{Heard, NewOrder, Stall};
use crate::stage::Stage;
use crate::tape::{Exchange, Tape};

/// What a walk needs.
pub(super) struct Walk<'a> {
    pub(super) stage: &'a Stage,
    pub(super) caller: Caller,
    pub(super) tape: &'a Tape,
    pub(super) screen: &'a Screen,
}

/// One payment that was walked.
#[derive(Debug, Serialize)]
pub(super) struct Payment {
    #[serde(flatten)]
    stall: Stall,
    order_id: String,
    steps: Vec<Step>,
    timeline: Vec<String>,
    books: Vec<Book>,
    /// Empty if all books agree.
    pub(super) differences: Vec<String>,
}

impl Walk<'_> {
    /// Walks one payment, and compares the books.
    pub(super) async fn pay(&self, stall: &Stall) -> Result<Payment, Problem> {
        self.screen.payment(stall);
        // What was said before is another payment's, or the shop's own.
        drop(self.tape.take());
        let mut news = self.stage.shop.listen();
        let mut steps = Vec::new();

        let order = self.order(stall, &mut steps).await?;
        let order_id = Answer::text(&order, "id")?;
        let sheet = self.sheet(stall, &order_id, &mut steps).await?;
        self.payer_pays(stall, &sheet, &mut steps).await?;
        let heard = self.hear(&order_id, &mut news).await?;
        let timeline = self.timeline(&order_id).await?;
        let number = out_trade_no(&timeline)?;
        let ledger = self.ledger(&number).await?;
        self.notify(&ledger, &number, &timeline, &mut steps);
        self.webhook(&heard, &mut steps);
        drop(self.tape.take());

        let text = Answer::text(&timeline, "text")?;
        self.screen.timeline(&text);
        let order = self.stage.backend.order(&order_id).await?;
        let (wechat, mut differences) = books::ledger(&ledger, &number);
        let ours = books::order("订单 order", "order", &order);
        let told = books::order("回调 webhook", "webhook", &heard.order);
        let books = vec![wechat, Book { out_trade_no: Some(number), ..ours }, told];
        differences.extend(books::differences(PRICE, &order_id, &books));
        self.screen.books(&books, &differences);

        let stall = stall.clone();
        let timeline = text.lines().map(str::to_owned).collect();
        Ok(Payment { stall, order_id, steps, timeline, books, differences })
    }

    async fn order(&self, stall: &Stall, steps: &mut Vec<Step>) -> Result<Value, Problem> {
        let order = NewOrder {
            reference: format!("demo-{}", stall.api),
            amount: PRICE,
            description: "龙井一杯".to_owned(),
            app: stall.app.clone(),
        };
        let order = self.stage.backend.create_order(&order).await?;
        self.tell(
            steps,
            Step {
                step: "create",
                number: None,
                title: "下单：商户系统用 API 密钥 / the merchant's system creates an order",
                says: Vec::new(),
                wire: self.tape.take(),
            },
        );
        Ok(order)
    }

    /// Steps 1 to 4: the mini program logs in and asks for the five fields.
    async fn sheet(
        &self,
        stall: &Stall,
        order_id: &str,
        steps: &mut Vec<Step>,
    ) -> Result<Value, Problem> {
        let url = format!("{}/_sim/login", self.stage.simulator);
        let login = self.post(url, json!({ "appid": stall.app, "user": PAYER })).await?;
        let code = Answer::text(&login, "code")?;
        let url = format!("{}/miniprogram/pay", self.stage.url);
        let sheet = self.post(url, json!({ "code": code, "orderId": order_id })).await?;

        let (login, rest) = sorted(self.tape.take(), |operation| {
            operation.contains("/_sim/login") || operation.contains("jscode2session")
        });
        let (phone, wechat) = sorted(rest, |operation| operation.ends_with("/miniprogram/pay"));
        self.tell(
            steps,
            Step {
                step: "login",
                number: Some(1),
                title: "登录：wx.login 的 code 换 openid / login: who wants to pay",
                says: Vec::new(),
                wire: login,
            },
        );
        self.tell(
            steps,
            Step {
                step: "order",
                number: Some(2),
                title: "订单：金额只认自己的库 / order: what is owed, by our own book",
                says: vec![format!("{PRICE} 元 / CNY · {}", short(order_id))],
                wire: Vec::new(),
            },
        );
        self.tell(
            steps,
            Step {
                step: "prepay",
                number: Some(3),
                title: "预下单：在微信下单，得到 prepay_id / prepay: placed at WeChat",
                says: Vec::new(),
                wire: wechat,
            },
        );
        self.tell(steps, Step {
            step: "second_sign",
            number: Some(4),
            title: "二次签名：wx.requestPayment 的五个字段 / second sign: five fields for the phone",
            says: Vec::new(),
            wire: phone,
        });
        Ok(sheet)
    }

    async fn payer_pays(
        &self,
        stall: &Stall,
        sheet: &Value,
        steps: &mut Vec<Step>,
    ) -> Result<(), Problem> {
        let mut body = json!({ "user": PAYER, "appId": stall.app, "outcome": "pay" });
        if let (Some(body), Some(sheet)) = (body.as_object_mut(), sheet.as_object()) {
            body.extend(sheet.clone());
        }
        let url = format!("{}/_sim/request-payment", self.stage.simulator);
        let said = self.post(url, body).await?;
        self.tell(steps, Step {
            step: "pay",
            number: None,
            title: "付款：手机验 paySign，付款人按下确认 / the phone checks paySign, the payer pays",
            says: Vec::new(),
            // The notification may be faster than the phone's answer: that is a step of its own.
            wire: sorted(self.tape.take(), |operation| operation.contains("/_sim/")).0,
        });
        if said.get("errMsg").and_then(Value::as_str) == Some("requestPayment:ok") {
            return Ok(());
        }
        Err(Problem {
            code: "SP-DEMO-REFUSED".to_owned(),
            detail: "the phone refused the payment".to_owned(),
            cause: Some(mask::json(&said).to_string()),
            remedy: "this is a mistake in Suanpan: please report it with this output".to_owned(),
            exit: Problem::FOUND,
        })
    }

    fn notify(&self, ledger: &Value, number: &str, timeline: &Value, steps: &mut Vec<Step>) {
        let change = entries(timeline).find(|entry| entry.get("step") == Some(&json!("notify")));
        let change = change.and_then(|entry| entry.get("change")?.as_str());
        self.tell(steps, Step {
            step: "notify",
            number: Some(5),
            title: "通知：验签、比对、落库，再应答 / notify: verified, compared, stored, then acknowledged",
            says: change.map(str::to_owned).into_iter().collect(),
            wire: books::notification(ledger, number),
        });
    }

    fn webhook(&self, heard: &Heard, steps: &mut Vec<Step>) {
        self.tell(steps, Step {
            step: "webhook",
            number: Some(6),
            title: "回调：商户系统收到并验签 / webhook: the merchant's system is told, and verifies it",
            says: vec![format!("{} {}", heard.kind, heard.event_id)],
            wire: vec![Exchange {
                operation: "POST /webhooks/suanpan".to_owned(),
                url: format!("{}/webhooks/suanpan", self.stage.shop.url),
                headers: heard.headers.clone(),
                body: heard.body.clone(),
                status: Some(204),
                answer_headers: Vec::new(),
                answer: String::new(),
            }],
        });
    }

    async fn post(&self, url: String, body: Value) -> Result<Value, Problem> {
        let question = Question { method: Method::POST, url, headers: &[], body: Some(body) };
        self.caller.ask(question).await?.good()
    }

    fn tell(&self, steps: &mut Vec<Step>, step: Step) {
        self.screen.step(&step);
        steps.push(step);
    }
}

/// Those whose operation is wanted, and the others.
fn sorted(all: Vec<Exchange>, wanted: impl Fn(&str) -> bool) -> (Vec<Exchange>, Vec<Exchange>) {
    all.into_iter().partition(|exchange| wanted(&exchange.operation))
}

/// The number of the attempt, from the order's own story.
fn out_trade_no(timeline: &Value) -> Result<String, Problem> {
    let number =
        entries(timeline).find_map(|entry| entry.pointer("/detail/out_trade_no")?.as_str());
    number.map(str::to_owned).ok_or_else(|| Problem::bug("the timeline names no out_trade_no"))
}

fn short(order_id: &str) -> String {
    order_id.get(..12).map_or_else(|| order_id.to_owned(), |head| format!("{head}…"))
}

/// 9.90 yuan.
const PRICE: Fen = match Fen::new(990) {
    Some(price) => price,
    None => Fen::ZERO,
};
const PAYER: &str = "alice";
