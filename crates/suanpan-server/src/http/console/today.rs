//! Today: how the business goes, and what wants a person.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use suanpan_wechat::{Fen, MchId};

use super::days::{DAY, HOUR, day_start, read_day, write_day};
use super::links::{self, query_value, with_query};
use super::page::{Frame, Visit, page};
use super::parts::{address, section, span, yuan};
use super::trouble::Trouble;
use super::words::{self, Say, say};
use super::{chart, live};
use crate::keys;
use crate::store::{Endpoint, Hour, Line, Steps, StoreError, Tx, Waits};
use crate::world::World;

/// What the page tells, at one moment.
struct Today {
    paid: Vec<Hour>,
    refunded: Vec<Hour>,
    /// All that was paid the day before.
    before: (i64, i64),
    steps: Steps,
    waits: Waits,
    /// Endpoints that do not take what they are told: how much was given up, and how much is tried again.
    failing: Vec<(Endpoint, i64, i64)>,
    /// Refunds that wait for a second person.
    requests: usize,
    /// Differences between our book and WeChat's bills.
    differences: i64,
    lines: Vec<Line>,
}

/// Which day, and which accounts.
struct Asked {
    merchants: Vec<MchId>,
    start: i64,
    now: i64,
}

/// The page of today, or with `?date=` of another day.
pub(super) async fn today(world: &World, visit: &Visit) -> Result<Response, Trouble> {
    let now = world.now();
    let asked_day = query_value(visit.here(), "date").filter(|text| !text.is_empty());
    let start = asked_day.map_or(Ok(day_start(now)), |text| read_day("date", &text))?;
    let merchants = world.accounts().iter().map(|account| account.mchid.clone()).collect();
    let asked = Asked { merchants, start, now };
    let today =
        world.store.look(asked, |tx, asked| Box::pin(async move { Today::read(tx, asked).await }));
    let body = body(world, visit, start, &today.await?);
    let is_today = start == day_start(now);
    let frame = if is_today { Frame::Live } else { Frame::Inside };
    Ok(page(visit, frame, visit.say(words::TODAY), &body).into_response())
}

impl Today {
    async fn read(tx: &mut Tx, asked: &Asked) -> Result<Self, StoreError> {
        let day = (asked.start, asked.start.saturating_add(DAY));
        let yesterday = (asked.start.saturating_sub(DAY), asked.start);
        let (mut paid, mut refunded, mut before) = (Vec::new(), Vec::new(), Vec::new());
        for mchid in &asked.merchants {
            add(&mut paid, tx.paid_by_hour(mchid, day).await?);
            add(&mut refunded, tx.refunded_by_hour(mchid, day).await?);
            add(&mut before, tx.paid_by_hour(mchid, yesterday).await?);
        }
        let mut failing = Vec::new();
        for endpoint in tx.endpoints().await? {
            let (given_up, again) = tx.undelivered(&endpoint.id).await?;
            if (given_up, again) != (0, 0) || endpoint.disabled.is_some() {
                failing.push((endpoint, given_up, again));
            }
        }
        Ok(Self {
            before: total(&before),
            paid,
            refunded,
            steps: tx.steps(day.0, day.1).await?,
            waits: tx
                .waits(
                    &asked.merchants,
                    asked.now,
                    asked.now.saturating_sub(UNMATCHED_FOR),
                    asked.now.saturating_add(DAY),
                )
                .await?,
            failing,
            requests: tx.refund_requests_waiting(MOST).await?.len(),
            differences: tx.differences_open().await?,
            lines: tx.journal_latest(LINES).await?,
        })
    }
}

/// Adds the hours of another account.
fn add(hours: &mut Vec<Hour>, more: Vec<Hour>) {
    for hour in more {
        match hours.iter_mut().find(|known| known.at == hour.at) {
            Some(known) => {
                known.count = known.count.saturating_add(hour.count);
                known.sum = known.sum.saturating_add(hour.sum);
            }
            None => hours.push(hour),
        }
    }
}

/// How many, and how much.
fn total(hours: &[Hour]) -> (i64, i64) {
    hours.iter().fold((0, 0), |(count, sum), hour| {
        (count.saturating_add(hour.count), sum.saturating_add(hour.sum))
    })
}

fn body(world: &World, visit: &Visit, start: i64, today: &Today) -> Markup {
    let is_today = start == day_start(world.now());
    html! {
        div.page-head {
            h1 {
                @if is_today { (visit.say(words::TODAY)) " " }
                span.soft { (write_day(start)) }
            }
            (other_days(visit, start, is_today))
        }
        div data-live="today" {
            (sums(visit, today))
            div.columns {
                div {
                    (section(visit, BY_HOUR, "hours", &chart::day(visit, start, &today.paid, &today.refunded)))
                    (section(visit, LATEST, "latest", &latest(visit, today)))
                }
                div {
                    (section(visit, ALARMS, "alarms", &alarms(world, visit, today)))
                    (section(visit, STEPS, "steps", &steps(visit, start, today.steps)))
                }
            }
        }
    }
}

fn other_days(visit: &Visit, start: i64, is_today: bool) -> Markup {
    let day = |start| with_query(links::HOME, &[("date", Some(&write_day(start)))]);
    html! {
        nav.days aria-label=(visit.say(OTHER_DAYS)) {
            a.button href=(day(start.saturating_sub(DAY))) { "← " (visit.say(DAY_BEFORE)) }
            @if !is_today {
                a.button href=(day(start.saturating_add(DAY))) { (visit.say(DAY_AFTER)) " →" }
                a.button href=(links::HOME) { (visit.say(words::TODAY)) }
            }
        }
    }
}

fn sums(visit: &Visit, today: &Today) -> Markup {
    let (paid, refunded) = (total(&today.paid), total(&today.refunded));
    let rate = percent(today.steps.paid, today.steps.tried);
    html! {
        dl.sums {
            (sum(visit, MONEY_IN, &money(paid.1), &counted(visit, PAYMENTS, paid.0)))
            (sum(visit, MONEY_BACK, &money(refunded.1), &counted(visit, REFUNDS, refunded.0)))
            (sum(visit, SUCCESS, &html! { (rate) }, &html! { (visit.say(OF_TRIED)) }))
            (sum(visit, DAY_BEFORE, &money(today.before.1), &counted(visit, PAYMENTS, today.before.0)))
        }
    }
}

fn sum(visit: &Visit, name: Say, value: &Markup, note: &Markup) -> Markup {
    html! { div { dt { (visit.say(name)) } dd { (value) span.sub { (note) } } } }
}

fn money(fen: i64) -> Markup {
    yuan(Fen::new(fen).unwrap_or(Fen::ZERO))
}

fn counted(visit: &Visit, what: Say, count: i64) -> Markup {
    html! { (count) " " (visit.say(what)) }
}

/// `93 %`; rounded down, so that 100 means all.
fn percent(part: i64, whole: i64) -> String {
    let percent = part.saturating_mul(100).checked_div(whole);
    percent.map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"))
}

/// From an order to the money, with what is lost on the way.
fn steps(visit: &Visit, start: i64, steps: Steps) -> Markup {
    let orders = |status| {
        let (from, to) = (write_day(start), write_day(start));
        let query = [("status", status), ("from", Some(&*from)), ("to", Some(&*to))];
        with_query(links::ORDERS, &query)
    };
    html! {
        ol.steps {
            (step(visit, MADE, steps.made, steps.made, Some(&orders(None))))
            (step(visit, TRIED, steps.tried, steps.made, None))
            (step(visit, PAID, steps.paid, steps.made, Some(&orders(Some("paid")))))
        }
    }
}

fn step(visit: &Visit, name: Say, count: i64, of: i64, href: Option<&str>) -> Markup {
    html! {
        li {
            @match href {
                Some(href) => a href=(href) { (visit.say(name)) },
                None => span { (visit.say(name)) },
            }
            strong.number { (count) }
            meter min="0" max=(of.max(1)) value=(count) aria-label=(visit.say(name)) {}
            span.sub.number { (percent(count, of)) }
        }
    }
}

/// What a person has to look at, each with the way there.
fn alarms(world: &World, visit: &Visit, today: &Today) -> Markup {
    let keys: Vec<_> = keys::problems(world).into_iter().chain(keys::warnings(world)).collect();
    let waits = today.waits;
    let late =
        waits.oldest_due.map(|at| world.now().saturating_sub(at)).filter(|late| LATE < *late);
    let to_refunds = |state| with_query(links::REFUNDS, &[("state", Some(state))]);
    let quiet = keys.is_empty()
        && today.failing.is_empty()
        && late.is_none()
        && (today.requests, today.differences) == (0, 0)
        && [waits.abnormal, waits.refunds, waits.unmatched, waits.shipments] == [0; 4];
    html! {
        @if quiet { p.hint { (visit.say(ALL_WELL)) } }
        ul.alarms {
            @if waits.abnormal != 0 {
                li.bad { a href=(to_refunds("abnormal")) { (counted(visit, ABNORMAL, waits.abnormal)) } }
            }
            @if today.differences != 0 {
                li.bad { a href="/console/reconciliation" { (counted(visit, DIFFERENCES, today.differences)) } }
            }
            @if today.requests != 0 {
                li.wait { a href=(links::REFUNDS) { (today.requests) " " (visit.say(TO_APPROVE)) } }
            }
            @if waits.unmatched != 0 {
                li.bad { a href=(links::NOTIFICATIONS) { (counted(visit, UNMATCHED, waits.unmatched)) } }
            }
            @for problem in &keys {
                li.bad {
                    a href=(links::ACCOUNTS) { code { (problem.code) } " " span.mono { (problem.mchid) } }
                    span.sub { (problem.detail) }
                }
            }
            @for (endpoint, given_up, again) in &today.failing {
                li.bad {
                    a.url href=(links::endpoint(&endpoint.id)) { (address(&endpoint.url)) }
                    span.sub {
                        @if endpoint.disabled.is_some() { (visit.say(DISABLED)) }
                        @else if *given_up != 0 { (counted(visit, GIVEN_UP, *given_up)) }
                        @else { (counted(visit, TRIED_AGAIN, *again)) }
                    }
                }
            }
            @if let Some(late) = late {
                li.bad { (visit.say(BEHIND)) " " (span(visit, late)) }
            }
            @if waits.shipments != 0 {
                li.wait { a href=(links::SHIPPING) { (counted(visit, TO_SHIP, waits.shipments)) } }
            }
            @if waits.refunds != 0 {
                li.wait { a href=(to_refunds("processing")) { (counted(visit, UNDER_WAY, waits.refunds)) } }
            }
        }
    }
}

fn latest(visit: &Visit, today: &Today) -> Markup {
    html! {
        @if today.lines.is_empty() {
            p.hint { (visit.say(NOTHING)) }
        } @else {
            ol.lines { @for line in &today.lines { (live::line(visit, line)) } }
            p { a href=(links::LIVE) { (visit.say(MORE)) } }
        }
    }
}

/// How long a notification that fits nothing is shown: a month in microseconds.
const UNMATCHED_FOR: i64 = 30 * DAY;
/// Work that is due for longer than this is not being done.
const LATE: i64 = HOUR / 12;
/// More than that is not counted.
const MOST: i64 = 100;
const LINES: i64 = 12;

const OTHER_DAYS: Say = say("其他日子", "Other days");
const DAY_BEFORE: Say = say("前一天", "The day before");
const DAY_AFTER: Say = say("后一天", "The day after");
const BY_HOUR: Say = say("每小时", "By the hour");
const LATEST: Say = say("最近发生", "What happened last");
const MORE: Say = say("看实时记录", "See it live");
const NOTHING: Say = say("还没有发生什么。", "Nothing has happened yet.");
const ALARMS: Say = say("要你处理的事", "What wants a person");
const ALL_WELL: Say = say("没有。一切正常。", "Nothing. All is well.");
const STEPS: Say = say("当天下的订单", "The orders of this day");
const MADE: Say = say("下单", "Made");
const TRIED: Say = say("调起支付", "Payment sheet opened");
const PAID: Say = say("已支付", "Paid");
const MONEY_IN: Say = say("收款", "Money in");
const MONEY_BACK: Say = say("退款", "Money back");
const SUCCESS: Say = say("支付成功率", "Success rate");
const OF_TRIED: Say = say("占调起支付的订单", "of orders whose sheet was opened");
const PAYMENTS: Say = say("笔收款", "payments");
const REFUNDS: Say = say("笔退款", "refunds");
const DIFFERENCES: Say = say("处对账差异没有处理", "differences with WeChat's bills are open");
const TO_APPROVE: Say = say("笔退款等第二个人批准", "refunds wait for a second person");
const ABNORMAL: Say =
    say("笔退款异常，钱没有退到", "refunds are abnormal: the money did not arrive");
const UNMATCHED: Say = say("条微信通知对不上任何订单", "notifications from WeChat fit no order");
const DISABLED: Say = say("接收端已停用", "the endpoint is called no more");
const GIVEN_UP: Say = say("次投递已放弃", "deliveries were given up");
const TRIED_AGAIN: Say = say("次投递失败，正在重试", "deliveries failed and are tried again");
const BEHIND: Say = say("后台任务积压，最早的已等了", "work in the background is late by");
const TO_SHIP: Say = say(
    "笔订单要在 24 小时内告诉微信已发货",
    "orders: WeChat wants to hear of their goods within 24 hours",
);
const UNDER_WAY: Say = say("笔退款还没有结果", "refunds have no result yet");
