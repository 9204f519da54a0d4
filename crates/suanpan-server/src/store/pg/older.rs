//! Waits for those who were here before.

use std::time::Duration;

use deadpool_postgres::Pool;

use super::super::StoreError;
use super::error::{refused, unconnected};

/// Waits until every transaction of others on this database that has begun by now is at its end.
///
/// A snapshot outlives the change that would have forbidden it: whoever has begun to write before something was closed
/// may still commit afterwards.
pub(super) async fn end(pool: &Pool, shown: &str) -> Result<(), StoreError> {
    let client = pool.get().await.map_err(|error| unconnected(shown, &error))?;
    let failed = |error: tokio_postgres::Error| refused(OLDER, &error, false).0;
    let now: i64 =
        client.query_one(NOW, &[]).await.and_then(|row| row.try_get(0)).map_err(failed)?;
    for _ in 0..LOOKS {
        let older = client.query_one(OLDER, &[&now]).await;
        let older: i64 = older.and_then(|row| row.try_get(0)).map_err(failed)?;
        if older == 0 {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(StoreError::Locked)
}

/// A minute in all: our own statements are ended by the server after half of that.
const LOOKS: u32 = 1200;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

// The server's clock, in microseconds: those of two nodes differ.
const NOW: &str = "SELECT CAST(EXTRACT(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";
const OLDER: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND CAST(EXTRACT(epoch FROM xact_start) * 1000000 AS BIGINT) <= $1";
