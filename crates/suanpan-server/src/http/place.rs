//! A place among the requests under way; without one a request is refused before anything is done for it.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Refused;
use crate::{Error, request};

/// As many as may be under way at a time.
pub(super) type Places = Arc<Semaphore>;

/// The place of one request. It is free again when nobody holds it any more.
#[derive(Clone, Debug)]
pub(super) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Gives each request a place, or refuses it.
pub(super) async fn admit(
    State(places): State<Places>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let permit = places.try_acquire_owned().map_err(|_| Error::Busy)?;
    let place = Place { _permit: Arc::new(permit) };
    request.extensions_mut().insert(place.clone());
    let response = next.run(request).await;
    drop(place);
    Ok(response)
}

impl Place {
    /// Does the work to its end, also when the caller hangs up: he frees no place for another one by that.
    pub(super) async fn finish<T: Send + 'static>(
        self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let done = tokio::spawn(request::carry(async move {
            let done = work.await;
            drop(self);
            done
        }));
        // It panicked: the panic itself is in the log.
        done.await.map_err(|_| Error::Broken)
    }
}

impl<S: Sync> FromRequestParts<S> for Place {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        // Each route is behind `admit`.
        parts.extensions.get().cloned().ok_or(Refused(Error::Broken))
    }
}
