//! The page of one order: what it is, and its whole story.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use suanpan_ledger::{OrderStatus, RefundState};
use suanpan_wechat::Fen;

use super::super::miniprogram::order_id;
use super::links;
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{fact, or_dash, order_badge, section, shipping_badge, time, yuan};
use super::trouble::Trouble;
use super::words::{self, Say, say};
use super::{acts, refunds, shipping, story};
use crate::Error;
use crate::ids::OrderId;
use crate::order::{Attempt, Order};
use crate::refund::Refund;
use crate::shipment::Shipment;
use crate::store::{Delivered, Endpoint, Received, StoreError, Tx};
use crate::timeline::Entry;
use crate::world::World;

/// All that is known of an order, at one moment.
pub(super) struct Story {
    pub(super) order: Order,
    pub(super) journal: Vec<(i64, Entry)>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) received: Vec<Received>,
    pub(super) events: Vec<Delivered>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) refunds: Vec<Refund>,
    shipment: Option<Shipment>,
}

/// `GET /console/orders/{id}`
pub(super) async fn order(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let story = Story::find(&world, order_id(&id)?).await?;
    let title = format!("{} {}", visit.say(words::ORDER), story.order.reference);
    Ok(page(&visit, Frame::Live, &title, &body(&world, &visit, &operator, &story)).into_response())
}

impl Story {
    pub(super) async fn find(world: &World, id: OrderId) -> Result<Self, Error> {
        let story =
            world.store.look(id, |tx, id| Box::pin(async move { Self::read(tx, id).await }));
        story.await?.ok_or(Error::NotFound { what: "order" })
    }

    async fn read(tx: &mut Tx, id: &OrderId) -> Result<Option<Self>, StoreError> {
        let Some(order) = tx.order(id).await? else { return Ok(None) };
        Ok(Some(Self {
            order,
            journal: tx.journal(id).await?,
            attempts: tx.attempts(id).await?,
            received: tx.inbox_of(id).await?,
            events: tx.events_of(id).await?,
            endpoints: tx.endpoints().await?,
            refunds: tx.refunds(id).await?,
            shipment: tx.shipment(id).await?,
        }))
    }
}

fn body(world: &World, visit: &Visit, operator: &Operator, story: &Story) -> Markup {
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
            (acts::buttons(visit, operator, story))
            div.columns {
                div {
                    @if !story.refunds.is_empty() {
                        (section(visit, words::REFUNDS, "refunds", &refunds::table(visit, &story.refunds, false)))
                    }
                    (section(visit, words::TIMELINE, "timeline", &story::timeline(visit, &story.journal)))
                    (section(visit, words::ATTEMPTS, "attempts", &story::attempts(world, visit, story)))
                    (section(visit, words::NOTIFICATIONS, "notifications", &story::received(visit, story)))
                    (section(visit, words::EVENTS, "events", &story::events(visit, story)))
                }
                div {
                    @if order.status == OrderStatus::Paid {
                        (section(visit, MONEY, "money", &money(visit, &Money::of(story))))
                    }
                    @if let Some(shipment) = &story.shipment {
                        (section(visit, words::SHIPPING, "shipping", &goods(world, visit, shipment)))
                    }
                    (section(visit, words::FACTS, "facts", &facts(world, visit, order)))
                }
            }
        }
    }
}

/// Where the money of an order is.
pub(super) struct Money {
    pub(super) paid: Fen,
    pub(super) refunded: Fen,
    /// On its way back.
    pub(super) under_way: Fen,
    /// What can still be asked for.
    pub(super) left: Fen,
}

impl Money {
    pub(super) fn of(story: &Story) -> Self {
        let order = &story.order;
        let paid = if order.status == OrderStatus::Paid { order.amount } else { Fen::ZERO };
        let mine = story
            .refunds
            .iter()
            .filter(|one| Some(&one.transaction_id) == order.transaction_id.as_ref());
        let sum = |state: &dyn Fn(RefundState) -> bool| {
            let some = mine.clone().filter(|one| state(one.state)).map(|one| one.amount);
            some.fold(Fen::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum))
        };
        let refunded = sum(&|state| state == RefundState::Succeeded);
        let held = sum(&RefundState::holds_money);
        Self {
            paid,
            refunded,
            under_way: held.checked_sub(refunded).unwrap_or(Fen::ZERO),
            left: paid.checked_sub(held).unwrap_or(Fen::ZERO),
        }
    }
}

pub(super) fn money(visit: &Visit, money: &Money) -> Markup {
    html! {
        dl.facts {
            (fact(visit, PAID, &yuan(money.paid)))
            (fact(visit, words::AMOUNT_REFUNDED, &yuan(money.refunded)))
            (fact(visit, UNDER_WAY, &yuan(money.under_way)))
            (fact(visit, REFUNDABLE, &html! { strong { (yuan(money.left)) } }))
        }
    }
}

fn goods(world: &World, visit: &Visit, shipment: &Shipment) -> Markup {
    html! {
        dl.facts {
            (fact(visit, words::STATUS, &shipping_badge(visit, shipment.state)))
            (fact(visit, shipping::DEADLINE, &shipping::deadline(world, visit, shipment)))
            (fact(visit, shipping::PARCELS, &html! { (shipment.parcels.len()) }))
            @if let Some(problem) = &shipment.problem {
                (fact(visit, words::PROBLEM, &html! { (problem) }))
            }
        }
    }
}

fn facts(world: &World, visit: &Visit, order: &Order) -> Markup {
    let accounts = world.accounts();
    let account = accounts.of_merchant(&order.mchid);
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

const MONEY: Say = say("钱在哪里", "Where the money is");
const PAID: Say = say("已付", "Paid");
const UNDER_WAY: Say = say("退款中", "On its way back");
const REFUNDABLE: Say = say("可退", "Refundable");
