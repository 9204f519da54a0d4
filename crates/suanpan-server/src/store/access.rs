//! Who may call: API keys, the console's sign-in links and sessions. Only hashes are kept.

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

    /// Puts a one-time sign-in link in, by the hash of its token.
    pub async fn console_link_put(
        &mut self,
        hash: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        self.exec(LINK_PUT, &vals![hash, now, expires_at]).await.map(drop)
    }

    /// Uses a link up and opens a session. `false`: the link is used, too old or unknown.
    pub async fn console_sign_in(
        &mut self,
        link_hash: &str,
        session_hash: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<bool, StoreError> {
        if self.exec(LINK_USE, &vals![link_hash, now]).await? != 1 {
            return Ok(false);
        }
        self.exec(SESSION_PUT, &vals![session_hash, now, expires_at]).await?;
        Ok(true)
    }

    /// Whether there is a session with this hash that has not expired.
    pub async fn console_session(&mut self, hash: &str, now: i64) -> Result<bool, StoreError> {
        Ok(self.row(SESSION, &vals![hash, now]).await?.is_some())
    }

    /// Ends a session.
    pub async fn console_sign_out(&mut self, hash: &str) -> Result<(), StoreError> {
        self.exec(SESSION_END, &vals![hash]).await.map(drop)
    }
}

/// Whoever makes a first key makes it under this id. Two that have both seen none meet there, and the second looks again.
const FIRST: &str = "key_first";

const KEY_PUT: &str = "INSERT INTO api_key (id, hash, label, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hash) DO NOTHING";
const KEY: &str = "SELECT id FROM api_key WHERE hash = $1 AND revoked_at IS NULL";
const ANY_KEY: &str = "SELECT id FROM api_key LIMIT 1";
const LINK_PUT: &str =
    "INSERT INTO console_link (hash, created_at, expires_at) VALUES ($1, $2, $3)";
const LINK_USE: &str = "UPDATE console_link SET used_at = $2
    WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
const SESSION_PUT: &str =
    "INSERT INTO console_session (hash, created_at, expires_at) VALUES ($1, $2, $3)";
const SESSION: &str = "SELECT hash FROM console_session WHERE hash = $1 AND expires_at > $2";
const SESSION_END: &str = "DELETE FROM console_session WHERE hash = $1";
