//! Step 6 of 6, webhook: the merchant's own system is told.
//!
//! By the rules of Standard Webhooks, so that any library of theirs can check
//! it: the id names the event for ever, the signature covers id, time of this
//! try and body. What went out and what came back is stored together with the
//! end of the work, and only by whoever still holds its lease.

use std::iter;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use serde::Deserialize;
use suanpan_ledger::WEBHOOK as SCHEDULE;
use tracing::Instrument as _;
use url::Url;

use crate::Error;
use crate::due::wait_after;
use crate::ids::OrderId;
use crate::receivers::Answered;
use crate::store::{Claim, DeliveryAttempt, Endpoint, Event, StoreError, Tx, first_key};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// What the row of a delivery says.
#[derive(Deserialize)]
struct Work {
    event_id: String,
    endpoint_id: String,
}

/// What comes after a try.
#[derive(Clone, Copy, Debug)]
enum Next {
    Done,
    /// Once more at this time.
    Again(i64),
    GiveUp,
    /// The receiver says that it is gone: nothing is sent there any more.
    Disable,
}

/// All that a try leaves behind.
struct Tried {
    claim: Claim,
    next: Next,
    attempt: DeliveryAttempt,
    order: Option<OrderId>,
    at: i64,
    entry: Entry,
}

/// Delivers one event to one endpoint.
///
/// # Errors
/// Those of the store. A receiver that fails is no error: the row says when it is tried again.
pub(crate) async fn deliver(world: &World, claim: &Claim) -> Result<(), Error> {
    let work: Work = serde_json::from_str(&claim.body).map_err(|_| Error::Broken)?;
    let found = world.store.look((work, world.now()), |tx, (work, now)| {
        Box::pin(async move {
            let old_secrets = tx.endpoint_old_secrets(&work.endpoint_id, Some(*now)).await?;
            let endpoint = tx.endpoint(&work.endpoint_id).await?;
            let event = tx.event(&work.event_id).await?;
            let request_id = match event.as_ref().and_then(|event| event.order_id.as_deref()) {
                Some(order) => tx.request_of_order(order).await?,
                None => None,
            };
            Ok((event, endpoint, old_secrets, request_id))
        })
    });
    let (Some(event), Some(endpoint), old_secrets, request_id) = found.await? else {
        // The endpoint was taken out of use meanwhile: nobody wants to know any more.
        let done = world
            .store
            .write(claim.clone(), |tx, claim| Box::pin(async move { tx.due_done(claim).await }));
        done.await?;
        return Ok(());
    };
    if endpoint.disabled.is_some() {
        return not_called(world, claim).await;
    }

    let span = tracing::error_span!(
        "webhook",
        request_id,
        order_id = event.order_id,
        event_id = event.id,
        endpoint_id = endpoint.id,
    );
    let told = tell(world, claim, &event, &endpoint, &old_secrets, request_id);
    told.instrument(span).await
}

/// One try.
async fn tell(
    world: &World,
    claim: &Claim,
    event: &Event,
    endpoint: &Endpoint,
    old_secrets: &[String],
    request_id: Option<String>,
) -> Result<(), Error> {
    let (at, began) = (world.now(), world.clock.monotonic_micros());
    let answer = send(world, event, endpoint, old_secrets, request_id).await;
    let latency_micros = world.clock.monotonic_micros().saturating_sub(began);

    let (status, asks_for) = match &answer {
        Ok(answered) => (Some(answered.status), answered.retry_after.clone()),
        Err(_) => (None, None),
    };
    let problem = match answer.map(|answered| answered.status) {
        Ok(200..=299) => None,
        Ok(status @ 300..=399) => Some(format!("answered {status}; redirects are not followed")),
        Ok(GONE) => Some("answered 410 Gone".to_owned()),
        Ok(status) => Some(format!("answered {status}")),
        Err(problem) => Some(problem),
    };
    let attempt = DeliveryAttempt {
        id: world.id("dlv_"),
        event_id: event.id.clone(),
        endpoint_id: endpoint.id.clone(),
        due_id: claim.id.clone(),
        at,
        status: status.map(i64::from),
        latency_micros,
        problem,
    };
    world.metrics.tried(attempt.problem.is_none(), latency_micros);
    let asks_for = asks_for.and_then(|text| patience(&text, at)).unwrap_or_default();
    conclude(world, claim, event, endpoint, attempt, asks_for).await
}

/// The endpoint is disabled: what would have gone there is kept for a replay.
async fn not_called(world: &World, claim: &Claim) -> Result<(), Error> {
    let kept = world.store.write(claim.clone(), |tx, claim| {
        Box::pin(async move { tx.due_give_up(claim, "the endpoint is disabled").await })
    });
    kept.await?;
    tracing::warn!(key = claim.key, "not delivered: the endpoint is disabled");
    Ok(())
}

/// How many seconds a `Retry-After` asks us to wait: a number, or a time.
fn patience(text: &str, now: i64) -> Option<i64> {
    let seconds = text.trim().parse::<i64>().ok();
    let until = || {
        let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp().as_second();
        Some(at.saturating_sub(now.div_euclid(1_000_000)))
    };
    seconds.or_else(until).filter(|seconds| 0 < *seconds)
}

async fn send(
    world: &World,
    event: &Event,
    endpoint: &Endpoint,
    old_secrets: &[String],
    request_id: Option<String>,
) -> Result<Answered, String> {
    let url = Url::parse(&endpoint.url).map_err(|_| "its address cannot be read".to_owned())?;
    let timestamp = world.clock.now_seconds().to_string();
    // After a rotation, one signature for each secret that the receiver may still have.
    let secrets = iter::once(&endpoint.secret).chain(old_secrets);
    let signatures = secrets.map(|secret| sign(secret, &event.id, &timestamp, &event.body));
    let signatures = signatures.collect::<Option<Vec<_>>>();
    let signature = signatures.ok_or_else(|| "its key cannot be read".to_owned())?.join(" ");
    let headers = [(ID, event.id.clone()), (TIMESTAMP, timestamp), (SIGNATURE, signature)];
    let headers = headers.into_iter().chain(request_id.map(|id| (REQUEST_ID, id)));
    world.receivers.post(&url, headers, event.body.clone()).await
}

/// Decides what comes next, and stores it. `asks_for`: the seconds that the receiver asked us to wait.
async fn conclude(
    world: &World,
    claim: &Claim,
    event: &Event,
    endpoint: &Endpoint,
    attempt: DeliveryAttempt,
    asks_for: i64,
) -> Result<(), Error> {
    let now = world.now();
    let what = format!("{} → {}", event.kind, host(&endpoint.url));
    let (next, text) = match &attempt.problem {
        None => {
            let (status, millis) =
                (attempt.status.unwrap_or_default(), attempt.latency_micros.div_euclid(1000));
            (Next::Done, format!("{what} {status}, {millis} ms"))
        }
        Some(problem) if attempt.status == Some(i64::from(GONE)) => {
            (Next::Disable, format!("{what}: {problem}; the endpoint is disabled"))
        }
        Some(problem) => match wait_after(world, SCHEDULE, claim) {
            Some(wait) => {
                let wait = wait.max(asks_for.min(LONGEST_PATIENCE));
                let at = now.saturating_add(wait.saturating_mul(1_000_000));
                let (number, wait) = (claim.attempt.saturating_add(1), spoken(wait));
                (Next::Again(at), format!("{what}: {problem}; try {number} in {wait}"))
            }
            None => {
                let tries = claim.attempt;
                (Next::GiveUp, format!("{what}: {problem}; given up after {tries} tries"))
            }
        },
    };
    let entry = Entry::new(Step::Webhook, text)
        .with("event_id", event.id.as_str())
        .with("endpoint_id", endpoint.id.as_str())
        .with("attempt", claim.attempt)
        .with("status", attempt.status);
    let order = event.order_id.as_ref().and_then(|id| id.parse().ok());
    let tried = Tried { claim: claim.clone(), next, attempt, order, at: now, entry };
    let (order, entry) = (tried.order.clone(), tried.entry.clone());
    let ours = world.store.write(tried, |tx, tried| Box::pin(tx.tried(tried)));
    if !ours.await? {
        tracing::warn!(
            event_id = event.id,
            "a delivery took longer than its lease; another one counts"
        );
        return Ok(());
    }
    match order {
        Some(order) => entry.log(&order),
        None => tracing::info!(event_id = event.id, "{}", entry.change),
    }
    match next {
        Next::GiveUp => {
            tracing::error!(
                event_id = event.id,
                endpoint_id = endpoint.id,
                "a webhook was given up"
            );
        }
        Next::Disable => {
            tracing::error!(
                endpoint_id = endpoint.id,
                "a webhook endpoint says that it is gone, and is disabled"
            );
        }
        Next::Done => {
            // A replay is begun by a person, and says nothing of how late we are.
            let first = claim.key == first_key(&event.id, &endpoint.id);
            let lag = first.then(|| now.saturating_sub(event.created_at));
            world.metrics.delivered(lag, claim.attempt);
        }
        Next::Again(_) => {}
    }
    Ok(())
}

impl Tx {
    /// Stores a try and what comes next. `false`: somebody else holds the work by now, and nothing was written.
    async fn tried(&mut self, tried: &Tried) -> Result<bool, StoreError> {
        let (claim, attempt) = (&tried.claim, &tried.attempt);
        let problem = attempt.problem.as_deref().unwrap_or_default();
        let ours = match tried.next {
            Next::Done => self.due_done(claim).await?,
            Next::Again(at) => self.due_retry(claim, at, problem).await?,
            Next::GiveUp | Next::Disable => self.due_give_up(claim, problem).await?,
        };
        if ours {
            if matches!(tried.next, Next::Disable) {
                self.endpoint_disable(&attempt.endpoint_id, tried.at, problem).await?;
            }
            self.delivery_attempt_put(attempt).await?;
            if let Some(order) = &tried.order {
                self.journal_put(order, tried.at, &tried.entry).await?;
            }
        }
        Ok(ours)
    }
}

/// The signature of one try. `None`: the secret is none.
fn sign(secret: &str, id: &str, timestamp: &str, body: &str) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key(secret)?);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

/// The bytes of a secret `whsec_…`; Standard Webhooks wants 24 to 64 of them.
pub(crate) fn key(secret: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    (24..=64).contains(&bytes.len()).then_some(bytes)
}

/// The host alone: path and query of an address may be secret.
fn host(url: &str) -> String {
    let url = Url::parse(url).ok();
    url.as_ref().and_then(Url::host_str).unwrap_or("?").to_owned()
}

/// A wait as people say it.
fn spoken(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_euclid(60)),
        _ => format!("{} h", seconds.div_euclid(3600)),
    }
}

/// The receiver wants nothing any more.
const GONE: u16 = 410;
/// An hour in seconds: a receiver that asks for more is asked again before.
const LONGEST_PATIENCE: i64 = 60 * 60;
/// The payer's request: for the logs of both sides, so it is not signed.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's libraries.
    #[test]
    fn the_known_example_is_signed_as_known() {
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_whsec_and_enough_bytes() {
        assert!(key(&format!("whsec_{}", STANDARD.encode([7; 24]))).is_some());
        assert!(key(&format!("whsec_{}", STANDARD.encode([7; 64]))).is_some());
        for bad in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsec_not base64",
            "sk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert!(key(bad).is_none(), "{bad:?}");
        }
        assert!(key(&format!("whsec_{}", STANDARD.encode([7; 65]))).is_none());
    }

    #[test]
    fn a_receiver_asks_for_seconds_or_for_a_time() {
        // 2026-01-01T00:00:00Z.
        let now = 1_767_225_600_000_000;
        for (text, seconds) in [
            ("120", Some(120)),
            (" 5 ", Some(5)),
            ("Thu, 01 Jan 2026 00:02:00 GMT", Some(120)),
            ("Wed, 31 Dec 2025 23:59:59 GMT", None),
            ("0", None),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(patience(text, now), seconds, "{text:?}");
        }
    }

    #[test]
    fn a_wait_is_said_in_the_unit_that_fits() {
        let said: Vec<_> = [5, 59, 60, 125, 3599, 3600, 31_000].map(spoken).into();
        assert_eq!(said, ["5 s", "59 s", "1 min", "2 min", "59 min", "1 h", "8 h"]);
    }
}
