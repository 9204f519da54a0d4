//! The list of refunds: newest first, narrowed by where they stand.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use suanpan_ledger::RefundState;

use super::super::paging::{cursor, read_cursor};
use super::days::{DAY, read_day};
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
    let narrow = Narrow { state, from: given("from"), to: given("to") };
    let from = given("cursor");
    let filter = RefundFilter {
        state,
        since: narrow.from.as_deref().map(|day| read_day("from", day)).transpose()?,
        before: before(&narrow, from.as_deref())?,
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
        (tabs(&visit, &narrow))
        (filters(&visit, &narrow))
        div data-live="refunds" {
            (request::waiting(&visit, &requests))
            @if refunds.is_empty() {
                section.empty data-testid="empty" {
                    h2 { (visit.say(if narrow == Narrow::default() { NONE } else { NONE_SUCH })) }
                    p { (visit.say(NONE_HELP)) }
                }
            } @else {
                (table(&visit, &refunds, true))
            }
            nav.pages aria-label=(visit.say(words::PAGES_OF_LIST)) {
                @if from.is_some() {
                    a.button href=(narrow.link(None)) { "← " (visit.say(words::NEWEST)) }
                }
                @if let Some(older) = &older {
                    a.button.next rel="next" href=(narrow.link(Some(older))) { (visit.say(OLDER)) " →" }
                }
            }
        }
    };
    Ok(page(&visit, Frame::Live, visit.say(words::REFUNDS), &list).into_response())
}

/// What the list is narrowed by; days in Beijing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Narrow {
    state: Option<RefundState>,
    from: Option<String>,
    to: Option<String>,
}

impl Narrow {
    fn link(&self, cursor: Option<&str>) -> String {
        let query = [
            ("state", self.state.map(RefundState::as_str)),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("cursor", cursor),
        ];
        with_query(links::REFUNDS, &query)
    }
}

/// Where the list begins: behind the page before, and not after the last day.
fn before(narrow: &Narrow, cursor: Option<&str>) -> Result<Option<(i64, String)>, Error> {
    let end = narrow.to.as_deref().map(|day| read_day("to", day)).transpose()?;
    let end = end.map(|start| (start.saturating_add(DAY), String::new()));
    let place = cursor.map(read_cursor).transpose()?;
    Ok([end, place].into_iter().flatten().min())
}

fn filters(visit: &Visit, narrow: &Narrow) -> Markup {
    html! {
        form.filters method="get" action=(links::REFUNDS) {
            @if let Some(state) = narrow.state { input type="hidden" name="state" value=(state.as_str()); }
            label { (visit.say(words::FROM)) input type="date" name="from" value=(narrow.from.as_deref().unwrap_or_default()); }
            label { (visit.say(words::TO)) input type="date" name="to" value=(narrow.to.as_deref().unwrap_or_default()); }
            button.button type="submit" { (visit.say(words::FILTER)) }
        }
    }
}

fn tabs(visit: &Visit, narrow: &Narrow) -> Markup {
    html! {
        nav.tabs aria-label=(visit.say(words::STATUS_FILTER)) {
            @for one in [None].into_iter().chain(RefundState::ALL.map(Some)) {
                @let there = Narrow { state: one, ..narrow.clone() };
                a href=(there.link(None)) aria-current=[(one == narrow.state).then_some("page")] {
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
