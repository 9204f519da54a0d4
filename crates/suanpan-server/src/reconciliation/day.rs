//! A day of one account: where its reconciliation stands, and what both sides come to.

use std::fmt;
use std::str::FromStr;

use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;

use super::difference::{UnknownWord, words};

/// The reconciliation of one account's day. Times are unix microseconds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Day {
    /// Whose.
    pub mchid: MchId,
    /// Which day, in Beijing.
    pub day: BillDate,
    /// Where it stands.
    pub state: DayState,
    /// Why it does not get on, or what of it could not be compared.
    pub problem: Option<String>,
    /// The trade bill that was kept; `None`: nothing happened that day.
    pub trade_bill: Option<String>,
    /// The fund-flow bill that was kept.
    pub fund_bill: Option<String>,
    /// What we hold.
    pub ours: Ours,
    /// What the bills say.
    pub theirs: Purses,
    /// How many differences were found beyond those that are kept.
    pub more: i64,
    /// Numbers of ours that belong to the next day's bill, and lines of this one that belong to another day of ours.
    pub carried: Carried,
    /// How often it was compared.
    pub run: i64,
    /// When it was compared last.
    pub checked_at: Option<i64>,
}

/// Sums of ours; amounts in fen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ours {
    /// The payments.
    pub payments: i64,
    /// What was paid.
    pub paid: i64,
    /// The refunds.
    pub refunds: i64,
    /// What goes back.
    pub refunded: i64,
}

/// Sums of WeChat's; amounts in fen, the fee in hundred-thousandths of a yuan.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Purses {
    /// The payments.
    pub payments: i64,
    /// What was paid.
    pub paid: i64,
    /// The refunds.
    pub refunds: i64,
    /// What goes back.
    pub refunded: i64,
    /// What WeChat took.
    pub fee: i64,
    /// What came into the purse, by the fund-flow bill.
    pub came_in: i64,
    /// What went out of it.
    pub went_out: i64,
}

/// What the reconciliation of one day leaves to those of its neighbours; each number with `p:` or `r:` before it.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Carried {
    /// Of ours, of the last minutes, and not in this bill: they are looked for in the next one.
    pub late: Vec<String>,
    /// In this bill, and of another day of ours: they are not missed there.
    pub elsewhere: Vec<String>,
}

words! {
    /// Where the reconciliation of a day stands.
    DayState {
        /// WeChat has not made the bill, or could not be asked: it is asked again.
        Waiting = "waiting",
        /// It could not be had in all its tries: a person has to look.
        Failed = "failed",
        /// It was compared.
        Done = "done",
    }
}
