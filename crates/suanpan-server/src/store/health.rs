//! How a database is, seen from beside: nothing is migrated, and no row is written. A file is opened as `serve` opens it.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use super::database::{Database, open_writer};
use super::{StoreError, pg};

/// How a database is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Health {
    /// It is not there yet, and can be made.
    pub is_new: bool,
    /// Settings under which a commit can be lost, such as `fsync = off`.
    pub not_durable: Vec<String>,
    /// What is damaged, as the engine says it; `None`: it is too large to be looked through, or it looks by itself.
    pub damage: Option<Vec<String>>,
}

impl Database {
    /// Looks at it: whether it can be written, keeps what was committed, and is whole.
    ///
    /// # Errors
    /// Where it cannot be opened, or is held by somebody.
    pub async fn health(&self) -> Result<Health, StoreError> {
        match self {
            Self::Lite(path) => {
                let path = path.clone();
                let looked = tokio::task::spawn_blocking(move || of_file(&path));
                looked.await.unwrap_or(Err(StoreError::Closed))
            }
            Self::Pg(address) => pg::health(address).await,
        }
    }
}

fn of_file(path: &Path) -> Result<Health, StoreError> {
    let failed =
        |cause: std::io::Error| StoreError::Open { path: path.to_owned(), cause: Arc::new(cause) };
    if !path.exists() {
        // Only a try says whether a file can be made there.
        let trial = path.with_extension("doctor");
        // One that is there is left by a look that was ended here.
        OpenOptions::new().write(true).create(true).truncate(true).open(&trial).map_err(failed)?;
        std::fs::remove_file(&trial).map_err(failed)?;
        return Ok(Health { is_new: true, damage: Some(Vec::new()), ..Health::default() });
    }
    let bytes = path.metadata().map_err(failed)?.len();
    let connection = open_writer(path)?;
    let sql = |name, cause| StoreError::sql(name, cause);
    connection.execute_batch(TRY).map_err(|cause| sql(TRY, cause))?;
    let mode: String =
        connection.query_row(MODE, [], |row| row.get(0)).map_err(|cause| sql(MODE, cause))?;
    let not_durable = (mode != "wal").then(|| format!("journal_mode = {mode}"));
    let damage = if LARGE < bytes {
        None
    } else {
        let mut statement = connection.prepare(CHECK).map_err(|cause| sql(CHECK, cause))?;
        let said = statement.query_map([], |row| row.get::<_, String>(0));
        let said = said.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let said = said.map_err(|cause| sql(CHECK, cause))?;
        Some(said.into_iter().filter(|line| line != "ok").collect())
    };
    Ok(Health { is_new: false, not_durable: not_durable.into_iter().collect(), damage })
}

/// Takes the lock of whoever writes, and gives it back.
const TRY: &str = "BEGIN IMMEDIATE; ROLLBACK";
const MODE: &str = "PRAGMA journal_mode";
const CHECK: &str = "PRAGMA quick_check(3)";
/// Bytes above which looking through all of it would take minutes.
const LARGE: u64 = 1 << 30;
