//! Who calls `/v1`: `Authorization: Bearer sk_…`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Refused;
use crate::Error;
use crate::access::sha256_hex;
use crate::world::World;

/// The key that a request came with, once it is known to be one of ours.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeyId(pub(crate) String);

/// Lets requests with a key of ours through. A key is looked up by its hash, so a wrong one takes as long as a right one.
pub(super) async fn require(
    State(world): State<Arc<World>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok()).and_then(bearer);
    let hash = sha256_hex(given.ok_or(Error::Unauthorized)?.as_bytes());
    let known = world.store.look(hash, |tx, hash| Box::pin(async move { tx.api_key(hash).await }));
    let id = known.await?.ok_or(Error::Unauthorized)?;
    request.extensions_mut().insert(ApiKeyId(id));
    Ok(next.run(request).await)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
