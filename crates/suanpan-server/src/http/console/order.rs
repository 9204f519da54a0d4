//! The page of one order: what it is, and its whole story.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::super::miniprogram::order_id;
use super::links;
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{
    address, answer_badge, attempt_badge, date, fact, latency, or_dash, order_badge, section,
    short_id, span, time, time_of_day, verdict_badge, waiting_badge, yuan,
};
use super::trouble::Trouble;
use super::words;
use crate::Error;
use crate::gateway::api_of;
use crate::ids::OrderId;
use crate::order::{Attempt, Order};
use crate::store::{Delivered, Endpoint, Received, StoreError, Tx};
use crate::timeline::Entry;
use crate::world::World;

/// All that is known of an order, at one moment.
struct Story {
    order: Order,
    journal: Vec<(i64, Entry)>,
    attempts: Vec<Attempt>,
    received: Vec<Received>,
    events: Vec<Delivered>,
    endpoints: Vec<Endpoint>,
}

/// `GET /console/orders/{id}`
pub(super) async fn order(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = order_id(&id)?;
    let story = world.store.look(id, |tx, id| Box::pin(async move { Story::read(tx, id).await }));
    let story = story.await?.ok_or(Error::NotFound { what: "order" })?;
    let title = format!("{} {}", visit.say(words::ORDER), story.order.reference);
    Ok(page(&visit, Frame::Live, &title, &body(&world, &visit, &story)).into_response())
}

impl Story {
    async fn read(tx: &mut Tx, id: &OrderId) -> Result<Option<Self>, StoreError> {
        let Some(order) = tx.order(id).await? else { return Ok(None) };
        Ok(Some(Self {
            order,
            journal: tx.journal(id).await?,
            attempts: tx.attempts(id).await?,
            received: tx.inbox_of(id).await?,
            events: tx.events_of(id).await?,
            endpoints: tx.endpoints().await?,
        }))
    }
}

fn body(world: &World, visit: &Visit, story: &Story) -> Markup {
    let order = &story.order;
    html! {
        p.back { a href=(links::ORDERS) { "← " (visit.say(words::ALL_ORDERS)) } }
        div data-live="order" {
            header.order-head {
                div {
                    h1 { (order.description) }
                    p.sub.mono { (order.reference) }
                    p.sub.mono { (order.id) }
                }
                div.order-sum {
                    span.big { (yuan(order.amount)) }
                    (order_badge(visit, order.status))
                }
            }
            div.columns {
                div {
                    (section(visit, words::TIMELINE, "timeline", &timeline(visit, &story.journal)))
                    (section(visit, words::ATTEMPTS, "attempts", &attempts(world, visit, story)))
                    (section(visit, words::NOTIFICATIONS, "notifications", &received(visit, story)))
                    (section(visit, words::EVENTS, "events", &events(visit, story)))
                }
                (section(visit, words::FACTS, "facts", &facts(world, visit, order)))
            }
        }
    }
}

fn facts(world: &World, visit: &Visit, order: &Order) -> Markup {
    let account = world.accounts.of_merchant(&order.mchid);
    let expired = order.has_expired(world.now());
    html! {
        dl.facts {
            (fact(visit, words::ORDER_ID, &html! { span.mono { (order.id) } }))
            (fact(visit, words::REFERENCE, &html! { span.mono { (order.reference) } }))
            (fact(visit, words::STATUS, &order_badge(visit, order.status)))
            (fact(visit, words::AMOUNT, &yuan(order.amount)))
            (fact(visit, words::AMOUNT_REFUNDED, &yuan(order.amount_refunded)))
            (fact(visit, words::CURRENCY, &html! { (order.currency) }))
            @if let Some(account) = account {
                (fact(visit, words::MERCHANT_NAME, &html! { (account.name) }))
            }
            (fact(visit, words::MCHID, &html! { span.mono { (order.mchid) } }))
            (fact(visit, words::APP, &html! { span.mono { (order.app) } }))
            (fact(visit, words::TRADE_TYPE, &html! { (order.trade_type) }))
            (fact(visit, words::PAYER, &html! {
                @match &order.payer_openid {
                    Some(openid) => span.mono { (openid.masked()) },
                    None => (visit.say(words::ANYBODY)),
                }
            }))
            (fact(visit, words::CREATED_AT, &time(order.created_at)))
            (fact(visit, words::EXPIRES_AT, &html! {
                @match order.expires_at {
                    Some(at) => { (time(at)) @if expired { " " span.soft { (visit.say(words::EXPIRED)) } } },
                    None => (visit.say(words::NEVER)),
                }
            }))
            (fact(visit, words::PAID_AT, &or_dash(order.paid_at.map(time))))
            (fact(visit, words::TRANSACTION_ID, &or_dash(order.transaction_id.as_ref().map(|id| {
                html! { span.mono { (id) } }
            }))))
            @if let Some(metadata) = &order.metadata {
                (fact(visit, words::METADATA, &html! { code.metadata { (metadata) } }))
            }
        }
    }
}

/// A line an entry, under the date where it changes.
fn timeline(visit: &Visit, journal: &[(i64, Entry)]) -> Markup {
    let dates: Vec<_> = journal.iter().map(|(at, _)| date(*at)).collect();
    let before = [None].into_iter().chain(dates.iter().map(Some));
    html! {
        @if journal.is_empty() {
            p.hint { (visit.say(words::NO_TIMELINE)) }
        } @else {
            ol.timeline {
                @for (((at, entry), date), before) in journal.iter().zip(&dates).zip(before) {
                    @if before != Some(date) {
                        li.day { (date) }
                    }
                    li.entry.{ "s-" (entry.step.as_str()) } data-step=(entry.step.as_str()) {
                        (time_of_day(*at))
                        span.step { (visit.say(words::step(entry.step))) }
                        span.change { (entry.change) }
                    }
                }
            }
        }
    }
}

fn attempts(world: &World, visit: &Visit, story: &Story) -> Markup {
    html! {
        @if story.attempts.is_empty() {
            p.hint { (visit.say(words::NO_ATTEMPTS)) }
        } @else {
            table.cards {
                thead {
                    tr {
                        th scope="col" { "out_trade_no" }
                        th scope="col" { (visit.say(words::STATUS)) }
                        th scope="col" { (visit.say(words::PREPAY)) }
                        th scope="col" { (visit.say(words::CREATED_AT)) }
                    }
                }
                tbody {
                    @for attempt in &story.attempts {
                        tr {
                            td.wide {
                                span.mono { (attempt.out_trade_no) }
                                span.sub {
                                    "API" (api_of(attempt))
                                    @if let Some(openid) = &attempt.openid { " · " (openid.masked()) }
                                }
                            }
                            td { (attempt_badge(visit, attempt.state)) }
                            td { (prepay(world, visit, attempt)) }
                            td { (time(attempt.created_at)) }
                        }
                    }
                }
            }
        }
    }
}

/// The `prepay_id` with its age, as long as it matters.
fn prepay(world: &World, visit: &Visit, attempt: &Attempt) -> Markup {
    let (Some(prepay_id), Some(at)) = (&attempt.prepay_id, attempt.prepay_at) else {
        return or_dash(None);
    };
    let age = world.now().saturating_sub(at);
    let is_young = age < world.prepay_micros;
    let note = if is_young { words::PREPAY_YOUNG } else { words::PREPAY_OLD };
    html! {
        (short_id(prepay_id.as_str()))
        @if attempt.state.is_live() {
            span.sub { (span(visit, age)) " " (visit.say(note)) }
        }
    }
}

fn received(visit: &Visit, story: &Story) -> Markup {
    html! {
        @if story.received.is_empty() {
            p.hint { (visit.say(words::NO_NOTIFICATIONS)) }
        } @else {
            table.cards {
                thead {
                    tr {
                        th scope="col" { (visit.say(words::RECEIVED_AT)) }
                        th scope="col" { (visit.say(words::VERDICT)) }
                        th scope="col" { (visit.say(words::PROBLEM)) }
                    }
                }
                tbody {
                    @for received in &story.received {
                        tr {
                            td { (time(received.received_at)) }
                            td { (verdict_badge(visit, &received.verdict)) }
                            td { @if let Some(code) = &received.problem { code { (code) } } }
                        }
                    }
                }
            }
        }
    }
}

fn events(visit: &Visit, story: &Story) -> Markup {
    html! {
        @if story.events.is_empty() {
            p.hint { (visit.say(words::NO_EVENTS)) }
        }
        @for delivered in &story.events {
            div.event {
                h3 {
                    code { (delivered.event.kind) }
                    (time(delivered.event.created_at))
                }
                p.sub.mono { a href=(links::event(&delivered.event.id)) { (delivered.event.id) } }
                (deliveries(visit, story, delivered))
            }
        }
    }
}

fn deliveries(visit: &Visit, story: &Story, delivered: &Delivered) -> Markup {
    html! {
        @if delivered.attempts.is_empty() && delivered.waiting.is_empty() {
            p.hint { (visit.say(words::NO_DELIVERIES)) }
        } @else {
            table.cards {
                thead {
                    tr {
                        th scope="col" { (visit.say(words::TRIED_AT)) }
                        th scope="col" { (visit.say(words::ENDPOINT)) }
                        th scope="col" { (visit.say(words::ANSWER)) }
                        th.number scope="col" { (visit.say(words::LATENCY)) }
                    }
                }
                tbody {
                    @for tried in &delivered.attempts {
                        tr {
                            td { (time(tried.at)) }
                            td { (endpoint(visit, story, &tried.endpoint_id)) }
                            td {
                                (answer_badge(visit, tried.status))
                                @if let Some(problem) = &tried.problem { span.sub { (problem) } }
                            }
                            td.number { (latency(tried.latency_micros)) }
                        }
                    }
                    @for waiting in &delivered.waiting {
                        tr.waiting {
                            td { (time(waiting.due_at)) }
                            td { (endpoint(visit, story, &waiting.endpoint_id)) }
                            td { (waiting_badge(visit, waiting.gave_up)) }
                            td {}
                        }
                    }
                }
            }
        }
    }
}

/// Where an event went.
fn endpoint(visit: &Visit, story: &Story, id: &str) -> Markup {
    let known = story.endpoints.iter().find(|endpoint| endpoint.id == id);
    html! {
        @match known {
            Some(endpoint) => a.url href=(links::endpoint(id)) { (address(&endpoint.url)) },
            None => { span.mono { (id) } span.sub { (visit.say(words::ENDPOINT_GONE)) } },
        }
    }
}
