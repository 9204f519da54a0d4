//! The seam to the outside: the clock of the machine and its dice.
//!
//! Nothing else in the simulator may ask what time it is or draw a random
//! number (clippy bans the calls). The one exception is the making of RSA keys
//! at the first start: the crypto library draws its own random numbers for them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;

/// What the simulator needs from the outside world. Tests set it.
pub trait Outside: fmt::Debug + Send + Sync + 'static {
    /// Unix microseconds.
    fn now_micros(&self) -> i64;

    /// Waits until the clock shows at least this time, in unix microseconds.
    fn sleep_until(&self, at_micros: i64) -> BoxFuture<'static, ()>;

    /// Fills the bytes, each with a value that nobody can foresee.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock and the dice of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemOutside;

impl Outside for SystemOutside {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now_micros(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    fn sleep_until(&self, at_micros: i64) -> BoxFuture<'static, ()> {
        let clock = *self;
        Box::pin(async move {
            loop {
                let missing = at_micros.saturating_sub(clock.now_micros());
                let missing = Duration::from_micros(u64::try_from(missing).unwrap_or_default());
                if missing.is_zero() {
                    return;
                }
                // In naps, since the clock of the machine may be set meanwhile.
                tokio::time::sleep(missing.min(NAP)).await;
            }
        })
    }

    #[expect(
        clippy::expect_used,
        reason = "without randomness every key and number would be the same: stop instead"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the machine gives random bytes");
    }
}

/// The longest that a sleeper trusts the clock of the machine not to be set.
const NAP: Duration = Duration::from_secs(60);
