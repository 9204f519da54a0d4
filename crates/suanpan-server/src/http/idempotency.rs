//! `Idempotency-Key`: the same request under the same key is done once, and answered the same.
//!
//! Only successes are remembered: what failed has changed nothing, and may be
//! tried again under its key. The request runs to its end even if the caller
//! hangs up, so that a repeat finds its answer.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::auth::ApiKeyId;
use super::problem::Refused;
use crate::Error;
use crate::access::sha256_hex;
use crate::store::Remembered;
use crate::world::World;

/// Runs a POST once per key.
pub(super) async fn once(
    State(world): State<Arc<World>>,
    Extension(ApiKeyId(api_key)): Extension<ApiKeyId>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY).cloned() else {
        return Ok(next.run(request).await);
    };
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let key = readable(&key)?;
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, world.max_body_bytes).await;
    let body = body.map_err(|_| Error::TooLarge { limit: world.max_body_bytes })?;
    let asked = [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), &body].join(&b'\n');
    let fingerprint = sha256_hex(&asked);

    match begin(&world, &api_key, &key, &fingerprint).await? {
        Some(earlier) if earlier.fingerprint != fingerprint => Err(Error::KeyReused.into()),
        Some(Remembered { answer: Some((status, body)), .. }) => Ok(replay(status, body)),
        Some(_) => Err(Error::KeyRunning.into()),
        None => {
            let request = Request::from_parts(parts, body.into());
            let run = tokio::spawn(async move {
                let response = next.run(request).await;
                end(&world, &api_key, &key, response).await
            });
            run.await.map_err(|_| Error::Broken)?
        }
    }
}

async fn begin(
    world: &World,
    api_key: &str,
    key: &str,
    fingerprint: &str,
) -> Result<Option<Remembered>, Error> {
    let unit = (api_key.to_owned(), key.to_owned(), fingerprint.to_owned(), world.now());
    let begun = world.store.write(unit, |tx, (api_key, key, fingerprint, now)| {
        let limits = (now.saturating_sub(STALE), now.saturating_sub(FORGOTTEN));
        Box::pin(async move { tx.idempotency_begin(api_key, key, fingerprint, *now, limits).await })
    });
    Ok(begun.await?)
}

/// Keeps a success, and lets go of anything else.
async fn end(
    world: &World,
    api_key: &str,
    key: &str,
    response: Response,
) -> Result<Response, Refused> {
    let owner = (api_key.to_owned(), key.to_owned());
    if !response.status().is_success() {
        let released = world.store.write(owner, |tx, (api_key, key)| {
            Box::pin(async move { tx.idempotency_release(api_key, key).await })
        });
        released.await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    // It is our own answer, and in memory already.
    let body: Bytes = to_bytes(body, usize::MAX).await.map_err(|_| Error::Broken)?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let unit = (owner, i64::from(parts.status.as_u16()), text);
    let kept = world.store.write(unit, |tx, ((api_key, key), status, text)| {
        Box::pin(async move { tx.idempotency_end(api_key, key, *status, text).await })
    });
    kept.await?;
    Ok(Response::from_parts(parts, body.into()))
}

fn replay(status: i64, body: String) -> Response {
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (REPLAYED, HeaderValue::from_static("true")),
    ];
    (status.unwrap_or(StatusCode::OK), headers, body).into_response()
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
/// A minute in microseconds: longer than any request may take, so whoever began it is dead.
const STALE: i64 = 60 * 1_000_000;
/// A day in microseconds.
const FORGOTTEN: i64 = 24 * 60 * 60 * 1_000_000;
