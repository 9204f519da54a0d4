//! The list of refunds: newest first, narrowed by where they stand.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use suanpan_ledger::RefundState;

use super::super::paging::{cursor, read_cursor};
use super::links::{self, query_value, with_query};
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{order_link, refund_badge, time, yuan};
use super::people::request;
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::Error;
use crate::refund::Refund;
use crate::store::RefundFilter;
use crate::world::World;

/// `GET /console/refunds`
pub(super) async fn refunds(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let given = |name| query_value(visit.here(), name).filter(|value| !value.is_empty());
    let state = given("state").map(|word| word.parse::<RefundState>()).transpose();
    let state = state
        .map_err(|_| Error::field("state", "must be processing, succeeded, closed or abnormal"))?;
    let from = given("cursor");
    let filter = RefundFilter {
        state,
        since: None,
        before: from.as_deref().map(read_cursor).transpose()?,
        limit: SHOWN.saturating_add(1),
    };
    let found = world.store.look(filter, |tx, filter| {
        Box::pin(async move {
            Ok((tx.refunds_list(filter).await?, tx.refund_requests_waiting(SHOWN).await?))
        })
    });
    let (mut refunds, requests) = found.await?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = shown < refunds.len();
    refunds.truncate(shown);
    let older = refunds.last().filter(|_| more);
    let older = older.map(|refund| cursor(refund.created_at, &refund.id));
    let list = html! {
        div.page-head { h1 { (visit.say(words::REFUNDS)) } }
        (tabs(&visit, state))
        div data-live="refunds" {
            (request::waiting(&visit, &requests))
            @if refunds.is_empty() {
                section.empty data-testid="empty" {
                    h2 { (visit.say(if state.is_some() { NONE_SUCH } else { NONE })) }
                    p { (visit.say(NONE_HELP)) }
                }
            } @else {
                (table(&visit, &refunds, true))
            }
            nav.pages aria-label=(visit.say(words::PAGES_OF_LIST)) {
                @if from.is_some() {
                    a.button href=(link(state, None)) { "← " (visit.say(words::NEWEST)) }
                }
                @if let Some(older) = &older {
                    a.button.next rel="next" href=(link(state, Some(older))) { (visit.say(OLDER)) " →" }
                }
            }
        }
    };
    Ok(page(&visit, Frame::Live, visit.say(words::REFUNDS), &list).into_response())
}

fn link(state: Option<RefundState>, cursor: Option<&str>) -> String {
    let query = [("state", state.map(RefundState::as_str)), ("cursor", cursor)];
    with_query(links::REFUNDS, &query)
}

fn tabs(visit: &Visit, state: Option<RefundState>) -> Markup {
    html! {
        nav.tabs aria-label=(visit.say(words::STATUS_FILTER)) {
            @for one in [None].into_iter().chain(RefundState::ALL.map(Some)) {
                a href=(link(one, None)) aria-current=[(one == state).then_some("page")] {
                    (visit.say(one.map_or(words::ALL, words::refund_state)))
                }
            }
        }
    }
}

/// Refunds as a table; of an order too, where they are few.
pub(super) fn table(visit: &Visit, refunds: &[Refund], of_many_orders: bool) -> Markup {
    html! {
        table.cards.list data-testid="refunds" {
            caption.unseen { (visit.say(words::REFUNDS)) }
            thead {
                tr {
                    th scope="col" { (visit.say(NUMBER)) }
                    th.number scope="col" { (visit.say(words::AMOUNT)) }
                    th scope="col" { (visit.say(words::STATUS)) }
                    th scope="col" { (visit.say(REASON)) }
                    @if of_many_orders { th scope="col" { (visit.say(words::ORDER)) } }
                    th scope="col" { (visit.say(words::CREATED_AT)) }
                }
            }
            tbody { @for refund in refunds { (row(visit, refund, of_many_orders)) } }
        }
    }
}

fn row(visit: &Visit, refund: &Refund, of_many_orders: bool) -> Markup {
    html! {
        tr {
            td.wide {
                span.mono { (refund.out_refund_no) }
                span.sub.mono { (refund.id) }
                @if let Some(reference) = &refund.reference { span.sub.mono { (reference) } }
            }
            td.number data-name=(visit.say(words::AMOUNT)) { (yuan(refund.amount)) }
            td data-name=(visit.say(words::STATUS)) {
                (refund_badge(visit, refund.state))
                @if let Some(problem) = &refund.problem { span.sub { (problem) } }
                @if let Some(account) = &refund.received_account { span.sub { (visit.say(TO)) " " (account) } }
            }
            td data-name=(visit.say(REASON)) { @if let Some(reason) = &refund.reason { (reason) } }
            @if of_many_orders {
                td data-name=(visit.say(words::ORDER)) { (order_link(&refund.order_id)) }
            }
            td data-name=(visit.say(words::CREATED_AT)) {
                (time(refund.created_at))
                @if let Some(at) = refund.succeeded_at { span.sub { (visit.say(ARRIVED)) " " (time(at)) } }
            }
        }
    }
}

/// The refunds on one page.
const SHOWN: i64 = 25;

const NUMBER: Say = say("退款单号", "Refund number");
const REASON: Say = say("原因", "Reason");
const TO: Say = say("退到", "to");
const ARRIVED: Say = say("到账", "arrived");
const OLDER: Say = say("更早的退款", "Older refunds");
const NONE: Say = say("还没有退款", "No refunds yet");
const NONE_SUCH: Say = say("没有这样的退款", "There are no such refunds");
const NONE_HELP: Say = say(
    "在订单页上退款，或让商户系统调用 POST /v1/orders/{id}/refunds。",
    "Refund on the page of an order, or call POST /v1/orders/{id}/refunds from the merchant's system.",
);
