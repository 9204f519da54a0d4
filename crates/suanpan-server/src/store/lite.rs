//! The first engine: SQLite in this process, a thread that writes and a few that read.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, watch};

use super::writer::Message;
use super::{Door, QUEUE, StoreError, Unit, database, reader, unit, writer};
use crate::metrics::store::StoreMeters;

/// As many readers as there are cores, and a few where there are fewer: one of them may have a long page to read.
fn readers() -> usize {
    thread::available_parallelism().map_or(1, usize::from).clamp(4, 16)
}

/// An open file.
#[derive(Clone, Debug)]
pub(super) struct Lite {
    writes: mpsc::Sender<Message>,
    reads: mpsc::Sender<Message>,
    path: Arc<Path>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Lite {
    /// Opens the file, which is up to date.
    pub(super) fn open(
        path: &Path,
        commits: watch::Sender<u64>,
        door: Door,
        meters: StoreMeters,
    ) -> Result<Self, StoreError> {
        let (writes, write_queue) = mpsc::channel(QUEUE);
        let (reads, read_queue) = mpsc::channel(QUEUE);
        let read_queue = Arc::new(Mutex::new(read_queue));

        let mut threads = Vec::new();
        for _ in 0..readers() {
            let connection = database::open_reader(path)?;
            let queue = Arc::clone(&read_queue);
            threads.push(spawn(path, "store-reader", move || reader::serve(connection, &queue))?);
        }
        // The writer is last, since it must be the last to end: it tidies the file up.
        let connection = database::open_writer(path)?;
        threads.push(spawn(path, "store-writer", move || {
            writer::serve(connection, write_queue, &commits, door, &meters)
        })?);

        Ok(Self { writes, reads, path: path.into(), threads: Arc::new(Mutex::new(threads)) })
    }

    pub(super) async fn run<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        submit(&self.writes, unit).await
    }

    pub(super) async fn read<U: Unit>(&self, unit: U) -> Result<U::Out, StoreError> {
        submit(&self.reads, unit).await
    }

    /// The bytes of the database file and of its write-ahead log.
    pub(super) async fn sizes(&self) -> [(&'static str, u64); 2] {
        let length = async |path: &Path| {
            let file = tokio::fs::metadata(path).await;
            // No log: all of it is in the file.
            file.map_or(0, |file| file.len())
        };
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        [("database", length(&self.path).await), ("wal", length(Path::new(&log)).await)]
    }

    /// Does what is queued, refuses what comes later, and moves the log into the file.
    pub(super) async fn close(&self) {
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
