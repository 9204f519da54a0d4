//! The calendar: a month of each account, each day with how it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use maud::{Markup, html};
use suanpan_wechat::bill::BillDate;

use super::super::links::{query_value, with_query};
use super::super::operator::Operator;
use super::super::page::{Frame, Visit, page};
use super::super::parts::fact;
use super::super::trouble::Trouble;
use super::{PATH, day_path, fee, money, standing, words};
use crate::Error;
use crate::reconciliation::{Day, DifferenceState};
use crate::store::DifferenceCount;
use crate::world::World;

/// A month, and what was found in it.
struct Month {
    first: Date,
    days: BTreeMap<(String, String), Day>,
    open: BTreeMap<(String, String), i64>,
}

/// `GET /console/reconciliation?month=2026-01`
pub(in super::super) async fn calendar(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let today = BillDate::of(world.clock.now_seconds()).ok_or(Error::Broken)?.to_string();
    let wanted = query_value(visit.here(), "month").filter(|month| !month.is_empty());
    let month = wanted.as_deref().unwrap_or_else(|| today.get(..7).unwrap_or_default());
    let first: Date = format!("{month}-01")
        .parse()
        .map_err(|_| Error::field("month", "must be a month such as 2026-01"))?;
    let month = look(&world, first).await?;
    let earlier = first.yesterday().ok().map(|day| name(day.first_of_month()));
    let later = first.last_of_month().tomorrow().ok().map(name);
    let later = later.filter(|later| later.as_str() <= today.get(..7).unwrap_or_default());
    let link = |month: &str| with_query(PATH, &[("month", Some(month))]);
    let body = html! {
        div.page-head {
            h1 { (visit.say(words::TITLE)) " " span.mono { (name(first)) } }
            nav.days aria-label=(visit.say(words::MONTHS)) {
                @if let Some(earlier) = &earlier {
                    a.button href=(link(earlier)) { "← " (earlier) }
                }
                @if let Some(later) = &later {
                    a.button href=(link(later)) { (later) " →" }
                }
            }
        }
        p.hint { (visit.say(words::TITLE_HELP)) }
        @for (mchid, account) in &world.merchants() {
            (of_account(&visit, &month, mchid.as_str(), account, &today))
        }
    };
    Ok(page(&visit, Frame::Inside, visit.say(words::TITLE), &body).into_response())
}

async fn look(world: &World, first: Date) -> Result<Month, Error> {
    let read = |day: Date| day.to_string().parse::<BillDate>().map_err(|_| Error::Broken);
    let unit = (read(first)?, read(first.last_of_month())?);
    let found = world.store.look(unit, |tx, (first, last)| {
        Box::pin(async move {
            let days = tx.reconciliations(*first, *last).await?;
            Ok((days, tx.difference_counts(*first, *last).await?))
        })
    });
    let (days, counts) = found.await?;
    let of_day = |day: Day| ((day.mchid.to_string(), day.day.to_string()), day);
    let is_open = |count: &DifferenceCount| count.state == DifferenceState::Open;
    let open = counts.into_iter().filter(is_open);
    Ok(Month {
        first,
        days: days.into_iter().map(of_day).collect(),
        open: open.map(|one| ((one.mchid.to_string(), one.day.to_string()), one.count)).collect(),
    })
}

fn of_account(visit: &Visit, month: &Month, mchid: &str, account: &str, today: &str) -> Markup {
    let days: Vec<&Day> = month.days.values().filter(|day| day.mchid.as_str() == mchid).collect();
    let sum =
        |read: fn(&Day) -> i64| days.iter().map(|day| read(day)).fold(0_i64, i64::saturating_add);
    let content = html! {
        table.calendar {
            caption.unseen { (account) " " (mchid) " " (name(month.first)) }
            thead {
                tr { @for day in words::WEEKDAYS { th scope="col" { (visit.say(*day)) } } }
            }
            tbody { @for week in weeks(month.first) { (row(visit, month, mchid, &week, today)) } }
        }
        dl.facts.two {
            (fact(visit, words::PAID, &money(sum(|day| day.theirs.paid))))
            (fact(visit, words::REFUNDED, &money(sum(|day| day.theirs.refunded))))
            (fact(visit, words::FEE, &html! { (fee(sum(|day| day.theirs.fee))) }))
        }
    };
    let heading = html! {
        section.panel data-testid={ "calendar-" (mchid) } aria-labelledby={ "h-" (mchid) } {
            h2 #{ "h-" (mchid) } { (account) " " span.mono.sub { (mchid) } }
            (content)
        }
    };
    heading
}

fn row(visit: &Visit, month: &Month, mchid: &str, week: &[Option<Date>], today: &str) -> Markup {
    html! {
        tr {
            @for day in week {
                @match day {
                    None => td {},
                    Some(day) => {
                        @let date = day.to_string();
                        @let key = (mchid.to_owned(), date.clone());
                        @let known = month.days.get(&key);
                        @let open = month.open.get(&key).copied().unwrap_or_default();
                        td {
                            @if known.is_some() || date.as_str() < today {
                                a href=(link(&date, mchid)) {
                                    span.day-number { (day.day()) }
                                    (standing(visit, known, open))
                                }
                            } @else {
                                span.day-number { (day.day()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn link(date: &str, mchid: &str) -> String {
    let path = date.parse().map_or_else(|_| PATH.to_owned(), day_path);
    with_query(&path, &[("account", Some(mchid))])
}

/// The weeks of a month, Monday first; days of other months are left out.
fn weeks(first: Date) -> Vec<Vec<Option<Date>>> {
    let before = usize::try_from(first.weekday().to_monday_zero_offset()).unwrap_or_default();
    let days =
        first.series(jiff::Span::new().days(1)).take_while(|day| day.month() == first.month());
    let mut cells: Vec<Option<Date>> =
        std::iter::repeat_n(None, before).chain(days.map(Some)).collect();
    let rest = cells.len().next_multiple_of(7).saturating_sub(cells.len());
    cells.extend(std::iter::repeat_n(None, rest));
    cells.chunks(7).map(<[_]>::to_vec).collect()
}

/// `2026-01`
fn name(day: Date) -> String {
    day.strftime("%Y-%m").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_whole_weeks_from_monday() {
        // The first of January 2026 is a Thursday.
        let weeks = weeks("2026-01-01".parse().unwrap());
        assert_eq!(weeks.len(), 5);
        assert!(weeks.iter().all(|week| week.len() == 7));
        assert_eq!(weeks[0].iter().filter(|day| day.is_none()).count(), 3);
        assert_eq!(weeks.concat().into_iter().flatten().count(), 31);
    }
}
