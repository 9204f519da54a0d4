//! The money goes back: `POST /secapi/pay/refund`, over a connection that shows the merchant's certificate.
//!
//! Source: pay.weixin.qq.com/doc/v2, "申请退款". SUCCESS means accepted, not paid
//! back: the query and the notification tell that.

use http::Request;

use super::sub_merchant::read_sub_merchant;
use super::{Account, Coupon, Fields, answer};
use crate::{
    AppId, Call, Error, Fen, Host, MchId, Moment, OutRefundNo, OutTradeNo, Refund, RefundId,
    RefundStatus, Reply, TransactionId,
};

const WHAT: &str = "answer of refund";

/// A refund as it is asked for. Its number names it for ever: a repetition must be equal to the byte.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefundOrder {
    /// The mini program that the order was placed for; in partner mode the partner's.
    pub appid: AppId,
    /// Partner mode: the sub-merchant's mini program.
    pub sub_appid: Option<AppId>,
    /// Partner mode: the sub-merchant.
    pub sub_mch_id: Option<MchId>,
    /// WeChat's number of the payment; counts where both are given.
    pub transaction_id: Option<TransactionId>,
    /// The order's number.
    pub out_trade_no: Option<OutTradeNo>,
    /// Our number of the refund.
    pub out_refund_no: OutRefundNo,
    /// The order's amount, not what is left of it.
    pub total_fee: Fen,
    /// What is to go back.
    pub refund_fee: Fen,
    /// `CNY`, also where absent.
    pub refund_fee_type: Option<String>,
    /// The payer reads it.
    pub refund_desc: Option<String>,
    /// `REFUND_SOURCE_UNSETTLED_FUNDS` or `REFUND_SOURCE_RECHARGE_FUNDS`.
    pub refund_account: Option<String>,
    /// Where to notify; without it, where the merchant platform says.
    pub notify_url: Option<String>,
}

impl RefundOrder {
    /// As a message, unsigned.
    pub fn fields(&self) -> Fields {
        let fen = |amount: Fen| amount.get().to_string();
        let mut fields = Fields::new();
        fields.set("appid", self.appid.as_str());
        fields.set_optional("sub_appid", self.sub_appid.as_ref().map(AppId::as_str));
        fields.set_optional("sub_mch_id", self.sub_mch_id.as_ref().map(MchId::as_str));
        let transaction_id = self.transaction_id.as_ref();
        fields.set_optional("transaction_id", transaction_id.map(TransactionId::as_str));
        fields.set_optional("out_trade_no", self.out_trade_no.as_ref().map(OutTradeNo::as_str));
        fields.set("out_refund_no", self.out_refund_no.as_str());
        fields.set("total_fee", &fen(self.total_fee));
        fields.set("refund_fee", &fen(self.refund_fee));
        fields.set_optional("refund_fee_type", self.refund_fee_type.as_deref());
        fields.set_optional("refund_desc", self.refund_desc.as_deref());
        fields.set_optional("refund_account", self.refund_account.as_deref());
        fields.set_optional("notify_url", self.notify_url.as_deref());
        fields
    }

    /// Reads it back from a message.
    ///
    /// # Errors
    /// The first field that is missing or breaks its rule.
    pub fn from_fields(fields: &Fields) -> Result<Self, Error> {
        const WHAT: &str = "refund";
        let amount = |name| {
            fields.fen(WHAT, name).and_then(|fen| fen.ok_or_else(|| Error::missing(WHAT, name)))
        };
        Ok(Self {
            appid: fields.parsed(WHAT, "appid")?,
            sub_appid: fields.get("sub_appid").map(AppId::parse).transpose()?,
            sub_mch_id: fields.get("sub_mch_id").map(MchId::parse).transpose()?,
            transaction_id: fields.get("transaction_id").map(TransactionId::parse).transpose()?,
            out_trade_no: fields.get("out_trade_no").map(OutTradeNo::parse).transpose()?,
            out_refund_no: fields.parsed(WHAT, "out_refund_no")?,
            total_fee: amount("total_fee")?,
            refund_fee: amount("refund_fee")?,
            refund_fee_type: fields.owned("refund_fee_type"),
            refund_desc: fields.owned("refund_desc"),
            refund_account: fields.owned("refund_account"),
            notify_url: fields.owned("notify_url"),
        })
    }
}

/// Asks for a refund. The connection must show the merchant's certificate ([`Call::shows_certificate`]).
#[derive(Clone, Copy, Debug)]
pub struct PlaceRefund<'a> {
    /// Who got the money.
    pub account: Account<'a>,
    /// What is to go back.
    pub order: &'a RefundOrder,
}

/// What WeChat took.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefundAnswer {
    /// The fact: accepted, so [`RefundStatus::Processing`].
    pub refund: Refund,
    /// What goes back less coupons that are not settled.
    pub settlement_refund_fee: Option<Fen>,
    /// The order's amount less coupons that are not settled.
    pub settlement_total_fee: Option<Fen>,
    /// What the payer paid in cash.
    pub cash_fee: Option<Fen>,
    /// `CNY`, also where absent.
    pub cash_fee_type: Option<String>,
    /// What goes back in cash.
    pub cash_refund_fee: Option<Fen>,
    /// The sum of the coupons that go back.
    pub coupon_refund_fee: Option<Fen>,
    /// The coupons that go back, in WeChat's order.
    pub coupons: Vec<Coupon>,
    /// All fields of the answer, those that we do not know too.
    pub fields: Fields,
}

impl Call for PlaceRefund<'_> {
    type Answer = RefundAnswer;

    fn operation(&self) -> &'static str {
        "POST /secapi/pay/refund"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn shows_certificate(&self) -> bool {
        true
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        answer::post("/secapi/pay/refund", self.account, self.order.fields(), moment)
    }

    fn answer(&self, reply: Reply<'_>, _: i64) -> Result<RefundAnswer, Error> {
        let fields = answer::read(WHAT, self.account, reply)?;
        let refund = Refund {
            out_refund_no: fields.parsed(WHAT, "out_refund_no")?,
            refund_id: fields.parsed::<RefundId>(WHAT, "refund_id")?,
            out_trade_no: fields.parsed(WHAT, "out_trade_no")?,
            transaction_id: fields.parsed(WHAT, "transaction_id")?,
            status: RefundStatus::Processing,
            total: needed(&fields, "total_fee")?,
            refund: needed(&fields, "refund_fee")?,
            currency: fields.get("fee_type").unwrap_or("CNY").to_owned(),
            success_time: None,
            received_account: None,
            sub_mchid: read_sub_merchant(WHAT, &fields)?,
        };
        if refund.out_refund_no != self.order.out_refund_no {
            return Err(Error::holds(WHAT, "out_refund_no", refund.out_refund_no.as_str()));
        }
        Ok(RefundAnswer {
            refund,
            settlement_refund_fee: fields.fen(WHAT, "settlement_refund_fee")?,
            settlement_total_fee: fields.fen(WHAT, "settlement_total_fee")?,
            cash_fee: fields.fen(WHAT, "cash_fee")?,
            cash_fee_type: fields.owned("cash_fee_type"),
            cash_refund_fee: fields.fen(WHAT, "cash_refund_fee")?,
            coupon_refund_fee: fields.fen(WHAT, "coupon_refund_fee")?,
            coupons: coupons(&fields)?,
            fields,
        })
    }
}

fn needed(fields: &Fields, name: &'static str) -> Result<Fen, Error> {
    fields.fen(WHAT, name)?.ok_or_else(|| Error::missing(WHAT, name))
}

fn coupons(fields: &Fields) -> Result<Vec<Coupon>, Error> {
    let mut coupons = Vec::new();
    for index in 0..=super::MAX_FIELDS {
        let name = |field: &str| format!("{field}_{index}");
        let coupon = Coupon {
            id: fields.owned(&name("coupon_refund_id")),
            kind: fields.owned(&name("coupon_type")),
            fee: fields
                .get(&name("coupon_refund_fee"))
                .map(|text| {
                    Fen::parse_count(text)
                        .ok_or_else(|| Error::holds(WHAT, "coupon_refund_fee_$n", text))
                })
                .transpose()?,
        };
        if coupon.id.is_none() && coupon.kind.is_none() && coupon.fee.is_none() {
            break;
        }
        coupons.push(coupon);
    }
    Ok(coupons)
}
