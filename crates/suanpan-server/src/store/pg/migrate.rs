//! Migrations on PostgreSQL: one node at a time, under a lease.
//!
//! A row is the lock, not an advisory lock: those belong to a session, and not
//! every engine that speaks this protocol has them. Who dies with the lease is
//! replaced when it ends. Should two run all the same, the second one waits for
//! the first one's row in `migration`, and finds the work done.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Object, PoolError};
use tokio_postgres::error::SqlState;

use super::super::StoreError;
use super::super::migrate::{Migration, NOTE, RAN, Ran, TABLE, pending};
use super::Address;
use super::error::{Trouble, refused, unconnected, words};

/// The migrations that have not run. A database that is not there has none.
pub(in crate::store) async fn check<'a>(
    address: &Address,
    known: &'a [Migration],
) -> Result<&'a [Migration], StoreError> {
    match address.pool()?.get().await {
        Ok(client) => pending(&ran(&client).await?, known),
        Err(error) if is_absent(&error) => Ok(known),
        Err(error) => Err(unconnected(&address.to_string(), &error)),
    }
}

/// Makes the database if there is none, and brings it up to date; answers what ran now.
pub(in crate::store) async fn apply(
    address: &Address,
    known: &[Migration],
    now: i64,
) -> Result<Vec<&'static str>, StoreError> {
    let pool = address.pool()?;
    let client = match pool.get().await {
        Err(error) if is_absent(&error) => {
            create(address).await?;
            pool.get().await
        }
        answer => answer,
    };
    let client = client.map_err(|error| unconnected(&address.to_string(), &error))?;
    // The usual start: nothing to do, and no lock to wait for.
    if pending(&ran(&client).await?, known)?.is_empty() {
        return Ok(Vec::new());
    }
    let holder = take_lease(&client).await?;
    let ended = run(&client, known, now).await;
    let given_back = client.execute(GIVE_BACK, &[&holder]).await;
    if given_back.is_err() {
        tracing::warn!("the lease of the migrations was not given back; it ends by itself");
    }
    ended
}

pub(super) fn is_absent(error: &PoolError) -> bool {
    match error {
        PoolError::Backend(cause) => cause.code() == Some(&SqlState::INVALID_CATALOG_NAME),
        PoolError::Timeout(_)
        | PoolError::Closed
        | PoolError::NoRuntimeSpecified
        | PoolError::PostCreateHook(_) => false,
    }
}

/// As SQLite makes its file. Without the right to do so, the server's refusal says that the database is not there.
async fn create(address: &Address) -> Result<(), StoreError> {
    let Some((pool, name)) = address.neighbour()? else { return Ok(()) };
    let client = pool.get().await.map_err(|error| unconnected(&address.to_string(), &error))?;
    let sql = format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""));
    match client.batch_execute(&sql).await {
        Ok(()) => Ok(()),
        // Another node that starts was faster.
        Err(error) if is_there(&error) => Ok(()),
        Err(error) => Err(super::error::unreachable(&address.to_string(), words(&error))),
    }
}

/// Whether something was made meanwhile. Two that make the same at once may also collide in the catalogue.
fn is_there(error: &tokio_postgres::Error) -> bool {
    let codes = [
        SqlState::DUPLICATE_DATABASE,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::UNIQUE_VIOLATION,
    ];
    codes.iter().any(|code| error.code() == Some(code))
}

/// Waits until the lease is ours; answers the name under which it is.
async fn take_lease(client: &Object) -> Result<String, StoreError> {
    match client.batch_execute(LEASE).await {
        Err(error) if !is_there(&error) => return Err(refused(LEASE, &error, true).0),
        Ok(()) | Err(_) => {}
    }
    let holder = client.query_one(HOLDER, &[]).await;
    let holder: String =
        holder.and_then(|row| row.try_get(0)).map_err(|error| refused(HOLDER, &error, true).0)?;
    loop {
        match client.execute(TAKE, &[&holder]).await {
            Ok(0) => {}
            Ok(_) => return Ok(holder),
            Err(error) => {
                let (error, trouble) = refused(TAKE, &error, true);
                if trouble != Trouble::Crossed && trouble != Trouble::Taken {
                    return Err(error);
                }
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn run(
    client: &Object,
    known: &[Migration],
    now: i64,
) -> Result<Vec<&'static str>, StoreError> {
    let mut done = Vec::new();
    loop {
        let ran = ran(client).await?;
        let Some(next) = pending(&ran, known)?.first() else { return Ok(done) };
        let failed = |error: tokio_postgres::Error| StoreError::Migration {
            version: next.version,
            cause: Arc::new(words(&error)),
        };
        // Its row first: whoever else is at it waits here for our end.
        let note = async {
            client.batch_execute("BEGIN").await?;
            client.batch_execute("SET LOCAL statement_timeout = 0").await?;
            client.batch_execute(TABLE).await?;
            let sum = next.checksum();
            client.execute(NOTE, &[&next.version, &next.name, &sum, &now]).await?;
            client.batch_execute(&text(next.sql)).await?;
            client.batch_execute("COMMIT").await
        };
        if let Err(error) = note.await {
            client.batch_execute("ROLLBACK").await.map_err(failed)?;
            if is_there(&error) && !pending(&self::ran(client).await?, known)?.contains(next) {
                continue;
            }
            return Err(failed(error));
        }
        done.push(next.name);
    }
}

/// The text for this engine. Keys are compared byte by byte, as SQLite does, whatever language the server speaks.
fn text(sql: &str) -> String {
    sql.replace("{blob}", "BYTEA").replace(" TEXT", " TEXT COLLATE \"C\"")
}

async fn ran(client: &Object) -> Result<Vec<Ran>, StoreError> {
    let there = client.query_opt(IS_THERE, &[]).await;
    if there.map_err(|error| refused(IS_THERE, &error, false).0)?.is_none() {
        return Ok(Vec::new());
    }
    let rows = client.query(RAN, &[]).await;
    let rows = rows.map_err(|error| refused(RAN, &error, false).0)?;
    let read = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    let read: Result<_, tokio_postgres::Error> = rows.iter().map(read).collect();
    read.map_err(|error| refused(RAN, &error, false).0)
}

/// While another node migrates.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

const IS_THERE: &str = "SELECT 1 FROM information_schema.tables
    WHERE table_schema = current_schema() AND table_name = 'migration'";
const LEASE: &str = "CREATE TABLE IF NOT EXISTS migration_lease (
    name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until BIGINT NOT NULL)";
// A name that no other process has, nor this one in its next life.
const HOLDER: &str = "SELECT CAST(gen_random_uuid() AS TEXT)";
// The server's clock, since those of two nodes differ. A minute: more than a migration takes, and it is not given up with
// a migration half done, for that is a transaction of its own.
const TAKE: &str = "INSERT INTO migration_lease (name, holder, until)
    VALUES ('migrate', $1, CAST(EXTRACT(epoch FROM clock_timestamp()) AS BIGINT) + 60)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE migration_lease.until < CAST(EXTRACT(epoch FROM clock_timestamp()) AS BIGINT)";
const GIVE_BACK: &str = "DELETE FROM migration_lease WHERE name = 'migrate' AND holder = $1";
