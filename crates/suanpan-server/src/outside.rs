//! The seam to the outside: the clock and the dice.
//!
//! Nothing else in the server may ask what time it is or draw a random number
//! (clippy bans the calls), so a test can set both: [`ManualClock`] moves only
//! when told, and wakes whoever slept until then; [`SeededDice`] rolls the same
//! ids in every run.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures_util::future::BoxFuture;
use suanpan_wechat::Nonce;
use tokio::sync::watch;

/// Tells the time, and when a time has come.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Unix microseconds.
    fn now_micros(&self) -> i64;

    /// Unix seconds, as WeChat counts.
    fn now_seconds(&self) -> i64 {
        self.now_micros().div_euclid(1_000_000)
    }

    /// Microseconds since some moment; never goes back. Only good for differences.
    fn monotonic_micros(&self) -> i64;

    /// Waits until the clock shows at least this time, in unix microseconds.
    fn sleep_until(&self, at: i64) -> BoxFuture<'static, ()>;

    /// Waits this many microseconds.
    fn sleep(&self, micros: i64) -> BoxFuture<'static, ()> {
        self.sleep_until(self.now_micros().saturating_add(micros))
    }
}

/// Makes what nobody can guess.
pub trait Dice: fmt::Debug + Send + Sync + 'static {
    /// Fills the bytes, each with a value that nobody can foresee.
    fn fill(&self, bytes: &mut [u8]);

    /// A new id: `ord_` and 32 hexadecimal digits, say. Later ids sort later, by the millisecond (version 7 of UUID), which
    /// keeps new rows together on disk; 74 of its bits are random.
    fn id(&self, prefix: &str, now_micros: i64) -> String {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(now_micros.div_euclid(1000)).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        format!("{prefix}{}", id.simple())
    }

    /// The id of an order. Who knows it may pay the order, so 138 of its bits are random.
    fn order_id(&self, now_micros: i64) -> String {
        let mut random = [0; 8];
        self.fill(&mut random);
        format!("{}{}", self.id("ord_", now_micros), hex::encode(random))
    }

    /// A nonce of 32 letters and digits, for one signature.
    fn nonce(&self) -> Nonce {
        let mut random = [0; 16];
        self.fill(&mut random);
        #[expect(
            clippy::expect_used,
            reason = "32 hexadecimal digits are a nonce by its definition"
        )]
        Nonce::parse(&hex::encode(random)).expect("a nonce")
    }

    /// A secret of 256 bits behind a prefix that says what it is: `sk_…`.
    fn secret(&self, prefix: &str) -> String {
        let mut random = [0; 32];
        self.fill(&mut random);
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random))
    }

    /// A key of Standard Webhooks: `whsec_` and 32 bytes in base64.
    fn webhook_secret(&self) -> String {
        let mut random = [0; 32];
        self.fill(&mut random);
        format!("whsec_{}", STANDARD.encode(random))
    }

    /// A number from 0 to `limit`, which is not reached; 0 if there is none. For jitter: a little uneven for large limits.
    fn below(&self, limit: i64) -> i64 {
        let mut random = [0; 8];
        self.fill(&mut random);
        i64::from_le_bytes(random).checked_rem_euclid(limit).unwrap_or_default()
    }
}

/// Measures how long something took, for a monitor. Nothing is decided by it, so no test sets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "it only measures")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    #[expect(
        clippy::new_without_default,
        reason = "a clock that starts to count is not a default value"
    )]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now_micros(&self) -> i64 {
        // A machine that thinks it is before 1970 cannot pay anything anyway: every signature will be refused.
        micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn monotonic_micros(&self) -> i64 {
        micros(self.started.elapsed())
    }

    fn sleep_until(&self, at: i64) -> BoxFuture<'static, ()> {
        let clock = *self;
        Box::pin(async move {
            loop {
                let missing = Duration::from_micros(
                    u64::try_from(at.saturating_sub(clock.now_micros())).unwrap_or(0),
                );
                if missing.is_zero() {
                    return;
                }
                // In naps, since the clock of the machine may be set meanwhile.
                tokio::time::sleep(missing.min(NAP)).await;
            }
        })
    }
}

/// A clock for tests: stands still until it is moved.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: watch::Sender<i64>,
}

impl ManualClock {
    /// A clock that shows this time, in unix microseconds. Its clones show the same.
    pub fn at(micros: i64) -> Self {
        Self { now: watch::Sender::new(micros) }
    }

    /// Moves it forward and wakes whoever slept until then.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(micros(by)));
    }

    /// Sets it, also backwards, as an operator may do with a machine.
    pub fn set(&self, micros: i64) {
        self.now.send_replace(micros);
    }
}

impl Clock for ManualClock {
    fn now_micros(&self) -> i64 {
        *self.now.borrow()
    }

    fn monotonic_micros(&self) -> i64 {
        self.now_micros()
    }

    fn sleep_until(&self, at: i64) -> BoxFuture<'static, ()> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // A clock that was dropped never strikes again.
            if now.wait_for(|now| at <= *now).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// The dice of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDice;

impl Dice for SystemDice {
    #[expect(
        clippy::expect_used,
        reason = "without randomness every key and id is guessable: stop instead"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the machine gives random bytes");
    }
}

/// Dice for tests: the same seed rolls the same.
#[derive(Debug)]
pub struct SeededDice {
    seed: u64,
    rolls: AtomicU64,
}

impl SeededDice {
    /// Dice that roll what this seed says.
    pub const fn new(seed: u64) -> Self {
        Self { seed, rolls: AtomicU64::new(0) }
    }
}

impl Dice for SeededDice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let roll = self.rolls.fetch_add(1, Ordering::Relaxed);
            let block = digest(&SHA256, &[self.seed.to_be_bytes(), roll.to_be_bytes()].concat());
            chunk.iter_mut().zip(block.as_ref()).for_each(|(byte, rolled)| *byte = *rolled);
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The longest that a sleeper trusts the clock of the machine not to be set.
const NAP: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// 2026-01-01T00:00:00Z.
    const NEW_YEAR: i64 = 1_767_225_600_000_000;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_advanced() {
        let clock = ManualClock::at(NEW_YEAR);
        let sleeper = tokio::spawn(clock.sleep(2_000_000));
        let early = futures_util::poll!(clock.sleep(2_000_000));
        assert!(early.is_pending());

        clock.advance(Duration::from_secs(2));
        sleeper.await.unwrap();
        assert_eq!(clock.now_seconds(), 1_767_225_602);
    }

    #[tokio::test]
    async fn nobody_sleeps_until_a_time_that_is_past() {
        ManualClock::at(NEW_YEAR).sleep_until(NEW_YEAR).await;
        SystemClock::new().sleep_until(NEW_YEAR).await;
    }

    #[test]
    fn the_same_seed_rolls_the_same() {
        let roll = |seed| {
            let dice = SeededDice::new(seed);
            (
                dice.id("ord_", NEW_YEAR),
                dice.nonce().to_string(),
                dice.secret("sk_"),
                dice.webhook_secret(),
            )
        };
        assert_eq!(roll(7), roll(7));
        assert_ne!(roll(7), roll(8));
    }

    #[test]
    fn ids_sort_by_time_and_never_repeat() {
        let ids = |dice: &dyn Dice| -> Vec<_> {
            (0..100).map(|ms| dice.id("ord_", NEW_YEAR + ms * 1000)).collect()
        };
        for ids in [ids(&SystemDice), ids(&SeededDice::new(1))] {
            assert!(ids.is_sorted());
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 100);
            assert!(ids.iter().all(|id| id.len() == 36 && id.starts_with("ord_019b")));
        }
    }

    #[test]
    fn jitter_stays_below_its_limit() {
        let dice = SeededDice::new(3);
        assert!((1..200).all(|limit| (0..limit).contains(&dice.below(limit))));
        assert_eq!(dice.below(0), 0);
    }
}
