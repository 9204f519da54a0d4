//! The door for whoever has a password, and perhaps a phone.
//!
//! A wrong name takes as long as a wrong password and is answered alike. The
//! session is a new one each time, and the browser's old one ends.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::links::{self, query_value};
use super::super::operator::{Address, Operator, cookie, new_session, session_hash};
use super::super::page::{Frame, Visit, page};
use super::super::posted::Posted;
use super::super::trouble::Trouble;
use super::door::Door;
use super::words;
use crate::Error;
use crate::people::{Refusal, totp};
use crate::store::{Credentials, NewSession, StoreError, Tx};
use crate::world::World;

/// What somebody shows.
#[derive(Deserialize)]
pub(in super::super) struct Shown {
    name: String,
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `GET /console/sign-in`
pub(in super::super) async fn form(visit: Visit) -> Response {
    let next = query_value(visit.here(), "next").unwrap_or_default();
    whole(&visit, &next, None).into_response()
}

/// `POST /console/sign-in`
pub(in super::super) async fn sign_in(
    State(world): State<Arc<World>>,
    Extension(door): Extension<Arc<Door>>,
    visit: Visit,
    headers: HeaderMap,
    address: Address,
    Posted(shown): Posted<Shown>,
) -> Result<Response, Trouble> {
    let name = shown.name.trim();
    door.knock(&address.0, name)?;
    let known = world
        .store
        .look(name.to_owned(), |tx, name| Box::pin(async move { tx.credentials(name).await }));
    let known = known.await?;
    let hash = known.as_ref().and_then(|known| known.password.as_deref());
    let right = world.passwords.is_right(&*world.dice, hash, &shown.password).await?;
    let entered = match known.filter(|_| right) {
        Some(known) => {
            let unit = Entry::new(&world, known, &shown.code, &headers, &address);
            enter(&world, unit).await?
        }
        None => None,
    };
    let Some(token) = entered else {
        tracing::warn!(address = address.0, "somebody was refused at the console's door");
        let page = whole(&visit, &shown.next, Some(Refusal::NotKnown));
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    let mut response = Redirect::to(own_path(&shown.next)).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie(&world, &token)?);
    Ok(response)
}

/// Somebody whose password was right.
struct Entry {
    known: Credentials,
    /// The time step of his code, where one is asked for and it fits.
    step: Option<i64>,
    old_session: Option<String>,
    token: String,
    session: NewSession,
    address: Address,
}

impl Entry {
    fn new(
        world: &World,
        known: Credentials,
        code: &str,
        headers: &HeaderMap,
        address: &Address,
    ) -> Self {
        let now = world.clock.now_seconds();
        let step = known.totp.as_deref().and_then(|secret| totp::step(secret, code, now));
        let (token, session) = new_session(world, address);
        let old_session = session_hash(world, headers);
        Self { known, step, old_session, token, session, address: address.clone() }
    }

    /// All or nothing: the code is used up, the old session ends, the new one is there, and it is written down.
    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let Self { known, step, old_session, session, address, .. } = self;
        let id = known.person.id.as_str();
        // He may have been changed while his password was looked at.
        let now = tx.operator(id).await?;
        if now.as_ref() != Some(&known.person) || known.person.disabled_at.is_some() {
            return Ok(false);
        }
        if known.totp.is_some() {
            let Some(step) = *step else { return Ok(false) };
            if !tx.totp_use(id, step).await? {
                return Ok(false);
            }
        }
        if let Some(old) = old_session {
            tx.session_end(old).await?;
        }
        tx.session_put(&known.person, session).await?;
        let operator = Operator::of(known.person.clone(), address.clone());
        tx.audit(&operator.entry("sign-in", id), session.now).await?;
        Ok(true)
    }
}

/// The token of the new session, if he is let in.
async fn enter(world: &World, entry: Entry) -> Result<Option<String>, Error> {
    let token = entry.token.clone();
    let entered =
        world.store.write(entry, |tx, entry| Box::pin(async move { entry.run(tx).await }));
    Ok(entered.await?.then_some(token))
}

/// Only a page of the console: a link elsewhere must not lead away behind the door.
fn own_path(next: &str) -> &str {
    let rest = next.strip_prefix(links::HOME);
    let own = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    if own && !next.contains(['\\', '\r', '\n']) { next } else { links::HOME }
}

fn whole(visit: &Visit, next: &str, refusal: Option<Refusal>) -> Markup {
    let body = html! {
        section.notice {
            h1 { (visit.say(words::SIGN_IN)) }
            (fields(visit, next, refusal))
        }
    };
    page(visit, Frame::Outside, visit.say(words::SIGN_IN), &body)
}

/// The form of the door.
pub(in super::super) fn fields(visit: &Visit, next: &str, refusal: Option<Refusal>) -> Markup {
    html! {
        form.fields method="post" action="/console/sign-in" data-testid="sign-in" {
            (words::complaint(visit, refusal))
            input type="hidden" name="next" value=(own_path(next));
            label { span { (visit.say(words::NAME)) }
                input name="name" required maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false"; }
            label { span { (visit.say(words::PASSWORD)) }
                input type="password" name="password" required maxlength="256" autocomplete="current-password"; }
            label { span { (visit.say(words::CODE)) }
                input name="code" inputmode="numeric" maxlength="9" autocomplete="one-time-code"; }
            p.hint { (visit.say(words::CODE_HELP)) }
            button.button.primary type="submit" { (visit.say(words::SIGN_IN)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_leads_nowhere_else() {
        for own in ["/console", "/console/orders?q=1", "/console?q=x"] {
            assert_eq!(own_path(own), own);
        }
        for other in
            ["", "/consolex", "//evil.test", "https://evil.test", "/console\\@evil.test", "/v1"]
        {
            assert_eq!(own_path(other), "/console", "{other}");
        }
    }
}
