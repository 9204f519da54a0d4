//! The door: a one-time link opens a session of one browser; a button ends it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::links;
use super::operator::{Address, Operator, cookie, new_session, session_hash};
use super::page::{Frame, Visit, page};
use super::posted::{own_form, text};
use super::trouble::Trouble;
use super::words;
use crate::Error;
use crate::access::sha256_hex;
use crate::world::World;

/// `GET /console?setup=TOKEN`: uses the link up, and leads on to an address without the token.
pub(super) async fn enter(
    world: &World,
    visit: &Visit,
    method: &Method,
    headers: &HeaderMap,
    address: Address,
    token: &str,
) -> Result<Response, Trouble> {
    if is_only_a_look(method, headers) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let (session, new) = new_session(world, &address);
    let unit = (sha256_hex(token.as_bytes()), new, address.clone());
    let opened = world.store.write(unit, |tx, (link, session, address)| {
        Box::pin(async move {
            let Some(person) = tx.console_enter(link, session).await? else { return Ok(None) };
            let operator = Operator::of(person, address.clone());
            tx.audit(&operator.entry("sign-in", &operator.id), session.now).await?;
            Ok(Some(operator))
        })
    });
    let Some(operator) = opened.await? else {
        // Whoever opens his own link again, by the back button say, is where he wanted to be.
        let inside = Operator::admit(world, headers, address).await.is_ok();
        return if inside { Ok(see_other(links::HOME)) } else { Err(Error::SignIn.into()) };
    };

    tracing::info!(operator = operator.name, "somebody signed in to the console by a link");
    let mut response = if text(headers, "sec-fetch-site") == Some("cross-site") {
        // A strict cookie is not sent along a chain of redirects that another site began: our own page goes on.
        onward(visit)
    } else {
        see_other(links::HOME)
    };
    response.headers_mut().append(header::SET_COOKIE, cookie(world, &session)?);
    Ok(response)
}

/// `POST /console/sign-out`
pub(super) async fn sign_out(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    own_form(&world, &headers)?;
    if let Some(hash) = session_hash(&world, &headers) {
        let ended =
            world.store.write(hash, |tx, hash| Box::pin(async move { tx.session_end(hash).await }));
        ended.await?;
    }
    let mut response = see_other("/console/signed-out");
    response.headers_mut().append(header::SET_COOKIE, cookie(&world, "")?);
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
