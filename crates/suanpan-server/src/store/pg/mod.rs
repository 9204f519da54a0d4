//! The second engine: PostgreSQL, for more than one machine.
//!
//! Each unit is a transaction on a connection of a pool, at REPEATABLE READ.
//! Transactions that cross each other are refused by the server and run again
//! from the start, a bounded number of times; that is why a [`Unit`] takes
//! `&self`. Two that are about one order always cross: both want the next
//! number of its journal.
//!
//! A connection that is lost before the commit has done nothing, and the unit
//! is run again. One that is lost during the commit leaves an outcome that
//! nobody knows ([`StoreError::Unknown`]): that unit is not run again here,
//! whoever asked for it asks again under his key.

mod address;
mod error;
mod health;
mod hosts;
pub(super) mod migrate;
mod older;
mod session;
mod value;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{Pool, Status};
use futures_util::FutureExt as _;
use tokio::sync::{Mutex, Semaphore, TryAcquireError, watch};

use super::{Door, QUEUE, StoreError, Tx, Unit, unit};
use crate::metrics::store::StoreMeters;
use crate::outside::Stopwatch;

pub use self::address::Address;
pub(super) use self::health::health;
pub(super) use self::session::Mode;
pub use self::session::Session;

use self::error::Trouble;

/// An open database on a server.
#[derive(Clone, Debug)]
pub(super) struct Pg {
    pool: Pool,
    shown: Arc<str>,
    door: Door,
    meters: StoreMeters,
    /// One for each unit that waits or runs.
    slots: Arc<Semaphore>,
    commits: watch::Sender<u64>,
    /// Held by the unit that is run again: see [`Pg::repeat`].
    turn: Arc<Mutex<()>>,
    /// Counts the repeats; spreads their waits.
    repeats: Arc<AtomicU64>,
}

impl Pg {
    /// Opens the database, which is up to date.
    pub(super) fn open(
        address: &Address,
        commits: watch::Sender<u64>,
        door: Door,
        meters: StoreMeters,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            pool: address.pool()?,
            shown: address.to_string().into(),
            door,
            meters,
            slots: Arc::new(Semaphore::new(QUEUE)),
            commits,
            turn: Arc::default(),
            repeats: Arc::default(),
        })
    }

    /// Runs a unit to its end, also when the caller stops waiting.
    pub(super) async fn run<U: Unit>(&self, unit: U, mode: Mode) -> Result<U::Out, StoreError> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|none| match none {
            TryAcquireError::NoPermits => StoreError::Busy,
            TryAcquireError::Closed => StoreError::Closed,
        })?;
        let pg = self.clone();
        let work = tokio::spawn(async move {
            let said = pg.repeat(&unit, mode).await;
            if said.is_ok() && mode == Mode::Write {
                pg.commits.send_modify(|count| *count = count.wrapping_add(1));
            }
            drop(slot);
            said
        });
        // It does not panic, so if it has no answer its runtime has come to its end.
        work.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Waits until every transaction of others that has begun by now is at its end.
    pub(super) async fn let_older_end(&self) -> Result<(), StoreError> {
        older::end(&self.pool, &self.shown).await
    }

    /// The connections: open, idle, the most; and how many units wait for one.
    pub(super) fn pool(&self) -> ([(&'static str, usize); 3], usize) {
        let Status { max_size, size, available, waiting } = self.pool.status();
        ([("open", size), ("idle", available), ("most", max_size)], waiting)
    }

    /// Finishes what is under way, refuses what comes later, and closes the connections.
    pub(super) async fn close(&self) {
        let all = u32::try_from(QUEUE).unwrap_or(u32::MAX);
        drop(self.slots.acquire_many(all).await);
        self.slots.close();
        self.pool.close();
    }

    /// Runs a unit until it is done or refused for good.
    ///
    /// Those that are run again stand in line, one at a time. When a hundred
    /// want the same order at the same moment, each run of all of them would
    /// bring only one of them on.
    async fn repeat<U: Unit>(&self, unit: &U, mode: Mode) -> Result<U::Out, StoreError> {
        let mut turn = None;
        for run in 1.. {
            let (error, trouble) = match self.once(unit, mode).await {
                Ok(said) => return Ok(said),
                Err(refused) => refused,
            };
            let again = match trouble {
                Trouble::Crossed | Trouble::Lost => run < RUNS,
                // A new transaction sees the row that was in the way, and knows what to say to it. A unit that runs into
                // it each time does not look.
                Trouble::Taken => run < RUNS_INTO_A_KEY,
                Trouble::Silent | Trouble::Refused => false,
            };
            if !again {
                return Err(error);
            }
            self.meters.repeated();
            tracing::debug!(run, ?trouble, "a unit of work is run again");
            if trouble == Trouble::Lost {
                // Nobody was in its way; and whoever finds the server gone must not keep the line waiting for it.
                continue;
            }
            if turn.is_none() {
                turn = Some(self.turn.lock().await);
            } else if trouble != Trouble::Taken {
                // Another node has its own line.
                tokio::time::sleep(self.wait(run)).await;
            }
        }
        Err(StoreError::Contended)
    }

    async fn once<U: Unit>(&self, unit: &U, mode: Mode) -> Result<U::Out, (StoreError, Trouble)> {
        let session = Session::begin(&self.pool, &self.shown, mode, self.door).await?;
        let began = Stopwatch::start();
        let at_work = Arc::clone(&session.at_work);
        let mut tx = Tx::Pg(session);
        let said = AssertUnwindSafe(only_for_tx(unit.run(&mut tx), &at_work)).catch_unwind().await;
        let said = said.unwrap_or_else(|panic| {
            Err(StoreError::Panicked { message: unit::message_of(panic.as_ref()) })
        });
        let moves = tx.moves();
        let ended = match tx {
            Tx::Pg(session) => session.end(said).await,
            // A unit has no other transaction to put in the place of its own.
            Tx::Lite(_) => Err((StoreError::Pending, Trouble::Refused)),
        };
        if ended.is_ok() && mode == Mode::Write {
            self.meters.committed(began);
            self.meters.count(moves);
        }
        ended
    }

    /// Longer from run to run, and not the same for two units that have crossed each other.
    fn wait(&self, run: u32) -> Duration {
        let most = 1_u64.checked_shl(run.min(6)).unwrap_or(1);
        let number = self.repeats.fetch_add(1, Ordering::Relaxed);
        let spread = number.wrapping_mul(7).checked_rem(most).unwrap_or_default();
        Duration::from_millis(most.div_euclid(2).saturating_add(spread))
    }
}

/// The answer of a unit that waits for its transaction and for nothing else: anything else would hold up whoever waits
/// for its rows, and would never end on SQLite.
async fn only_for_tx<T>(
    unit: impl Future<Output = Result<T, StoreError>>,
    at_work: &AtomicBool,
) -> Result<T, StoreError> {
    let mut unit = pin!(unit);
    std::future::poll_fn(|context| match unit.as_mut().poll(context) {
        Poll::Pending if !at_work.load(Ordering::Relaxed) => Poll::Ready(Err(StoreError::Pending)),
        polled @ (Poll::Pending | Poll::Ready(_)) => polled,
    })
    .await
}

/// How often a unit is run at most; with its waits that is about a second.
const RUNS: u32 = 20;
/// How often it may run into a unique key.
const RUNS_INTO_A_KEY: u32 = 6;
