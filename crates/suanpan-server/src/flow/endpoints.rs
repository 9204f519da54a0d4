//! Where step 6 goes: the endpoints of the merchant's own system.
//!
//! Some are made by the API, some stand in the configuration. The file is the
//! truth about the latter: they follow it at each start, and the API lists
//! them but does not change them.

use std::collections::BTreeSet;

use crate::Error;
use crate::access::sha256_hex;
use crate::config::{Config, EndpointConfig};
use crate::flow::webhook;
use crate::store::Endpoint;
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

/// Makes an endpoint, with a new key. `events`: only these; `None`: all.
///
/// # Errors
/// [`Error::Address`] for an address that must not be called, [`Error::Field`] for an unknown event.
pub async fn create_endpoint(
    world: &World,
    url: &str,
    events: Option<Vec<String>>,
) -> Result<Endpoint, Error> {
    let endpoint = Endpoint {
        id: world.id("whe_"),
        url: world.receivers.address(url)?.into(),
        events: events.map(known).transpose()?,
        secret: world.dice.webhook_secret(),
        created_at: world.now(),
        source: API.to_owned(),
    };
    let put = world.store.write(endpoint.clone(), |tx, endpoint| {
        Box::pin(async move { tx.endpoint_put(endpoint).await })
    });
    put.await?;
    tracing::info!(endpoint_id = endpoint.id, "a webhook endpoint was made");
    Ok(endpoint)
}

/// The endpoints that are in use, oldest first.
///
/// # Errors
/// Those of the store.
pub async fn list_endpoints(world: &World) -> Result<Vec<Endpoint>, Error> {
    let all = world.store.look((), |tx, ()| Box::pin(async move { tx.endpoints().await }));
    Ok(all.await?)
}

/// Takes an endpoint out of use; what was not delivered yet is not delivered any more.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Field`] for one of the configuration.
pub async fn delete_endpoint(world: &World, id: &str) -> Result<(), Error> {
    let unit = (id.to_owned(), world.now());
    let found = world.store.write(unit, |tx, (id, now)| {
        Box::pin(async move {
            let found = tx.endpoint(id).await?;
            if found.as_ref().is_some_and(|endpoint| endpoint.source == API) {
                tx.endpoint_delete(id, *now).await?;
            }
            Ok(found)
        })
    });
    of_api(found.await?)?;
    tracing::info!(endpoint_id = id, "a webhook endpoint was taken out of use");
    Ok(())
}

/// Gives an endpoint a new key; from now on only the new one signs.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Field`] for one of the configuration.
pub async fn rotate_secret(world: &World, id: &str) -> Result<Endpoint, Error> {
    let secret = world.dice.webhook_secret();
    let found = world.store.write((id.to_owned(), secret.clone()), |tx, (id, secret)| {
        Box::pin(async move {
            let found = tx.endpoint(id).await?;
            if found.as_ref().is_some_and(|endpoint| endpoint.source == API) {
                tx.endpoint_secret(id, secret).await?;
            }
            Ok(found)
        })
    });
    let endpoint = of_api(found.await?)?;
    tracing::info!(endpoint_id = id, "a webhook endpoint has a new key");
    Ok(Endpoint { secret, ..endpoint })
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
    let unit = (wanted, ids, world.now());
    let gone = world.store.write(unit, |tx, (wanted, ids, now)| {
        Box::pin(async move {
            let mut gone = Vec::new();
            for endpoint in tx.endpoints().await? {
                if endpoint.source == CONFIG && !ids.contains(&endpoint.id) {
                    tx.endpoint_delete(&endpoint.id, *now).await?;
                    gone.push(endpoint.id);
                }
            }
            for endpoint in wanted {
                tx.endpoint_adopt(endpoint).await?;
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

fn known(events: Vec<String>) -> Result<Vec<String>, Error> {
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

const API: &str = "api";
const CONFIG: &str = "config";
