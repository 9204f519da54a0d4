//! What the console asks that nobody else does.

use super::{DeliveryAttempt, Event, Row, StoreError, Tx};
use crate::ids::OrderId;
use crate::vals;

/// An event with the tries to deliver it.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The event.
    pub event: Event,
    /// The tries, oldest first.
    pub attempts: Vec<DeliveryAttempt>,
    /// The deliveries that are not done.
    pub waiting: Vec<Waiting>,
}

/// A delivery that is not done.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The endpoint that has not taken it.
    pub endpoint_id: String,
    /// When it is tried next, in unix microseconds.
    pub due_at: i64,
    /// Whether it is tried no more.
    pub gave_up: bool,
}

impl Tx {
    /// The events about an order with their deliveries, oldest first.
    pub async fn events_of(&mut self, order: &OrderId) -> Result<Vec<Delivered>, StoreError> {
        let rows = self.rows(EVENTS, &vals![order.as_str()]).await?;
        let mut delivered = Vec::with_capacity(rows.len());
        for row in &rows {
            let event = Event::read(row)?;
            let attempts = self.delivery_attempts(&event.id).await?;
            let waiting = self.rows(WAITING, &vals![order.as_str(), &event.id]).await?;
            let waiting = waiting.iter().map(Waiting::read).collect::<Result<_, _>>()?;
            delivered.push(Delivered { event, attempts, waiting });
        }
        Ok(delivered)
    }
}

impl Waiting {
    fn read(row: &Row) -> Result<Self, StoreError> {
        // `webhook:EVENT:ENDPOINT`, perhaps with more behind it for a replay.
        let key = row.text("key")?;
        let endpoint_id = key.split(':').nth(2).unwrap_or_default().to_owned();
        let gave_up = row.text("state")? == "dead";
        Ok(Self { endpoint_id, due_at: row.int("due_at")?, gave_up })
    }
}

const EVENTS: &str = "SELECT * FROM event WHERE order_id = $1 ORDER BY created_at, id";
// Not `state <> 'done'`: SQLite would go through all that waits anywhere, instead of all that is about this order.
const WAITING: &str = "SELECT key, state, due_at FROM due
    WHERE order_id = $1 AND kind = 'webhook' AND state IN ('ready', 'dead') AND key LIKE 'webhook:' || $2 || ':%'
    ORDER BY created_at, id";
