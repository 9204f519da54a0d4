//! Where step 6 goes: the endpoints of the merchant's own system.
//!
//! Some are made by the API, some stand in the configuration. The file is the
//! truth about the latter: they follow it at each start, and the API lists
//! them but does not change them.

use std::collections::BTreeSet;

use crate::Error;
use crate::access::sha256_hex;
use crate::config::{Config, EndpointConfig};
use crate::flow::{replay, webhook};
use crate::store::{Endpoint, Once, StoreError, Tx};
use crate::world::World;

/// What an endpoint can be told.
pub const EVENTS: [&str; 7] = [
    "order.paid",
    "order.closed",
    "order.overpaid",
    "refund.succeeded",
    "refund.closed",
    "refund.abnormal",
    "reconciliation.difference",
];

/// All that a webhook can tell: that, and a test of the line.
pub(crate) fn told() -> impl Iterator<Item = &'static str> {
    EVENTS.into_iter().chain([replay::TEST])
}

/// Makes an endpoint, with a new key; or finds the one that an earlier run of the same request has made. `events`: only
/// these; `None`: all.
///
/// # Errors
/// [`Error::Address`] for an address that must not be called, [`Error::Field`] for an unknown event.
pub async fn create_endpoint(
    world: &World,
    url: &str,
    events: Option<Vec<String>>,
    once: &Once,
) -> Result<Endpoint, Error> {
    if let Some(effect) = once.effect() {
        return made_before(world, effect).await;
    }
    let endpoint = Endpoint {
        id: world.id("whe_"),
        url: world.receivers.address(url)?.into(),
        events: events.map(known).transpose()?,
        secret: world.dice.webhook_secret(),
        created_at: world.now(),
        source: API.to_owned(),
        disabled: None,
    };
    let unit = (endpoint.clone(), once.clone());
    let put = world.store.write(unit, |tx, (endpoint, once)| {
        Box::pin(async move {
            tx.endpoint_put(endpoint).await?;
            tx.made(once, &effect(endpoint)).await
        })
    });
    put.await?;
    tracing::info!(endpoint_id = endpoint.id, "a webhook endpoint was made");
    Ok(endpoint)
}

/// The endpoints that are in use, oldest first: newer than `after` (time and id), at most `limit`.
///
/// # Errors
/// Those of the store.
pub async fn list_endpoints(
    world: &World,
    after: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Endpoint>, Error> {
    let page = world.store.look((after, limit), |tx, (after, limit)| {
        Box::pin(async move { tx.endpoints_page(after.as_ref(), *limit).await })
    });
    Ok(page.await?)
}

/// The endpoint of this id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_endpoint(world: &World, id: &str) -> Result<Endpoint, Error> {
    let found =
        world.store.look(id.to_owned(), |tx, id| Box::pin(async move { tx.endpoint(id).await }));
    found.await?.ok_or(Error::NotFound { what: "webhook endpoint" })
}

/// Takes an endpoint out of use; what was not delivered yet is not delivered any more.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Field`] for one of the configuration.
pub async fn delete_endpoint(world: &World, id: &str, once: &Once) -> Result<(), Error> {
    let unit = (id.to_owned(), world.now(), once.clone());
    let found = world.store.write(unit, |tx, (id, now, once)| {
        Box::pin(async move {
            let found = tx.endpoint(id).await?;
            if found.as_ref().is_some_and(|endpoint| endpoint.source == API) {
                tx.endpoint_delete(id, *now).await?;
                tx.made(once, id).await?;
            }
            Ok(found)
        })
    });
    of_api(found.await?)?;
    tracing::info!(endpoint_id = id, "a webhook endpoint was taken out of use");
    Ok(())
}

/// Gives an endpoint a new key. The old one signs beside it for `overlap` seconds, so that the receiver can change over
/// in its own time; 0 for a key that is known to a stranger.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Field`] for one of the configuration or an overlap of more than a week.
pub async fn rotate_secret(
    world: &World,
    id: &str,
    overlap: Option<i64>,
    once: &Once,
) -> Result<Endpoint, Error> {
    if let Some(effect) = once.effect() {
        return made_before(world, effect).await;
    }
    let overlap = overlap.unwrap_or(OVERLAP);
    if !(0..=LONGEST_OVERLAP).contains(&overlap) {
        let rule = format!("must be 0 to {LONGEST_OVERLAP}, a week");
        return Err(Error::field("overlap_seconds", rule));
    }
    let signs_until = world.now().saturating_add(overlap.saturating_mul(1_000_000));
    let unit = (id.to_owned(), world.dice.webhook_secret(), signs_until, once.clone());
    let found = world.store.write(unit, |tx, (id, secret, signs_until, once)| {
        Box::pin(async move {
            let Some(mut endpoint) = tx.endpoint(id).await? else { return Ok(None) };
            if endpoint.source == API {
                tx.endpoint_secret(id, secret, *signs_until).await?;
                secret.clone_into(&mut endpoint.secret);
                tx.made(once, &effect(&endpoint)).await?;
            }
            Ok(Some(endpoint))
        })
    });
    let endpoint = of_api(found.await?)?;
    tracing::info!(endpoint_id = id, overlap, "a webhook endpoint has a new key");
    Ok(endpoint)
}

/// Calls an endpoint again that was disabled. What it missed is sent by a replay.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn enable_endpoint(world: &World, id: &str, once: &Once) -> Result<Endpoint, Error> {
    let found = world.store.write((id.to_owned(), once.clone()), |tx, (id, once)| {
        Box::pin(async move {
            tx.endpoint_enable(id).await?;
            let found = tx.endpoint(id).await?;
            if found.is_some() {
                tx.made(once, id).await?;
            }
            Ok(found)
        })
    });
    let endpoint = found.await?.ok_or(Error::NotFound { what: "webhook endpoint" })?;
    tracing::info!(endpoint_id = id, "a webhook endpoint is called again");
    Ok(endpoint)
}

/// Calls an endpoint no more, for the reason that somebody gives; what would have gone there is kept for a replay.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn disable_endpoint(
    world: &World,
    id: &str,
    reason: &str,
    once: &Once,
) -> Result<(), Error> {
    let unit = (id.to_owned(), reason.to_owned(), world.now(), once.clone());
    let found = world.store.write(unit, |tx, (id, reason, now, once)| {
        Box::pin(async move {
            let found = tx.endpoint(id).await?.is_some();
            if found && tx.endpoint_disable(id, *now, reason).await? {
                tx.made(once, id).await?;
            }
            Ok(found)
        })
    });
    if !found.await? {
        return Err(Error::NotFound { what: "webhook endpoint" });
    }
    tracing::info!(endpoint_id = id, "a webhook endpoint is called no more");
    Ok(())
}

/// What a request notes that has made a secret: the endpoint, and which of its secrets, without the secret itself.
fn effect(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.id, sha256_hex(endpoint.secret.as_bytes()))
}

/// The endpoint with the secret that an earlier run has made, which may not be the one of today.
async fn made_before(world: &World, effect: &str) -> Result<Endpoint, Error> {
    let found = world.store.look(effect.to_owned(), |tx, effect| {
        Box::pin(async move { tx.endpoint_as_made(effect).await })
    });
    found.await?.ok_or(Error::NotFound { what: "webhook endpoint" })
}

impl Tx {
    async fn endpoint_as_made(&mut self, effect: &str) -> Result<Option<Endpoint>, StoreError> {
        let (id, hash) = effect.split_once(' ').unwrap_or((effect, ""));
        let Some(endpoint) = self.endpoint(id).await? else { return Ok(None) };
        let mut secrets = self.endpoint_old_secrets(id, None).await?;
        secrets.push(endpoint.secret.clone());
        let made = secrets.into_iter().find(|secret| sha256_hex(secret.as_bytes()) == hash);
        Ok(made.map(|secret| Endpoint { secret, ..endpoint }))
    }
}

/// Makes the endpoints of the configuration those of the store: new ones are put in, changed ones are changed, and those
/// that left the file are taken out of use. Endpoints of the API stay as they are.
///
/// # Errors
/// [`Error::Config`], and those of the store.
pub async fn adopt_configured(world: &World, config: &Config) -> Result<(), Error> {
    let configured = config.webhooks.endpoints.iter().enumerate();
    let wanted = configured
        .map(|(position, given)| configured_endpoint(world, config, position, given))
        .collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<_> = wanted.iter().map(|endpoint| endpoint.id.clone()).collect();
    if ids.len() < wanted.len() {
        let why = "an address stands there twice".to_owned();
        return Err(Error::Config { place: "webhooks.endpoints".to_owned(), why });
    }
    let now = world.now();
    let unit = (wanted, ids, now, now.saturating_add(OVERLAP.saturating_mul(1_000_000)));
    let gone = world.store.write(unit, |tx, (wanted, ids, now, signs_until)| {
        Box::pin(async move {
            let mut gone = Vec::new();
            for endpoint in tx.endpoints().await? {
                if endpoint.source == CONFIG && !ids.contains(&endpoint.id) {
                    tx.endpoint_delete(&endpoint.id, *now).await?;
                    gone.push(endpoint.id);
                }
            }
            for endpoint in wanted {
                tx.endpoint_adopt(endpoint, *signs_until).await?;
            }
            Ok(gone)
        })
    });
    for id in gone.await? {
        tracing::info!(endpoint_id = id, "a webhook endpoint left the configuration");
    }
    Ok(())
}

fn configured_endpoint(
    world: &World,
    config: &Config,
    position: usize,
    given: &EndpointConfig,
) -> Result<Endpoint, Error> {
    let place = |name: &str| format!("webhooks.endpoints[{position}].{name}");
    let wrong = |name: &str, why: String| Error::Config { place: place(name), why };
    let url = world.receivers.address(&given.url);
    let url: String = url.map_err(|error| wrong("url", error.to_string()))?.into();
    let events = given.events.clone().map(known).transpose();
    let events = events.map_err(|error| wrong("events", error.to_string()))?;
    let secret =
        config.secret(&place("secret"), given.secret.as_ref(), given.secret_file.as_deref())?;
    let secret = secret.ok_or_else(|| {
        wrong("secret", "is missing; the receiver checks our signature with it".to_owned())
    })?;
    if webhook::key(secret.expose()).is_none() {
        return Err(wrong("secret", "must be whsec_ and 24 to 64 bytes in base64".to_owned()));
    }
    Ok(Endpoint {
        // The address is its name, so that it is the same one after each start.
        id: format!("whe_{:.32}", sha256_hex(url.as_bytes())),
        url,
        events,
        secret: secret.expose().to_owned(),
        created_at: world.now(),
        source: CONFIG.to_owned(),
        disabled: None,
    })
}

/// The endpoint, if it is ours to change.
fn of_api(found: Option<Endpoint>) -> Result<Endpoint, Error> {
    match found {
        Some(endpoint) if endpoint.source == API => Ok(endpoint),
        Some(_) => {
            Err(Error::field("id", "names an endpoint of the configuration; change it there"))
        }
        None => Err(Error::NotFound { what: "webhook endpoint" }),
    }
}

/// The events that an endpoint wants, each of them one that there is.
pub(crate) fn known(events: Vec<String>) -> Result<Vec<String>, Error> {
    if events.is_empty() {
        return Err(Error::field("events", "must name one at least; leave it out for all"));
    }
    let stranger = events.iter().find(|event| !EVENTS.contains(&event.as_str()));
    match stranger {
        Some(event) => {
            let (event, all) = (event.escape_debug(), EVENTS.join(", "));
            Err(Error::field("events", format!("must not name \"{event:.64}\"; there are {all}")))
        }
        None => Ok(events),
    }
}

/// How long the old key signs beside a new one: a day, in seconds.
const OVERLAP: i64 = 24 * 60 * 60;
const LONGEST_OVERLAP: i64 = 7 * OVERLAP;
const API: &str = "api";
const CONFIG: &str = "config";
