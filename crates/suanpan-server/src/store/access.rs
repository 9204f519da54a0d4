//! Who may call: API keys. Only hashes are kept.

use super::{StoreError, Tx};
use crate::vals;

impl Tx {
    /// Lets a key in. `hash` is the hex SHA-256 of the key.
    pub async fn api_key_put(
        &mut self,
        id: &str,
        hash: &str,
        label: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        self.exec(KEY_PUT, &vals![id, hash, label, now]).await.map(drop)
    }

    /// Lets the first key of a database in. `false`: there is a key.
    pub async fn api_key_first(&mut self, hash: &str, now: i64) -> Result<bool, StoreError> {
        if self.any_api_key().await? {
            return Ok(false);
        }
        self.api_key_put(FIRST, hash, "first start", now).await?;
        Ok(true)
    }

    /// The id of the key with this hash, if it is in force.
    pub async fn api_key(&mut self, hash: &str) -> Result<Option<String>, StoreError> {
        let row = self.row(KEY, &vals![hash]).await?;
        row.map(|row| row.text("id")).transpose()
    }

    /// Whether there ever was a key: a database without one is new.
    pub async fn any_api_key(&mut self) -> Result<bool, StoreError> {
        Ok(self.row(ANY_KEY, &[]).await?.is_some())
    }
}

/// Whoever makes a first key makes it under this id. Two that have both seen none meet there, and the second looks again.
const FIRST: &str = "key_first";

const KEY_PUT: &str = "INSERT INTO api_key (id, hash, label, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hash) DO NOTHING";
const KEY: &str = "SELECT id FROM api_key WHERE hash = $1 AND revoked_at IS NULL";
const ANY_KEY: &str = "SELECT id FROM api_key LIMIT 1";
