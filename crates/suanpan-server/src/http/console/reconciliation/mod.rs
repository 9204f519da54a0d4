//! Reconciliation for people of money: a calendar of days, a day, a difference.

mod calendar;
mod day;
mod difference;
mod words;

use maud::Markup;
use suanpan_wechat::Fen;
use suanpan_wechat::bill::{BillDate, Fee};

use super::links::RECONCILIATION;
use super::page::Visit;
use super::parts::{BANG, CHECK, CLOCK, CROSS, DASH, badge, yuan};
use super::trouble::Trouble;
use crate::Error;
use crate::reconciliation::{Day, DayState, DifferenceState};

pub(super) use calendar::calendar;
pub(super) use day::{again, bill, day};
pub(super) use difference::{difference, explain};

/// How a day stands, with how many of its differences nobody has dealt with.
fn standing(visit: &Visit, day: Option<&Day>, open: i64) -> Markup {
    let (tone, shape, word) = match day.map(|day| day.state) {
        None => ("idle", DASH, words::NOT_COMPARED),
        Some(DayState::Waiting) => ("wait", CLOCK, words::WAITING),
        Some(DayState::Failed) => ("bad", CROSS, words::FAILED),
        Some(DayState::Done) if open != 0 || day.is_some_and(|day| day.more != 0) => {
            return badge("bad", BANG, &format!("{} {open}", visit.say(words::DIFFERENT)));
        }
        Some(DayState::Done) => ("good", CHECK, words::BALANCED),
    };
    badge(tone, shape, visit.say(word))
}

/// What people made of a difference.
fn state_badge(visit: &Visit, state: DifferenceState) -> Markup {
    let (tone, shape) = match state {
        DifferenceState::Open => ("bad", BANG),
        DifferenceState::Explained => ("idle", DASH),
        DifferenceState::Repaired => ("good", CHECK),
    };
    badge(tone, shape, visit.say(words::state(state)))
}

/// An amount of fen.
fn money(fen: i64) -> Markup {
    yuan(Fen::new(fen).unwrap_or_default())
}

/// A fee, whose last digits are finer than fen where it is not whole.
fn fee(count: i64) -> String {
    let text = Fee::new(count).to_string();
    format!("¥{}", text.strip_suffix("000").unwrap_or(&text))
}

/// The day of an address.
fn read_day(text: &str) -> Result<BillDate, Trouble> {
    text.parse().map_err(|_| Trouble::from(Error::NotFound { what: "day" }))
}

/// Where the pages are.
const PATH: &str = RECONCILIATION;

/// The page of a day.
fn day_path(day: BillDate) -> String {
    format!("{PATH}/{day}")
}

/// The page of a difference.
fn difference_path(id: &str) -> String {
    format!("{PATH}/differences/{id}")
}
