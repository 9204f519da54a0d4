//! `Idempotency-Key`: the same request under the same key is done once, and answered the same.
//!
//! Two commits make a POST: its effect, which names itself in the row of the
//! key, and its answer. Who dies between them leaves an effect without an
//! answer, and the repeat answers from the effect. A failure is not
//! remembered; it may be tried again under its key. The request runs to its
//! end even if the caller hangs up, so that a repeat finds its answer.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Extension, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::auth::ApiKeyId;
use super::place::Place;
use super::problem::Refused;
use crate::Error;
use crate::access::sha256_hex;
use crate::store::{Asked, Once, StoreError, Taken};
use crate::world::World;

/// An answer with a secret in it: it is not kept under the key, but made again.
#[derive(Debug)]
pub(super) struct Secret<T>(pub(super) T);

#[derive(Clone, Copy)]
struct HoldsSecret;

impl<T: Serialize> IntoResponse for Secret<T> {
    fn into_response(self) -> Response {
        (Extension(HoldsSecret), Json(self.0)).into_response()
    }
}

/// What the request's key has made so far; of a request without one: nothing.
impl<S: Sync> FromRequestParts<S> for Once {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// Runs a POST once per key.
pub(super) async fn once(
    State(world): State<Arc<World>>,
    Extension(ApiKeyId(api_key)): Extension<ApiKeyId>,
    place: Place,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let key = request.headers().get(IDEMPOTENCY_KEY).cloned();
    let Some(key) = key.filter(|_| request.method() == Method::POST) else {
        return Ok(next.run(request).await);
    };
    let key = readable(&key)?;
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, world.max_body_bytes).await;
    let body = body.map_err(|_| Error::TooLarge { limit: world.max_body_bytes })?;
    let asked = [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), &body].join(&b'\n');

    let asked = ask(&world, api_key, key, sha256_hex(&asked));
    // To its end, also when the caller hangs up: what has a key must let go of it.
    place.finish(answer(world, asked, Request::from_parts(parts, body.into()), next)).await?
}

fn ask(world: &World, api_key_id: String, key: String, fingerprint: String) -> Asked {
    let (owner, now) = (world.id("own_"), world.now());
    let (lease_until, forgotten) = (now.saturating_add(LEASE), now.saturating_sub(REMEMBERED));
    Asked { api_key_id, key, fingerprint, owner, now, lease_until, forgotten }
}

async fn answer(
    world: Arc<World>,
    asked: Asked,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let taken = world
        .store
        .write(asked.clone(), |tx, asked| Box::pin(async move { tx.idempotency_take(asked).await }))
        .await;
    let taken = taken.map_err(|error| {
        // Perhaps it is ours.
        let perhaps = matches!(error, StoreError::Unknown { .. });
        if perhaps { let_go(&world, Once::of(&asked), error) } else { error.into() }
    })?;
    match taken {
        Taken::Ours(once) => run(world, once, request, next).await,
        Taken::Rebuild(once) => {
            request.extensions_mut().insert(once);
            Ok(replayed(next.run(request).await))
        }
        Taken::Answered(status, body) => {
            let status = u16::try_from(status).ok();
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            Ok(replayed((status.unwrap_or(StatusCode::OK), json, body).into_response()))
        }
        Taken::Running => Err(Error::KeyRunning.into()),
        Taken::Other => Err(Error::KeyReused.into()),
    }
}

/// Has the request handled, keeps a success, and lets go of anything else.
async fn run(
    world: Arc<World>,
    once: Once,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    request.extensions_mut().insert(once.clone());
    let response = next.run(request).await;
    if !response.status().is_success() {
        // It failed for a reason of its own, and that is its answer.
        if let Err(error) = release(&world, &once).await {
            let_go(&world, once, error);
        }
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    // It is our own answer, and in memory already.
    let body: Bytes = to_bytes(body, usize::MAX).await.map_err(|_| Error::Broken)?;
    let secret = parts.extensions.get::<HoldsSecret>().is_some();
    let text = (!secret).then(|| String::from_utf8_lossy(&body).into_owned());
    let unit = (once.clone(), i64::from(parts.status.as_u16()), text);
    let kept = world.store.write(unit, |tx, (once, status, text)| {
        Box::pin(async move { tx.idempotency_answer(once, *status, text.as_deref()).await })
    });
    kept.await.map_err(|error| let_go(&world, once, error))?;
    Ok(Response::from_parts(parts, body.into()))
}

/// The database went away under a request: its key is let go as soon as there is one again. Else its repeats would hear
/// for the rest of the lease that it is still running.
fn let_go(world: &Arc<World>, once: Once, error: StoreError) -> Error {
    if error.is_retryable() {
        let world = Arc::clone(world);
        tokio::spawn(async move {
            let end = world.now().saturating_add(LEASE);
            while world.now() < end {
                world.clock.sleep(LOOK_AGAIN).await;
                match release(&world, &once).await {
                    Err(error) if error.is_retryable() => {}
                    Ok(()) | Err(_) => return,
                }
            }
        });
    }
    error.into()
}

async fn release(world: &World, once: &Once) -> Result<(), StoreError> {
    let released = world.store.write(once.clone(), |tx, once| {
        Box::pin(async move { tx.idempotency_release(once).await })
    });
    released.await
}

fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn readable(key: &HeaderValue) -> Result<String, Error> {
    let text = key.to_str().unwrap_or_default();
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && (1..=255).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(Error::field("Idempotency-Key", "must be 1 to 255 visible ASCII characters"))
    }
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// A minute in microseconds: who has not ended by then is taken for dead. Should he live, he can make nothing any more.
const LEASE: i64 = 60_000_000;
/// A second in microseconds: how often a store that is away is asked again.
const LOOK_AGAIN: i64 = 1_000_000;
/// How long a key is remembered: a day, in microseconds.
pub(crate) const REMEMBERED: i64 = 24 * 60 * 60 * 1_000_000;
