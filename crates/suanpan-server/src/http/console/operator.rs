//! Who is at the console, and what he may do.
//!
//! A session is a random text of 256 bits in a cookie, and the store keeps its
//! SHA-256 only. The cookie is `HttpOnly` and `SameSite=Strict`, so no script and
//! no other site can use it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum_extra::extract::CookieJar;

use super::super::limits;
use super::trouble::Trouble;
use crate::Error;
use crate::access::sha256_hex;
use crate::audit::{By, Entry, Who};
use crate::people::{Right, Role};
use crate::store::{NewSession, Person};
use crate::world::World;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    /// His id.
    pub(super) id: String,
    /// The name that he signs in with.
    pub(super) name: String,
    /// What he is trusted with.
    pub(super) role: Role,
    /// From where he asks.
    pub(super) address: String,
}

impl FromRequestParts<Arc<World>> for Operator {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Trouble> {
        let address = Address::of(world, parts);
        Self::admit(world, &parts.headers, address).await
    }
}

impl Operator {
    /// The one whose session the cookie names, as long as it lasts.
    pub(super) async fn admit(
        world: &World,
        headers: &HeaderMap,
        address: Address,
    ) -> Result<Self, Trouble> {
        let hash = session_hash(world, headers).ok_or(Trouble::NoSession)?;
        let now = world.now();
        let idle_since = now.saturating_sub(world.people.idle_micros);
        let unit = (hash.clone(), now, idle_since);
        let known = world.store.look(unit, |tx, (hash, now, idle_since)| {
            Box::pin(async move { tx.session(hash, *now, *idle_since).await })
        });
        let seen = known.await?.ok_or(Trouble::NoSession)?;
        // A page that keeps itself up to date is nobody who does something; and once a minute is often enough.
        if is_a_person(headers) && seen.seen_at.saturating_add(MINUTE) <= now {
            let noted = world.store.write((hash, now), |tx, (hash, now)| {
                Box::pin(async move { tx.session_seen(hash, *now).await })
            });
            noted.await?;
        }
        Ok(Self::of(seen.person, address))
    }

    pub(super) fn of(person: Person, Address(address): Address) -> Self {
        let Person { id, name, role, .. } = person;
        Self { id, name, role, address }
    }

    /// Whether he may do this.
    ///
    /// # Errors
    /// A page that says who may.
    pub(super) fn may(&self, right: Right) -> Result<(), Trouble> {
        if self.role.may(right) { Ok(()) } else { Err(Trouble::NotAllowed(right, self.role)) }
    }

    /// He, from here, as the audit log names him.
    pub(super) fn by(&self) -> By {
        let operator = Who { id: Some(self.id.clone()), name: self.name.clone() };
        By { operator, address: self.address.clone() }
    }

    /// A line for the audit log: he does this, to that.
    pub(super) fn entry(&self, action: &'static str, object: impl Into<String>) -> Entry {
        self.by().entry(action, object)
    }
}

/// From where somebody asks: as our own proxies say, where they are in between.
#[derive(Clone, Debug)]
pub(super) struct Address(pub(super) String);

impl Address {
    fn of(world: &World, parts: &Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let caller =
            peer.map(|peer| limits::caller(peer, &parts.headers, &world.people.trusted_proxies));
        Self(caller.map_or_else(|| "unknown".to_owned(), |caller| caller.to_string()))
    }
}

impl FromRequestParts<Arc<World>> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        world: &Arc<World>,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self::of(world, parts))
    }
}

/// A new session: its token, which the browser has, and what the store has of it.
pub(super) fn new_session(world: &World, Address(address): &Address) -> (String, NewSession) {
    let token = world.dice.secret("");
    let now = world.now();
    let session = NewSession {
        hash: sha256_hex(token.as_bytes()),
        now,
        expires_at: now.saturating_add(SESSION_SECONDS.saturating_mul(1_000_000)),
        address: address.clone(),
    };
    (token, session)
}

/// The hash of the session that the browser names.
pub(super) fn session_hash(world: &World, headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    let session = jar.get(cookie_name(world))?.value();
    (!session.is_empty()).then(|| sha256_hex(session.as_bytes()))
}

/// Gives the browser its session; an empty one takes it away.
pub(super) fn cookie(world: &World, session: &str) -> Result<HeaderValue, Error> {
    let name = cookie_name(world);
    let seconds = if session.is_empty() { 0 } else { SESSION_SECONDS };
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

/// Not a script of ours, which asks without anybody doing something.
fn is_a_person(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|dest| dest != "empty")
}

/// Twelve hours: a working day.
const SESSION_SECONDS: i64 = 12 * 60 * 60;
/// In microseconds.
const MINUTE: i64 = 60_000_000;
