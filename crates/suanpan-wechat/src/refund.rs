//! What WeChat says of one refund, whichever API says it.

use std::fmt;

use crate::{Fen, MchId, OutRefundNo, OutTradeNo, RefundId, TransactionId};

/// One refund as WeChat tells it: the answer to a call or a query, or the inside of a notification.
///
/// It is told by WeChat, and no more: whether it fits a refund of ours (numbers
/// and amounts) is the receiver's to compare.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refund {
    /// The number that it was asked for under.
    pub out_refund_no: OutRefundNo,
    /// WeChat's number.
    pub refund_id: RefundId,
    /// The order's number.
    pub out_trade_no: OutTradeNo,
    /// WeChat's number of the payment.
    pub transaction_id: TransactionId,
    /// Where it stands.
    pub status: RefundStatus,
    /// The order's amount.
    pub total: Fen,
    /// What goes back.
    pub refund: Fen,
    /// `CNY` where WeChat says nothing.
    pub currency: String,
    /// When the payer had it back, unix seconds; with [`RefundStatus::Success`] only.
    pub success_time: Option<i64>,
    /// Where it went, such as `支付用户零钱`; for people.
    pub received_account: Option<String>,
    /// Partner mode: whose money it is. The answers of APIv3 leave it out; its notifications name it.
    pub sub_mchid: Option<MchId>,
}

/// Where a refund stands at WeChat: `status`, `refund_status` or `refund_status_0`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RefundStatus {
    /// Accepted, and the money is on its way.
    Processing,
    /// The payer has it back.
    Success,
    /// It came to nothing; another try needs another number.
    Closed,
    /// The bank would not take it: a person has to name another account. Not final.
    Abnormal,
    /// A word that this version does not know: pending, never failed.
    Other(String),
}

impl RefundStatus {
    /// Reads the word of either API.
    pub fn parse(word: &str) -> Self {
        match word {
            "PROCESSING" => Self::Processing,
            "SUCCESS" => Self::Success,
            // APIv2 spells two of them otherwise.
            "CLOSED" | "REFUNDCLOSE" => Self::Closed,
            "ABNORMAL" | "CHANGE" => Self::Abnormal,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The word of APIv3.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Closed => "CLOSED",
            Self::Abnormal => "ABNORMAL",
            Self::Other(word) => word,
        }
    }

    /// The word of APIv2.
    pub fn as_v2_str(&self) -> &str {
        match self {
            Self::Closed => "REFUNDCLOSE",
            Self::Abnormal => "CHANGE",
            Self::Processing | Self::Success | Self::Other(_) => self.as_str(),
        }
    }
}

impl fmt::Display for RefundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_apis_mean_the_same_by_other_words() {
        use RefundStatus::{Abnormal, Closed, Other, Processing, Success};
        for status in [Processing, Success, Closed, Abnormal, Other("NEW".to_owned())] {
            assert_eq!(RefundStatus::parse(status.as_str()), status);
            assert_eq!(RefundStatus::parse(status.as_v2_str()), status);
        }
        assert_eq!((Closed.as_v2_str(), Abnormal.as_v2_str()), ("REFUNDCLOSE", "CHANGE"));
    }
}
