//! The endpoints that want events, and the secrets that sign for them.

use std::fmt;

use super::{Row, StoreError, Tx, Val};
use crate::vals;

/// Where events go.
#[derive(Clone)]
pub struct Endpoint {
    /// Its id, `whe_…`.
    pub id: String,
    /// Where to deliver.
    pub url: String,
    /// Which events; `None`: all.
    pub events: Option<Vec<String>>,
    /// The key that signs, `whsec_…`.
    pub secret: String,
    /// When it was made, in unix microseconds.
    pub created_at: i64,
    /// `api` or `config`.
    pub source: String,
    /// Since when it is called no more, in unix microseconds, and why.
    pub disabled: Option<(i64, String)>,
}

impl Endpoint {
    /// Whether it wants events of this kind.
    pub fn wants(&self, kind: &str) -> bool {
        self.events.as_ref().is_none_or(|events| events.iter().any(|wanted| wanted == kind))
    }

    fn args(&self) -> [Val; 6] {
        let events = self.events.as_ref().map(|events| serde_json::json!(events).to_string());
        vals![&self.id, &self.url, events, &self.secret, self.created_at, &self.source]
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        let events = row.opt_text("events")?;
        Ok(Self {
            id: row.text("id")?,
            url: row.text("url")?,
            events: events.and_then(|text| serde_json::from_str(&text).ok()),
            secret: row.text("secret")?,
            created_at: row.int("created_at")?,
            source: row.text("source")?,
            disabled: row.opt_int("disabled_at")?.zip(row.opt_text("disabled_reason")?),
        })
    }
}

/// Without the key.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("events", &self.events)
            .field("source", &self.source)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

impl Tx {
    /// Puts an endpoint in.
    pub async fn endpoint_put(&mut self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.exec(PUT, &endpoint.args()).await.map(drop)
    }

    /// Puts an endpoint in, or makes the one of this id as it is here, in use again. When it was made is kept, and a
    /// secret that it had before signs until `signs_until`. One that is called no more stays so, unless its address or
    /// secret is another now, or it was out of use meanwhile: then it is somebody's wish to try it again.
    pub async fn endpoint_adopt(
        &mut self,
        endpoint: &Endpoint,
        signs_until: i64,
    ) -> Result<(), StoreError> {
        self.exec(RETIRE, &vals![&endpoint.id, &endpoint.secret, signs_until]).await?;
        self.exec(ADOPT, &endpoint.args()).await.map(drop)
    }

    /// The endpoints that are in use, oldest first; the disabled ones too.
    pub async fn endpoints(&mut self) -> Result<Vec<Endpoint>, StoreError> {
        self.rows(ALL, &[]).await?.iter().map(Endpoint::read).collect()
    }

    /// A page of them: newer than `after` (time and id), at most `limit`.
    pub async fn endpoints_page(
        &mut self,
        after: Option<&(i64, String)>,
        limit: i64,
    ) -> Result<Vec<Endpoint>, StoreError> {
        let (at, id) = after.cloned().unwrap_or((i64::MIN, String::new()));
        self.rows(PAGE, &vals![at, id, limit]).await?.iter().map(Endpoint::read).collect()
    }

    /// The endpoint of this id, if it is in use.
    pub async fn endpoint(&mut self, id: &str) -> Result<Option<Endpoint>, StoreError> {
        self.row(ONE, &vals![id]).await?.as_ref().map(Endpoint::read).transpose()
    }

    /// Takes an endpoint out of use. `false`: there is none.
    pub async fn endpoint_delete(&mut self, id: &str, at: i64) -> Result<bool, StoreError> {
        Ok(self.exec(DELETE, &vals![id, at]).await? == 1)
    }

    /// Calls an endpoint no more. `false`: so it was already.
    pub async fn endpoint_disable(
        &mut self,
        id: &str,
        at: i64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.exec(DISABLE, &vals![id, at, reason]).await? == 1)
    }

    /// Calls it again.
    pub async fn endpoint_enable(&mut self, id: &str) -> Result<(), StoreError> {
        self.exec(ENABLE, &vals![id]).await.map(drop)
    }

    /// Gives an endpoint another secret; those that it had sign no longer than until `signs_until`, in unix microseconds.
    pub async fn endpoint_secret(
        &mut self,
        id: &str,
        secret: &str,
        signs_until: i64,
    ) -> Result<(), StoreError> {
        self.exec(CUT, &vals![id, signs_until]).await?;
        self.exec(RETIRE, &vals![id, secret, signs_until]).await?;
        self.exec(SECRET, &vals![id, secret]).await.map(drop)
    }

    /// The secrets that an endpoint had before, newest first. Those that sign at `now`, a few at most; `None`: all that
    /// are kept.
    pub async fn endpoint_old_secrets(
        &mut self,
        id: &str,
        now: Option<i64>,
    ) -> Result<Vec<String>, StoreError> {
        let most = now.map_or(i64::MAX, |_| OLD_MOST);
        let rows = self.rows(OLD_SECRETS, &vals![id, now.unwrap_or(i64::MIN), most]).await?;
        rows.iter().map(|row| row.text("secret")).collect()
    }
}

/// A header holds a signature for each, so there is an end to them.
const OLD_MOST: i64 = 8;

const PUT: &str = "INSERT INTO webhook_endpoint (id, url, events, secret, created_at, source)
    VALUES ($1, $2, $3, $4, $5, $6)";
const ADOPT: &str = "INSERT INTO webhook_endpoint (id, url, events, secret, created_at, source)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE SET url = excluded.url, events = excluded.events,
        secret = excluded.secret, source = excluded.source, deleted_at = NULL,
        disabled_at = CASE WHEN webhook_endpoint.deleted_at IS NULL
            AND webhook_endpoint.url = excluded.url AND webhook_endpoint.secret = excluded.secret
            THEN webhook_endpoint.disabled_at END,
        disabled_reason = CASE WHEN webhook_endpoint.deleted_at IS NULL
            AND webhook_endpoint.url = excluded.url AND webhook_endpoint.secret = excluded.secret
            THEN webhook_endpoint.disabled_reason END";
const ALL: &str = "SELECT * FROM webhook_endpoint WHERE deleted_at IS NULL ORDER BY created_at, id";
const PAGE: &str = "SELECT * FROM webhook_endpoint
    WHERE deleted_at IS NULL AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
const ONE: &str = "SELECT * FROM webhook_endpoint WHERE id = $1 AND deleted_at IS NULL";
const DELETE: &str =
    "UPDATE webhook_endpoint SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
const DISABLE: &str = "UPDATE webhook_endpoint SET disabled_at = $2, disabled_reason = $3
    WHERE id = $1 AND disabled_at IS NULL";
const ENABLE: &str =
    "UPDATE webhook_endpoint SET disabled_at = NULL, disabled_reason = NULL WHERE id = $1";
const SECRET: &str = "UPDATE webhook_endpoint SET secret = $2 WHERE id = $1";
const CUT: &str = "UPDATE webhook_old_secret SET signs_until = $2
    WHERE endpoint_id = $1 AND signs_until > $2";
// The one that is replaced by another; also of an endpoint that was out of use meanwhile.
const RETIRE: &str = "INSERT INTO webhook_old_secret (endpoint_id, secret, signs_until)
    SELECT id, secret, $3 FROM webhook_endpoint WHERE id = $1 AND secret <> $2
    ON CONFLICT (endpoint_id, secret) DO UPDATE SET signs_until = excluded.signs_until";
const OLD_SECRETS: &str = "SELECT secret FROM webhook_old_secret
    WHERE endpoint_id = $1 AND signs_until > $2 ORDER BY signs_until DESC, secret LIMIT $3";
