//! Migrations: numbered texts in the program, applied once each, in order.
//!
//! What has run is never edited: its checksum is kept, and a database that
//! went another way is refused. Processes that start at once are serialised:
//! on SQLite by its write lock, on PostgreSQL by a lease. Expand and contract only, so
//! that old and new nodes can live on one database during a rolling upgrade.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::database::{Database, open_writer};
use super::{StoreError, pg};

/// One step of the schema.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Migration {
    /// Its number: 1, 2, 3, …
    pub version: i64,
    /// Its name, as in the name of its file.
    pub name: &'static str,
    /// Its text, the same for every engine; `{blob}` stands for the engine's type of bytes.
    pub sql: &'static str,
}

/// All migrations that this program knows, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "first_light",
        sql: include_str!("../../migrations/0001_first_light.sql"),
    },
    Migration { version: 2, name: "refund", sql: include_str!("../../migrations/0002_refund.sql") },
    Migration {
        version: 3,
        name: "watches",
        sql: include_str!("../../migrations/0003_watches.sql"),
    },
    Migration {
        version: 4,
        name: "platform",
        sql: include_str!("../../migrations/0004_platform.sql"),
    },
    Migration {
        version: 5,
        name: "accounts",
        sql: include_str!("../../migrations/0005_accounts.sql"),
    },
    Migration {
        version: 6,
        name: "idempotency_and_replay",
        sql: include_str!("../../migrations/0006_idempotency_and_replay.sql"),
    },
    Migration {
        version: 7,
        name: "refused",
        sql: include_str!("../../migrations/0007_refused.sql"),
    },
    Migration { version: 8, name: "growth", sql: include_str!("../../migrations/0008_growth.sql") },
    Migration { version: 9, name: "moving", sql: include_str!("../../migrations/0009_moving.sql") },
    Migration { version: 10, name: "done", sql: include_str!("../../migrations/0010_done.sql") },
    Migration {
        version: 11,
        name: "archive",
        sql: include_str!("../../migrations/0011_archive.sql"),
    },
    Migration {
        version: 12,
        name: "reconciliation",
        sql: include_str!("../../migrations/0012_reconciliation.sql"),
    },
    Migration {
        version: 13,
        name: "people",
        sql: include_str!("../../migrations/0013_people.sql"),
    },
    Migration { version: 14, name: "pages", sql: include_str!("../../migrations/0014_pages.sql") },
    Migration {
        version: 15,
        name: "request",
        sql: include_str!("../../migrations/0015_request.sql"),
    },
];

/// Where a database stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The newest migration that has run here; 0 in a new database.
    pub version: i64,
    /// The names of those that have not.
    pub pending: Vec<&'static str>,
}

/// Says where the database stands, and changes nothing.
pub async fn check(database: &Database) -> Result<Standing, StoreError> {
    let pending = match database {
        Database::Lite(path) if !path.exists() => MIGRATIONS,
        Database::Lite(path) => lite_pending(&super::database::open_reader(path)?, MIGRATIONS)?,
        Database::Pg(address) => pg::migrate::check(address, MIGRATIONS).await?,
    };
    let done = MIGRATIONS.len().saturating_sub(pending.len());
    let last = done.checked_sub(1).and_then(|last| MIGRATIONS.get(last));
    Ok(Standing {
        version: last.map_or(0, |migration| migration.version),
        pending: pending.iter().map(|migration| migration.name).collect(),
    })
}

/// Brings the database up to date; answers the names of the migrations that ran now.
///
/// `now` is in unix microseconds.
pub async fn apply(database: &Database, now: i64) -> Result<Vec<&'static str>, StoreError> {
    match database {
        Database::Lite(path) => lite_apply(path, MIGRATIONS, now),
        Database::Pg(address) => pg::migrate::apply(address, MIGRATIONS, now).await,
    }
}

fn lite_apply(path: &Path, known: &[Migration], now: i64) -> Result<Vec<&'static str>, StoreError> {
    let mut connection = open_writer(path)?;
    let mut ran = Vec::new();
    loop {
        // The lock is taken before we look, so that a second process finds our work done.
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|cause| StoreError::sql("BEGIN IMMEDIATE", cause))?;
        let Some(next) = lite_pending(&transaction, known)?.first() else { return Ok(ran) };
        let failed = |cause: rusqlite::Error| StoreError::Migration {
            version: next.version,
            cause: Arc::new(cause),
        };
        transaction.execute_batch(TABLE).map_err(failed)?;
        transaction.execute_batch(&next.sql.replace("{blob}", "BLOB")).map_err(failed)?;
        transaction
            .execute(NOTE, (next.version, next.name, next.checksum(), now))
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        ran.push(next.name);
    }
}

/// A migration that ran: its version, its name, its checksum.
pub(super) type Ran = (i64, String, String);

/// The migrations that have not run, after a look at those that have.
pub(super) fn pending<'a>(
    ran: &[Ran],
    known: &'a [Migration],
) -> Result<&'a [Migration], StoreError> {
    for (position, (version, name, checksum)) in ran.iter().enumerate() {
        match known.get(position) {
            Some(migration)
                if migration.version == *version && migration.checksum() == *checksum => {}
            Some(_) => {
                return Err(StoreError::MigrationChanged { version: *version, ran: name.clone() });
            }
            None => {
                let known = known.last().map_or(0, |migration| migration.version);
                let found = ran.last().map_or(0, |(version, ..)| *version);
                return Err(StoreError::Newer { found, known });
            }
        }
    }

    Ok(known.get(ran.len()..).unwrap_or_default())
}

fn lite_pending<'a>(
    connection: &Connection,
    known: &'a [Migration],
) -> Result<&'a [Migration], StoreError> {
    pending(&ran(connection).map_err(|cause| StoreError::sql(RAN, cause))?, known)
}

fn ran(connection: &Connection) -> rusqlite::Result<Vec<Ran>> {
    let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'";
    if connection.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(RAN)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

impl Migration {
    /// SHA-256 of the text before anything is replaced in it, in hexadecimal: the same on every engine.
    pub(super) fn checksum(&self) -> String {
        hex::encode(digest(&SHA256, self.sql.as_bytes()))
    }
}

pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, at BIGINT NOT NULL)";

pub(super) const NOTE: &str =
    "INSERT INTO migration (version, name, sha256, at) VALUES ($1, $2, $3, $4)";

pub(super) const RAN: &str = "SELECT version, name, sha256 FROM migration ORDER BY version";
