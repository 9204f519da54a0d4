//! Readers of an SQLite file: they see the last commit and never wait for the writer.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::unit::Job;
use super::writer::{Message, control};
use super::{StoreError, Tx};

/// A queue that several readers share.
pub(super) type Queue = Arc<Mutex<mpsc::Receiver<Message>>>;

/// Runs until the queue is closed and empty.
pub(super) fn serve(connection: Connection, queue: &Queue) {
    let mut tx = Tx::lite(connection);
    while let Some(mut job) = next(queue) {
        read(&mut tx, job.as_mut());
        job.answer();
    }
}

/// Whoever holds the lock waits for the next message, the others for the lock.
fn next(queue: &Queue) -> Option<Box<dyn Job>> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        match queue.blocking_recv()? {
            Message::Work(job) => return Some(job),
            Message::Close => queue.close(),
        }
    }
}

/// All statements of one unit see the same moment of the database.
fn read(tx: &mut Tx, job: &mut dyn Job) {
    let mut begun = || -> Result<(), StoreError> {
        control(tx, "BEGIN")?;
        job.run(tx);
        control(tx, "ROLLBACK")
    };
    if let Err(error) = begun() {
        job.fail(error);
    }
}
