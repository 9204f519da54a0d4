//! A refund as APIv3 asks for it and tells of it.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012791903. The calls answer
//! `status`, the notification says `refund_status` and leaves half of the rest
//! out; `channel` and the account are for people.

#![expect(
    clippy::disallowed_types,
    reason = "the derive of a flattened map names floats; none is used"
)]

use serde::{Deserialize, Serialize};

use super::json::null_as_default;
use crate::time::parse_rfc3339;
use crate::{
    Error, Fen, MchId, OutRefundNo, OutTradeNo, Refund, RefundId, RefundStatus, TransactionId,
};

const WHAT: &str = "refund";

/// A refund as it is asked for. Its number names it for ever: a repetition must be equal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefundOrder {
    /// Partner mode: the sub-merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<MchId>,
    /// WeChat's number of the payment; this or the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<TransactionId>,
    /// The order's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<OutTradeNo>,
    /// Our number of the refund.
    pub out_refund_no: OutRefundNo,
    /// The payer reads it; at most 80 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where to notify. Always give it: without it WeChat may send the XML of APIv2, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// `AVAILABLE` or `UNSETTLED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds_account: Option<String>,
    /// How much.
    pub amount: RefundOrderAmount,
    /// Which goods.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub goods_detail: Vec<RefundGoods>,
}

/// How much is to go back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefundOrderAmount {
    /// What is to go back.
    pub refund: Fen,
    /// From which of the merchant's accounts.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<RefundFrom>,
    /// The order's amount, not what is left of it.
    pub total: Fen,
    /// `CNY`; required here, unlike in an order.
    pub currency: String,
}

/// One of the merchant's accounts that pays.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct RefundFrom {
    /// `AVAILABLE` or `UNAVAILABLE`.
    pub account: String,
    /// How much of the refund.
    pub amount: Fen,
}

/// One of the goods that go back.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct RefundGoods {
    /// The merchant's number of it.
    pub merchant_goods_id: String,
    /// WeChat's number of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechatpay_goods_id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goods_name: Option<String>,
    /// The price of one.
    pub unit_price: Fen,
    /// What goes back for it.
    pub refund_amount: Fen,
    /// How many go back.
    pub refund_quantity: i64,
}

/// The wire form of a refund; [`RefundResource::refund`] is the fact in it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct RefundResource {
    /// The merchant; in notifications only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mchid: Option<MchId>,
    /// Partner mode: the partner; in notifications only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sp_mchid: Option<MchId>,
    /// Partner mode: the sub-merchant; in notifications only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<MchId>,
    /// WeChat's number of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<RefundId>,
    /// Our number of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_refund_no: Option<OutRefundNo>,
    /// WeChat's number of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<TransactionId>,
    /// The order's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<OutTradeNo>,
    /// `ORIGINAL`, `BALANCE`, `OTHER_BALANCE` or `OTHER_BANKCARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Where it goes, such as `支付用户零钱`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_received_account: Option<String>,
    /// When the payer had it back, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// When it was taken, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// The state, in the answers to calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The state, in notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_status: Option<String>,
    /// `UNSETTLED`, `AVAILABLE`, `UNAVAILABLE`, `OPERATION`, `BASIC` or `ECNY_BASIC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funds_account: Option<String>,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<RefundAmount>,
    /// The coupons that go back.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub promotion_detail: Vec<RefundPromotion>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// How much goes back, and of what.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct RefundAmount {
    /// The order's amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Fen>,
    /// What goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund: Option<Fen>,
    /// From which of the merchant's accounts.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<RefundFrom>,
    /// What the payer paid, after coupons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_total: Option<Fen>,
    /// What the payer gets back, after coupons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_refund: Option<Fen>,
    /// What goes back less coupons that are not settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_refund: Option<Fen>,
    /// The order's amount less coupons that are not settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_total: Option<Fen>,
    /// What goes back of coupons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_refund: Option<Fen>,
    /// `CNY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What goes back of the fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_fee: Option<Fen>,
}

/// A coupon that goes back.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct RefundPromotion {
    /// Its number.
    pub promotion_id: String,
    /// `GLOBAL` or `SINGLE`.
    pub scope: String,
    /// `COUPON` or `DISCOUNT`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its worth.
    pub amount: Fen,
    /// What goes back of it.
    pub refund_amount: Fen,
    /// The goods that it counted for.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub goods_detail: Vec<RefundGoods>,
}

impl RefundResource {
    /// The fact that it tells.
    ///
    /// # Errors
    /// [`Error::Field`] where numbers, state or amounts are missing: then it is no refund.
    pub fn refund(&self) -> Result<Refund, Error> {
        fn need<T: Clone>(value: Option<&T>, field: &'static str) -> Result<T, Error> {
            value.cloned().ok_or_else(|| Error::missing(WHAT, field))
        }
        let amount = self.amount.clone().unwrap_or_default();
        let status = self.status.as_ref().or(self.refund_status.as_ref());
        // The calls give it as "" while nothing has arrived.
        let time = self.success_time.as_deref().filter(|time| !time.is_empty());
        Ok(Refund {
            out_refund_no: need(self.out_refund_no.as_ref(), "out_refund_no")?,
            refund_id: need(self.refund_id.as_ref(), "refund_id")?,
            out_trade_no: need(self.out_trade_no.as_ref(), "out_trade_no")?,
            transaction_id: need(self.transaction_id.as_ref(), "transaction_id")?,
            status: RefundStatus::parse(&need(status, "status")?),
            total: need(amount.total.as_ref(), "amount.total")?,
            refund: need(amount.refund.as_ref(), "amount.refund")?,
            currency: amount.currency.unwrap_or_else(|| "CNY".to_owned()),
            success_time: time
                .map(|time| {
                    parse_rfc3339(time).ok_or_else(|| Error::holds(WHAT, "success_time", time))
                })
                .transpose()?,
            received_account: self.user_received_account.clone(),
            sub_mchid: self.sub_mchid.clone(),
        })
    }
}
