//! Step 6 once more: events that a receiver has lost or not taken, and one that only tries the line.
//!
//! A replay carries the same id and the same bytes as the first delivery, so
//! a receiver that has the event already knows it again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;
use crate::flow::endpoints::find_endpoint;
use crate::order::rfc3339;
use crate::store::{Delivery, Endpoint, Event, Once, Replay, StoreError, Tx};
use crate::world::World;

/// 重放的结果。/ What a replay has set in motion.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct Replayed {
    /// 重新开始的投递 / deliveries that were begun again
    #[schema(minimum = 0, example = 2)]
    pub deliveries: i64,
    /// 本来在等下一次、现在马上重试的投递 / deliveries that waited for their next try, and are tried now
    #[schema(minimum = 0, example = 1)]
    pub hastened: i64,
    /// 一次装不下，再调一次 / there is more than one call takes: call again
    #[schema(example = false)]
    pub more: bool,
    /// `more` 为真时，下一次的 `since`；否则 null / where `more` is true: the `since` of the next call; otherwise null
    #[serde(default)]
    #[schema(required, value_type = Option<String>, format = DateTime, example = json!(null))]
    pub next_since: Option<Timestamp>,
}

/// The event of this id with its deliveries.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_event(world: &World, id: &str) -> Result<(Event, Vec<Delivery>), Error> {
    let found = world.store.look(id.to_owned(), |tx, id| {
        Box::pin(async move { Ok((tx.event(id).await?, tx.deliveries_of(id).await?)) })
    });
    let (event, deliveries) = found.await?;
    Ok((event.ok_or(Error::NotFound { what: "event" })?, deliveries))
}

/// Delivers an event once more: to one endpoint, or to all that want events of its kind.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::EndpointDisabled`] where the one endpoint is not called any more.
pub async fn replay_event(
    world: &World,
    event_id: &str,
    endpoint_id: Option<&str>,
    once: &Once,
) -> Result<Replayed, Error> {
    if let Some(before) = replayed_before(once)? {
        return Ok(before);
    }
    let (event, _) = find_event(world, event_id).await?;
    let one = match endpoint_id {
        Some(id) => Some(in_use(find_endpoint(world, id).await?)?.id),
        None => None,
    };
    let unit = (event, one, world.id("rpl_"), world.now(), once.clone());
    let replay = world.store.write(unit, |tx, (event, one, name, now, once)| {
        Box::pin(async move {
            let mut replay = Replay::default();
            for endpoint in tx.endpoints().await? {
                let wanted = match one {
                    Some(id) => *id == endpoint.id,
                    None => endpoint.disabled.is_none() && endpoint.wants(&event.kind),
                };
                if wanted {
                    let one = tx.replay(event, &endpoint.id, name, *now).await?;
                    replay.begun = replay.begun.saturating_add(one.begun);
                    replay.hastened = replay.hastened.saturating_add(one.hastened);
                }
            }
            tx.replayed(replay, once).await
        })
    });
    let replayed = replay.await?;
    tracing::info!(event_id, deliveries = replayed.deliveries, "an event is delivered once more");
    Ok(replayed)
}

/// Delivers what an endpoint has not taken since a time, in unix microseconds.
///
/// # Errors
/// [`Error::NotFound`], [`Error::EndpointDisabled`].
pub async fn replay_failed(
    world: &World,
    endpoint_id: &str,
    since: i64,
    once: &Once,
) -> Result<Replayed, Error> {
    if let Some(before) = replayed_before(once)? {
        return Ok(before);
    }
    let endpoint = in_use(find_endpoint(world, endpoint_id).await?)?;
    let unit = (endpoint.id, since, world.id("rpl_"), world.now(), once.clone());
    let replay = world.store.write(unit, |tx, (id, since, name, now, once)| {
        Box::pin(async move {
            let replay = tx.replay_failed(id, *since, name, *now).await?;
            tx.replayed(replay, once).await
        })
    });
    let replayed = replay.await?;
    let deliveries = replayed.deliveries;
    tracing::info!(endpoint_id, deliveries, "what an endpoint missed is delivered once more");
    Ok(replayed)
}

/// Sends an event of type `webhook.test` to one endpoint, whatever it wants.
///
/// # Errors
/// [`Error::NotFound`], [`Error::EndpointDisabled`].
pub async fn test(world: &World, endpoint_id: &str, once: &Once) -> Result<Event, Error> {
    if let Some(made) = once.effect() {
        return find_event(world, made).await.map(|(event, _)| event);
    }
    let endpoint = in_use(find_endpoint(world, endpoint_id).await?)?;
    let now = world.now();
    let data = serde_json::json!({ "endpoint_id": endpoint.id });
    let body = serde_json::json!({ "type": TEST, "timestamp": rfc3339(now), "data": data });
    let event = Event {
        id: world.id("evt_"),
        order_id: None,
        kind: TEST.to_owned(),
        body: body.to_string(),
        created_at: now,
    };
    let unit = (event.clone(), endpoint.id, once.clone());
    let put = world.store.write(unit, |tx, (event, endpoint_id, once)| {
        Box::pin(async move {
            tx.event_put_for(event, endpoint_id).await?;
            tx.made(once, &event.id).await
        })
    });
    put.await?;
    Ok(event)
}

fn in_use(endpoint: Endpoint) -> Result<Endpoint, Error> {
    match endpoint.disabled {
        Some((_, reason)) => Err(Error::EndpointDisabled { reason }),
        None => Ok(endpoint),
    }
}

fn replayed_before(once: &Once) -> Result<Option<Replayed>, Error> {
    let before = once.effect().map(serde_json::from_str).transpose();
    before.map_err(|_| Error::Broken)
}

impl Tx {
    /// Notes what a replay has set in motion for a repeat of its request.
    async fn replayed(&mut self, replay: Replay, once: &Once) -> Result<Replayed, StoreError> {
        let Replay { begun, hastened, next } = replay;
        let next_since = next.and_then(|next| Timestamp::from_microsecond(next).ok());
        let more = next_since.is_some();
        let replayed = Replayed { deliveries: begun, hastened, more, next_since };
        self.made(once, &serde_json::json!(replayed).to_string()).await?;
        Ok(replayed)
    }
}

/// The type of events that only try the line.
pub(crate) const TEST: &str = "webhook.test";
