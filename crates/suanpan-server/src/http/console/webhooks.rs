//! Where events go: the endpoints and how they take them, and the deliveries to one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::super::paging::{cursor, read_cursor};
use super::days::write_day;
use super::hooks;
use super::links::{self, query_value, with_query};
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{
    BANG, CHECK, address, answer_badge, badge, fact, latency, or_dash, section, time, waiting_badge,
};
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::flow::endpoints::find_endpoint;
use crate::people::Right;
use crate::store::{Delivery, DeliveryStanding, Endpoint, StoreError, Tx};
use crate::world::World;

/// An endpoint and how it takes what it is told.
struct Health {
    endpoint: Endpoint,
    /// The newest deliveries.
    latest: Vec<Delivery>,
    given_up: i64,
    /// How many failed and wait for another try.
    again: i64,
}

/// `GET /console/webhooks`
pub(super) async fn webhooks(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let health = world.store.look((), |tx, ()| {
        Box::pin(async move {
            let mut health = Vec::new();
            for endpoint in tx.endpoints().await? {
                health.push(Health::read(tx, endpoint).await?);
            }
            Ok(health)
        })
    });
    let health = health.await?;
    let body = html! {
        div.page-head {
            h1 { (visit.say(words::WEBHOOKS)) }
            @if operator.role.may(Right::Endpoints) {
                a.button href={ (links::WEBHOOKS) "/new" } { (visit.say(hooks::NEW)) }
            }
        }
        div data-live="endpoints" {
            @if health.is_empty() {
                section.empty data-testid="empty" {
                    h2 { (visit.say(NONE)) }
                    p { (visit.say(NONE_HELP)) }
                }
            } @else {
                (table(&visit, &health))
            }
        }
    };
    Ok(page(&visit, Frame::Live, visit.say(words::WEBHOOKS), &body).into_response())
}

impl Health {
    async fn read(tx: &mut Tx, endpoint: Endpoint) -> Result<Self, StoreError> {
        let latest = tx.deliveries_to(&endpoint.id, None, LATEST).await?;
        let latest = latest.into_iter().map(|(_, delivery)| delivery).collect();
        let (given_up, again) = tx.undelivered(&endpoint.id).await?;
        Ok(Self { endpoint, latest, given_up, again })
    }

    fn taken(&self) -> usize {
        let taken = |one: &&Delivery| one.standing == DeliveryStanding::Delivered;
        self.latest.iter().filter(taken).count()
    }

    fn badge(&self, visit: &Visit) -> Markup {
        if self.endpoint.disabled.is_some() {
            badge("bad", BANG, visit.say(DISABLED))
        } else if self.again != 0 {
            badge("bad", BANG, visit.say(FAILING))
        } else if self.given_up != 0 {
            badge("wait", BANG, visit.say(HAS_GIVEN_UP))
        } else {
            badge("good", CHECK, visit.say(WELL))
        }
    }
}

fn table(visit: &Visit, health: &[Health]) -> Markup {
    html! {
        table.cards.list data-testid="endpoints" {
            caption.unseen { (visit.say(words::WEBHOOKS)) }
            thead {
                tr {
                    th scope="col" { (visit.say(words::ENDPOINT)) }
                    th scope="col" { (visit.say(words::STATUS)) }
                    th scope="col" { (visit.say(EVENTS)) }
                    th.number scope="col" { (visit.say(TAKEN)) }
                    th.number scope="col" { (visit.say(words::GAVE_UP)) }
                }
            }
            tbody {
                @for one in health {
                    tr {
                        td.wide {
                            a.url href=(links::endpoint(&one.endpoint.id)) { (address(&one.endpoint.url)) }
                            span.sub.mono { (one.endpoint.id) }
                        }
                        td data-name=(visit.say(words::STATUS)) { (one.badge(visit)) }
                        td data-name=(visit.say(EVENTS)) { (events(visit, &one.endpoint)) }
                        td.number data-name=(visit.say(TAKEN)) { (one.taken()) " / " (one.latest.len()) }
                        td.number data-name=(visit.say(words::GAVE_UP)) { (one.given_up) }
                    }
                }
            }
        }
    }
}

fn events(visit: &Visit, endpoint: &Endpoint) -> Markup {
    html! {
        @match &endpoint.events {
            Some(events) => @for event in events { code { (event) } " " },
            None => (visit.say(words::ALL)),
        }
    }
}

/// `GET /console/webhooks/{endpoint}`
pub(super) async fn endpoint(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let endpoint = find_endpoint(&world, &id).await?;
    let from = query_value(visit.here(), "cursor").filter(|value| !value.is_empty());
    let before = from.as_deref().map(read_cursor).transpose()?;
    let found = world.store.look((id, before), |tx, (id, before)| {
        Box::pin(
            async move { tx.deliveries_to(id, before.as_ref(), SHOWN.saturating_add(1)).await },
        )
    });
    let mut found = found.await?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = shown < found.len();
    found.truncate(shown);
    let older = found.last().filter(|_| more);
    let older = older.map(|(place, delivery)| cursor(delivery.created_at, place));
    let list = html! {
        @if found.is_empty() {
            p.hint { (visit.say(NO_DELIVERIES)) }
        } @else {
            (deliveries(&visit, &found))
        }
        nav.pages aria-label=(visit.say(words::PAGES_OF_LIST)) {
            @if let Some(older) = &older {
                a.button.next rel="next"
                    href=(with_query(&links::endpoint(&endpoint.id), &[("cursor", Some(older))])) {
                    (visit.say(OLDER)) " →"
                }
            }
        }
    };
    let body = html! {
        p.back { a href=(links::WEBHOOKS) { "← " (visit.say(words::WEBHOOKS)) } }
        div.page-head { h1.url { (address(&endpoint.url)) } }
        (hooks::buttons(&visit, &operator, &endpoint, &write_day(world.now())))
        div data-live="endpoint" {
            (section(&visit, words::ABOUT, "facts", &facts(&visit, &endpoint)))
            (section(&visit, DELIVERIES, "deliveries", &list))
        }
    };
    let title = format!("{} {}", visit.say(words::ENDPOINT), endpoint.id);
    Ok(page(&visit, Frame::Live, &title, &body).into_response())
}

fn facts(visit: &Visit, endpoint: &Endpoint) -> Markup {
    html! {
        dl.facts.two {
            (fact(visit, ENDPOINT_ID, &html! { span.mono { (endpoint.id) } }))
            (fact(visit, words::STATUS, &html! {
                @match &endpoint.disabled {
                    Some((at, reason)) => {
                        (badge("bad", BANG, visit.say(DISABLED)))
                        span.sub { (time(*at)) " · " (reason) }
                    },
                    None => (badge("good", CHECK, visit.say(IN_USE))),
                }
            }))
            (fact(visit, EVENTS, &events(visit, endpoint)))
            (fact(visit, words::CREATED_AT, &time(endpoint.created_at)))
            (fact(visit, SOURCE, &html! {
                @if endpoint.source == "config" { (visit.say(OF_CONFIG)) } @else { (visit.say(OF_API)) }
            }))
        }
    }
}

fn deliveries(visit: &Visit, found: &[(String, Delivery)]) -> Markup {
    html! {
        table.cards.list {
            caption.unseen { (visit.say(DELIVERIES)) }
            thead {
                tr {
                    th scope="col" { (visit.say(EVENT)) }
                    th scope="col" { (visit.say(words::STATUS)) }
                    th scope="col" { (visit.say(LAST_ANSWER)) }
                    th.number scope="col" { (visit.say(TRIES)) }
                    th.number scope="col" { (visit.say(words::LATENCY)) }
                }
            }
            tbody { @for (_, delivery) in found { (delivery_row(visit, delivery)) } }
        }
    }
}

fn delivery_row(visit: &Visit, delivery: &Delivery) -> Markup {
    let last = delivery.attempts.last();
    html! {
        tr {
            td.wide {
                a.mono href=(links::event(&delivery.event_id)) { (delivery.event_id) }
                span.sub { (time(delivery.created_at)) }
            }
            td data-name=(visit.say(words::STATUS)) { (standing(visit, delivery)) }
            td data-name=(visit.say(LAST_ANSWER)) {
                (or_dash(last.map(|last| answer_badge(visit, last.status))))
                @if let Some(problem) = last.and_then(|last| last.problem.as_deref()) {
                    span.sub { (problem) }
                }
            }
            td.number data-name=(visit.say(TRIES)) { (delivery.attempts.len()) }
            td.number data-name=(visit.say(words::LATENCY)) { (or_dash(last.map(|last| html! { (latency(last.latency_micros)) }))) }
        }
    }
}

/// How a delivery stands.
pub(super) fn standing(visit: &Visit, delivery: &Delivery) -> Markup {
    match delivery.standing {
        DeliveryStanding::Pending(at) => {
            html! { (waiting_badge(visit, false)) span.sub { (time(at)) } }
        }
        DeliveryStanding::Delivered => badge("good", CHECK, visit.say(DELIVERED)),
        DeliveryStanding::Failed => badge("bad", BANG, visit.say(NOT_TAKEN)),
    }
}

/// The deliveries that tell how an endpoint is.
const LATEST: i64 = 20;
/// The deliveries on one page.
const SHOWN: i64 = 25;

const NONE: Say = say("还没有接收端", "There is no endpoint yet");
const NONE_HELP: Say = say(
    "接收端是商户系统的一个 https 地址：订单支付、关闭、退款时，会向它投递带签名的事件。",
    "An endpoint is an https address of the merchant's system: signed events go there when an order is paid or closed, or money went back.",
);
const EVENTS: Say = say("事件类型", "Events");
const TAKEN: Say = say("最近收下", "Taken of the last");
const DISABLED: Say = say("已停用", "Called no more");
const FAILING: Say = say("投递失败，正在重试", "Failing: tried again");
const HAS_GIVEN_UP: Say = say("有放弃的投递", "Some were given up");
const WELL: Say = say("正常", "Well");
const IN_USE: Say = say("使用中", "In use");
const ENDPOINT_ID: Say = say("接收端 ID", "Endpoint id");
const SOURCE: Say = say("来自", "Made by");
const OF_CONFIG: Say = say("配置文件（在那里改）", "the configuration file (change it there)");
const OF_API: Say = say("API 或控制台", "the API or the console");
const DELIVERIES: Say = say("投递", "Deliveries");
const NO_DELIVERIES: Say = say("还没有投递。", "Nothing was delivered yet.");
const EVENT: Say = say("事件", "Event");
const LAST_ANSWER: Say = say("最后应答", "Last answer");
const TRIES: Say = say("次数", "Tries");
const OLDER: Say = say("更早的投递", "Older deliveries");
const DELIVERED: Say = say("已送达", "Delivered");
const NOT_TAKEN: Say = say("没有送到", "Not taken");
