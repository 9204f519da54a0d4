//! The store: the only SQL, and the only place that knows which engine there is.
//!
//! All work is done in units ([`Unit`]): [`Store::run`] answers when the unit
//! is durable, or when nothing of it remains. [`Store::read`] only looks. A
//! unit is given a [`Tx`] with three primitives, and the words of the payment
//! (`impl Tx` blocks beside this file) are made of these; the engine is named
//! in the primitives alone, so a second engine is a second arm of `Tx` and not
//! a second store.
//!
//! ```text
//! run(unit) ─→ queue ─→ writer: BEGIN · unit · unit · unit · COMMIT ─→ answers
//! read(unit) ─→ queue ─→ one of four readers, a snapshot each
//! ```
//!
//! On SQLite: write-ahead log, `synchronous=FULL` (what was acknowledged to
//! WeChat survives a power cut), one writer thread with group commit.

mod access;
mod certificates;
mod console;
mod database;
mod deliveries;
mod due;
mod endpoints;
mod error;
mod events;
mod idempotency;
mod inbox;
mod journal;
pub mod migrate;
mod orders;
mod purge;
mod reader;
mod refunds;
mod shipments;
mod tokens;
mod tx;
mod unit;
mod value;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, watch};

pub use self::certificates::Fetched;
pub use self::console::{Delivered, Waiting};
pub use self::database::Database;
pub use self::deliveries::{Delivery, DeliveryStanding, Replay};
pub use self::due::{Backlog, Claim, NewDue};
pub use self::endpoints::Endpoint;
pub use self::error::StoreError;
pub use self::events::{DeliveryAttempt, Event, WEBHOOK};
pub use self::idempotency::{Asked, Once, Taken};
pub use self::inbox::{Arrival, Received, Remark, Verdict};
pub use self::orders::OrderFilter;
pub use self::purge::Horizon;
pub use self::shipments::ShipmentFilter;
pub use self::tokens::{ForceLimits, TokenLease, TokenRow};
pub use self::tx::Tx;
pub use self::unit::{Unit, Work};
pub use self::value::{Row, Val};
use self::writer::Message;

/// The units that may wait before new ones are refused with [`StoreError::Busy`].
const QUEUE: usize = 1024;

/// Reading is mostly short: more threads than this only add switching.
const READERS: usize = 4;

/// An open database. Cloning it is cheap and shares it.
#[derive(Clone, Debug)]
pub struct Store {
    writes: mpsc::Sender<Message>,
    reads: mpsc::Sender<Message>,
    commits: watch::Receiver<u64>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Store {
    /// Opens the database, makes it if there is none, and brings it up to date.
    ///
    /// `now` is in unix microseconds and is noted beside each migration.
    pub fn open(database: &Database, now: i64) -> Result<Self, StoreError> {
        Self::open_sized(database, now, QUEUE)
    }

    fn open_sized(database: &Database, now: i64, queue: usize) -> Result<Self, StoreError> {
        migrate::apply(database, now)?;
        let Database::Lite(path) = database;
        let (writes, write_queue) = mpsc::channel(queue);
        let (reads, read_queue) = mpsc::channel(queue);
        let (committed, commits) = watch::channel(0);
        let read_queue = Arc::new(Mutex::new(read_queue));

        let mut threads = Vec::new();
        for _ in 0..READERS {
            let connection = database::open_reader(path)?;
            let queue = Arc::clone(&read_queue);
            threads.push(spawn(path, "store-reader", move || reader::serve(connection, &queue))?);
        }
        // The writer is last, since it must be the last to end: it tidies the file up.
        let connection = database::open_writer(path)?;
        threads.push(spawn(path, "store-writer", move || {
            writer::serve(connection, write_queue, &committed)
        })?);

        Ok(Self { writes, reads, commits, threads: Arc::new(Mutex::new(threads)) })
    }

    /// Does the work in one transaction; answers when it is durable.
    ///
    /// A unit that was queued is done even if the caller stops waiting.
    pub async fn run<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        submit(&self.writes, unit).await
    }

    /// Looks at one moment of the database. To write in here is an error.
    pub async fn read<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        submit(&self.reads, unit).await
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

    /// Counts the commits of this process: changes when there may be something new to see.
    ///
    /// A hint to look sooner. Another process commits unseen, so look in any case now and then.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// Does what is queued, refuses what comes later, and moves the log into the file.
    pub async fn close(&self) {
        // A reader holds the log open, so the readers go first.
        drop(self.reads.send(Message::Close).await);
        self.reads.closed().await;
        drop(self.writes.send(Message::Close).await);
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(|| {
            threads.into_iter().map(JoinHandle::join).all(|end| end.is_ok())
        });
        if !matches!(joined.await, Ok(true)) {
            tracing::error!("a thread of the store ended in a panic");
        }
    }
}

async fn submit<U: Unit>(queue: &mpsc::Sender<Message>, unit: U) -> Result<U::Out, StoreError> {
    let (job, answer) = unit::job(unit);
    queue.try_send(Message::Work(job)).map_err(|refused| match refused {
        mpsc::error::TrySendError::Full(_) => StoreError::Busy,
        mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
    })?;
    answer.await.unwrap_or(Err(StoreError::Closed))
}

fn spawn(
    path: &Path,
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map_err(|cause| StoreError::Open { path: path.to_owned(), cause: Arc::new(cause) })
}
