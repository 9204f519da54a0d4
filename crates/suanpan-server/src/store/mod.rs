//! The store: the only SQL, and the only place that knows which engine there is.
//!
//! All work is done in units ([`Unit`]): [`Store::run`] answers when the unit
//! is durable, or when nothing of it remains. [`Store::read`] only looks. A
//! unit is given a [`Tx`] with a few primitives, and the words of the payment
//! (`impl Tx` blocks beside this file) are made of these; the engine is named
//! in the primitives alone, so a second engine is a second arm of `Tx` and not
//! a second store.
//!
//! ```text
//! run(unit) ─→ queue ─→ writer: BEGIN · unit · unit · unit · COMMIT ─→ answers
//! read(unit) ─→ queue ─→ one of a few readers, a snapshot each
//! ```
//!
//! On SQLite (`lite`): write-ahead log, `synchronous=FULL` (what was acknowledged
//! to WeChat survives a power cut), one writer thread with group commit. On
//! PostgreSQL (`pg`): a pool of connections, snapshots, and repeats where two
//! transactions crossed each other.

mod access;
mod archive;
mod audit;
mod bills;
mod certificates;
mod console;
mod database;
mod day;
mod deliveries;
mod differences;
mod due;
mod endpoints;
mod error;
mod events;
mod health;
mod idempotency;
mod inbox;
mod journal;
mod lists;
mod lite;
pub mod migrate;
mod moving;
mod operators;
mod orders;
mod pg;
mod purge;
mod reader;
mod reconciliations;
mod refund_requests;
mod refunds;
mod search;
mod sessions;
mod shipments;
mod tables;
mod tokens;
mod tx;
mod unit;
mod value;
mod writer;

use tokio::sync::watch;

pub use self::access::ApiKey;
pub use self::archive::{ArchiveFile, Number, Removal, Stone, Written};
pub use self::audit::AuditFilter;
pub use self::bills::{Bill, BillKind};
pub use self::certificates::Fetched;
pub use self::console::{Delivered, Waiting};
pub use self::database::Database;
pub(crate) use self::database::without_password;
pub use self::day::{Hour, Steps, Waits};
pub use self::deliveries::{Delivery, DeliveryStanding, Replay};
pub use self::differences::{DifferenceCount, DifferenceFilter};
pub use self::due::{Backlog, Claim, NewDue};
pub use self::endpoints::Endpoint;
pub use self::error::{Cause, StoreError};
pub(crate) use self::events::first_key;
pub use self::events::{DeliveryAttempt, Event, WEBHOOK};
pub use self::health::Health;
pub use self::idempotency::{Asked, Once, Taken};
pub use self::inbox::{Arrival, Received, Remark, Verdict};
pub use self::lists::{Line, Looked, Narrow, RefundFilter, WINDOW};
pub use self::moving::{Moving, Stage};
pub use self::operators::{Credentials, Person};
pub use self::orders::OrderFilter;
pub use self::pg::{Address, Session};
pub use self::purge::Horizon;
pub use self::reconciliations::Booked;
pub use self::refund_requests::{Decision, RefundRequest};
pub use self::search::Numbered;
pub use self::sessions::{Link, NewSession, Seen, SetUp};
pub use self::shipments::ShipmentFilter;
pub use self::tables::{TABLES, Table};
pub use self::tokens::{ForceLimits, TokenLease, TokenRow};
pub use self::tx::{Local, Tx};
pub use self::unit::{Unit, Work};
pub use self::value::{Row, Val};

use crate::metrics::store::StoreMeters;
use crate::outside::Stopwatch;

use self::lite::Lite;
use self::pg::{Mode, Pg};

/// Who may write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Door {
    /// Whoever comes, unless the business has moved away; looked at in each transaction.
    Open,
    /// Also then.
    Any,
}

/// The units that may wait before new ones are refused with [`StoreError::Busy`].
const QUEUE: usize = 1024;

/// An open database. Cloning it is cheap and shares it.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    commits: watch::Receiver<u64>,
    meters: StoreMeters,
}

/// What an engine can run out of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reserves {
    /// SQLite: bytes of its files.
    Files([(&'static str, u64); 2]),
    /// PostgreSQL: its connections by state, and how many units wait for one.
    Pool { connections: [(&'static str, usize); 3], waiting: usize },
}

#[derive(Clone, Debug)]
enum Engine {
    Lite(Lite),
    Pg(Pg),
}

impl Store {
    /// Opens the database, makes it if there is none, and brings it up to date.
    ///
    /// `now` is in unix microseconds and is noted beside each migration.
    ///
    /// # Errors
    /// [`StoreError::Moved`] and [`StoreError::Coming`] where the business is not here; later, from all that writes.
    pub async fn open(database: &Database, now: i64) -> Result<Self, StoreError> {
        let store = Self::open_by(database, now, Door::Open).await?;
        let closed = store.look((), |tx, ()| Box::pin(tx.closed_by_move())).await?;
        closed.map_or(Ok(store), |moving| Err(moving.into()))
    }

    /// The same for whoever moves a business: the door is open to him.
    pub(crate) async fn open_to_move(database: &Database, now: i64) -> Result<Self, StoreError> {
        Self::open_by(database, now, Door::Any).await
    }

    async fn open_by(database: &Database, now: i64, door: Door) -> Result<Self, StoreError> {
        migrate::apply(database, now).await?;
        let (committed, commits) = watch::channel(0);
        let meters = StoreMeters::default();
        let engine = match database {
            Database::Lite(path) => {
                Engine::Lite(Lite::open(path, committed, door, meters.clone())?)
            }
            Database::Pg(address) => {
                Engine::Pg(Pg::open(address, committed, door, meters.clone())?)
            }
        };
        Ok(Self { engine, commits, meters })
    }

    /// Does the work in one transaction; answers when it is durable.
    ///
    /// A unit that was queued is done even if the caller stops waiting.
    pub async fn run<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        let began = Stopwatch::start();
        let said = match &self.engine {
            Engine::Lite(lite) => lite.run(unit).await,
            Engine::Pg(pg) => pg.run(unit, Mode::Write).await,
        };
        self.meters.called("write", began, said.as_ref().err().map(StoreError::code));
        said
    }

    /// Looks at one moment of the database. To write in here is an error.
    pub async fn read<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        let began = Stopwatch::start();
        let said = match &self.engine {
            Engine::Lite(lite) => lite.read(unit).await,
            Engine::Pg(pg) => pg.run(unit, Mode::Read).await,
        };
        self.meters.called("read", began, said.as_ref().err().map(StoreError::code));
        said
    }

    /// [`run`](Self::run) for a closure over its input, which it may see more than once:
    /// `store.write(order, |tx, order| Box::pin(async move { … })).await`.
    pub async fn write<I, F, T>(&self, input: I, work: F) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        F: for<'a> Fn(&'a mut Tx, &'a I) -> Work<'a, T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.run(unit::With { input, work }).await
    }

    /// [`read`](Self::read) for a closure over its input:
    /// `store.look(id, |tx, id| Box::pin(async move { … })).await`.
    pub async fn look<I, F, T>(&self, input: I, work: F) -> Result<T, StoreError>
    where
        I: Send + Sync + 'static,
        F: for<'a> Fn(&'a mut Tx, &'a I) -> Work<'a, T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.read(unit::With { input, work }).await
    }

    /// Waits until every transaction of others that has begun by now is at its end.
    pub(crate) async fn let_older_end(&self) -> Result<(), StoreError> {
        match &self.engine {
            // One writes at a time: when we have written, nobody who came before is still at it.
            Engine::Lite(_) => Ok(()),
            Engine::Pg(pg) => pg.let_older_end().await,
        }
    }

    /// Counts the commits of this process: changes when there may be something new to see.
    ///
    /// A hint to look sooner. Another process commits unseen, so look in any case now and then.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// What it has measured.
    pub(crate) const fn meters(&self) -> &StoreMeters {
        &self.meters
    }

    /// How much there is of what a machine can run out of.
    pub(crate) async fn reserves(&self) -> Reserves {
        match &self.engine {
            Engine::Lite(lite) => Reserves::Files(lite.sizes().await),
            Engine::Pg(pg) => {
                let (connections, waiting) = pg.pool();
                Reserves::Pool { connections, waiting }
            }
        }
    }

    /// Does what is queued, refuses what comes later, and leaves the database as a whole.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Lite(lite) => lite.close().await,
            Engine::Pg(pg) => pg.close().await,
        }
    }
}
