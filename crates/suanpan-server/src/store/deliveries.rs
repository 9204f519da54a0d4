//! Deliveries: an event on its way to an endpoint, with all its tries; and what is delivered once more.
//!
//! A delivery is a row of due work, keyed `webhook:EVENT:ENDPOINT`. One that
//! ended is not begun again: a replay is a row of its own, with more behind its
//! key, and the event that it carries is the same to the byte.

use super::{DeliveryAttempt, Event, Row, StoreError, Tx, WEBHOOK, first_key};
use crate::vals;

/// An event on its way to an endpoint.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event.
    pub event_id: String,
    /// Where it goes.
    pub endpoint_id: String,
    /// How it stands.
    pub standing: DeliveryStanding,
    /// When the event happened, in unix microseconds.
    pub created_at: i64,
    /// The tries, oldest first.
    pub attempts: Vec<DeliveryAttempt>,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeliveryStanding {
    /// It is tried at this time, in unix microseconds.
    Pending(i64),
    /// The receiver has it.
    Delivered,
    /// It was given up, or replaced by a replay.
    Failed,
}

/// What a replay has set in motion.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Replay {
    /// New deliveries.
    pub begun: i64,
    /// Deliveries that waited for their next try, and are tried now.
    pub hastened: i64,
    /// There is more to replay than one transaction takes: what happened from this time on, in unix microseconds.
    pub next: Option<i64>,
}

impl Tx {
    /// The deliveries to an endpoint, newest event first: older than `before` (time and id), at most `limit`. Each comes
    /// with the place where a page behind it begins.
    pub async fn deliveries_to(
        &mut self,
        endpoint_id: &str,
        before: Option<&(i64, String)>,
        limit: i64,
    ) -> Result<Vec<(String, Delivery)>, StoreError> {
        let (at, id) = before.cloned().unwrap_or((i64::MAX, String::new()));
        let rows = self.rows(TO_ENDPOINT, &vals![pool(endpoint_id), at, id, limit]).await?;
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in &rows {
            deliveries.push((row.text("id")?, self.delivery(row).await?));
        }
        Ok(deliveries)
    }

    /// The deliveries of an event, one endpoint after the other, replays behind what they repeat.
    pub async fn deliveries_of(&mut self, event_id: &str) -> Result<Vec<Delivery>, StoreError> {
        // `;` is the character behind `:`.
        let (from, to) = (format!("{WEBHOOK}:{event_id}:"), format!("{WEBHOOK}:{event_id};"));
        let mut deliveries = Vec::new();
        for row in &self.rows(OF_EVENT, &vals![from, to]).await? {
            deliveries.push(self.delivery(row).await?);
        }
        Ok(deliveries)
    }

    async fn delivery(&mut self, row: &Row) -> Result<Delivery, StoreError> {
        let attempts = self.delivery_attempts_of(&row.text("id")?).await?;
        let taken = attempts.iter().any(|attempt| attempt.problem.is_none());
        let standing = match row.text("state")?.as_str() {
            "ready" => DeliveryStanding::Pending(row.int("due_at")?),
            "done" if taken => DeliveryStanding::Delivered,
            _ => DeliveryStanding::Failed,
        };
        let (event_id, endpoint_id) = of_key(&row.text("key")?);
        let created_at = row.int("created_at")?;
        Ok(Delivery { event_id, endpoint_id, standing, created_at, attempts })
    }

    /// Delivers an event to an endpoint once more, in the place that it has among the events of its order. Where it is
    /// still on its way it is tried now. `name` makes the replay exist once.
    pub async fn replay(
        &mut self,
        event: &Event,
        endpoint_id: &str,
        name: &str,
        now: i64,
    ) -> Result<Replay, StoreError> {
        let first = first_key(&event.id, endpoint_id);
        let (from, to) = (format!("{first}:"), format!("{first};"));
        if self.row(ON_ITS_WAY, &vals![&first, &from, &to]).await?.is_some() {
            // With all of its order: it may wait behind what happened first.
            self.exec(HASTEN, &vals![event.lane(endpoint_id), now]).await?;
            return Ok(Replay { hastened: 1, ..Replay::default() });
        }
        self.exec(REPLACE, &vals![&first, &from, &to]).await?;
        let put = self.delivery_put(event, endpoint_id, &format!("{first}:{name}"), now).await?;
        Ok(Replay { begun: i64::from(put), ..Replay::default() })
    }

    /// Delivers what an endpoint has not taken of all that happened since `since`: begins again what was given up, and
    /// tries now what waits.
    pub async fn replay_failed(
        &mut self,
        endpoint_id: &str,
        since: i64,
        name: &str,
        now: i64,
    ) -> Result<Replay, StoreError> {
        let pool = pool(endpoint_id);
        // All of one time go together: so the next batch begins behind it, and nothing is set in motion twice.
        let last = vals![&pool, since, now, BATCH.saturating_sub(1)];
        let last = self.row(LAST_OF_BATCH, &last).await?;
        let last = last.map(|row| row.int("created_at")).transpose()?;
        let until = last.unwrap_or(i64::MAX);
        let hastened = self.exec(HASTEN_ALL, &vals![&pool, since, now, until]).await?;
        let dead = self.rows(DEAD, &vals![&pool, since, until]).await?;
        let next = last.map(|last| last.saturating_add(1));
        let mut replay = Replay { begun: 0, hastened: count(hastened), next };
        for row in &dead {
            let (event_id, _) = of_key(&row.text("key")?);
            let event = self.event(&event_id).await?;
            let event = event.ok_or(StoreError::Stale { what: "event" })?;
            let again = self.replay(&event, endpoint_id, name, now).await?;
            replay.begun = replay.begun.saturating_add(again.begun);
        }
        Ok(replay)
    }
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn pool(endpoint_id: &str) -> String {
    format!("{WEBHOOK}:{endpoint_id}")
}

/// Event and endpoint of `webhook:EVENT:ENDPOINT`, perhaps with more behind it.
fn of_key(key: &str) -> (String, String) {
    let mut parts = key.split(':').skip(1).map(str::to_owned);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// How many deliveries one transaction sets in motion at most: it holds up all others as long as it lasts.
const BATCH: i64 = 500;

const TO_ENDPOINT: &str = "SELECT id, key, state, due_at, created_at FROM due
    WHERE kind = 'webhook' AND pool = $1 AND (created_at, id) < ($2, $3)
    ORDER BY created_at DESC, id DESC LIMIT $4";
const OF_EVENT: &str = "SELECT id, key, state, due_at, created_at FROM due
    WHERE kind = 'webhook' AND key >= $1 AND key < $2 ORDER BY key";
const ON_ITS_WAY: &str = "SELECT 1 AS n FROM due
    WHERE (key = $1 OR (key >= $2 AND key < $3)) AND state = 'ready' LIMIT 1";
// Who has it in hand at this moment says himself what comes next.
const HASTEN: &str =
    "UPDATE due SET due_at = $2 WHERE lane = $1 AND state = 'ready' AND due_at > $2";
// A replay takes the place of what was given up, which nobody has to look at any more.
const REPLACE: &str = "UPDATE due SET state = 'done'
    WHERE (key = $1 OR (key >= $2 AND key < $3)) AND state = 'dead'";
// `state <> 'done'` names the index of what is not delivered; the rest are many, and stay for ever.
const LAST_OF_BATCH: &str = "SELECT created_at FROM due
    WHERE pool = $1 AND kind = 'webhook' AND state <> 'done' AND created_at >= $2
        AND (state = 'dead' OR (state = 'ready' AND due_at > $3))
    ORDER BY created_at LIMIT 1 OFFSET $4";
const HASTEN_ALL: &str = "UPDATE due SET due_at = $3
    WHERE pool = $1 AND kind = 'webhook' AND state <> 'done' AND state = 'ready'
        AND created_at >= $2 AND created_at <= $4 AND due_at > $3";
const DEAD: &str = "SELECT key FROM due
    WHERE pool = $1 AND kind = 'webhook' AND state <> 'done' AND state = 'dead'
        AND created_at >= $2 AND created_at <= $3
    ORDER BY created_at, id";
