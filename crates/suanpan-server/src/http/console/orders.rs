//! The list of orders: newest first, narrowed by status, found by number.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use suanpan_ledger::OrderStatus;
use suanpan_wechat::{MchId, OutTradeNo};

use super::super::paging::{cursor, read_cursor};
use super::links::{self, query_value, with_query};
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{order_badge, short_id, time, yuan};
use super::trouble::Trouble;
use super::words;
use crate::Error;
use crate::ids::OrderId;
use crate::order::Order;
use crate::store::{OrderFilter, StoreError, Tx};
use crate::world::World;

/// What the list is narrowed by.
#[derive(Clone, Debug, Default)]
struct Search {
    status: Option<OrderStatus>,
    text: Option<String>,
    cursor: Option<String>,
}

/// One page of the list.
struct List {
    orders: Vec<Order>,
    older: Option<String>,
}

/// What was looked for.
enum Found {
    /// A number that names one order: its page is shown at once.
    One(OrderId),
    /// Whatever fits.
    Many(Vec<Order>),
}

/// `GET /console/orders`: the list; with `?q=` whatever has this number.
pub(super) async fn orders(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let search = Search::read(&visit)?;
    let filter = OrderFilter {
        status: search.status,
        reference: search.text.clone(),
        created_after: None,
        created_before: None,
        before: search.cursor.as_deref().map(read_cursor).transpose()?,
        // One more than is shown tells whether there are more.
        limit: SHOWN.saturating_add(1),
    };
    let merchants: Vec<_> = world.accounts.iter().map(|account| account.mchid.clone()).collect();
    let found = world.store.look((filter, merchants), |tx, (filter, merchants)| {
        Box::pin(async move { find(tx, filter, merchants).await })
    });
    let mut orders = match found.await? {
        Found::One(id) => return Ok(Redirect::to(&links::order(id.as_str())).into_response()),
        Found::Many(orders) => orders,
    };

    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = shown < orders.len();
    orders.truncate(shown);
    let last = orders.last().filter(|_| more);
    let older = last.map(|order| cursor(order.created_at, order.id.as_str()));
    let body = body(&world, &visit, &search, &List { orders, older });
    Ok(page(&visit, Frame::Live, visit.say(words::ORDERS), &body).into_response())
}

/// A search takes an order id, an `out_trade_no` or the merchant's reference.
async fn find(tx: &mut Tx, filter: &OrderFilter, merchants: &[MchId]) -> Result<Found, StoreError> {
    let text = filter.reference.as_deref().unwrap_or_default();
    if let Ok(id) = text.parse::<OrderId>()
        && let Some(order) = tx.order(&id).await?
    {
        return Ok(Found::One(order.id));
    }
    if let Ok(number) = OutTradeNo::parse(text) {
        for mchid in merchants {
            if let Some(attempt) = tx.attempt_by_number(mchid, &number).await? {
                return Ok(Found::One(attempt.order_id));
            }
        }
    }
    Ok(Found::Many(tx.orders(filter).await?))
}

impl Search {
    fn read(visit: &Visit) -> Result<Self, Error> {
        let given = |name| {
            let value = query_value(visit.here(), name)?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let status = given("status").map(|word| word.parse::<OrderStatus>()).transpose();
        Ok(Self {
            status: status
                .map_err(|_| Error::field("status", "must be unpaid, paying, paid or closed"))?,
            text: given("q"),
            cursor: given("cursor"),
        })
    }

    /// The list narrowed by this status, for the same search.
    fn with_status(&self, status: Option<OrderStatus>) -> String {
        let status = status.map(OrderStatus::as_str);
        with_query(links::ORDERS, &[("status", status), ("q", self.text.as_deref())])
    }

    fn older(&self, cursor: &str) -> String {
        let status = self.status.map(OrderStatus::as_str);
        let query = [("status", status), ("q", self.text.as_deref()), ("cursor", Some(cursor))];
        with_query(links::ORDERS, &query)
    }

    const fn is_narrow(&self) -> bool {
        self.status.is_some() || self.text.is_some()
    }
}

fn body(world: &World, visit: &Visit, search: &Search, list: &List) -> Markup {
    html! {
        div.page-head {
            h1 { (visit.say(words::ORDERS)) }
        }
        (status_tabs(visit, search))
        div data-live="orders" {
            @if list.orders.is_empty() {
                (nothing(world, visit, search))
            } @else {
                (table(world, visit, &list.orders))
            }
            nav.pages {
                @if search.cursor.is_some() {
                    a.button href=(search.with_status(search.status)) { "← " (visit.say(words::NEWEST)) }
                }
                @if let Some(cursor) = &list.older {
                    a.button.next rel="next" href=(search.older(cursor)) { (visit.say(words::OLDER)) " →" }
                }
            }
        }
    }
}

fn status_tabs(visit: &Visit, search: &Search) -> Markup {
    let all = [None].into_iter().chain(OrderStatus::ALL.map(Some));
    html! {
        nav.tabs aria-label=(visit.say(words::STATUS_FILTER)) {
            @for status in all {
                a href=(search.with_status(status))
                    aria-current=[(status == search.status).then_some("page")] {
                    (visit.say(status.map_or(words::ALL, words::order_status)))
                }
            }
        }
    }
}

fn table(world: &World, visit: &Visit, orders: &[Order]) -> Markup {
    html! {
        table.cards.orders data-testid="orders" {
            thead {
                tr {
                    th scope="col" { (visit.say(words::ORDER_ID)) }
                    th scope="col" { (visit.say(words::DESCRIPTION)) }
                    th.number scope="col" { (visit.say(words::AMOUNT)) }
                    th scope="col" { (visit.say(words::STATUS)) }
                    th scope="col" { (visit.say(words::MERCHANT)) }
                    th scope="col" { (visit.say(words::CREATED_AT)) }
                }
            }
            tbody {
                @for order in orders { (row(world, visit, order)) }
            }
        }
    }
}

fn row(world: &World, visit: &Visit, order: &Order) -> Markup {
    let account = world.accounts.of_merchant(&order.mchid);
    let merchant = account.map_or_else(|| order.mchid.as_str(), |account| account.name.as_str());
    html! {
        tr data-order-id=(order.id) {
            td.c-id { a href=(links::order(order.id.as_str())) { (short_id(order.id.as_str())) } }
            td.c-what {
                span.what { (order.description) }
                span.sub.mono title=(visit.say(words::REFERENCE)) { (order.reference) }
            }
            td.c-amount.number {
                (yuan(order.amount))
                @if order.amount_refunded.get() != 0 {
                    span.sub { (visit.say(words::REFUNDED)) " " (yuan(order.amount_refunded)) }
                }
            }
            td.c-status { (order_badge(visit, order.status)) }
            td.c-who {
                span.what { (merchant) }
                span.sub.mono { (order.app) }
            }
            td.c-time { (time(order.created_at)) }
        }
    }
}

fn nothing(world: &World, visit: &Visit, search: &Search) -> Markup {
    html! {
        section.empty data-testid="empty" {
            @if search.cursor.is_some() {
                h2 { (visit.say(words::NOTHING_OLDER)) }
            } @else if search.is_narrow() {
                h2 { (visit.say(words::NOTHING_FOUND)) }
                p { (visit.say(words::NOTHING_FOUND_HELP)) }
                p { a.button href=(links::ORDERS) { (visit.say(words::CLEAR)) } }
            } @else {
                h2 { (visit.say(words::NO_ORDERS)) }
                p { (visit.say(words::NO_ORDERS_HELP)) }
                pre { code { (first_order(world)) } }
            }
        }
    }
}

/// The call that makes a first order. The key stays with whoever has it.
fn first_order(world: &World) -> String {
    format!(
        "curl -X POST {}/v1/orders \\\n  -H \"Authorization: Bearer sk_…\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{{\"reference\":\"tea-1\",\"amount\":990,\"description\":\"龙井 / Longjing tea\"}}'",
        world.public_url
    )
}

/// The orders on one page.
const SHOWN: i64 = 25;
