//! What somebody sees and changes of himself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::notice::{Notice, done};
use super::super::operator::{Operator, cookie};
use super::super::page::{Frame, Visit, page};
use super::super::parts::time;
use super::super::posted::Posted;
use super::super::trouble::Trouble;
use super::super::words::role;
use super::words;
use crate::world::World;

/// `GET /console/me`
pub(in super::super) async fn me(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let unit = (operator.id.clone(), world.now());
    let sessions = world
        .store
        .look(unit, |tx, (id, now)| Box::pin(async move { tx.sessions_of(id, *now).await }));
    let body = body(&visit, &operator, &sessions.await?);
    Ok(page(&visit, Frame::Inside, visit.say(words::ME), &body).into_response())
}

/// A form that has a button only.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Button {}

/// `POST /console/me/sign-out-everywhere`
pub(in super::super) async fn sign_out_everywhere(
    State(world): State<Arc<World>>,
    operator: Operator,
    Posted(Button {}): Posted<Button>,
) -> Result<Response, Trouble> {
    let entry = operator.entry("session.end-all", &operator.id);
    let ended = world.store.write((operator.id, entry, world.now()), |tx, (id, entry, now)| {
        Box::pin(async move {
            tx.sessions_end(id).await?;
            tx.audit(entry, *now).await
        })
    });
    ended.await?;
    let mut response = done("/console/signed-out", Notice::AllSessionsEnded);
    response.headers_mut().append(header::SET_COOKIE, cookie(&world, "")?);
    Ok(response)
}

fn body(visit: &Visit, operator: &Operator, sessions: &[(String, i64)]) -> Markup {
    html! {
        h1 { (operator.name) }
        p.sub { (visit.say(role(operator.role))) }
        section.panel aria-labelledby="h-sessions" {
            h2 #h-sessions { (visit.say(words::SESSIONS)) }
            ul.plain data-testid="sessions" {
                @for (address, seen_at) in sessions {
                    li { span.mono { (address) } " · " (visit.say(words::SEEN)) " " (time(*seen_at)) }
                }
            }
            form method="post" action="/console/me/sign-out-everywhere" {
                button.button type="submit" { (visit.say(words::SIGN_OUT_EVERYWHERE)) }
            }
        }
    }
}
