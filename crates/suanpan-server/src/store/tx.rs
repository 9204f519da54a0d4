//! An open transaction: the few primitives that every engine has.
//!
//! Domain verbs are `async fn` in further `impl Tx` blocks, one SQL text each.
//! The `match` on the engine is written here and nowhere else.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use super::{Row, Session, StoreError, Val};
use crate::metrics::store::Moved;

/// A transaction in progress. Only a [`Unit`](super::Unit) gets to see one.
///
/// SQL is a text of the program, never built at run time, with its arguments
/// as `$1`, `$2`, … The same number may stand in it twice. `{skip}` stands for
/// the words by which PostgreSQL passes over rows that are in other hands.
#[derive(Debug)]
#[non_exhaustive]
pub enum Tx {
    /// SQLite, in this process. Never waits: each of its futures is ready at the first poll.
    Lite(Local),
    /// PostgreSQL, on a connection of the pool.
    Pg(Session),
}

/// The SQLite arm of a transaction.
#[derive(Debug)]
pub struct Local {
    pub(super) connection: Connection,
    moves: Vec<Moved>,
}

impl Tx {
    /// A transaction of SQLite on this connection.
    pub const fn lite(connection: Connection) -> Self {
        Self::Lite(Local { connection, moves: Vec::new() })
    }

    /// Notes what this unit moves: a monitor counts it once it is durable.
    pub(crate) fn moved(&mut self, moved: Moved) {
        match self {
            Self::Lite(local) => local.moves.push(moved),
            Self::Pg(session) => session.moves.push(moved),
        }
    }

    /// What the unit has moved, or would have.
    pub(super) fn moves(&mut self) -> Vec<Moved> {
        match self {
            Self::Lite(local) => std::mem::take(&mut local.moves),
            Self::Pg(session) => std::mem::take(&mut session.moves),
        }
    }

    /// Runs a statement that answers no rows; says how many rows it changed.
    pub async fn exec(&mut self, sql: &'static str, args: &[Val]) -> Result<u64, StoreError> {
        match self {
            Self::Lite(local) => lite_exec(&local.connection, sql, args),
            Self::Pg(session) => session.exec(sql, args).await,
        }
    }

    /// Runs a statement that answers no rows, once for each of these lists of arguments.
    pub async fn each(&mut self, sql: &'static str, rows: &[Vec<Val>]) -> Result<(), StoreError> {
        match self {
            Self::Lite(local) => {
                rows.iter().try_for_each(|row| lite_exec(&local.connection, sql, row).map(drop))
            }
            Self::Pg(session) => session.each(sql, rows).await,
        }
    }

    /// Runs a statement that answers at most one row. A second row is an error.
    pub async fn row(
        &mut self,
        sql: &'static str,
        args: &[Val],
    ) -> Result<Option<Row>, StoreError> {
        let mut rows = self.rows(sql, args).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            _ => Err(StoreError::TooManyRows { sql }),
        }
    }

    /// Runs a statement that answers rows: a SELECT, or a change with RETURNING.
    pub async fn rows(&mut self, sql: &'static str, args: &[Val]) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Lite(local) => lite_rows(&local.connection, sql, args),
            Self::Pg(session) => session.rows(sql, args).await,
        }
    }
}

fn lite_exec(connection: &Connection, sql: &'static str, args: &[Val]) -> Result<u64, StoreError> {
    let mut statement = prepared(connection, sql, args)?;
    let changed = statement.raw_execute().map_err(|cause| StoreError::sql(sql, cause))?;

    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

fn lite_rows(
    connection: &Connection,
    sql: &'static str,
    args: &[Val],
) -> Result<Vec<Row>, StoreError> {
    let mut statement = prepared(connection, sql, args)?;
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut answers = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(answer) = answers.next().map_err(|cause| StoreError::sql(sql, cause))? {
        let mut values = Vec::with_capacity(columns.len());
        for (position, column) in columns.iter().enumerate() {
            let value = answer.get_ref(position).map_err(|cause| StoreError::sql(sql, cause))?;
            values.push(val(column, value)?);
        }
        rows.push(Row::new(Arc::clone(&columns), values));
    }

    Ok(rows)
}

/// The statement with its arguments, each bound by its own name.
///
/// SQLite numbers `$2` before `$1` when it comes first in the text, PostgreSQL
/// does not: so the name says which argument is meant, not the position.
fn prepared<'a>(
    connection: &'a Connection,
    sql: &'static str,
    args: &[Val],
) -> Result<CachedStatement<'a>, StoreError> {
    // One writer: nothing is ever in other hands.
    let text =
        if sql.contains("{skip}") { sql.replace("{skip}", "").into() } else { Cow::from(sql) };
    let mut statement =
        connection.prepare_cached(&text).map_err(|cause| StoreError::sql(sql, cause))?;
    let parameters = statement.parameter_count();
    if parameters != args.len() {
        return Err(StoreError::Arguments { sql });
    }
    for parameter in 1..=parameters {
        let name = statement.parameter_name(parameter);
        let number = name
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|number| number.parse::<usize>().ok());
        let argument = number.and_then(|number| args.get(number.checked_sub(1)?));
        let argument = argument.ok_or(StoreError::Arguments { sql })?;
        statement
            .raw_bind_parameter(parameter, argument)
            .map_err(|cause| StoreError::sql(sql, cause))?;
    }

    Ok(statement)
}

fn val(column: &str, value: ValueRef<'_>) -> Result<Val, StoreError> {
    let why = match value {
        ValueRef::Null => return Ok(Val::Null),
        ValueRef::Integer(value) => return Ok(Val::Int(value)),
        ValueRef::Blob(bytes) => return Ok(Val::Blob(bytes.to_vec())),
        ValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => return Ok(Val::Text(text.to_owned())),
            Err(why) => why.to_string(),
        },
        ValueRef::Real(_) => "no column of ours holds a fraction".to_owned(),
    };

    Err(StoreError::Unreadable { column: column.to_owned(), why })
}

impl ToSql for Val {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}
