//! What PostgreSQL's refusals mean.
//!
//! Its details and hints show the values of rows, so only code and message are taken.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::{DbError, SqlState};

use super::super::StoreError;

/// What a refusal means for the transaction that met it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    /// It and another transaction crossed each other; alone it may work.
    Crossed,
    /// A unique key is taken, perhaps by a row that this transaction could not see.
    Taken,
    /// The connection is of no use any more. Nothing of the transaction remains.
    Lost,
    /// The server takes what we send and says nothing. Another run would wait as long.
    Silent,
    /// It would be refused again.
    Refused,
}

/// A refusal in the server's words.
#[derive(Clone, Debug)]
struct Refusal {
    code: String,
    message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl Error for Refusal {}

/// Why a statement was refused. `writes`: it stood in a transaction that may write.
pub(super) fn refused(
    sql: &'static str,
    error: &tokio_postgres::Error,
    writes: bool,
) -> (StoreError, Trouble) {
    let Some(refusal) = error.as_db_error() else {
        if is_of_the_network(error) {
            return (StoreError::Lost { cause: Arc::new(words(error)) }, Trouble::Lost);
        }
        return (StoreError::Sql { sql, cause: Arc::new(words(error)) }, Trouble::Refused);
    };
    let code = refusal.code();
    if code.code().starts_with("40") || is_of_the_journal(refusal) {
        (StoreError::Contended, Trouble::Crossed)
    } else if *code == SqlState::UNIQUE_VIOLATION {
        (StoreError::Conflict { key: key(refusal) }, Trouble::Taken)
    } else if *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::QUERY_CANCELED {
        (StoreError::Locked, Trouble::Refused)
    } else if is_the_end(refusal, writes) {
        (StoreError::Lost { cause: Arc::new(words(error)) }, Trouble::Lost)
    } else {
        (StoreError::Sql { sql, cause: Arc::new(words(error)) }, Trouble::Refused)
    }
}

/// Why no connection came.
pub(super) fn unconnected(shown: &str, error: &PoolError) -> StoreError {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => StoreError::Busy,
        PoolError::Closed => StoreError::Closed,
        PoolError::Backend(cause) if cause.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) => {
            StoreError::Busy
        }
        PoolError::Backend(cause) => unreachable(shown, words(cause)),
        PoolError::Timeout(_) | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            unreachable(shown, Refusal { code: "time-out".to_owned(), message: error.to_string() })
        }
    }
}

pub(super) fn unreachable(shown: &str, cause: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unreachable { database: shown.to_owned(), cause: Arc::new(cause) }
}

/// Code and message, without what shows values.
pub(super) fn words(error: &tokio_postgres::Error) -> impl Error + Send + Sync + 'static {
    match error.as_db_error() {
        Some(refusal) => Refusal {
            code: refusal.code().code().to_owned(),
            message: refusal.message().to_owned(),
        },
        None => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            Refusal { code: "client".to_owned(), message: format!("{error}{cause}") }
        }
    }
}

fn is_of_the_network(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.source().is_some_and(|cause| cause.is::<std::io::Error>())
}

/// The next number of an order's journal was taken meanwhile: this is how two transactions about one order notice each
/// other, where they have no other row in common. The audit log is numbered in the same way.
fn is_of_the_journal(refusal: &DbError) -> bool {
    *refusal.code() == SqlState::UNIQUE_VIOLATION
        && matches!(refusal.table(), Some("journal" | "audit"))
}

/// Whether the server, or this connection to it, does not do for us any more.
fn is_the_end(refusal: &DbError, writes: bool) -> bool {
    let code = refusal.code().code();
    // 57P01 and its neighbours: it stops, or is not up yet. Class 08: the connection is broken.
    code.starts_with("57P")
        || code.starts_with("08")
        // It was the primary, and is a standby now.
        || (writes && *refusal.code() == SqlState::READ_ONLY_SQL_TRANSACTION)
        // The other side of a rolling upgrade has added a column: this connection's prepared statements are stale.
        || (*refusal.code() == SqlState::FEATURE_NOT_SUPPORTED
            && refusal.message().contains("cached plan"))
}

/// The columns of the key as SQLite names them. The detail reads `Key (a, b)=(…) already exists.`
fn key(refusal: &DbError) -> String {
    let table = refusal.table().unwrap_or_default();
    let columns = refusal.detail().and_then(|detail| {
        let (columns, _) = detail.split_once("(")?.1.split_once(")=(")?;
        Some(columns.split(", ").map(|column| format!("{table}.{column}")).collect::<Vec<_>>())
    });
    columns.map_or_else(
        || refusal.constraint().unwrap_or(table).to_owned(),
        |columns| columns.join(", "),
    )
}
