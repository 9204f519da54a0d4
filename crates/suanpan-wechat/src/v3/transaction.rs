//! A payment as APIv3 tells it: the answer to a query, the inside of a notification.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012791900. All but the number and
//! the state may be absent: while nothing is paid, `payer` can be `{}`, and a
//! notification without `attach` is seen in the field.

#![expect(
    clippy::disallowed_types,
    reason = "the derive of a flattened map names floats; none is used"
)]

use serde::{Deserialize, Serialize};

use super::json::null_as_default;
use crate::time::parse_rfc3339;
use crate::{AppId, Error, Fen, MchId, OpenId, OutTradeNo, Payment, TradeState, TransactionId};

const WHAT: &str = "transaction";

/// The wire form; [`Transaction::payment`] is the fact in it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Transaction {
    /// The mini program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appid: Option<AppId>,
    /// The merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mchid: Option<MchId>,
    /// Partner mode: the partner's app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sp_appid: Option<AppId>,
    /// Partner mode: the partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sp_mchid: Option<MchId>,
    /// Partner mode: the sub-merchant's app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_appid: Option<AppId>,
    /// Partner mode: the sub-merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<MchId>,
    /// Our number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<OutTradeNo>,
    /// WeChat's number; absent while nothing is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<TransactionId>,
    /// `JSAPI`, `NATIVE`, `APP`, `MICROPAY`, `MWEB` or `FACEPAY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_type: Option<String>,
    /// WeChat's word for the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_state: Option<String>,
    /// The state in words, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_state_desc: Option<String>,
    /// The payer's bank, or `OTHERS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// As in the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// When it was paid, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// Who paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<TransactionPayer>,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<TransactionAmount>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<TransactionScene>,
    /// The coupons that were used.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub promotion_detail: Vec<PromotionDetail>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// Who paid.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TransactionPayer {
    /// As the mini program of the order knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenId>,
    /// Partner mode: as the partner's app knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sp_openid: Option<OpenId>,
    /// Partner mode: as the sub-merchant's app knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_openid: Option<OpenId>,
}

/// How much was paid.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TransactionAmount {
    /// The order's amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Fen>,
    /// What the payer paid, after coupons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_total: Option<Fen>,
    /// `CNY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// `CNY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_currency: Option<String>,
}

/// Where it was paid.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TransactionScene {
    /// The merchant's terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
}

/// A coupon that was used.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct PromotionDetail {
    /// Its number.
    pub coupon_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `GLOBAL` or `SINGLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// `CASH` or `NOCASH`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its worth.
    pub amount: Fen,
    /// Its stock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock_id: Option<String>,
    /// What WeChat contributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechatpay_contribute: Option<Fen>,
    /// What the merchant contributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_contribute: Option<Fen>,
    /// What others contribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_contribute: Option<Fen>,
    /// `CNY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The goods that it counted for.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub goods_detail: Vec<PromotionGoods>,
}

/// One of the goods that a coupon counted for.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct PromotionGoods {
    /// The merchant's number of it.
    pub goods_id: String,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub unit_price: Fen,
    /// The discount.
    pub discount_amount: Fen,
    /// The merchant's remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goods_remark: Option<String>,
}

impl Transaction {
    /// The fact that it tells.
    ///
    /// # Errors
    /// [`Error::Field`] where merchant, app, number or state are missing (in
    /// partner mode the sub-merchant too): a combined order or a profit-sharing
    /// notice looks like that, and is no payment of ours.
    pub fn payment(&self) -> Result<Payment, Error> {
        fn need<T: Clone>(value: Option<&T>, field: &'static str) -> Result<T, Error> {
            value.cloned().ok_or_else(|| Error::missing(WHAT, field))
        }
        let amount = self.amount.clone().unwrap_or_default();
        let success_time = self.success_time.as_deref();
        let payer = self.payer.clone().unwrap_or_default();
        let (appid, mchid, sub_mchid, openid) = if self.sp_mchid.is_some() {
            (
                need(self.sp_appid.as_ref(), "sp_appid")?,
                need(self.sp_mchid.as_ref(), "sp_mchid")?,
                Some(need(self.sub_mchid.as_ref(), "sub_mchid")?),
                payer.sub_openid.or(payer.sp_openid),
            )
        } else {
            let appid = need(self.appid.as_ref(), "appid")?;
            (appid, need(self.mchid.as_ref(), "mchid")?, self.sub_mchid.clone(), payer.openid)
        };
        Ok(Payment {
            appid,
            mchid,
            sub_mchid,
            sub_appid: self.sub_appid.clone(),
            out_trade_no: need(self.out_trade_no.as_ref(), "out_trade_no")?,
            state: TradeState::parse(&need(self.trade_state.as_ref(), "trade_state")?),
            transaction_id: self.transaction_id.clone(),
            openid,
            total: amount.total,
            currency: amount.currency.unwrap_or_else(|| "CNY".to_owned()),
            success_time: success_time
                .map(|time| {
                    parse_rfc3339(time).ok_or_else(|| Error::holds(WHAT, "success_time", time))
                })
                .transpose()?,
            bank_type: self.bank_type.clone(),
            attach: self.attach.clone(),
        })
    }
}
