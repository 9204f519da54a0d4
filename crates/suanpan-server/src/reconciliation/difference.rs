//! A difference: what the bill says, what we hold, and what people made of it.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};
use suanpan_wechat::MchId;
use suanpan_wechat::bill::{BillDate, Fee};

/// A difference, as it is kept. Times are unix microseconds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// Its id, `dif_…`.
    pub id: String,
    /// Whose bill.
    pub mchid: MchId,
    /// Of which day.
    pub day: BillDate,
    /// What differs, and with what.
    pub found: Found,
    /// What was made of it.
    pub state: DifferenceState,
    /// What a person wrote about it.
    pub note: Option<String>,
    /// Who moved it last, for people; `None`: nobody did, or Suanpan by itself.
    pub moved_by: Option<String>,
    /// When.
    pub moved_at: Option<i64>,
    /// When it was found first.
    pub found_at: i64,
    /// Since when it is no longer there.
    pub gone_at: Option<i64>,
    /// How often it changed.
    pub version: i64,
}

/// What differs. Two of the same account, day, kind and subject are the same difference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// In what way.
    pub kind: DifferenceKind,
    /// The number that it is about: an order's, a refund's, or of a whole bill its name.
    pub subject: String,
    /// Our order, where there is one.
    pub order_id: Option<String>,
    /// Our refund, where there is one.
    pub refund_id: Option<String>,
    /// What we hold, in fen; of a fee in hundred-thousandths of a yuan.
    pub ours: Option<i64>,
    /// What the bill says, in the same unit.
    pub theirs: Option<i64>,
    /// More of it: the line of the bill, and what happened. Without openids.
    pub detail: Map<String, Value>,
    /// Whether Suanpan has put it right already.
    pub repaired: bool,
}

impl Difference {
    /// One of its amounts for people: yuan.
    pub fn amount(&self, count: i64) -> String {
        let fee = if self.found.kind.counts_fees() { count } else { count.saturating_mul(1_000) };
        let yuan = Fee::new(fee).to_string();
        // Whole fen need no more than two digits.
        yuan.strip_suffix("000").unwrap_or(&yuan).to_owned()
    }
}

impl Found {
    /// A difference of this kind about this number.
    pub(crate) fn new(kind: DifferenceKind, subject: &str, detail: Value) -> Self {
        let detail = match detail {
            Value::Object(members) => members,
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)) => Map::from_iter([("why".to_owned(), other)]),
        };
        Self {
            kind,
            subject: subject.to_owned(),
            order_id: None,
            refund_id: None,
            ours: None,
            theirs: None,
            detail,
            repaired: false,
        }
    }

    /// A difference of this kind about a whole bill.
    pub(crate) fn of_a_bill(
        kind: DifferenceKind,
        ours: Option<i64>,
        theirs: Option<i64>,
        detail: Value,
    ) -> Self {
        Self { ours, theirs, ..Self::new(kind, kind.as_str(), detail) }
    }
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// All of them, in the order that people read them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or(UnknownWord)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(super) use words;

words! {
    /// In what way a bill and we differ.
    DifferenceKind {
        /// Paid there, and open here: repaired at once, where everything else of it fits.
        OpenHere = "open_here",
        /// Paid here, and not in the bill.
        MissingThere = "missing_there",
        /// Paid on both sides, and not the same amount.
        Amount = "amount",
        /// A payment in the bill that is none of ours.
        UnknownPayment = "unknown_payment",
        /// A refund of an order of ours in the bill that we did not ask for, or hold as come to nothing.
        RefundMissingHere = "refund_missing_here",
        /// WeChat took a refund of ours, and the bill has it not.
        RefundMissingThere = "refund_missing_there",
        /// A refund on both sides, and not of the same amount.
        RefundAmount = "refund_amount",
        /// A refund in the bill of a payment that is none of ours.
        UnknownRefund = "unknown_refund",
        /// A fee that is not what the bill's own rate makes of the amount.
        Fee = "fee",
        /// The trade bill and the fund-flow bill do not agree.
        FundFlow = "fund_flow",
        /// The bill's totals are not those of its lines.
        Totals = "totals",
        /// A line of the bill that cannot be read.
        Unreadable = "unreadable",
    }
}

words! {
    /// What was made of a difference.
    DifferenceState {
        /// Nobody has dealt with it.
        Open = "open",
        /// A person knows why, and that it is right so.
        Explained = "explained",
        /// It was put right, by Suanpan or by a person, or is no longer there.
        Repaired = "repaired",
    }
}

/// The text is not one of the words.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a word for this")]
pub struct UnknownWord;

impl DifferenceKind {
    /// Whether its amounts are fees, in hundred-thousandths of a yuan.
    pub const fn counts_fees(self) -> bool {
        match self {
            Self::Fee | Self::FundFlow => true,
            Self::OpenHere
            | Self::MissingThere
            | Self::Amount
            | Self::UnknownPayment
            | Self::RefundMissingHere
            | Self::RefundMissingThere
            | Self::RefundAmount
            | Self::UnknownRefund
            | Self::Totals
            | Self::Unreadable => false,
        }
    }
}
