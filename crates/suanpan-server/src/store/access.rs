//! Who may call: API keys. Only hashes are kept.

use super::{Row, StoreError, Tx};
use crate::vals;

/// An API key, without itself. Times are unix microseconds.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id, `key_…`.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// How it begins; `None`: it is from before that was kept.
    pub prefix: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// Since when nobody gets in with it.
    pub revoked_at: Option<i64>,
}

impl Tx {
    /// Lets a key in. `hash` is the hex SHA-256 of the key, `prefix` how it begins.
    pub async fn api_key_put(
        &mut self,
        id: &str,
        hash: &str,
        prefix: &str,
        label: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        self.exec(KEY_PUT, &vals![id, hash, label, now, prefix]).await.map(drop)
    }

    /// Lets the first key of a database in. `false`: there is a key.
    pub async fn api_key_first(
        &mut self,
        hash: &str,
        prefix: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        if self.any_api_key().await? {
            return Ok(false);
        }
        self.api_key_put(FIRST, hash, prefix, "first start", now).await?;
        Ok(true)
    }

    /// The id of the key with this hash, if it is in force.
    pub async fn api_key(&mut self, hash: &str) -> Result<Option<String>, StoreError> {
        let row = self.row(KEY, &vals![hash]).await?;
        row.map(|row| row.text("id")).transpose()
    }

    /// All keys, the newest first.
    pub async fn api_keys(&mut self) -> Result<Vec<ApiKey>, StoreError> {
        let rows = self.rows(KEYS, &[]).await?;
        let read = |row: &Row| {
            Ok(ApiKey {
                id: row.text("id")?,
                label: row.text("label")?,
                prefix: row.opt_text("prefix")?,
                created_at: row.int("created_at")?,
                revoked_at: row.opt_int("revoked_at")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// From now on nobody gets in with this key. `false`: nobody did.
    pub async fn api_key_revoke(&mut self, id: &str, now: i64) -> Result<bool, StoreError> {
        Ok(self.exec(KEY_REVOKE, &vals![id, now]).await? == 1)
    }

    /// Whether there ever was a key: a database without one is new.
    pub async fn any_api_key(&mut self) -> Result<bool, StoreError> {
        Ok(self.row(ANY_KEY, &[]).await?.is_some())
    }
}

/// Whoever makes a first key makes it under this id. Two that have both seen none meet there, and the second looks again.
const FIRST: &str = "key_first";

const KEY_PUT: &str = "INSERT INTO api_key (id, hash, label, created_at, prefix)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (hash) DO NOTHING";
const KEY: &str = "SELECT id FROM api_key WHERE hash = $1 AND revoked_at IS NULL";
const ANY_KEY: &str = "SELECT id FROM api_key LIMIT 1";
const KEYS: &str = "SELECT * FROM api_key ORDER BY created_at DESC, id DESC";
const KEY_REVOKE: &str = "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
