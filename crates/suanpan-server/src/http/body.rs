//! From the bytes of a request to a type.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Refused;
use crate::Error;
use crate::config::ServerConfig;
use crate::world::World;

/// The whole body, within the limit.
#[derive(Debug)]
pub(crate) struct Body(pub(crate) Bytes);

/// What all bodies together may take.
#[derive(Clone, Debug)]
pub(super) struct Bodies {
    /// The longest one.
    limit: usize,
    /// The longest that one may take to arrive.
    patience: Duration,
    /// KiB that are free.
    memory: Arc<Semaphore>,
}

impl Bodies {
    pub(super) fn new(config: &ServerConfig) -> Self {
        // However long a single one may be, a few of them have room.
        let memory = MEMORY.max(config.max_body_bytes.saturating_mul(4)).div_ceil(KIB);
        Self {
            limit: config.max_body_bytes,
            patience: PATIENCE.min(Duration::from_secs(config.request_timeout_seconds)),
            memory: Arc::new(Semaphore::new(memory)),
        }
    }

    /// All bytes of a body, and the memory that they take.
    async fn read(&self, body: axum::body::Body) -> Result<(Bytes, OwnedSemaphorePermit), Error> {
        let too_large = Error::TooLarge { limit: self.limit };
        if u64::try_from(self.limit).unwrap_or(u64::MAX) < body.size_hint().lower() {
            return Err(too_large);
        }
        let busy = |_| Error::Busy;
        let mut memory = Arc::clone(&self.memory).try_acquire_many_owned(0).map_err(busy)?;
        let (mut body, mut bytes) = (body, BytesMut::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|cause| Error::Body { why: cause.to_string() })?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len().saturating_add(data.len());
            if self.limit < length {
                return Err(too_large);
            }
            // For what has come, not for what is promised: who promises much and sends little takes no room from others.
            let missing = length.div_ceil(KIB).saturating_sub(memory.num_permits());
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            let more = Arc::clone(&self.memory).try_acquire_many_owned(missing).map_err(busy)?;
            memory.merge(more);
            bytes.extend_from_slice(&data);
        }
        Ok((bytes.freeze(), memory))
    }
}

/// Takes the whole body in, within its limits and in good time, before anything is done for the request.
pub(super) async fn whole(
    State(bodies): State<Bodies>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(bodies.patience, bodies.read(body)).await;
    let (bytes, memory) = read.map_err(|_| Error::TimedOut)??;
    let response = next.run(Request::from_parts(parts, bytes.into())).await;
    drop(memory);
    Ok(response)
}

/// The longest that a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// What all bodies together may take, in bytes: hundreds of the longest ones, thousands of usual ones.
const MEMORY: usize = 64 * 1024 * 1024;
const KIB: usize = 1024;

/// The body as JSON. Its `Content-Type` is not looked at: what counts is what it is.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl FromRequest<Arc<World>> for Body {
    type Rejection = Refused;

    async fn from_request(request: Request, world: &Arc<World>) -> Result<Self, Refused> {
        let read = Bytes::from_request(request, world).await;
        read.map(Self).map_err(|rejection| {
            Refused(if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Error::TooLarge { limit: world.max_body_bytes }
            } else {
                Error::Body { why: rejection.body_text() }
            })
        })
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<World>> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, world: &Arc<World>) -> Result<Self, Refused> {
        let Body(bytes) = Body::from_request(request, world).await?;
        Ok(Self(parse(&bytes)?))
    }
}

/// The body as JSON, or the default where there is none.
#[derive(Debug)]
pub(crate) struct OrEmpty<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<World>> for OrEmpty<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, world: &Arc<World>) -> Result<Self, Refused> {
        let Body(bytes) = Body::from_request(request, world).await?;
        let blank = matches!(bytes.trim_ascii(), b"" | b"null");
        Ok(Self(if blank { T::default() } else { parse(&bytes)? }))
    }
}

/// Reads JSON; an error names the field.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        // The text is JSON, and a value in it is not what it should be.
        if cause.is_data() && path != "." {
            Error::field(path, cause.to_string())
        } else if cause.is_data() {
            Error::field("body", cause.to_string())
        } else {
            Error::Body { why: cause.to_string() }
        }
    })?;
    json.end().map_err(|cause| Error::Body { why: cause.to_string() })?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tea {
        amount: suanpan_wechat::Fen,
        metadata: Option<Box<serde_json::value::RawValue>>,
    }

    #[track_caller]
    fn check(body: &str, code: &str, says: &str) {
        let error = parse::<Tea>(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{body}: {error}");
        assert!(error.to_string().contains(says), "{body}: {error}");
    }

    #[test]
    fn a_wrong_value_is_named() {
        for bad in ["1.0", "\"990\"", "-1", "9223372036854775808", "1e2", "null", "true"] {
            check(&format!("{{\"amount\":{bad}}}"), "SP-REQUEST-FIELD", "`amount`");
        }
        check("{\"amount\":1,\"amount\":2}", "SP-REQUEST-FIELD", "duplicate");
        check("{\"amount\":1,\"price\":2}", "SP-REQUEST-FIELD", "price");
        check("{}", "SP-REQUEST-FIELD", "amount");
    }

    #[test]
    fn what_is_not_json_is_said_to_be_none() {
        for bad in ["", "{", "amount=990", "{\"amount\":1} x", "{\"amount\":NaN}"] {
            check(bad, "SP-REQUEST-BODY", "");
        }
    }

    #[test]
    fn metadata_is_kept_as_it_came() {
        let tea: Tea = parse(br#"{"amount":990,"metadata":{"a":1.50,"b":[ ]}}"#).unwrap();
        assert_eq!(tea.amount.get(), 990);
        assert_eq!(tea.metadata.unwrap().get(), r#"{"a":1.50,"b":[ ]}"#);
    }
}
