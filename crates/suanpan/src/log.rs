//! The log: standard error, one line a step, for people or for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::FormatTime;

/// Installs the log. `RUST_LOG` chooses what is in it, `info` where it is not set.
pub(crate) fn install(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second installation means that a test or an embedder has its own: keep that.
    let _ = if json {
        log.json().flatten_event(true).try_init()
    } else {
        log.with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .with_timer(BeijingClock)
            .compact()
            .try_init()
    };
}

/// `10:24:01`, Beijing's time: the one on the payer's phone and in WeChat's bills.
struct BeijingClock;

impl FormatTime for BeijingClock {
    fn format_time(&self, w: &mut tracing_subscriber::fmt::format::Writer<'_>) -> std::fmt::Result {
        let beijing = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
        let now = beijing.to_datetime(crate::outside::now());
        write!(w, "{}", now.strftime("%H:%M:%S"))
    }
}
