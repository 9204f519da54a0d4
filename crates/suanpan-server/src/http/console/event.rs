//! The page of an event: what was told, to whom, and what they answered.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::hooks::{REPLAY, button};
use super::links;
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{address, answer_badge, fact, latency, or_dash, order_link, section, time};
use super::trouble::Trouble;
use super::webhooks::standing;
use super::words::{self, Say, say};
use crate::flow::replay;
use crate::ids::OrderId;
use crate::people::Right;
use crate::store::{Delivery, Endpoint, Event};
use crate::world::World;

/// `GET /console/events/{event}`
pub(super) async fn event(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let (event, deliveries) = replay::find_event(&world, &id).await?;
    let endpoints = world.store.look((), |tx, ()| Box::pin(tx.endpoints())).await?;
    let body = html! {
        p.back { a href=(links::WEBHOOKS) { "← " (visit.say(words::WEBHOOKS)) } }
        div.page-head { h1 { code { (event.kind) } } }
        @if operator.role.may(Right::Replay) {
            div.acts { (button(&visit, &format!("{}/replay", links::event(&event.id)), REPLAY)) }
        }
        div data-live="event" {
            (section(&visit, words::ABOUT, "facts", &facts(&visit, &event)))
            (section(&visit, BODY, "body", &html! {
                p.hint { (visit.say(BODY_HELP)) }
                pre.payload tabindex="0" { code { (readable(&event.body)) } }
            }))
            (section(&visit, DELIVERIES, "deliveries", &html! {
                @if deliveries.is_empty() { p.hint { (visit.say(words::NO_DELIVERIES)) } }
                @for delivery in &deliveries { (one(&visit, &endpoints, delivery)) }
            }))
        }
    };
    let title = format!("{} {}", visit.say(EVENT), event.id);
    Ok(page(&visit, Frame::Live, &title, &body).into_response())
}

fn facts(visit: &Visit, event: &Event) -> Markup {
    let order = event.order_id.as_deref().and_then(|id| id.parse::<OrderId>().ok());
    html! {
        dl.facts.two {
            (fact(visit, EVENT_ID, &html! { span.mono { (event.id) } }))
            (fact(visit, words::CREATED_AT, &time(event.created_at)))
            (fact(visit, words::ORDER, &or_dash(order.as_ref().map(order_link))))
        }
    }
}

/// The same JSON with a line for each field, in the order in which it is sent.
fn readable(body: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(body);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| body.to_owned())
}

fn one(visit: &Visit, endpoints: &[Endpoint], delivery: &Delivery) -> Markup {
    let known = endpoints.iter().find(|endpoint| endpoint.id == delivery.endpoint_id);
    html! {
        div.event {
            h3 {
                @match known {
                    Some(endpoint) => a.url href=(links::endpoint(&endpoint.id)) { (address(&endpoint.url)) },
                    None => span { span.mono { (delivery.endpoint_id) } (visit.say(words::ENDPOINT_GONE)) },
                }
                span { (standing(visit, delivery)) }
            }
            @if !delivery.attempts.is_empty() { (attempts(visit, delivery)) }
        }
    }
}

fn attempts(visit: &Visit, delivery: &Delivery) -> Markup {
    html! {
        table.cards.list {
            caption.unseen { (visit.say(ATTEMPTS)) }
            thead {
                tr {
                    th scope="col" { (visit.say(words::TRIED_AT)) }
                    th scope="col" { (visit.say(words::ANSWER)) }
                    th.number scope="col" { (visit.say(words::LATENCY)) }
                }
            }
            tbody {
                @for tried in &delivery.attempts {
                    tr {
                        td.wide { (time(tried.at)) }
                        td data-name=(visit.say(words::ANSWER)) {
                            (answer_badge(visit, tried.status))
                            @if let Some(problem) = &tried.problem { span.sub { (problem) } }
                        }
                        td.number data-name=(visit.say(words::LATENCY)) { (latency(tried.latency_micros)) }
                    }
                }
            }
        }
    }
}

const EVENT: Say = say("事件", "Event");
const EVENT_ID: Say = say("事件 ID（webhook-id）", "Event id (webhook-id)");
const BODY: Say = say("正文", "Body");
const BODY_HELP: Say = say(
    "每次投递都是同一份正文，签名按它的字节计算；这里为了好读分了行。",
    "Every delivery carries this body, and is signed over its bytes; here it is broken into lines to be read.",
);
const DELIVERIES: Say = say("投递", "Deliveries");
const ATTEMPTS: Say = say("投递尝试", "Tries");
