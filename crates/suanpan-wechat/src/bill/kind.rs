//! Which bill is meant.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

/// A day in Beijing: bills are made from midnight to midnight, UTC+8.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BillDate(Date);

impl BillDate {
    /// The day in Beijing that holds this moment, in unix seconds. `None`: no calendar holds it.
    pub fn of(unix: i64) -> Option<Self> {
        crate::time::beijing_date(unix).map(Self)
    }

    /// The day before. `None` where the calendar begins.
    pub fn yesterday(self) -> Option<Self> {
        self.0.yesterday().ok().map(Self)
    }

    /// The day after. `None` where the calendar ends.
    pub fn tomorrow(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }

    /// Its first second, in unix seconds. The day ends where the next one starts.
    pub fn start(self) -> i64 {
        crate::time::beijing_midnight(self.0)
    }

    /// As APIv2 writes it: `20261123`.
    pub fn compact(self) -> String {
        self.0.strftime("%Y%m%d").to_string()
    }
}

/// `2026-11-23`, as APIv3 writes it.
impl fmt::Display for BillDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BillDate {
    type Err = crate::Error;

    /// Reads `2026-11-23`, and nothing else.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let date = Date::strptime("%Y-%m-%d", text).ok().filter(|_| text.len() == 10);
        date.map(Self).ok_or_else(|| crate::Error::holds("date", "bill_date", text))
    }
}

/// Which rows of the trade bill are wanted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BillType {
    /// Payments and refunds.
    #[default]
    All,
    /// Payments that are not refunded.
    Success,
    /// Refunds.
    Refund,
}

impl BillType {
    /// WeChat's word, the same in both APIs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Success => "SUCCESS",
            Self::Refund => "REFUND",
        }
    }
}

/// Which of the merchant's purses a fund-flow bill is of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AccountType {
    /// What payers paid.
    #[default]
    Basic,
    /// What the merchant put in for its business.
    Operation,
    /// What WeChat took for its work.
    Fees,
}

impl AccountType {
    /// APIv3's word.
    pub const fn v3(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::Operation => "OPERATION",
            Self::Fees => "FEES",
        }
    }

    /// APIv2's word.
    pub const fn v2(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Operation => "Operation",
            Self::Fees => "Fees",
        }
    }
}
