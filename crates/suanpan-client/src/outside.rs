//! The seam to the outside: the clock and the dice.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use suanpan_wechat::Nonce;
use tokio::time::Instant;

/// What a signature needs from the outside world. Tests set both.
pub trait Outside: fmt::Debug + Send + Sync + 'static {
    /// Unix seconds.
    fn now(&self) -> i64;

    /// A nonce that nobody can guess, another one for each signature.
    fn nonce(&self) -> Nonce;
}

/// The clock and the dice of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemOutside;

impl Outside for SystemOutside {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> i64 {
        // A machine that thinks it is before 1970 cannot pay anything anyway: every signature will be refused.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    #[expect(
        clippy::expect_used,
        reason = "without randomness signatures can be replayed: stop instead; and 32 hexadecimal digits are a nonce"
    )]
    fn nonce(&self) -> Nonce {
        let mut random = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut random).expect("the machine gives random bytes");
        Nonce::parse(&format!("{:032x}", u128::from_be_bytes(random))).expect("a nonce")
    }
}

/// Measures how long a try takes; tokio's clock, so that a test can pause it.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_knows_the_year_and_rolls_no_nonce_twice() {
        assert!(SystemOutside.now() > 1_767_225_600);
        let (one, two) = (SystemOutside.nonce(), SystemOutside.nonce());
        assert_eq!(one.as_str().len(), 32);
        assert_ne!(one, two);
    }
}
