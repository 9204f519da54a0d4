//! The one writer of an SQLite file, and group commit.
//!
//! A commit costs an fsync, and an fsync costs the same for one unit and for a
//! hundred. So the writer takes all the units that wait, runs them in one
//! transaction, each in a savepoint of its own, commits once, and only then
//! answers all of them. Who waits sees none of this: his unit is durable when
//! he is answered, and a failing unit takes nobody along.

use futures_util::FutureExt as _;
use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use super::tx::Local;
use super::unit::Job;
use super::{Door, StoreError, Tx};
use crate::metrics::store::StoreMeters;
use crate::outside::Stopwatch;

/// The most units that share a commit: bounds how long the first one waits for the last.
const BATCH: usize = 256;

/// What the queue of a worker carries.
#[derive(Debug)]
pub(super) enum Message {
    /// Work to be done.
    Work(Box<dyn Job>),
    /// Finish what is queued, then end.
    Close,
}

/// Runs until the queue is closed and empty.
pub(super) fn serve(
    connection: Connection,
    mut queue: mpsc::Receiver<Message>,
    commits: &watch::Sender<u64>,
    door: Door,
    meters: &StoreMeters,
) {
    let mut tx = Tx::lite(connection);
    let mut messages = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut messages, BATCH) > 0 {
        let mut batch = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            match message {
                Message::Work(job) => batch.push(job),
                Message::Close => queue.close(),
            }
        }
        let began = Stopwatch::start();
        if commit(&mut tx, &mut batch, door) {
            meters.committed(began);
            meters.shared(batch.len());
            commits.send_modify(|count| *count = count.wrapping_add(1));
        }
        for mut job in batch {
            // Before the answer: whoever looks after it finds it counted.
            meters.count(job.moves());
            job.answer();
        }
    }
    close(tx);
}

/// Runs a batch to its end. `true` if anything was committed.
fn commit(tx: &mut Tx, batch: &mut [Box<dyn Job>], door: Door) -> bool {
    if let [job] = batch {
        return alone(tx, job.as_mut(), door);
    }
    match together(tx, batch, door) {
        Ok(committed) => committed,
        Err(Lost::Begin(error)) => {
            batch.iter_mut().for_each(|job| job.fail(error.clone()));
            false
        }
        // The engine threw the whole transaction away (a full disk, for instance). Each unit has a second chance
        // alone, so that only the guilty one fails.
        Err(Lost::Midway) => {
            let done =
                batch.iter_mut().filter_map(|job| alone(tx, job.as_mut(), door).then_some(()));
            done.count() > 0
        }
    }
}

/// Why a shared transaction came to nothing.
enum Lost {
    /// It never began.
    Begin(StoreError),
    /// It ended before its commit, or with it.
    Midway,
}

fn together(tx: &mut Tx, batch: &mut [Box<dyn Job>], door: Door) -> Result<bool, Lost> {
    begin(tx, door).map_err(Lost::Begin)?;
    let mut any = false;
    for job in batch {
        if control(tx, "SAVEPOINT unit").is_err() {
            return Err(abandon(tx));
        }
        let done = job.run(tx);
        let undone = done || control(tx, "ROLLBACK TO unit").is_ok();
        // The release also notices when the engine has ended the transaction by itself.
        if !undone || control(tx, "RELEASE unit").is_err() {
            return Err(abandon(tx));
        }
        any |= done;
    }
    match control(tx, "COMMIT") {
        Ok(()) => Ok(any),
        Err(_) => Err(abandon(tx)),
    }
}

fn alone(tx: &mut Tx, job: &mut dyn Job, door: Door) -> bool {
    if let Err(error) = begin(tx, door) {
        job.fail(error);
        return false;
    }
    if !job.run(tx) {
        abandon(tx);
        return false;
    }
    match control(tx, "COMMIT") {
        Ok(()) => true,
        Err(error) => {
            abandon(tx);
            job.fail(error);
            false
        }
    }
}

/// Begins, with the lock in hand, unless the business has gone from here.
fn begin(tx: &mut Tx, door: Door) -> Result<(), StoreError> {
    control(tx, "BEGIN IMMEDIATE")?;
    let closed = match door {
        Door::Any => return Ok(()),
        // SQLite never waits.
        Door::Open => tx.closed_by_move().now_or_never().unwrap_or(Err(StoreError::Pending)),
    };
    match closed {
        Ok(None) => Ok(()),
        Ok(Some(moving)) => {
            abandon(tx);
            Err(moving.into())
        }
        Err(error) => {
            abandon(tx);
            Err(error)
        }
    }
}

/// Leaves no transaction open, whatever happened before.
fn abandon(tx: &mut Tx) -> Lost {
    let open = matches!(tx, Tx::Lite(local) if !local.connection.is_autocommit());
    if open && control(tx, "ROLLBACK").is_err() {
        tracing::error!("a transaction could not be rolled back");
    }
    Lost::Midway
}

/// Runs a statement that steers the transaction.
pub(super) fn control(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    // The threads of SQLite hold no other.
    let Tx::Lite(local) = tx else { return Err(StoreError::Closed) };
    let run = |connection: &Connection| connection.prepare_cached(sql)?.raw_execute();
    run(&local.connection).map(drop).map_err(|cause| StoreError::sql(sql, cause))
}

/// Moves the write-ahead log into the file, so that the file alone is the database.
fn close(tx: Tx) {
    let Tx::Lite(Local { connection, .. }) = tx else { return };
    // Another process may still read: then the log stays, and nothing is lost.
    if let Err(cause) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(%cause, "the write-ahead log was not moved into the database file");
    }
    if let Err((_, cause)) = connection.close() {
        tracing::warn!(%cause, "the database was not closed in order");
    }
}
