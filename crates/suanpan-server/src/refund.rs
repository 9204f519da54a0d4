//! A refund, as the store holds it, and as callers see it.

use jiff::Timestamp;
use serde::Serialize;
use suanpan_ledger::{Mismatch, RefundState};
use suanpan_wechat as wechat;
use suanpan_wechat::{AppId, Fen, MchId, OutRefundNo, OutTradeNo, RefundId, TransactionId};
use utoipa::ToSchema;

use crate::gateway::RefundRequest;
use crate::ids::OrderId;
use crate::order::{one_of, rfc3339};

/// Money that goes back. Times are unix microseconds.
#[derive(Clone, Debug)]
pub struct Refund {
    /// Its id, `ref_…`.
    pub id: String,
    /// The order.
    pub order_id: OrderId,
    /// The attempt that was paid.
    pub attempt_id: String,
    /// Who got the money.
    pub mchid: MchId,
    /// The mini program that the payer paid in.
    pub appid: AppId,
    /// The attempt's number at WeChat.
    pub out_trade_no: OutTradeNo,
    /// WeChat's number of the payment.
    pub transaction_id: TransactionId,
    /// Its own number at WeChat: used on every try.
    pub out_refund_no: OutRefundNo,
    /// The merchant's own name for it; unique per merchant account.
    pub reference: Option<String>,
    /// What goes back.
    pub amount: Fen,
    /// What was paid.
    pub total: Fen,
    /// `CNY`.
    pub currency: String,
    /// The payer reads it.
    pub reason: Option<String>,
    /// The call as it is sent: JSON of APIv3 or XML of APIv2.
    pub request: String,
    /// Where it stands.
    pub state: RefundState,
    /// WeChat's number of it.
    pub refund_id: Option<RefundId>,
    /// Where the money went, in WeChat's words.
    pub received_account: Option<String>,
    /// Why it does not get on, or came to nothing: WeChat's code and words.
    pub problem: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// When WeChat first said that it has it.
    pub accepted_at: Option<i64>,
    /// When the payer had the money back.
    pub succeeded_at: Option<i64>,
    /// How often it changed.
    pub version: i64,
}

/// 一笔退款。/ A refund as the merchant's system sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundView<'a> {
    /// 退款号 / its id
    #[schema(value_type = String, example = "ref_019b76da2c007000800000000000000d")]
    id: &'a str,
    /// 订单号 / the order's id
    #[schema(value_type = String, example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")]
    order_id: &'a OrderId,
    #[schema(schema_with = statuses)]
    status: &'static str,
    /// 退多少，分 / what goes back, in fen
    #[schema(value_type = i64, minimum = 1, example = 100)]
    amount: Fen,
    /// 币种 / the currency
    #[schema(value_type = String, example = "CNY")]
    currency: &'a str,
    /// 付款人会看到的原因 / why; the payer reads it
    #[schema(value_type = Option<String>, required, example = "少放了糖")]
    reason: Option<&'a str>,
    /// 商户自己的退款单号 / the merchant's own name for it
    #[schema(value_type = Option<String>, required, example = "tea-1-refund")]
    reference: Option<&'a str>,
    /// 创建时间 / when it was made
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T01:00:00Z")]
    created_at: Timestamp,
    /// 付款人收到钱的时间 / when the payer had the money back
    #[schema(value_type = Option<String>, required, format = DateTime, example = "2026-01-01T01:00:09Z")]
    succeeded_at: Option<Timestamp>,
    /// 微信支付订单号 / WeChat's number of the payment
    #[schema(value_type = String, example = "4200000000202601011234567890")]
    transaction_id: &'a TransactionId,
    /// 我们在微信那里的退款单号 / our number of it at WeChat
    #[schema(value_type = String, example = "RF019b76da2c0070008000000000")]
    out_refund_no: &'a OutRefundNo,
    /// 微信的退款单号 / WeChat's number of it
    #[schema(value_type = Option<String>, required, example = "50000000382019052709732678859")]
    refund_id: Option<&'a RefundId>,
    /// 卡住或失败的原因，微信的码和原话 / why it does not get on: WeChat's code and words
    #[schema(value_type = Option<String>, required, example = "NOTENOUGH 基本账户余额不足")]
    problem: Option<&'a str>,
}

/// The words for where a refund stands.
fn statuses() -> utoipa::openapi::Object {
    one_of("状态 / where it stands", RefundState::ALL.map(RefundState::as_str), "processing")
}

impl Refund {
    /// The refund in JSON.
    pub fn view(&self) -> RefundView<'_> {
        RefundView {
            id: &self.id,
            order_id: &self.order_id,
            status: self.state.as_str(),
            amount: self.amount,
            currency: &self.currency,
            reason: self.reason.as_deref(),
            reference: self.reference.as_deref(),
            created_at: rfc3339(self.created_at),
            succeeded_at: self.succeeded_at.map(rfc3339),
            transaction_id: &self.transaction_id,
            out_refund_no: &self.out_refund_no,
            refund_id: self.refund_id.as_ref(),
            problem: self.problem.as_deref(),
        }
    }

    /// Whether what WeChat tells is about this refund, with the same money.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn compare(&self, told: &wechat::Refund) -> Result<(), Mismatch> {
        same("refund number", told.out_refund_no.as_str(), self.out_refund_no.as_str())?;
        same("order number", told.out_trade_no.as_str(), self.out_trade_no.as_str())?;
        same("transaction", told.transaction_id.as_str(), self.transaction_id.as_str())?;
        // The answers of APIv3 leave it out; our number and the transaction say the same there.
        if let Some(told) = &told.sub_mchid {
            let request = RefundRequest::parse(&self.request).ok();
            let expected = request.as_ref().and_then(RefundRequest::sub_mchid);
            same("sub-merchant", told.as_str(), expected.map_or("none", MchId::as_str))?;
        }
        same("currency", &told.currency, &self.currency)?;
        same("amount", &told.total.to_string(), &self.total.to_string())?;
        same("refunded amount", &told.refund.to_string(), &self.amount.to_string())
    }
}

fn same(field: &'static str, told: &str, expected: &str) -> Result<(), Mismatch> {
    if told == expected {
        return Ok(());
    }
    Err(Mismatch { field, told: told.to_owned(), expected: expected.to_owned() })
}
