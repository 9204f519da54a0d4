//! The log on standard error: a readable line for people, an object a line for machines.
//!
//! ```text
//! 10:24:01 login       ord_019b…4f1c code 0b3** is oUpF…6o in wx24…
//! 10:24:02 warn        WeChat refused POST /v3/… code=SP-WECHAT-REFUSED status=502
//! ```
//!
//! Steps of a payment have the target `suanpan::step`. Times are Beijing's.
//! Nothing is masked here: whoever writes an event masks what is in it.

mod json;
mod otlp;

use std::fmt::{Result as Written, Write as _};

use suanpan_server::Config;
use suanpan_server::config::{LogFormat, TelemetryConfig};
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::timeline;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use self::json::Objects;
pub(crate) use self::otlp::Traces;
use crate::problem::Problem;
use crate::talk::Paint;

/// Starts it. `SUANPAN_LOG` or `RUST_LOG` says more than the configuration.
pub(crate) fn start(format: LogFormat, level: &str) -> Result<Levels, Problem> {
    start_with(format, level, None)
}

/// The same, with traces for a collector beside it, where the configuration names one.
pub(crate) fn start_traced(config: &Config) -> Result<(Levels, Option<Traces>), Problem> {
    let TelemetryConfig { otlp_endpoint, service_name } = &config.telemetry;
    let traces = (!otlp_endpoint.is_empty()).then(|| Traces::to(otlp_endpoint, service_name));
    let traces = traces.transpose()?;
    let levels = start_with(config.log.format, &config.log.level, traces.as_ref())?;
    Ok((levels, traces))
}

fn start_with(format: LogFormat, level: &str, traces: Option<&Traces>) -> Result<Levels, Problem> {
    let (filter, levels) = reload::Layer::new(filter(level)?);
    // Only what we do ourselves goes out, and none of what the log says meanwhile.
    let ours = FilterFn::new(|of| of.is_span() && of.target().starts_with("suanpan"));
    let traces = traces.map(|traces| traces.layer().with_filter(ours));
    let registry = tracing_subscriber::registry().with(filter).with(traces);
    let clock = SystemClock::new();
    let layer = fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Human => {
            let lines = Lines { clock, paint: Paint::stderr() };
            registry.with(layer.event_format(lines)).try_init()
        }
        LogFormat::Json => registry.with(layer.json().event_format(Objects { clock })).try_init(),
    };
    started.map_err(|cause| Problem::bug(format!("the log was started twice: {cause}")))?;
    Ok(Levels(levels))
}

/// How much is said, while it is being said.
pub(crate) struct Levels(reload::Handle<EnvFilter, Registry>);

impl Levels {
    /// From now on this much.
    pub(crate) fn set(&self, filter: EnvFilter) {
        // It fails only where the log is gone, and then there is nobody to tell.
        drop(self.0.reload(filter));
    }
}

/// The filter of this level, or of what the environment says in its place.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, Problem> {
    let set = |name| std::env::var(name).ok().filter(|level| !level.trim().is_empty());
    let (place, level) = set("SUANPAN_LOG")
        .map(|level| ("SUANPAN_LOG", level))
        .or_else(|| set("RUST_LOG").map(|level| ("RUST_LOG", level)))
        .unwrap_or_else(|| ("log.level", level.to_owned()));
    EnvFilter::try_new(&level).map_err(|cause| Problem {
        code: "SP-CONFIG".to_owned(),
        detail: format!("the configuration is wrong at {place}: {level:?} is not a log level"),
        cause: Some(cause.to_string()),
        remedy: "write a level such as info, or a filter such as suanpan_server=debug".to_owned(),
        exit: Problem::SETUP,
    })
}

/// Why a level of the configuration cannot be used, where that is so.
pub(crate) fn wrong_level(level: &str) -> Option<String> {
    EnvFilter::try_new(level).err().map(|cause| cause.to_string())
}

/// For people.
struct Lines {
    clock: SystemClock,
    paint: Paint,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> Written {
        if MACHINES.contains(&event.metadata().target()) {
            return Ok(());
        }
        let mut facts = Facts::default();
        event.record(&mut facts);
        let day = timeline::clock(self.clock.now_micros());
        let time = day.get(11..).unwrap_or(&day);
        let line =
            line(time, event.metadata().target(), *event.metadata().level(), &facts, self.paint);
        writeln!(writer, "{line}")
    }
}

fn line(time: &str, target: &str, level: Level, facts: &Facts, paint: Paint) -> String {
    let mut line = format!("{} ", paint.dim(time));
    if target == "suanpan::step" {
        line.push_str(&paint.cyan(&format!("{:<11} ", facts.step)));
        line.push_str(&format!("{} {}", short(&facts.order), facts.message));
        return line;
    }
    let word = format!("{:<11} ", level.to_string().to_lowercase());
    line.push_str(&match level {
        Level::ERROR => paint.red(&word),
        Level::WARN => paint.yellow(&word),
        _ => paint.dim(&word),
    });
    line.push_str(&facts.message);
    line.push_str(&paint.dim(&facts.others));
    line
}

/// Enough of an order's id to tell it apart: ids that were made together begin alike.
fn short(order: &str) -> String {
    let tail = order.len().checked_sub(4).and_then(|from| order.get(from..));
    match (order.get(..8), tail) {
        (Some(head), Some(tail)) if 16 < order.len() => format!("{head}…{tail}"),
        _ => order.to_owned(),
    }
}

/// A line for each request and for each question: a person reads the steps, which say the same.
const MACHINES: [&str; 2] = ["suanpan::request", "suanpan::wechat"];

/// What an event holds.
#[derive(Default)]
struct Facts {
    message: String,
    step: String,
    order: String,
    others: String,
}

impl Facts {
    fn put(&mut self, field: &Field, text: &str) {
        match field.name() {
            "message" => one_line(&mut self.message, text),
            "step" => one_line(&mut self.step, text),
            "order_id" if self.order.is_empty() => one_line(&mut self.order, text),
            // For machines: the message says the same.
            "detail" => {}
            name => {
                let _ = write!(self.others, " {name}=");
                one_line(&mut self.others, text);
            }
        }
    }
}

impl Visit for Facts {
    fn record_str(&mut self, field: &Field, text: &str) {
        self.put(field, text);
    }

    fn record_error(&mut self, field: &Field, error: &(dyn std::error::Error + 'static)) {
        self.put(field, &suanpan_server::chain(error));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, &format!("{value:?}"));
    }
}

/// A text from outside must not begin a line of its own, nor steer the terminal.
fn one_line(into: &mut String, text: &str) {
    for char in text.chars() {
        if char.is_control() {
            into.extend(char.escape_default());
        } else {
            into.push(char);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Paint = Paint::plain();

    fn facts(message: &str) -> Facts {
        let mut facts = Facts::default();
        one_line(&mut facts.message, message);
        facts
    }

    #[test]
    fn a_step_is_a_line() {
        let order = "ord_019b7c1a8e5f7a3bb1c2d3e4f5a6b7c8d9e0f1a2b3c44f1c".to_owned();
        let facts = Facts { step: "login".to_owned(), order, ..facts("code 0b3** is oUpF…6o") };
        assert_eq!(
            line("10:24:01", "suanpan::step", Level::INFO, &facts, PLAIN),
            "10:24:01 login       ord_019b…4f1c code 0b3** is oUpF…6o",
        );
    }

    #[test]
    fn anything_else_has_its_level_and_its_facts() {
        let facts = Facts { others: " code=SP-BUSY".to_owned(), ..facts("refused") };
        assert_eq!(
            line("10:24:01", "suanpan_server::http", Level::WARN, &facts, PLAIN),
            "10:24:01 warn        refused code=SP-BUSY",
        );
    }

    #[test]
    fn a_text_from_outside_stays_in_its_line() {
        assert_eq!(facts("tea\n10:24:02 paid\u{1b}[2J").message, r"tea\n10:24:02 paid\u{1b}[2J");
    }
}
