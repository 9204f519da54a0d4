//! One transaction on one connection.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_util::future::try_join_all;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::ToSql;

use super::super::moving::Stage;
use super::super::{Cause, Door, Row, StoreError, Val};
use super::error::{Trouble, refused, unconnected, words};
use crate::metrics::store::Moved;

/// The PostgreSQL arm of a transaction.
pub struct Session {
    client: Object,
    mode: Mode,
    /// Why the transaction can only be rolled back.
    trouble: Option<Trouble>,
    /// What the unit notes for a monitor.
    pub(in crate::store) moves: Vec<Moved>,
    /// Whether a statement is on its way: then the unit has a reason to wait.
    pub(super) at_work: Arc<AtomicBool>,
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Mode {
    /// It changes rows.
    Write,
    /// It only looks.
    Read,
}

impl Session {
    pub(super) async fn begin(
        pool: &Pool,
        shown: &str,
        mode: Mode,
        door: Door,
    ) -> Result<Self, (StoreError, Trouble)> {
        let client = pool.get().await;
        let client = client.map_err(|error| (unconnected(shown, &error), Trouble::Refused))?;
        let begin = match (mode, door) {
            (Mode::Write, Door::Open) => BEGIN_IF_OPEN,
            (Mode::Write, Door::Any) => BEGIN,
            (Mode::Read, _) => BEGIN_TO_READ,
        };
        let closed = match answered(client.simple_query(begin)).await {
            Ok(messages) => messages.iter().find_map(closed),
            Err(no) => {
                let refusal = no.means(begin, mode);
                give_up(client, refusal.1);
                return Err(refusal);
            }
        };
        let session = Self {
            client,
            mode,
            trouble: None,
            moves: Vec::new(),
            at_work: Arc::new(AtomicBool::new(false)),
        };
        match closed {
            None => Ok(session),
            Some(error) => {
                session.abandon(Trouble::Refused).await;
                Err((error, Trouble::Refused))
            }
        }
    }

    pub(in crate::store) async fn each(
        &mut self,
        sql: &'static str,
        rows: &[Vec<Val>],
    ) -> Result<(), StoreError> {
        self.at_work.store(true, Ordering::Relaxed);
        let done = async {
            let statement = self.client.prepare_cached(&text(sql)).await?;
            if rows.iter().any(|row| statement.params().len() != row.len()) {
                return Ok(Err(StoreError::Arguments { sql }));
            }
            // All of them are on their way before the first is answered.
            let (client, statement) = (&self.client, &statement);
            let puts = rows
                .iter()
                .map(|row| async move { client.execute(statement, &parameters(row)).await });
            try_join_all(puts).await.map(|_| Ok(()))
        };
        let done = answered(done).await;
        self.done(sql, done)
    }

    pub(in crate::store) async fn exec(
        &mut self,
        sql: &'static str,
        args: &[Val],
    ) -> Result<u64, StoreError> {
        self.at_work.store(true, Ordering::Relaxed);
        let done = async {
            let statement = self.client.prepare_cached(&text(sql)).await?;
            if statement.params().len() != args.len() {
                return Ok(Err(StoreError::Arguments { sql }));
            }
            self.client.execute(&statement, &parameters(args)).await.map(Ok)
        };
        let done = answered(done).await;
        self.done(sql, done)
    }

    pub(in crate::store) async fn rows(
        &mut self,
        sql: &'static str,
        args: &[Val],
    ) -> Result<Vec<Row>, StoreError> {
        self.at_work.store(true, Ordering::Relaxed);
        let found = async {
            let statement = self.client.prepare_cached(&text(sql)).await?;
            if statement.params().len() != args.len() {
                return Ok(Err(StoreError::Arguments { sql }));
            }
            let columns: Arc<[String]> =
                statement.columns().iter().map(|column| column.name().to_owned()).collect();
            let answers = self.client.query(&statement, &parameters(args)).await?;
            Ok(answers.iter().map(|answer| read(&columns, answer)).collect())
        };
        let found = answered(found).await;
        self.done(sql, found)
    }

    fn done<T>(
        &mut self,
        sql: &'static str,
        done: Result<Result<T, StoreError>, No>,
    ) -> Result<T, StoreError> {
        self.at_work.store(false, Ordering::Relaxed);
        done.unwrap_or_else(|no| {
            let (error, trouble) = no.means(sql, self.mode);
            // What comes behind the first refusal is refused because of it.
            self.trouble.get_or_insert(trouble);
            Err(error)
        })
    }

    /// Ends the transaction as the unit says: by a commit, or so that nothing of it remains.
    pub(super) async fn end<T>(
        self,
        said: Result<T, StoreError>,
    ) -> Result<T, (StoreError, Trouble)> {
        let (said, trouble) = match (said, self.trouble) {
            (Ok(said), None) => return self.commit(said).await,
            // A unit that is content with a refusal would commit nothing, and be told that all is well.
            (Ok(_), Some(trouble)) => (StoreError::Contended, trouble),
            (Err(error), trouble) => (error, trouble.unwrap_or(Trouble::Refused)),
        };
        self.abandon(trouble).await;
        Err((said, trouble))
    }

    async fn commit<T>(self, said: T) -> Result<T, (StoreError, Trouble)> {
        let Err(no) = answered(self.client.batch_execute(COMMIT)).await else { return Ok(said) };
        let (refusal, trouble) = no.means(COMMIT, self.mode);
        let nothing_done = match trouble {
            Trouble::Crossed | Trouble::Taken => true,
            Trouble::Lost | Trouble::Silent | Trouble::Refused => false,
        };
        give_up(self.client, trouble);
        if nothing_done || self.mode == Mode::Read {
            return Err((refusal, trouble));
        }
        // The commit was on its way: perhaps it happened.
        Err((StoreError::Unknown { cause: no.words() }, Trouble::Refused))
    }

    async fn abandon(self, trouble: Trouble) {
        let lost = matches!(trouble, Trouble::Lost | Trouble::Silent);
        if lost || answered(self.client.batch_execute("ROLLBACK")).await.is_err() {
            // The server rolls back what it loses the connection of.
            give_up(self.client, trouble);
        }
    }
}

/// Why there is no answer to take.
enum No {
    /// The server, or the way to it, refused.
    Refused(tokio_postgres::Error),
    /// Not a word for as long as [`SILENT`].
    Silent,
}

impl No {
    fn means(&self, sql: &'static str, mode: Mode) -> (StoreError, Trouble) {
        match self {
            Self::Refused(error) => refused(sql, error, mode == Mode::Write),
            Self::Silent => (StoreError::Lost { cause: self.words() }, Trouble::Silent),
        }
    }

    fn words(&self) -> Cause {
        match self {
            Self::Refused(error) => Arc::new(words(error)),
            Self::Silent => Arc::new(std::io::Error::other("the server does not speak")),
        }
    }
}

/// An answer that comes in time. Nothing is cancelled on the server: a commit that waits there for its standby would then
/// be acknowledged without it.
async fn answered<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, No> {
    match tokio::time::timeout(SILENT, answer).await {
        Ok(answer) => answer.map_err(No::Refused),
        Err(_) => Err(No::Silent),
    }
}

/// Closes a connection that is of no use; where the server is silent, those to it that nobody uses, too.
fn give_up(client: Object, trouble: Trouble) {
    if trouble == Trouble::Silent
        && let Some(pool) = Object::pool(&client)
    {
        pool.retain(|_, _| false);
    }
    drop(Object::take(client));
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// Rows that a claim finds in other hands are left to those.
fn text(sql: &'static str) -> std::borrow::Cow<'static, str> {
    if sql.contains("{skip}") {
        sql.replace("{skip}", "FOR UPDATE SKIP LOCKED").into()
    } else {
        sql.into()
    }
}

/// The row that says that nobody may write here.
fn closed(message: &SimpleQueryMessage) -> Option<StoreError> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let text = |column| row.get(column).unwrap_or_default();
    Some(Stage::read(text("state")).refusal(text("place").to_owned()))
}

fn parameters(args: &[Val]) -> Vec<&(dyn ToSql + Sync)> {
    args.iter().map(|arg| -> &(dyn ToSql + Sync) { arg }).collect()
}

fn read(columns: &Arc<[String]>, answer: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(columns.len());
    for (position, column) in columns.iter().enumerate() {
        let value = answer.try_get::<_, Val>(position);
        values.push(value.map_err(|cause| StoreError::Unreadable {
            column: column.clone(),
            why: cause.to_string(),
        })?);
    }
    Ok(Row::new(Arc::clone(columns), values))
}

/// How long a server may be silent: longer than it lets a statement take (`LIMITS` of the address).
const SILENT: Duration = Duration::from_secs(35);
// One moment of the database for all statements, and no change lost: see docs/decisions/0009.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";
// In one round trip. The answer belongs to the snapshot, so a unit that saw no move is older than the move.
const BEGIN_IF_OPEN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE;
    SELECT state, place FROM moving WHERE state <> 'here' LIMIT 1";
const BEGIN_TO_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const COMMIT: &str = "COMMIT";
