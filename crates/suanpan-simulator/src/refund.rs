//! Money that goes back, as WeChat's side knows it.
//!
//! A refund is decided when it is taken: how it ends, and when. Until then it is
//! told as PROCESSING. `POST /_sim/refunds` decides otherwise.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use suanpan_wechat::{
    AppId, Fen, MchId, OutRefundNo, OutTradeNo, Refund as Fact, RefundId, RefundStatus,
    TransactionId,
};

use crate::credentials::Api;

/// Whose refund: merchant and number. APIv2 and APIv3 share one book.
pub(crate) type RefundKey = (MchId, OutRefundNo);

/// A refund.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Refund {
    pub(crate) refund_id: RefundId,
    pub(crate) mchid: MchId,
    /// Partner mode: whose money it is.
    #[serde(default)]
    pub(crate) sub_mchid: Option<MchId>,
    pub(crate) appid: AppId,
    pub(crate) out_refund_no: OutRefundNo,
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) transaction_id: TransactionId,
    /// Which API asked for it: the notification speaks the same.
    pub(crate) api: Api,
    /// What was asked, to compare with when it is asked again.
    pub(crate) request: Value,
    pub(crate) total: Fen,
    pub(crate) amount: Fen,
    pub(crate) reason: Option<String>,
    pub(crate) notify_url: Option<String>,
    /// Unix seconds, as all times here.
    pub(crate) created_at: i64,
    pub(crate) ends: End,
    /// When it ends; never, where it is none.
    pub(crate) ends_at: Option<i64>,
}

/// How a refund ends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum End {
    Success,
    Closed,
    Abnormal,
    /// It stays PROCESSING.
    Never,
}

impl Refund {
    /// Its place in the book.
    pub(crate) fn key(&self) -> RefundKey {
        (self.mchid.clone(), self.out_refund_no.clone())
    }

    /// Whether its order was placed for this sub-merchant, or for nobody else.
    pub(crate) fn is_for(&self, sub_mchid: Option<&str>) -> bool {
        self.sub_mchid.as_ref().map(MchId::as_str) == sub_mchid
    }

    /// Where it stands at this moment.
    pub(crate) fn status(&self, now: i64) -> RefundStatus {
        if self.ends_at.is_none_or(|at| now < at) {
            return RefundStatus::Processing;
        }
        match self.ends {
            End::Success => RefundStatus::Success,
            End::Closed => RefundStatus::Closed,
            End::Abnormal => RefundStatus::Abnormal,
            End::Never => RefundStatus::Processing,
        }
    }

    /// When the payer had the money back.
    pub(crate) fn success_time(&self, now: i64) -> Option<i64> {
        self.ends_at.filter(|_| self.status(now) == RefundStatus::Success)
    }

    /// The fact.
    pub(crate) fn fact(&self, now: i64) -> Fact {
        Fact {
            out_refund_no: self.out_refund_no.clone(),
            refund_id: self.refund_id.clone(),
            out_trade_no: self.out_trade_no.clone(),
            transaction_id: self.transaction_id.clone(),
            status: self.status(now),
            total: self.total,
            refund: self.amount,
            currency: "CNY".to_owned(),
            success_time: self.success_time(now),
            // Paid from the balance, so it goes back there.
            received_account: Some(RECEIVED.to_owned()),
            sub_mchid: self.sub_mchid.clone(),
        }
    }
}

/// The payer's balance.
pub(crate) const RECEIVED: &str = "支付用户零钱";
