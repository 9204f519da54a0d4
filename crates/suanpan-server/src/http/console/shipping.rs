//! Goods that WeChat wants to hear of, the earliest deadline first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use suanpan_ledger::ShippingState;

use super::super::paging::{cursor, read_cursor};
use super::links::{self, query_value, with_query};
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{BANG, badge, order_link, shipping_badge, span, time, yuan};
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::Error;
use crate::order::Order;
use crate::shipment::Shipment;
use crate::store::ShipmentFilter;
use crate::world::World;

/// `GET /console/shipping`: what is open, or with `?state=` all of that state.
pub(super) async fn shipping(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let given = |name| query_value(visit.here(), name).filter(|value| !value.is_empty());
    let state = given("state").map(|word| word.parse::<ShippingState>()).transpose();
    let state = state.map_err(|_| Error::field("state", "must be where a shipment stands"))?;
    let from = given("cursor");
    let filter = ShipmentFilter {
        state,
        due_before: None,
        after: from.as_deref().map(read_cursor).transpose()?,
        limit: SHOWN.saturating_add(1),
    };
    let found = world.store.look(filter, |tx, filter| {
        Box::pin(async move {
            let mut found = Vec::new();
            for shipment in tx.shipments(filter).await? {
                let order = tx.order(&shipment.order_id).await?;
                found.push((shipment, order));
            }
            Ok(found)
        })
    });
    let mut found = found.await?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = shown < found.len();
    found.truncate(shown);
    let next = found.last().filter(|_| more);
    let next = next.map(|(last, _)| cursor(last.deadline, last.order_id.as_str()));
    let body = html! {
        div.page-head { h1 { (visit.say(words::SHIPPING)) } }
        (tabs(&visit, state))
        div data-live="shipping" {
            @if found.is_empty() {
                section.empty data-testid="empty" {
                    h2 { (visit.say(NONE)) }
                    p { (visit.say(NONE_HELP)) }
                }
            } @else {
                (table(&world, &visit, &found))
            }
            nav.pages aria-label=(visit.say(words::PAGES_OF_LIST)) {
                @if let Some(next) = &next {
                    a.button.next rel="next" href=(link(state, Some(next))) { (visit.say(LATER)) " →" }
                }
            }
        }
    };
    Ok(page(&visit, Frame::Live, visit.say(words::SHIPPING), &body).into_response())
}

fn link(state: Option<ShippingState>, cursor: Option<&str>) -> String {
    let query = [("state", state.map(ShippingState::as_str)), ("cursor", cursor)];
    with_query(links::SHIPPING, &query)
}

fn tabs(visit: &Visit, state: Option<ShippingState>) -> Markup {
    html! {
        nav.tabs aria-label=(visit.say(words::STATUS_FILTER)) {
            @for one in [None].into_iter().chain(ShippingState::ALL.map(Some)) {
                a href=(link(one, None)) aria-current=[(one == state).then_some("page")] {
                    (visit.say(one.map_or(OPEN, words::shipping_state)))
                }
            }
        }
    }
}

fn table(world: &World, visit: &Visit, found: &[(Shipment, Option<Order>)]) -> Markup {
    html! {
        table.cards.list data-testid="shipments" {
            caption.unseen { (visit.say(words::SHIPPING)) }
            thead {
                tr {
                    th scope="col" { (visit.say(words::ORDER)) }
                    th.number scope="col" { (visit.say(words::AMOUNT)) }
                    th scope="col" { (visit.say(words::STATUS)) }
                    th scope="col" { (visit.say(DEADLINE)) }
                    th scope="col" { (visit.say(PARCELS)) }
                }
            }
            tbody { @for (shipment, order) in found { (row(world, visit, shipment, order.as_ref())) } }
        }
    }
}

fn row(world: &World, visit: &Visit, shipment: &Shipment, order: Option<&Order>) -> Markup {
    html! {
        tr {
            td.wide {
                (order_link(&shipment.order_id))
                @if let Some(order) = order { span.sub { (order.description) } }
            }
            td.number data-name=(visit.say(words::AMOUNT)) {
                @if let Some(order) = order { (yuan(order.amount)) }
            }
            td data-name=(visit.say(words::STATUS)) {
                (shipping_badge(visit, shipment.state))
                @if let Some(problem) = &shipment.problem { span.sub { (problem) } }
            }
            td data-name=(visit.say(DEADLINE)) { (deadline(world, visit, shipment)) }
            td data-name=(visit.say(PARCELS)) { (shipment.parcels.len()) }
        }
    }
}

/// Until when WeChat wants to know, and how long that is.
pub(super) fn deadline(world: &World, visit: &Visit, shipment: &Shipment) -> Markup {
    let left = shipment.deadline.saturating_sub(world.now());
    html! {
        (time(shipment.deadline))
        @if shipment.state.is_open() {
            " "
            @if left < 0 { (badge("bad", BANG, visit.say(OVERDUE))) }
            @else { span.sub { (visit.say(LEFT)) " " (span(visit, left)) } }
        }
    }
}

/// The shipments on one page.
const SHOWN: i64 = 25;

const OPEN: Say = say("待发货", "Open");
pub(super) const DEADLINE: Say = say("期限", "Deadline");
pub(super) const PARCELS: Say = say("包裹", "Parcels");
const OVERDUE: Say = say("已逾期", "Overdue");
const LEFT: Say = say("还剩", "left:");
const LATER: Say = say("更晚的", "Later ones");
const NONE: Say = say("没有要发货的订单", "There is nothing to ship");
const NONE_HELP: Say = say(
    "微信要求发货的小程序，在这里列出待上传发货信息的订单；用 POST /v1/orders/{id}/shipping 上传。",
    "Orders of mini programs for which WeChat wants to hear of the goods are listed here; POST /v1/orders/{id}/shipping tells it.",
);
