//! What can go wrong in the store, why, and what to do about it.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

/// What an engine said.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// An error of the store.
///
/// It can be cloned, because one cause may answer every unit of a batch. It
/// names statements and columns, never the values in them.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// More work waits than the store takes on; the unit was not run.
    #[error("the store has too much work waiting")]
    Busy,
    /// Another process held the database for longer than we wait.
    #[error("another process holds the database")]
    Locked,
    /// Other transactions crossed the unit as often as it was run; nothing of it remains.
    #[error("others kept changing the same rows")]
    Contended,
    /// The connection to the database was lost; nothing of the unit remains.
    #[error("the connection to the database was lost")]
    Lost {
        /// How.
        #[source]
        cause: Cause,
    },
    /// The connection was lost during the commit: the unit may have been done, or not.
    #[error("the connection to the database was lost during a commit, so its outcome is not known")]
    Unknown {
        /// How.
        #[source]
        cause: Cause,
    },
    /// No connection to the database can be made; the unit was not run.
    #[error("the database {database} cannot be reached")]
    Unreachable {
        /// Its address without user and password.
        database: String,
        /// Why not.
        #[source]
        cause: Cause,
    },
    /// The store was closed; the unit was not run.
    #[error("the store is closed")]
    Closed,
    /// The business goes to another database, or has gone: what is written here would be lost.
    #[error("the business has moved from this database to {place}, or is on its way there")]
    Moved {
        /// That database, without user and password.
        place: String,
    },
    /// Not all of the business has come here yet.
    #[error("the business is on its way from {place} to this database, and not all of it has come")]
    Coming {
        /// That database, without user and password.
        place: String,
    },
    /// A unique key is taken.
    #[error("there is such a row already: {key}")]
    Conflict {
        /// The columns of the key, as the engine names them.
        key: String,
    },
    /// The row was changed by somebody else between our reading and our writing.
    #[error("the {what} has changed meanwhile")]
    Stale {
        /// Which row.
        what: &'static str,
    },
    /// The engine refused the statement.
    #[error("the database refused: {sql}")]
    Sql {
        /// The statement.
        sql: &'static str,
        /// What the engine said.
        #[source]
        cause: Cause,
    },
    /// The statement and its arguments do not fit.
    #[error("the arguments do not fit the statement: {sql}")]
    Arguments {
        /// The statement.
        sql: &'static str,
    },
    /// More than one row came where at most one can be meant.
    #[error("more than one row answers: {sql}")]
    TooManyRows {
        /// The statement.
        sql: &'static str,
    },
    /// A column does not hold what it should.
    #[error("the column {column:?} cannot be read: {why}")]
    Unreadable {
        /// Which column.
        column: String,
        /// What is wrong with it.
        why: String,
    },
    /// The unit panicked; what it had written was rolled back.
    #[error("a unit of work panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The unit waited for something other than its transaction; what it had written was rolled back.
    #[error("a unit of work waits for something outside of its transaction")]
    Pending,
    /// The address of the database cannot be understood.
    #[error("{url:?} is not the address of a database")]
    Url {
        /// The address without a password.
        url: String,
    },
    /// The database cannot be opened.
    #[error("the database {path:?} cannot be opened")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: Cause,
    },
    /// A migration that has run is not the one that this program knows.
    #[error("migration {version} ran here as {ran:?}, and this program knows it otherwise")]
    MigrationChanged {
        /// Its number.
        version: i64,
        /// Its name when it ran.
        ran: String,
    },
    /// The database was made by a newer program.
    #[error("the database is at version {found}, and this program knows only {known}")]
    Newer {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration in this program.
        known: i64,
    },
    /// A migration failed; nothing of it remains.
    #[error("migration {version} failed")]
    Migration {
        /// Its number.
        version: i64,
        /// What the engine said.
        #[source]
        cause: Cause,
    },
}

impl StoreError {
    /// A stable name: `suanpan explain SP-STORE-BUSY` tells the whole story.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Busy => "SP-STORE-BUSY",
            Self::Locked => "SP-STORE-LOCKED",
            Self::Contended => "SP-STORE-CONTENDED",
            Self::Lost { .. } => "SP-STORE-LOST",
            Self::Unknown { .. } => "SP-STORE-UNKNOWN",
            Self::Unreachable { .. } => "SP-STORE-UNREACHABLE",
            Self::Closed => "SP-STORE-CLOSED",
            Self::Moved { .. } => "SP-STORE-MOVED",
            Self::Coming { .. } => "SP-STORE-COMING",
            Self::Conflict { .. } => "SP-STORE-CONFLICT",
            Self::Stale { .. } => "SP-STORE-STALE",
            Self::Sql { .. } => "SP-STORE-SQL",
            Self::Arguments { .. }
            | Self::TooManyRows { .. }
            | Self::Panicked { .. }
            | Self::Pending => "SP-STORE-UNIT",
            Self::Unreadable { .. } => "SP-STORE-UNREADABLE",
            Self::Url { .. } => "SP-STORE-URL",
            Self::Open { .. } => "SP-STORE-OPEN",
            Self::MigrationChanged { .. } => "SP-STORE-MIGRATION-CHANGED",
            Self::Newer { .. } => "SP-STORE-NEWER",
            Self::Migration { .. } => "SP-STORE-MIGRATION",
        }
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Busy => "try again in a moment; if it lasts, the disk is slower than the load",
            Self::Locked => {
                "end the other program that holds the database, such as a backup or a shell, and try again"
            }
            Self::Contended => "try again in a moment",
            Self::Lost { .. } => {
                "try again: the next connection goes to whichever server takes writes"
            }
            Self::Unknown { .. } => {
                "repeat the request under the same Idempotency-Key: what was done is not done twice"
            }
            Self::Unreachable { .. } => {
                "check that the server runs, and address, user, password and sslmode in database.url"
            }
            Self::Closed => "wait until the server is up again",
            Self::Moved { .. } => {
                "let database.url name the other database; `suanpan migrate --from … --to … --abandon` ends a move that came to nothing"
            }
            Self::Coming { .. } => {
                "run `suanpan migrate --from … --to …` again: it goes on where it was"
            }
            Self::Conflict { .. } => "use another key, or read the row that is there",
            Self::Stale { .. } => "read again and decide again",
            Self::Sql { .. } => {
                "look at the cause: a full disk and missing rights are the usual ones"
            }
            Self::Arguments { .. }
            | Self::TooManyRows { .. }
            | Self::Panicked { .. }
            | Self::Pending => "this is a mistake in Suanpan: please report it with the log",
            Self::Unreadable { .. } => {
                "restore the row from a backup: something else has written to the database"
            }
            Self::Url { .. } => {
                "write sqlite:PATH, such as sqlite:suanpan.db, or postgres://USER:PASSWORD@HOST/DATABASE"
            }
            Self::Open { .. } => {
                "check that the directory exists and that this user may write in it"
            }
            Self::MigrationChanged { .. } => {
                "run the program that made this database, or restore a backup"
            }
            Self::Newer { .. } => {
                "run the newer program, or restore the backup from before its migration"
            }
            Self::Migration { .. } => "look at the cause; the database is as it was before",
        }
    }

    /// Whether the same unit may work later, unchanged.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Busy
            | Self::Locked
            | Self::Stale { .. }
            | Self::Contended
            | Self::Lost { .. }
            | Self::Unknown { .. }
            | Self::Unreachable { .. }
            // At the other database.
            | Self::Moved { .. }
            | Self::Coming { .. } => true,
            Self::Closed
            | Self::Conflict { .. }
            | Self::Sql { .. }
            | Self::Arguments { .. }
            | Self::TooManyRows { .. }
            | Self::Unreadable { .. }
            | Self::Panicked { .. }
            | Self::Pending
            | Self::Url { .. }
            | Self::Open { .. }
            | Self::MigrationChanged { .. }
            | Self::Newer { .. }
            | Self::Migration { .. } => false,
        }
    }

    /// What a refusal of SQLite means.
    pub(super) fn sql(sql: &'static str, cause: rusqlite::Error) -> Self {
        if let rusqlite::Error::SqliteFailure(failure, message) = &cause {
            if is_busy(failure.code) {
                return Self::Locked;
            }
            if is_taken(failure.extended_code) {
                let message = message.as_deref().unwrap_or_default();
                let key = message.strip_prefix("UNIQUE constraint failed: ").unwrap_or(message);
                return Self::Conflict { key: key.to_owned() };
            }
        }

        Self::Sql { sql, cause: Arc::new(cause) }
    }
}

const fn is_busy(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
}

const fn is_taken(extended_code: i32) -> bool {
    matches!(
        extended_code,
        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
    )
}
