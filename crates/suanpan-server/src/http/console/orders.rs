//! The list of orders: newest first, narrowed, summed, found by number.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use suanpan_ledger::OrderStatus;
use suanpan_wechat::Fen;

use super::super::paging::cursor;
use super::hooks::button;
use super::links;
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{order_badge, order_link, time, yuan};
use super::search::Search;
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::order::Order;
use crate::people::Right;
use crate::store::{Looked, Narrow, Numbered, OrderFilter, StoreError, Tx};
use crate::world::World;

/// One page of the list.
struct List {
    orders: Vec<Order>,
    older: Option<String>,
    /// Older ones may fit: not all of them were looked at.
    cut_short: bool,
}

/// `GET /console/orders`: the list; with `?q=` whatever has this number.
pub(super) async fn orders(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let search = Search::read(&visit)?;
    if let Some(text) = &search.text
        && let Some(found) = numbered(&world, text).await?
    {
        let path = match found {
            Numbered::Order(id) => links::order(id.as_str()),
            Numbered::Event(id) => links::event(&id),
        };
        return Ok(Redirect::to(&path).into_response());
    }
    // One more than is shown tells whether there are more.
    let filter = search.filter(SHOWN.saturating_add(1))?;
    let narrow = search.narrow();
    let looked = world.store.look((filter, narrow), |tx, (filter, narrow)| {
        Box::pin(async move { look(tx, filter, narrow.as_ref()).await })
    });
    let Looked { mut orders, until } = looked.await?;

    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = shown < orders.len();
    orders.truncate(shown);
    let last = orders.last().filter(|_| more).map(|order| (order.created_at, order.id.to_string()));
    let cut_short = last.is_none() && until.is_some();
    let older = last.or(until).map(|(at, id)| cursor(at, &id));
    let body = body(&world, &visit, &operator, &search, &List { orders, older, cut_short });
    Ok(page(&visit, Frame::Live, visit.say(words::ORDERS), &body).into_response())
}

async fn numbered(world: &World, text: &str) -> Result<Option<Numbered>, StoreError> {
    let merchants: Vec<_> = world.accounts().iter().map(|account| account.mchid.clone()).collect();
    let found = world.store.look((text.to_owned(), merchants), |tx, (text, merchants)| {
        Box::pin(async move { tx.numbered(text, merchants).await })
    });
    found.await
}

/// The orders that fit: by an index where one knows, and else among so many.
pub(super) async fn look(
    tx: &mut Tx,
    filter: &OrderFilter,
    narrow: Option<&Narrow>,
) -> Result<Looked, StoreError> {
    match narrow {
        Some(narrow) => tx.orders_narrow(filter, narrow).await,
        None => Ok(Looked { orders: tx.orders(filter).await?, until: None }),
    }
}

fn body(world: &World, visit: &Visit, operator: &Operator, search: &Search, list: &List) -> Markup {
    html! {
        div.page-head {
            h1 { (visit.say(words::ORDERS)) }
            @if operator.role.may(Right::Export) { (button(visit, &search.export(), EXPORT)) }
        }
        (status_tabs(visit, search))
        (filters(world, visit, search))
        div data-live="orders" {
            @if list.orders.is_empty() {
                (nothing(world, visit, search, list))
            } @else {
                (table(world, visit, &list.orders))
                @if list.cut_short { p.hint { (visit.say(CUT_SHORT)) } }
            }
            nav.pages aria-label=(visit.say(words::PAGES_OF_LIST)) {
                @if search.cursor.is_some() {
                    a.button href=(search.newest()) { "← " (visit.say(words::NEWEST)) }
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

fn filters(world: &World, visit: &Visit, search: &Search) -> Markup {
    let accounts = world.accounts();
    let apps = accounts.iter().flat_map(|account| {
        account.apps.iter().map(|app| (app.appid.as_str(), account.name.as_str()))
    });
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    html! {
        form.filters method="get" action=(links::ORDERS) {
            @if let Some(status) = search.status {
                input type="hidden" name="status" value=(status.as_str());
            }
            @if let Some(text) = &search.text { input type="hidden" name="q" value=(text); }
            label { (visit.say(words::FROM)) input type="date" name="from" value=(given(&search.from)); }
            label { (visit.say(words::TO)) input type="date" name="to" value=(given(&search.to)); }
            label {
                (visit.say(words::APP))
                select name="app" {
                    option value="" { (visit.say(words::ALL)) }
                    @for (appid, name) in apps {
                        option value=(appid) selected[search.app.as_deref() == Some(appid)] {
                            (name) " · " (appid)
                        }
                    }
                }
            }
            label {
                (visit.say(LEAST))
                input type="text" inputmode="decimal" name="least" size="8" maxlength="14" value=(given(&search.least));
            }
            label {
                (visit.say(MOST))
                input type="text" inputmode="decimal" name="most" size="8" maxlength="14" value=(given(&search.most));
            }
            button.button type="submit" { (visit.say(words::FILTER)) }
            @if search.is_narrow() { a.tool href=(links::ORDERS) { (visit.say(words::CLEAR)) } }
        }
    }
}

fn table(world: &World, visit: &Visit, orders: &[Order]) -> Markup {
    html! {
        table.cards.orders data-testid="orders" {
            caption.unseen { (visit.say(words::ORDERS)) }
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
            tfoot { (sums(visit, orders)) }
        }
    }
}

fn row(world: &World, visit: &Visit, order: &Order) -> Markup {
    let accounts = world.accounts();
    let account = accounts.of_merchant(&order.mchid);
    let merchant = account.map_or_else(|| order.mchid.as_str(), |account| account.name.as_str());
    html! {
        tr data-order-id=(order.id) {
            td.c-id { (order_link(&order.id)) }
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

/// What the orders of this page come to; of what was paid, and of what went back.
fn sums(visit: &Visit, orders: &[Order]) -> Markup {
    let paid = orders.iter().filter(|order| order.status == OrderStatus::Paid);
    let sum = |sum: Fen, amount: Fen| sum.checked_add(amount).unwrap_or(sum);
    let paid = paid.map(|order| order.amount).fold(Fen::ZERO, sum);
    let refunded = orders.iter().map(|order| order.amount_refunded).fold(Fen::ZERO, sum);
    html! {
        tr {
            th scope="row" { (visit.say(THIS_PAGE)) }
            td.c-what { (orders.len()) " " (visit.say(ORDERS_COUNTED)) }
            td.c-amount.number colspan="4" {
                (visit.say(words::order_status(OrderStatus::Paid))) " " (yuan(paid))
                @if refunded != Fen::ZERO { " · " (visit.say(words::REFUNDED)) " " (yuan(refunded)) }
            }
        }
    }
}

fn nothing(world: &World, visit: &Visit, search: &Search, list: &List) -> Markup {
    html! {
        section.empty data-testid="empty" {
            @if list.cut_short {
                h2 { (visit.say(words::NOTHING_FOUND)) }
                p { (visit.say(CUT_SHORT)) }
            } @else if search.cursor.is_some() {
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

const EXPORT: Say = say("导出 CSV", "Export CSV");
const LEAST: Say = say("最低金额（元）", "At least (yuan)");
const MOST: Say = say("最高金额（元）", "At most (yuan)");
const THIS_PAGE: Say = say("本页合计", "This page");
const ORDERS_COUNTED: Say = say("笔", "orders");
const CUT_SHORT: Say = say(
    "这一段只看了两万笔订单；更早的还没有看，请继续往前翻，或缩小日期范围。",
    "Only 20,000 orders were looked at here; older ones were not. Go on to them, or narrow the days.",
);
