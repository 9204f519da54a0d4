//! Events, and the tries to deliver them.

use super::{NewDue, Row, StoreError, Tx, Val};
use crate::metrics::store::Moved;
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

/// One try to deliver one event to one endpoint.
#[derive(Clone, Debug)]
pub struct DeliveryAttempt {
    /// Its id, `dlv_…`.
    pub id: String,
    /// The event.
    pub event_id: String,
    /// The endpoint.
    pub endpoint_id: String,
    /// The delivery: the row of due work that it was a try of.
    pub due_id: String,
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

impl Event {
    fn args(&self) -> [Val; 5] {
        vals![&self.id, self.order_id.as_deref(), &self.kind, &self.body, self.created_at]
    }

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

impl Event {
    /// In which it stands with the other events of its order, on their way to one endpoint.
    pub(super) fn lane(&self, endpoint_id: &str) -> String {
        format!("{WEBHOOK}:{endpoint_id}:{}", self.order_id.as_deref().unwrap_or(&self.id))
    }
}

/// What makes the first delivery of an event to an endpoint exist once; a replay has more behind it.
pub(crate) fn first_key(event_id: &str, endpoint_id: &str) -> String {
    format!("{WEBHOOK}:{event_id}:{endpoint_id}")
}

impl Tx {
    /// Puts an event in, and the work to deliver it to each endpoint that wants it.
    ///
    /// Deliveries to one endpoint about one order go out one after the other.
    pub async fn event_put(&mut self, event: &Event) -> Result<(), StoreError> {
        let told = self.after_those_before(event).await?;
        self.exec(PUT, &told.args()).await?;
        self.moved(Moved::Event(event.kind.clone()));
        for endpoint in self.endpoints().await? {
            if endpoint.wants(&event.kind) {
                self.first_delivery_put(&told, &endpoint.id, event.created_at).await?;
            }
        }
        Ok(())
    }

    /// The event with its place among those of its order: whoever commits later tells later, whatever his clock says.
    async fn after_those_before(&mut self, event: &Event) -> Result<Event, StoreError> {
        let latest = match &event.order_id {
            Some(order_id) => self.row(LATEST, &vals![order_id]).await?,
            None => None,
        };
        let latest = latest.map(|row| row.int("created_at")).transpose()?;
        let earliest = latest.map_or(event.created_at, |latest| latest.saturating_add(1));
        Ok(Event { created_at: event.created_at.max(earliest), ..event.clone() })
    }

    /// Puts an event in that only one endpoint is told of.
    pub async fn event_put_for(
        &mut self,
        event: &Event,
        endpoint_id: &str,
    ) -> Result<(), StoreError> {
        self.exec(PUT, &event.args()).await?;
        self.moved(Moved::Event(event.kind.clone()));
        self.first_delivery_put(event, endpoint_id, event.created_at).await
    }

    async fn first_delivery_put(
        &mut self,
        event: &Event,
        endpoint_id: &str,
        due_at: i64,
    ) -> Result<(), StoreError> {
        self.delivery_put(event, endpoint_id, &first_key(&event.id, endpoint_id), due_at)
            .await
            .map(drop)
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
        self.due_put(&NewDue {
            id: &format!("due_{key}"),
            kind: WEBHOOK,
            key,
            pool: &format!("{WEBHOOK}:{endpoint_id}"),
            lane: Some(&event.lane(endpoint_id)),
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

    /// Keeps a try to deliver.
    pub async fn delivery_attempt_put(
        &mut self,
        tried: &DeliveryAttempt,
    ) -> Result<(), StoreError> {
        let args = vals![
            &tried.id,
            &tried.event_id,
            &tried.endpoint_id,
            &tried.due_id,
            tried.at,
            tried.status,
            tried.latency_micros,
            tried.problem.as_deref(),
        ];
        self.exec(ATTEMPT_PUT, &args).await.map(drop)
    }

    /// The tries to deliver an event, oldest first.
    pub async fn delivery_attempts(
        &mut self,
        event_id: &str,
    ) -> Result<Vec<DeliveryAttempt>, StoreError> {
        self.rows(ATTEMPTS, &vals![event_id]).await?.iter().map(DeliveryAttempt::read).collect()
    }

    /// The tries of one delivery, oldest first.
    pub(super) async fn delivery_attempts_of(
        &mut self,
        due_id: &str,
    ) -> Result<Vec<DeliveryAttempt>, StoreError> {
        self.rows(ATTEMPTS_OF, &vals![due_id]).await?.iter().map(DeliveryAttempt::read).collect()
    }
}

impl DeliveryAttempt {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            event_id: row.text("event_id")?,
            endpoint_id: row.text("endpoint_id")?,
            due_id: row.text("due_id")?,
            at: row.int("at")?,
            status: row.opt_int("status")?,
            latency_micros: row.int("latency_micros")?,
            problem: row.opt_text("problem")?,
        })
    }
}

const LATEST: &str =
    "SELECT created_at FROM event WHERE order_id = $1 ORDER BY created_at DESC LIMIT 1";
const PUT: &str =
    "INSERT INTO event (id, order_id, type, body, created_at) VALUES ($1, $2, $3, $4, $5)";
const EVENT: &str = "SELECT * FROM event WHERE id = $1";
const EVENTS: &str = "SELECT * FROM event WHERE (created_at, id) < ($1, $2)
    ORDER BY created_at DESC, id DESC LIMIT $3";
const ATTEMPT_PUT: &str = "INSERT INTO delivery_attempt
        (id, event_id, endpoint_id, due_id, at, status, latency_micros, problem)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const ATTEMPTS: &str = "SELECT * FROM delivery_attempt WHERE event_id = $1 ORDER BY at, id";
const ATTEMPTS_OF: &str = "SELECT * FROM delivery_attempt WHERE due_id = $1 ORDER BY at, id";
