//! A form of the console, posted by a page of the console.

use std::sync::Arc;

use axum::Form;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Uri};
use serde::de::DeserializeOwned;

use super::trouble::Trouble;
use crate::Error;
use crate::world::World;

/// The fields of a form that one of our own pages has sent. The last argument of its handler: it takes the body.
///
/// Where the form comes from is checked in here, so that no handler can forget it.
#[derive(Debug)]
pub(super) struct Posted<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<World>> for Posted<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, world: &Arc<World>) -> Result<Self, Trouble> {
        own_form(world, request.headers())?;
        let form = Form::<T>::from_request(request, world).await;
        // The body was taken in whole, within its limit, before it came here.
        let Form(fields) = form.map_err(|cause| Error::Body { why: cause.body_text() })?;
        Ok(Self(fields))
    }
}

/// Refuses a form that another page sent. A request that does not say where it comes from is refused, too.
pub(super) fn own_form(world: &World, headers: &HeaderMap) -> Result<(), Error> {
    let origin = text(headers, "origin");
    let is_ours = origin.is_some_and(|origin| is_own_origin(world, headers, origin));
    // `null` is what a browser says where it must not tell; its Sec-Fetch-Site still tells us.
    let is_told = origin.is_some_and(|origin| origin != "null");
    let own = match text(headers, "sec-fetch-site") {
        Some("same-origin") => is_ours || !is_told,
        Some(_) => false,
        None => is_ours,
    };
    if own { Ok(()) } else { Err(Error::ForeignForm) }
}

/// Whether this origin is the address that the browser has asked, or the one that the configuration names.
fn is_own_origin(world: &World, headers: &HeaderMap, origin: &str) -> bool {
    let authority = |url: &str| Some(url.parse::<Uri>().ok()?.authority()?.to_string());
    let Some(from) = authority(origin) else { return false };
    let asked = text(headers, "host");
    asked.is_some_and(|host| host.eq_ignore_ascii_case(&from))
        || authority(&world.public_url).is_some_and(|own| own.eq_ignore_ascii_case(&from))
}

/// The text of a header.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
