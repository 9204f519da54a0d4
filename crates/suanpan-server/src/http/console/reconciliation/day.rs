//! A day: what both sides come to, and each difference. It can be compared again, and its bills taken away.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;

use super::super::links::{query_value, with_query};
use super::super::notice::{Notice, done};
use super::super::operator::Operator;
use super::super::page::{Frame, Visit, page};
use super::super::parts::{order_link, time};
use super::super::posted::Posted;
use super::super::trouble::Trouble;
use super::super::words::{self as common};
use super::{PATH, day_path, difference_path, fee, money, read_day, standing, state_badge, words};
use crate::Error;
use crate::people::Right;
use crate::reconciliation::{Day, Difference, DifferenceState};
use crate::repair::reconcile::{ask_again, kept};
use crate::store::{BillKind, DifferenceFilter};
use crate::world::World;

/// `GET /console/reconciliation/{date}`: of all accounts, or of `?account=`.
pub(in super::super) async fn day(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(date): Path<String>,
) -> Result<Response, Trouble> {
    let day = read_day(&date)?;
    let wanted = query_value(visit.here(), "account").filter(|account| !account.is_empty());
    let after = query_value(visit.here(), "after");
    let after = after.as_deref().and_then(|after| after.split_once(' '));
    let mut accounts = Vec::new();
    for (mchid, name) in &world.merchants() {
        if wanted.as_deref().is_none_or(|wanted| wanted == mchid.as_str()) {
            accounts.push(look(&world, mchid, name, day, after).await?);
        }
    }
    if accounts.is_empty() {
        return Err(Error::NotFound { what: "merchant account" }.into());
    }
    let month = date.get(..7).unwrap_or_default();
    let body = html! {
        div.page-head {
            h1 { (visit.say(words::TITLE)) " " span.mono { (day) } }
            nav.days aria-label=(visit.say(words::DAYS)) {
                a.button href=(with_query(PATH, &[("month", Some(month))])) { (visit.say(words::CALENDAR)) }
                @if let Some(before) = day.yesterday() {
                    a.button href=(of_account(before, wanted.as_deref())) { "← " (before) }
                }
                @if let Some(next) = day.tomorrow() {
                    a.button href=(of_account(next, wanted.as_deref())) { (next) " →" }
                }
            }
        }
        @for account in &accounts { (account.section(&visit, &operator, day)) }
    };
    Ok(page(&visit, Frame::Inside, visit.say(words::TITLE), &body).into_response())
}

/// A day of one account.
struct Account {
    mchid: MchId,
    name: String,
    day: Option<Day>,
    open: i64,
    differences: Vec<Difference>,
    more: bool,
}

async fn look(
    world: &World,
    mchid: &MchId,
    name: &str,
    day: BillDate,
    after: Option<(&str, &str)>,
) -> Result<Account, Error> {
    let after = after.map(|(kind, subject)| (kind.to_owned(), subject.to_owned()));
    let limit = SHOWN.saturating_add(1);
    let filter = DifferenceFilter { mchid: mchid.clone(), day, after, limit };
    let found = world.store.look(filter, |tx, filter| {
        Box::pin(async move {
            let day = tx.reconciliation(&filter.mchid, filter.day).await?;
            let counts = tx.difference_counts(filter.day, filter.day).await?;
            Ok((day, counts, tx.differences(filter).await?))
        })
    });
    let (day, counts, mut differences) = found.await?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = shown < differences.len();
    differences.truncate(shown);
    let open = counts
        .iter()
        .find(|one| one.mchid == *mchid && one.state == DifferenceState::Open)
        .map_or(0, |one| one.count);
    Ok(Account { mchid: mchid.clone(), name: name.to_owned(), day, open, differences, more })
}

impl Account {
    fn section(&self, visit: &Visit, operator: &Operator, day: BillDate) -> Markup {
        let known = self.day.as_ref();
        html! {
            section.panel data-testid={ "day-" (self.mchid) } aria-labelledby={ "h-" (self.mchid) } {
                h2 #{ "h-" (self.mchid) } {
                    (self.name) " " span.mono.sub { (self.mchid) } " " (standing(visit, known, self.open))
                }
                @if let Some(problem) = known.and_then(|day| day.problem.as_deref()) {
                    p.alarm { (problem) }
                }
                @match known {
                    None => p.hint { (visit.say(words::NOT_COMPARED_HELP)) },
                    Some(day) => (sums(visit, day)),
                }
                (self.acts(visit, operator, day))
                @if !self.differences.is_empty() {
                    (list(visit, &self.differences))
                    @if self.more { (self.next(visit, day)) }
                }
                @if let Some(more) = known.map(|day| day.more).filter(|more| *more != 0) {
                    p.alarm { (visit.say(words::NOT_LISTED)) " " (more) }
                }
            }
        }
    }

    fn next(&self, visit: &Visit, day: BillDate) -> Markup {
        let last = self.differences.last();
        let last = last.map(|last| format!("{} {}", last.found.kind, last.found.subject));
        let query = [("account", Some(self.mchid.as_str())), ("after", last.as_deref())];
        html! {
            nav.pages aria-label=(visit.say(common::PAGES_OF_LIST)) {
                a.button.next rel="next" href=(with_query(&day_path(day), &query)) {
                    (visit.say(words::MORE)) " →"
                }
            }
        }
    }

    fn acts(&self, visit: &Visit, operator: &Operator, day: BillDate) -> Markup {
        let path = day_path(day);
        let bills = self.day.iter().flat_map(|day| {
            let trade = day.trade_bill.as_ref().map(|_| BillKind::Trade);
            trade.into_iter().chain(day.fund_bill.as_ref().map(|_| BillKind::FundFlow))
        });
        html! {
            div.acts {
                @if operator.role.may(Right::Reconcile) {
                    form method="post" action={ (path) "/again" } {
                        input type="hidden" name="account" value=(self.mchid);
                        button.button type="submit" { (visit.say(words::AGAIN)) }
                    }
                }
                @if operator.role.may(Right::Export) {
                    @for kind in bills {
                        form method="post" action={ (path) "/bill" } {
                            input type="hidden" name="account" value=(self.mchid);
                            input type="hidden" name="kind" value=(kind.as_str());
                            button.button type="submit" { (visit.say(words::take(kind))) }
                        }
                    }
                }
            }
        }
    }
}

/// Both sides beside each other.
fn sums(visit: &Visit, day: &Day) -> Markup {
    let (theirs, ours) = (day.theirs, day.ours);
    let side = |name: words::Side, counted: [i64; 4], fee_of: Option<i64>| {
        let [payments, paid, refunds, refunded] = counted;
        html! {
            tr {
                th scope="row" { (visit.say(name)) }
                td.number data-name=(visit.say(words::PAID)) { (money(paid)) span.sub { (payments) " " (visit.say(words::COUNT)) } }
                td.number data-name=(visit.say(words::REFUNDED)) { (money(refunded)) span.sub { (refunds) " " (visit.say(words::COUNT)) } }
                td.number data-name=(visit.say(words::FEE)) { @if let Some(count) = fee_of { (fee(count)) } @else { "–" } }
            }
        }
    };
    html! {
        table.cards.list data-testid="sums" {
            caption.unseen { (visit.say(words::SUMS)) }
            thead {
                tr {
                    th scope="col" { (visit.say(words::SIDE)) }
                    th.number scope="col" { (visit.say(words::PAID)) }
                    th.number scope="col" { (visit.say(words::REFUNDED)) }
                    th.number scope="col" { (visit.say(words::FEE)) }
                }
            }
            tbody {
                (side(words::WECHAT, [theirs.payments, theirs.paid, theirs.refunds, theirs.refunded], Some(theirs.fee)))
                (side(words::OURS, [ours.payments, ours.paid, ours.refunds, ours.refunded], None))
            }
        }
        @if day.fund_bill.is_some() {
            p.hint {
                (visit.say(words::PURSE)) " " (visit.say(words::CAME_IN)) " " (money(theirs.came_in))
                " · " (visit.say(words::WENT_OUT)) " " (money(theirs.went_out))
            }
        }
        @if let Some(at) = day.checked_at {
            p.hint { (visit.say(words::COMPARED_AT)) " " (time(at)) }
        }
    }
}

fn list(visit: &Visit, differences: &[Difference]) -> Markup {
    html! {
        table.cards.list data-testid="differences" {
            caption { (visit.say(words::DIFFERENCES)) }
            thead {
                tr {
                    th scope="col" { (visit.say(words::WHAT)) }
                    th.number scope="col" { (visit.say(words::WECHAT)) }
                    th.number scope="col" { (visit.say(words::OURS)) }
                    th scope="col" { (visit.say(common::STATUS)) }
                    th scope="col" { (visit.say(common::ORDER)) }
                }
            }
            tbody {
                @for one in differences {
                    tr {
                        td.wide {
                            a href=(difference_path(&one.id)) { (visit.say(words::kind(one.found.kind))) }
                            span.sub.mono { (one.found.subject) }
                        }
                        td.number data-name=(visit.say(words::WECHAT)) { (amount(one, one.found.theirs)) }
                        td.number data-name=(visit.say(words::OURS)) { (amount(one, one.found.ours)) }
                        td data-name=(visit.say(common::STATUS)) {
                            (state_badge(visit, one.state))
                            @if let Some(note) = &one.note { span.sub { (note) } }
                        }
                        td data-name=(visit.say(common::ORDER)) {
                            @if let Some(Ok(order)) = one.found.order_id.as_ref().map(|id| id.parse()) { (order_link(&order)) }
                        }
                    }
                }
            }
        }
    }
}

/// One side of a difference; a dash where that side has nothing.
pub(super) fn amount(one: &Difference, side: Option<i64>) -> Markup {
    html! {
        @match side {
            None => span.soft { "–" },
            Some(count) if one.found.kind.counts_fees() => { (fee(count)) },
            Some(count) => { (money(count)) },
        }
    }
}

fn of_account(day: BillDate, account: Option<&str>) -> String {
    with_query(&day_path(day), &[("account", account)])
}

/// Which account is meant.
#[derive(Deserialize)]
pub(in super::super) struct Again {
    account: String,
}

/// `POST /console/reconciliation/{date}/again`: the day is compared once more, as soon as this is stored.
pub(in super::super) async fn again(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(date): Path<String>,
    Posted(Again { account }): Posted<Again>,
) -> Result<Response, Trouble> {
    operator.may(Right::Reconcile)?;
    let (day, mchid) = (read_day(&date)?, configured(&world, &account)?);
    let entry = operator.entry("reconciliation.again", format!("{mchid} {day}"));
    let unit = (mchid, day, entry, world.now());
    let asked = world.store.write(unit, |tx, (mchid, day, entry, now)| {
        Box::pin(async move {
            tx.audit(entry, *now).await?;
            ask_again(tx, mchid, *day, *now).await
        })
    });
    asked.await?;
    Ok(done(&day_path(day), Notice::Comparing))
}

/// Which bill is meant.
#[derive(Deserialize)]
pub(in super::super) struct Taken {
    account: String,
    kind: String,
}

/// `POST /console/reconciliation/{date}/bill`: the bill as it came; who took it is in the audit log.
pub(in super::super) async fn bill(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(date): Path<String>,
    Posted(Taken { account, kind }): Posted<Taken>,
) -> Result<Response, Trouble> {
    operator.may(Right::Export)?;
    let (day, mchid) = (read_day(&date)?, configured(&world, &account)?);
    let kinds = [BillKind::Trade, BillKind::FundFlow];
    let kind = kinds.into_iter().find(|known| known.as_str() == kind);
    let kind = kind.ok_or(Error::NotFound { what: "bill" })?;
    let found = kept(&world, &mchid, day, kind).await?;
    let (bill, bytes) = found.ok_or(Error::NotFound { what: "bill" })?;
    let entry = operator.entry("bill.export", bill.id);
    let noted = world.store.write((entry, world.now()), |tx, (entry, now)| {
        Box::pin(async move { tx.audit(entry, *now).await })
    });
    noted.await?;
    let packed = bytes.starts_with(&[0x1f, 0x8b]);
    let (ending, kind_of_file) =
        if packed { ("csv.gz", "application/gzip") } else { ("csv", "text/csv; charset=utf-8") };
    let name = format!("{mchid}-{day}-{}.{ending}", kind.as_str());
    let headers = [
        (header::CONTENT_TYPE, kind_of_file.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, bytes).into_response())
}

/// An account that is ours.
fn configured(world: &World, account: &str) -> Result<MchId, Error> {
    let found = world.merchants().into_iter().find(|(mchid, _)| mchid.as_str() == account);
    found.map(|(mchid, _)| mchid).ok_or(Error::NotFound { what: "merchant account" })
}

/// The differences of an account on one page.
const SHOWN: i64 = 100;
