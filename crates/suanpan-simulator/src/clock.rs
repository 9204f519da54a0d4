//! WeChat's clock: the machine's, and how far it was advanced.
//!
//! `POST /_sim/clock` moves it, so that a retry that is due in six hours goes out
//! now. It never goes back, and it survives a restart (the ledger keeps the distance).
//!
//! Signatures are the exception: their times, and the five minutes that a request
//! may be off, go by the machine's clock. A backend's clock is not advanced with
//! ours, and it would rightly refuse everything that we sign in its future.

use std::sync::Arc;

use tokio::sync::watch;

use crate::Outside;

/// Microseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000;

/// The simulator's clock.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    outside: Arc<dyn Outside>,
    ahead: watch::Sender<i64>,
}

impl Clock {
    /// A clock that is this many microseconds ahead of the machine's.
    pub(crate) fn new(outside: Arc<dyn Outside>, ahead: i64) -> Self {
        Self { outside, ahead: watch::Sender::new(ahead) }
    }

    /// Unix microseconds.
    pub(crate) fn now_micros(&self) -> i64 {
        self.outside.now_micros().saturating_add(self.ahead())
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.now_micros().div_euclid(SECOND)
    }

    /// Unix seconds for signatures: by the machine's clock.
    pub(crate) fn signing_now(&self) -> i64 {
        self.outside.now_micros().div_euclid(SECOND)
    }

    /// How far it is ahead of the machine's, in microseconds.
    pub(crate) fn ahead(&self) -> i64 {
        *self.ahead.borrow()
    }

    /// Moves it forward.
    pub(crate) fn advance(&self, seconds: u32) {
        let by = i64::from(seconds).saturating_mul(SECOND);
        self.ahead.send_modify(|ahead| *ahead = ahead.saturating_add(by));
    }

    /// Waits until it shows at least this time, also when it is advanced meanwhile.
    pub(crate) async fn sleep_until(&self, at_micros: i64) {
        let mut moves = self.ahead.subscribe();
        loop {
            let ahead = *moves.borrow_and_update();
            if at_micros <= self.outside.now_micros().saturating_add(ahead) {
                return;
            }
            let slept = self.outside.sleep_until(at_micros.saturating_sub(ahead));
            tokio::select! {
                () = slept => return,
                _ = moves.changed() => {}
            }
        }
    }
}
