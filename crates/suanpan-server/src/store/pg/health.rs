//! Whether a server keeps what it has said yes to.

use super::super::StoreError;
use super::super::health::Health;
use super::Address;
use super::error::unconnected;

/// Looks at the settings of the server.
pub(in crate::store) async fn health(address: &Address) -> Result<Health, StoreError> {
    let shown = address.to_string();
    let client = match address.pool()?.get().await {
        Err(error) if super::migrate::is_absent(&error) => {
            return Ok(Health { is_new: true, ..Health::default() });
        }
        client => client.map_err(|error| unconnected(&shown, &error))?,
    };
    let mut not_durable = Vec::new();
    for name in SETTINGS {
        // An engine of this protocol that has no such setting has no such trouble.
        let Ok(row) = client.query_one("SELECT current_setting($1, true)", &[&name]).await else {
            continue;
        };
        let value: Option<String> = row.try_get(0).ok().flatten();
        if value.as_deref() == Some("off") {
            not_durable.push(format!("{name} = off"));
        }
    }
    let standby = client.query_one("SELECT pg_is_in_recovery()", &[]).await;
    let is_standby = |row: tokio_postgres::Row| row.try_get::<_, bool>(0).unwrap_or_default();
    if standby.is_ok_and(is_standby) {
        not_durable.push("pg_is_in_recovery".to_owned());
    }
    Ok(Health { is_new: false, not_durable, damage: None })
}

/// With one of these off, a power cut loses what was acknowledged.
const SETTINGS: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];
