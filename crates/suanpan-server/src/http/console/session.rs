//! Who may look: a one-time link opens a session of one browser.
//!
//! Both are random texts of 256 bits, and the store keeps their SHA-256 only.
//! The session's cookie is `HttpOnly` and `SameSite=Strict`, so no script and
//! no other site can use it; forms are checked for where they come from, too.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use maud::html;

use super::links;
use super::page::{Frame, Visit, page};
use super::trouble::Trouble;
use super::words;
use crate::Error;
use crate::access::sha256_hex;
use crate::world::World;

/// A browser that is signed in.
#[derive(Debug)]
pub(super) struct Operator;

impl FromRequestParts<Arc<World>> for Operator {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Trouble> {
        Self::admit(world, &parts.headers).await
    }
}

impl Operator {
    /// The one whose session the cookie names, as long as it lasts.
    pub(super) async fn admit(world: &World, headers: &HeaderMap) -> Result<Self, Trouble> {
        let hash = session_hash(world, headers).ok_or(Trouble::NoSession)?;
        let known = world.store.look((hash, world.now()), |tx, (hash, now)| {
            Box::pin(async move { tx.console_session(hash, *now).await })
        });
        if known.await? { Ok(Self) } else { Err(Trouble::NoSession) }
    }
}

/// `GET /console?setup=TOKEN`: uses the link up, and leads on to an address without the token.
pub(super) async fn sign_in(
    world: &World,
    visit: &Visit,
    method: &Method,
    headers: &HeaderMap,
    token: &str,
) -> Result<Response, Trouble> {
    if is_only_a_look(method, headers) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let session = world.dice.secret("");
    let now = world.now();
    let unit = (sha256_hex(token.as_bytes()), sha256_hex(session.as_bytes()), now);
    let opened = world.store.write(unit, |tx, (link, session, now)| {
        let expires_at = now.saturating_add(SESSION_SECONDS.saturating_mul(1_000_000));
        Box::pin(async move { tx.console_sign_in(link, session, *now, expires_at).await })
    });
    if !opened.await? {
        // Whoever opens his own link again, by the back button say, is where he wanted to be.
        let inside = Operator::admit(world, headers).await.is_ok();
        return if inside { Ok(see_other(links::HOME)) } else { Err(Error::SignIn.into()) };
    }

    tracing::info!("a browser signed in to the console");
    let mut response = if text(headers, "sec-fetch-site") == Some("cross-site") {
        // A strict cookie is not sent along a chain of redirects that another site began: our own page goes on.
        onward(visit)
    } else {
        see_other(links::HOME)
    };
    response.headers_mut().append(header::SET_COOKIE, cookie(world, &session, SESSION_SECONDS)?);
    Ok(response)
}

/// `POST /console/sign-out`
pub(super) async fn sign_out(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    own_form(&world, &headers)?;
    if let Some(hash) = session_hash(&world, &headers) {
        let ended = world
            .store
            .write(hash, |tx, hash| Box::pin(async move { tx.console_sign_out(hash).await }));
        ended.await?;
    }
    let mut response = see_other("/console/signed-out");
    response.headers_mut().append(header::SET_COOKIE, cookie(&world, "", 0)?);
    Ok(response)
}

/// `GET /console/signed-out`
pub(super) async fn signed_out(visit: Visit) -> Response {
    let body = html! {
        section.notice {
            h1 { (visit.say(words::SIGNED_OUT)) }
            p { (visit.say(words::SIGNED_OUT_HELP)) }
        }
    };
    page(&visit, Frame::Outside, visit.say(words::SIGNED_OUT), &body).into_response()
}

/// Refuses a form that another page sent. A request that does not say where it comes from is refused, too.
fn own_form(world: &World, headers: &HeaderMap) -> Result<(), Error> {
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

/// A HEAD, and a browser that fetches what a person might open next: neither uses the link up.
fn is_only_a_look(method: &Method, headers: &HeaderMap) -> bool {
    let mut purposes =
        ["sec-purpose", "purpose"].into_iter().filter_map(|name| text(headers, name));
    method == Method::HEAD || purposes.any(|purpose| purpose.contains("prefetch"))
}

fn onward(visit: &Visit) -> Response {
    let body = html! {
        section.notice {
            h1 { (visit.say(words::SIGNED_IN)) }
            p { (visit.say(words::SIGNED_IN_HELP)) }
            p { a.button href=(links::HOME) { (visit.say(words::OPEN_CONSOLE)) } }
        }
    };
    let page = page(visit, Frame::Outside, visit.say(words::SIGNED_IN), &body);
    ([("refresh", "0; url=/console")], page).into_response()
}

fn see_other(path: &str) -> Response {
    Redirect::to(path).into_response()
}

fn session_hash(world: &World, headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    let session = jar.get(cookie_name(world))?.value();
    (!session.is_empty()).then(|| sha256_hex(session.as_bytes()))
}

fn cookie(world: &World, session: &str, seconds: i64) -> Result<HeaderValue, Error> {
    let name = cookie_name(world);
    // `__Host-` asks for the whole host as its path; without https there is no `Secure`, and so no such name.
    let place = if is_https(world) { "Path=/; Secure" } else { "Path=/console" };
    let text = format!("{name}={session}; {place}; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    HeaderValue::from_str(&text).map_err(|_| Error::Broken)
}

fn cookie_name(world: &World) -> &'static str {
    if is_https(world) { "__Host-suanpan_console" } else { "suanpan_console" }
}

fn is_https(world: &World) -> bool {
    world.public_url.starts_with("https://")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Twelve hours: a working day.
const SESSION_SECONDS: i64 = 12 * 60 * 60;
