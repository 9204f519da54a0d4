//! What WeChat says of one payment, whichever API says it.

use std::fmt;

use crate::{AppId, Fen, MchId, OpenId, OutTradeNo, TransactionId};

/// One payment as WeChat tells it, in a notification or as the answer to a query.
///
/// It is told by WeChat, and no more: whether it fits an order of ours (merchant,
/// app, number, currency, amount) is the receiver's to compare.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payment {
    /// The mini program that the order was placed for; in partner mode an app of the partner.
    pub appid: AppId,
    /// The merchant that gets the money; in partner mode the partner.
    pub mchid: MchId,
    /// Partner mode: the sub-merchant that gets the money.
    pub sub_mchid: Option<MchId>,
    /// Partner mode: the sub-merchant's own mini program, where the order was placed for it.
    pub sub_appid: Option<AppId>,
    /// The number that the order was placed under.
    pub out_trade_no: OutTradeNo,
    /// Where it stands.
    pub state: TradeState,
    /// WeChat's number; absent while nothing is paid.
    pub transaction_id: Option<TransactionId>,
    /// The payer; absent while nothing is paid.
    pub openid: Option<OpenId>,
    /// The order's amount; APIv2 leaves it out while nothing is paid.
    pub total: Option<Fen>,
    /// `CNY` where WeChat says nothing.
    pub currency: String,
    /// When it was paid, unix seconds.
    pub success_time: Option<i64>,
    /// The payer's bank, such as `CMB_DEBIT`, or `OTHERS`.
    pub bank_type: Option<String>,
    /// What the order carried along.
    pub attach: Option<String>,
}

/// Where a payment stands at WeChat (`trade_state`).
///
/// [`Self::Refund`] means that it *was* paid: it follows [`Self::Success`] with
/// the first refund, also a partial one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TradeState {
    /// Paid.
    Success,
    /// Paid, and some or all of it went back.
    Refund,
    /// Not paid yet.
    NotPay,
    /// Closed without payment; final.
    Closed,
    /// Taken back (code payment only).
    Revoked,
    /// The payer types the password (code payment only).
    UserPaying,
    /// The bank said no (code payment only).
    PayError,
    /// Accepted, the money has yet to move.
    Accept,
    /// A state that this version does not know: pending, never failed.
    Other(String),
}

impl TradeState {
    /// Reads WeChat's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "SUCCESS" => Self::Success,
            "REFUND" => Self::Refund,
            "NOTPAY" => Self::NotPay,
            "CLOSED" => Self::Closed,
            "REVOKED" => Self::Revoked,
            "USERPAYING" => Self::UserPaying,
            "PAYERROR" => Self::PayError,
            "ACCEPT" => Self::Accept,
            other => Self::Other(other.to_owned()),
        }
    }

    /// WeChat's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Success => "SUCCESS",
            Self::Refund => "REFUND",
            Self::NotPay => "NOTPAY",
            Self::Closed => "CLOSED",
            Self::Revoked => "REVOKED",
            Self::UserPaying => "USERPAYING",
            Self::PayError => "PAYERROR",
            Self::Accept => "ACCEPT",
            Self::Other(word) => word,
        }
    }

    /// Whether the payer's money moved to the merchant, even if some went back.
    pub const fn is_paid(&self) -> bool {
        match self {
            Self::Success | Self::Refund => true,
            Self::NotPay
            | Self::Closed
            | Self::Revoked
            | Self::UserPaying
            | Self::PayError
            | Self::Accept
            | Self::Other(_) => false,
        }
    }
}

impl fmt::Display for TradeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
