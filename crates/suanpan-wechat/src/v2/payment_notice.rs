//! Step 5 of 6, notify, the APIv2 way: the XML that WeChat posts to us.
//!
//! Source: pay.weixin.qq.com/doc/v2/merchant/4011937248. Anyone can post to a
//! notify URL, so nothing of a notice is looked at before its signature matches.

use super::sub_merchant::{read_sub_merchant, sub_merchant_of};
use super::{Fields, SignType};
use crate::time::{beijing_compact, parse_beijing_compact};
use crate::{
    ApiV2Key, AppId, Error, Fen, MchId, OpenId, OutTradeNo, Payment, TradeState, TransactionId,
};

const WHAT: &str = "payment notification";

/// A payment as the notification tells it. Only successful payments are notified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentNotice {
    /// The mini program.
    pub appid: AppId,
    /// The merchant (in partner mode the partner).
    pub mch_id: MchId,
    /// Partner mode: the sub-merchant's mini program.
    pub sub_appid: Option<AppId>,
    /// Partner mode: the sub-merchant.
    pub sub_mch_id: Option<MchId>,
    /// Partner mode: the payer as the sub-merchant's mini program knows them.
    pub sub_openid: Option<OpenId>,
    /// Partner mode: `Y` where the payer follows the sub-merchant's account.
    pub sub_is_subscribe: Option<String>,
    /// As in the order.
    pub device_info: Option<String>,
    /// The payer.
    pub openid: OpenId,
    /// `Y` where the payer follows the merchant's account.
    pub is_subscribe: Option<String>,
    /// `JSAPI` for mini programs.
    pub trade_type: String,
    /// The payer's bank, such as `CMB_DEBIT`.
    pub bank_type: String,
    /// The order's amount.
    pub total_fee: Fen,
    /// The order's amount less coupons that are not settled.
    pub settlement_total_fee: Option<Fen>,
    /// `CNY`, also where absent.
    pub fee_type: Option<String>,
    /// What the payer paid in cash.
    pub cash_fee: Fen,
    /// `CNY`, also where absent.
    pub cash_fee_type: Option<String>,
    /// The sum of the coupons.
    pub coupon_fee: Option<Fen>,
    /// The coupons, in WeChat's order.
    pub coupons: Vec<Coupon>,
    /// WeChat's number.
    pub transaction_id: TransactionId,
    /// Our number.
    pub out_trade_no: OutTradeNo,
    /// As in the order.
    pub attach: Option<String>,
    /// When it was paid, unix seconds.
    pub time_end: i64,
    /// JSON of the discounts; comes with orders of `version` 1.0.
    pub promotion_detail: Option<String>,
    /// Fields that this version does not know.
    pub other: Fields,
}

/// One coupon of a payment: `coupon_id_0`, `coupon_type_0`, `coupon_fee_0`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Coupon {
    /// Its id.
    pub id: Option<String>,
    /// `CASH` or `NO_CASH`.
    pub kind: Option<String>,
    /// Its worth.
    pub fee: Option<Fen>,
}

impl PaymentNotice {
    /// Verifies a notification, then reads it.
    ///
    /// The digest is the one that the message declares in `sign_type`, MD5 where
    /// it declares none; a 64-character `sign` without a declaration is taken as
    /// HMAC-SHA256, as orders of that type are notified.
    ///
    /// # Errors
    /// [`Error::Xml`], [`Error::Signature`], or the first field that does not fit;
    /// [`Error::Field`] on `result_code` where the message tells of no payment.
    pub fn read(body: &[u8], key: &ApiV2Key) -> Result<Self, Error> {
        let fields = Fields::parse(body)?;
        let long = fields.get("sign").is_some_and(|sign| sign.len() == 64);
        let sign_type = match fields.get("sign_type") {
            None if long => SignType::HmacSha256,
            _ => fields.declared_sign_type()?,
        };
        fields.verify(sign_type, key)?;
        for code in ["return_code", "result_code"] {
            let given = fields.required(WHAT, code)?;
            if given != "SUCCESS" {
                return Err(Error::holds(WHAT, code, given));
            }
        }
        Self::from_fields(fields)
    }

    fn from_fields(mut fields: Fields) -> Result<Self, Error> {
        let time_end = fields.required(WHAT, "time_end")?;
        let required_fen = |name| {
            fields.fen(WHAT, name).and_then(|fen| fen.ok_or_else(|| Error::missing(WHAT, name)))
        };
        let notice = Self {
            appid: fields.parsed(WHAT, "appid")?,
            mch_id: fields.parsed(WHAT, "mch_id")?,
            sub_appid: fields.get("sub_appid").map(AppId::parse).transpose()?,
            sub_mch_id: fields.get("sub_mch_id").map(MchId::parse).transpose()?,
            sub_openid: fields.get("sub_openid").map(OpenId::parse).transpose()?,
            sub_is_subscribe: fields.owned("sub_is_subscribe"),
            device_info: fields.owned("device_info"),
            openid: fields.parsed(WHAT, "openid")?,
            is_subscribe: fields.owned("is_subscribe"),
            trade_type: fields.required(WHAT, "trade_type")?.to_owned(),
            bank_type: fields.required(WHAT, "bank_type")?.to_owned(),
            total_fee: required_fen("total_fee")?,
            settlement_total_fee: fields.fen(WHAT, "settlement_total_fee")?,
            fee_type: fields.owned("fee_type"),
            cash_fee: required_fen("cash_fee")?,
            cash_fee_type: fields.owned("cash_fee_type"),
            coupon_fee: fields.fen(WHAT, "coupon_fee")?,
            coupons: coupons(&fields)?,
            transaction_id: fields.parsed(WHAT, "transaction_id")?,
            out_trade_no: fields.parsed(WHAT, "out_trade_no")?,
            attach: fields.owned("attach"),
            time_end: parse_beijing_compact(time_end)
                .ok_or_else(|| Error::holds(WHAT, "time_end", time_end))?,
            promotion_detail: fields.owned("promotion_detail"),
            other: Fields::new(),
        };
        // A count that the coupons do not bear out is kept as it came.
        let count = fields.get("coupon_count").map(str::to_owned);
        let known = notice.fields();
        let count = count.filter(|count| known.get("coupon_count") != Some(count));
        for (known, _) in known.iter() {
            fields.remove(known);
        }
        fields.set_optional("coupon_count", count.as_deref());
        fields.drop_empty();
        for envelope in ["return_msg", "nonce_str", "sign_type", "sign"] {
            fields.remove(envelope);
        }
        Ok(Self { other: fields, ..notice })
    }

    /// The notice as a message, unsigned and without `nonce_str`: what WeChat's side sends.
    pub fn fields(&self) -> Fields {
        let mut fields = self.other.clone();
        let fen = |amount: Fen| amount.get().to_string();
        fields.set("return_code", "SUCCESS");
        fields.set("result_code", "SUCCESS");
        fields.set("appid", self.appid.as_str());
        fields.set("mch_id", self.mch_id.as_str());
        fields.set_optional("sub_appid", self.sub_appid.as_ref().map(AppId::as_str));
        fields.set_optional("sub_mch_id", self.sub_mch_id.as_ref().map(MchId::as_str));
        fields.set_optional("sub_openid", self.sub_openid.as_ref().map(OpenId::as_str));
        fields.set_optional("sub_is_subscribe", self.sub_is_subscribe.as_deref());
        fields.set_optional("device_info", self.device_info.as_deref());
        fields.set("openid", self.openid.as_str());
        fields.set_optional("is_subscribe", self.is_subscribe.as_deref());
        fields.set("trade_type", &self.trade_type);
        fields.set("bank_type", &self.bank_type);
        fields.set("total_fee", &fen(self.total_fee));
        fields.set_optional("settlement_total_fee", self.settlement_total_fee.map(fen).as_deref());
        fields.set_optional("fee_type", self.fee_type.as_deref());
        fields.set("cash_fee", &fen(self.cash_fee));
        fields.set_optional("cash_fee_type", self.cash_fee_type.as_deref());
        fields.set_optional("coupon_fee", self.coupon_fee.map(fen).as_deref());
        if !self.coupons.is_empty() && fields.get("coupon_count").is_none() {
            fields.set("coupon_count", &self.coupons.len().to_string());
        }
        for (index, coupon) in self.coupons.iter().enumerate() {
            fields.set_optional(&format!("coupon_id_{index}"), coupon.id.as_deref());
            fields.set_optional(&format!("coupon_type_{index}"), coupon.kind.as_deref());
            fields.set_optional(&format!("coupon_fee_{index}"), coupon.fee.map(fen).as_deref());
        }
        fields.set("transaction_id", self.transaction_id.as_str());
        fields.set("out_trade_no", self.out_trade_no.as_str());
        fields.set_optional("attach", self.attach.as_deref());
        fields.set("time_end", &beijing_compact(self.time_end));
        fields.set_optional("promotion_detail", self.promotion_detail.as_deref());
        fields
    }

    /// The fact that it tells.
    pub fn payment(&self) -> Payment {
        Payment {
            appid: self.appid.clone(),
            mchid: self.mch_id.clone(),
            sub_mchid: sub_merchant_of(&self.mch_id, self.sub_mch_id.clone()),
            sub_appid: self.sub_appid.clone(),
            out_trade_no: self.out_trade_no.clone(),
            state: TradeState::Success,
            transaction_id: Some(self.transaction_id.clone()),
            openid: Some(self.sub_openid.clone().unwrap_or_else(|| self.openid.clone())),
            total: Some(self.total_fee),
            currency: self.fee_type.clone().unwrap_or_else(|| "CNY".to_owned()),
            success_time: Some(self.time_end),
            bank_type: Some(self.bank_type.clone()),
            attach: self.attach.clone(),
        }
    }
}

/// The fields of a payment as queries answer them: all but the number may be absent.
pub(super) struct PaidFields<'a> {
    pub(super) what: &'static str,
    pub(super) fields: &'a Fields,
}

impl PaidFields<'_> {
    pub(super) fn payment(&self, state: TradeState) -> Result<Payment, Error> {
        let Self { what, fields } = *self;
        let success_time = fields.get("time_end").map(|time| {
            parse_beijing_compact(time).ok_or_else(|| Error::holds(what, "time_end", time))
        });
        let openid = fields.get("sub_openid").or_else(|| fields.get("openid"));
        Ok(Payment {
            appid: fields.parsed(what, "appid")?,
            mchid: fields.parsed(what, "mch_id")?,
            sub_mchid: read_sub_merchant(what, fields)?,
            sub_appid: fields.get("sub_appid").map(AppId::parse).transpose()?,
            out_trade_no: fields.parsed(what, "out_trade_no")?,
            state,
            transaction_id: fields.get("transaction_id").map(TransactionId::parse).transpose()?,
            openid: openid.map(OpenId::parse).transpose()?,
            total: fields.fen(what, "total_fee")?,
            currency: fields.get("fee_type").unwrap_or("CNY").to_owned(),
            success_time: success_time.transpose()?,
            bank_type: fields.owned("bank_type"),
            attach: fields.owned("attach"),
        })
    }
}

/// Reads `coupon_*_0`, `coupon_*_1`, … until neither id, kind nor fee is there.
fn coupons(fields: &Fields) -> Result<Vec<Coupon>, Error> {
    let mut coupons = Vec::new();
    for index in 0.. {
        let fee = fields.get(&format!("coupon_fee_{index}"));
        let coupon = Coupon {
            id: fields.owned(&format!("coupon_id_{index}")),
            kind: fields.owned(&format!("coupon_type_{index}")),
            fee: fee
                .map(|fee| {
                    Fen::parse_count(fee).ok_or_else(|| Error::holds(WHAT, "coupon_fee_$n", fee))
                })
                .transpose()?,
        };
        if coupon == (Coupon { id: None, kind: None, fee: None }) {
            break;
        }
        coupons.push(coupon);
    }
    Ok(coupons)
}
