//! A refund that waits for a second person: what was asked for, and the two answers.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::links;
use super::super::notice::{Notice, done};
use super::super::operator::Operator;
use super::super::page::{Frame, Visit, page};
use super::super::parts::{short_id, time, yuan};
use super::super::posted::Posted;
use super::super::trouble::Trouble;
use super::words;
use crate::Error;
use crate::people::Right;
use crate::repair::refund::request;
use crate::store::{Decision, RefundRequest};
use crate::world::World;

/// `GET /console/refunds/requests/{id}`
pub(in super::super) async fn request(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let request = request::find(&world, &id).await?;
    let body = body(&visit, &operator, &request);
    Ok(page(&visit, Frame::Inside, visit.say(words::REQUEST), &body).into_response())
}

/// What somebody says to it.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Note {
    note: String,
}

impl Note {
    fn read(self) -> Result<String, Error> {
        let note = self.note.trim();
        if note.is_empty() || 200 < note.chars().count() {
            return Err(Error::field("note", "must have 1 to 200 characters"));
        }
        Ok(note.to_owned())
    }
}

/// `POST /console/refunds/requests/{id}/approve`
pub(in super::super) async fn approve(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(note): Posted<Note>,
) -> Result<Response, Trouble> {
    operator.may(Right::Approve)?;
    let note = note.read()?;
    request::approve(&world, operator.by(), &id, &note).await?;
    Ok(done(&path(&id), Notice::RefundApproved))
}

/// `POST /console/refunds/requests/{id}/decline`: whoever asked may take it back.
pub(in super::super) async fn decline(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(note): Posted<Note>,
) -> Result<Response, Trouble> {
    if request::find(&world, &id).await?.asked_by.0 != operator.id {
        operator.may(Right::Approve)?;
    }
    let note = note.read()?;
    request::decline(&world, operator.by(), &id, &note).await?;
    Ok(done(&path(&id), Notice::RefundDeclined))
}

/// The page of a request.
pub(in super::super) fn path(id: &str) -> String {
    format!("{}/refunds/requests/{id}", links::HOME)
}

/// The requests that wait for a second person, for a page that lists them; nothing where none does.
pub(in super::super) fn waiting(visit: &Visit, requests: &[RefundRequest]) -> Markup {
    html! {
        @if !requests.is_empty() {
            section.panel.p-requests data-testid="requests" aria-labelledby="h-requests" {
                h2 #h-requests { (visit.say(words::REQUESTS_WAITING)) }
                ul.plain.rows {
                    @for request in requests {
                        li data-request-id=(request.id) {
                            a href=(path(&request.id)) { (yuan(request.amount)) " · " (request.reason) }
                            span.sub { (request.asked_by.1) " · " (time(request.asked_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn body(visit: &Visit, operator: &Operator, request: &RefundRequest) -> Markup {
    html! {
        p.back { a href=(links::order(request.order_id.as_str())) { "← " (visit.say(words::THE_ORDER)) } }
        h1 { (visit.say(words::REQUEST)) " " (yuan(request.amount)) }
        section.panel aria-labelledby="h-request" {
            h2 #h-request { (visit.say(words::ASKED_FOR)) }
            dl.facts {
                (fact(visit.say(words::AMOUNT), &yuan(request.amount)))
                (fact(visit.say(words::REASON), &html! { (request.reason) }))
                (fact(visit.say(words::ASKED_BY), &html! { (request.asked_by.1) }))
                (fact(visit.say(words::WHEN), &time(request.asked_at)))
                (fact(visit.say(words::THE_ORDER), &html! {
                    a href=(links::order(request.order_id.as_str())) { (short_id(request.order_id.as_str())) }
                }))
            }
        }
        section.panel data-testid="decision" aria-labelledby="h-decision" {
            h2 #h-decision { (visit.say(words::DECISION)) }
            @match &request.decision {
                Some(decision) => (decided(visit, decision)),
                None => (form(visit, operator, request)),
            }
        }
    }
}

fn decided(visit: &Visit, decision: &Decision) -> Markup {
    let word = if decision.refund_id.is_some() { words::APPROVED } else { words::DECLINED };
    html! {
        dl.facts {
            (fact(visit.say(words::DECISION), &html! { strong { (visit.say(word)) } }))
            (fact(visit.say(words::DECIDED_BY), &html! { (decision.by.1) }))
            (fact(visit.say(words::WHEN), &time(decision.at)))
            @if let Some(note) = &decision.note {
                (fact(visit.say(words::NOTE), &html! { (note) }))
            }
            @if let Some(refund) = &decision.refund_id {
                (fact(visit.say(words::REFUND_ID), &html! { span.mono { (refund) } }))
            }
        }
    }
}

/// Two buttons with one note: the amount is on the one that moves it.
fn form(visit: &Visit, operator: &Operator, request: &RefundRequest) -> Markup {
    let own = operator.id == request.asked_by.0;
    let may = operator.role.may(Right::Approve);
    html! {
        @if own { p.hint { (visit.say(words::REQUEST_OWN)) } }
        @if !own && !may { p.hint { (visit.say(words::REQUEST_NOT_YOURS)) } }
        @if own || may {
            form.fields method="post" action={ (path(&request.id)) "/decline" } {
                label { span { (visit.say(words::NOTE)) }
                    textarea name="note" rows="2" maxlength="200" required {} }
                div.buttons {
                    @if may && !own {
                        button.button.primary type="submit" formaction={ (path(&request.id)) "/approve" } {
                            (visit.say(words::APPROVE)) " " (yuan(request.amount))
                        }
                    }
                    button.button type="submit" {
                        (visit.say(if own { words::TAKE_BACK } else { words::DECLINE }))
                    }
                }
            }
        }
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}
