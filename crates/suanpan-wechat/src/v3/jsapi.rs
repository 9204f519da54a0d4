//! Step 3 of 6, prepay, the APIv3 way: the order of `POST /v3/pay/transactions/jsapi`.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012791897.

#![expect(
    clippy::disallowed_types,
    reason = "the derive of a flattened map names floats; none is used"
)]

use serde::{Deserialize, Serialize};

use super::json::null_as_default;
use crate::{AppId, Fen, MchId, OpenId, OutTradeNo};

/// The order, member by member, by WeChat's names.
///
/// An order that is repeated must be repeated unchanged, `time_expire` included,
/// or WeChat answers `OUT_TRADE_NO_USED` (or 201 商户订单号重复).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct JsapiOrder {
    /// The mini program; bound to the merchant.
    pub appid: AppId,
    /// The merchant; the one that signs.
    pub mchid: MchId,
    /// What the payer reads, at most 127 characters.
    pub description: String,
    /// Our number of this attempt.
    pub out_trade_no: OutTradeNo,
    /// The last moment to pay, RFC 3339; seven days where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_expire: Option<String>,
    /// Comes back in notification, query and bill, at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// Where WeChat tells us of the payment: public https without a query, at most 255 characters.
    pub notify_url: String,
    /// Names a discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_tag: Option<String>,
    /// Offers an electronic invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_fapiao: Option<bool>,
    /// `no_balance`, `no_credit`, `no_debit`, `balance_only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_pay: Option<Vec<String>>,
    /// What is owed.
    pub amount: Amount,
    /// Who pays.
    pub payer: Payer,
    /// The goods, for discounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<OrderDetail>,
    /// Where it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<SceneInfo>,
    /// How it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_info: Option<SettleInfo>,
    /// Who pays for the instalments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsidy_info: Option<serde_json::Value>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// What is owed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Amount {
    /// At least 1 fen.
    pub total: Fen,
    /// `CNY`, also where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// Who pays.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Payer {
    /// The payer, as the mini program of the order knows them.
    pub openid: OpenId,
    /// Real-name payment: `{type, number, name}`, encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<serde_json::Value>,
}

/// The goods of an order.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct OrderDetail {
    /// The order's price before discounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_price: Option<Fen>,
    /// The merchant's receipt number, at most 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<String>,
    /// The goods, one by one.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub goods_detail: Vec<GoodsDetail>,
}

/// One of the goods.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GoodsDetail {
    /// The merchant's number of it, at most 32 characters.
    pub merchant_goods_id: String,
    /// WeChat's number of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechatpay_goods_id: Option<String>,
    /// Its name, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_name: Option<String>,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub unit_price: Fen,
}

/// Where an order is paid.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SceneInfo {
    /// The payer's IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_client_ip: Option<String>,
    /// The merchant's terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The merchant's shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_info: Option<StoreInfo>,
}

/// A shop of the merchant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StoreInfo {
    /// The merchant's number of it.
    pub id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its administrative region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_code: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// How an order is settled.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SettleInfo {
    /// Freezes the money for profit sharing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profit_sharing: Option<bool>,
}

impl JsapiOrder {
    /// An order with the required members only.
    pub fn new(
        appid: AppId,
        mchid: MchId,
        openid: OpenId,
        out_trade_no: OutTradeNo,
        total: Fen,
        description: String,
        notify_url: String,
    ) -> Self {
        Self {
            appid,
            mchid,
            description,
            out_trade_no,
            time_expire: None,
            attach: None,
            notify_url,
            goods_tag: None,
            support_fapiao: None,
            limit_pay: None,
            amount: Amount { total, currency: Some("CNY".to_owned()) },
            payer: Payer { openid, identity: None },
            detail: None,
            scene_info: None,
            settle_info: None,
            subsidy_info: None,
            other: serde_json::Map::new(),
        }
    }
}
