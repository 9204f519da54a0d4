//! Events, the endpoints that want them, and the tries to deliver them.

use std::fmt;

use super::{NewDue, Row, StoreError, Tx, Val};
use crate::vals;

/// What the merchant's system is told. One id and one body for ever.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id, `evt_…`; the receiver tells repeats by it.
    pub id: String,
    /// The order that it is about.
    pub order_id: Option<String>,
    /// Such as `order.paid`.
    pub kind: String,
    /// The body of the webhook, to the byte.
    pub body: String,
    /// When, in unix microseconds.
    pub created_at: i64,
}

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
}

/// One try to deliver one event to one endpoint.
#[derive(Clone, Debug)]
pub struct DeliveryAttempt {
    /// Its id, `dlv_…`.
    pub id: String,
    /// The event.
    pub event_id: String,
    /// The endpoint.
    pub endpoint_id: String,
    /// When, in unix microseconds.
    pub at: i64,
    /// The HTTP status of the answer, if one came.
    pub status: Option<i64>,
    /// How long it took.
    pub latency_micros: i64,
    /// Why it failed.
    pub problem: Option<String>,
}

/// The kind of due work that delivers an event.
pub const WEBHOOK: &str = "webhook";

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
            .finish_non_exhaustive()
    }
}

impl Event {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            order_id: row.opt_text("order_id")?,
            kind: row.text("type")?,
            body: row.text("body")?,
            created_at: row.int("created_at")?,
        })
    }
}

impl Tx {
    /// Puts an event in, and the work to deliver it to each endpoint that wants it.
    ///
    /// Deliveries to one endpoint about one order go out one after the other.
    pub async fn event_put(&mut self, event: &Event) -> Result<(), StoreError> {
        let args = vals![
            &event.id,
            event.order_id.as_deref(),
            &event.kind,
            &event.body,
            event.created_at,
        ];
        self.exec(PUT, &args).await?;
        for endpoint in self.endpoints().await? {
            if endpoint.wants(&event.kind) {
                let key = format!("{WEBHOOK}:{}:{}", event.id, endpoint.id);
                self.delivery_put(event, &endpoint.id, &key, event.created_at).await?;
            }
        }
        Ok(())
    }

    /// Puts the work in to deliver an event to one endpoint; a second one of the same `key` is not put in.
    pub async fn delivery_put(
        &mut self,
        event: &Event,
        endpoint_id: &str,
        key: &str,
        due_at: i64,
    ) -> Result<bool, StoreError> {
        let body = serde_json::json!({ "event_id": event.id, "endpoint_id": endpoint_id });
        let about = event.order_id.as_deref().unwrap_or(&event.id);
        self.due_put(&NewDue {
            id: &format!("due_{key}"),
            kind: WEBHOOK,
            key,
            pool: &format!("{WEBHOOK}:{endpoint_id}"),
            lane: Some(&format!("{WEBHOOK}:{endpoint_id}:{about}")),
            body: &body.to_string(),
            order_id: event.order_id.as_deref(),
            due_at,
            created_at: event.created_at,
        })
        .await
    }

    /// The event of this id.
    pub async fn event(&mut self, id: &str) -> Result<Option<Event>, StoreError> {
        self.row(EVENT, &vals![id]).await?.as_ref().map(Event::read).transpose()
    }

    /// Events, newest first: older than `before` (time and id), at most `limit`.
    pub async fn events(
        &mut self,
        before: Option<&(i64, String)>,
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let (at, id) = before.cloned().unwrap_or((i64::MAX, String::new()));
        self.rows(EVENTS, &vals![at, id, limit]).await?.iter().map(Event::read).collect()
    }

    /// Puts an endpoint in.
    pub async fn endpoint_put(&mut self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.exec(ENDPOINT_PUT, &endpoint.args()).await.map(drop)
    }

    /// Puts an endpoint in, or makes the one of this id as it is here, in use again. When it was made is kept.
    pub async fn endpoint_adopt(&mut self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.exec(ENDPOINT_ADOPT, &endpoint.args()).await.map(drop)
    }

    /// The endpoints that are in use, oldest first.
    pub async fn endpoints(&mut self) -> Result<Vec<Endpoint>, StoreError> {
        self.rows(ENDPOINTS, &[]).await?.iter().map(Endpoint::read).collect()
    }

    /// The endpoint of this id, if it is in use.
    pub async fn endpoint(&mut self, id: &str) -> Result<Option<Endpoint>, StoreError> {
        self.row(ENDPOINT, &vals![id]).await?.as_ref().map(Endpoint::read).transpose()
    }

    /// Takes an endpoint out of use. `false`: there is none.
    pub async fn endpoint_delete(&mut self, id: &str, at: i64) -> Result<bool, StoreError> {
        Ok(self.exec(ENDPOINT_DELETE, &vals![id, at]).await? == 1)
    }

    /// Gives an endpoint another key. `false`: there is none.
    pub async fn endpoint_secret(&mut self, id: &str, secret: &str) -> Result<bool, StoreError> {
        Ok(self.exec(ENDPOINT_SECRET, &vals![id, secret]).await? == 1)
    }

    /// Keeps a try to deliver.
    pub async fn delivery_attempt_put(
        &mut self,
        tried: &DeliveryAttempt,
    ) -> Result<(), StoreError> {
        let args = vals![
            &tried.id,
            &tried.event_id,
            &tried.endpoint_id,
            tried.at,
            tried.status,
            tried.latency_micros,
            tried.problem.as_deref(),
        ];
        self.exec(DELIVERY_PUT, &args).await.map(drop)
    }

    /// The tries to deliver an event, oldest first.
    pub async fn delivery_attempts(
        &mut self,
        event_id: &str,
    ) -> Result<Vec<DeliveryAttempt>, StoreError> {
        let read = |row: &Row| {
            Ok(DeliveryAttempt {
                id: row.text("id")?,
                event_id: row.text("event_id")?,
                endpoint_id: row.text("endpoint_id")?,
                at: row.int("at")?,
                status: row.opt_int("status")?,
                latency_micros: row.int("latency_micros")?,
                problem: row.opt_text("problem")?,
            })
        };
        self.rows(DELIVERIES, &vals![event_id]).await?.iter().map(read).collect()
    }
}

const PUT: &str =
    "INSERT INTO event (id, order_id, type, body, created_at) VALUES ($1, $2, $3, $4, $5)";
const EVENT: &str = "SELECT * FROM event WHERE id = $1";
const EVENTS: &str = "SELECT * FROM event WHERE (created_at, id) < ($1, $2)
    ORDER BY created_at DESC, id DESC LIMIT $3";
const ENDPOINT_PUT: &str =
    "INSERT INTO webhook_endpoint (id, url, events, secret, created_at, source)
    VALUES ($1, $2, $3, $4, $5, $6)";
const ENDPOINT_ADOPT: &str =
    "INSERT INTO webhook_endpoint (id, url, events, secret, created_at, source)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE SET url = excluded.url, events = excluded.events,
        secret = excluded.secret, source = excluded.source, deleted_at = NULL";
const ENDPOINTS: &str =
    "SELECT * FROM webhook_endpoint WHERE deleted_at IS NULL ORDER BY created_at, id";
const ENDPOINT: &str = "SELECT * FROM webhook_endpoint WHERE id = $1 AND deleted_at IS NULL";
const ENDPOINT_DELETE: &str =
    "UPDATE webhook_endpoint SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
const ENDPOINT_SECRET: &str =
    "UPDATE webhook_endpoint SET secret = $2 WHERE id = $1 AND deleted_at IS NULL";
const DELIVERY_PUT: &str =
    "INSERT INTO delivery_attempt (id, event_id, endpoint_id, at, status, latency_micros, problem)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const DELIVERIES: &str = "SELECT * FROM delivery_attempt WHERE event_id = $1 ORDER BY at, id";
