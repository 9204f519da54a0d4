//! Step 3 of 6, prepay, the APIv2 way: `POST /pay/unifiedorder`.
//!
//! Source: pay.weixin.qq.com/doc/v2/merchant/4011940985.

use std::fmt;

use http::Request;

use super::{Account, Fields, answer};
use crate::{AppId, Call, Error, Fen, Host, MchId, Moment, OpenId, OutTradeNo, PrepayId, Reply};

const WHAT: &str = "answer of unifiedorder";
const ORDER: &str = "unified order";

/// Where the payer pays (`trade_type`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TradeType {
    /// Inside WeChat; mini programs too.
    #[default]
    Jsapi,
    /// By a QR code that the payer scans.
    Native,
    /// In the merchant's own app.
    App,
    /// In a browser outside WeChat.
    Mweb,
}

impl TradeType {
    /// WeChat's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsapi => "JSAPI",
            Self::Native => "NATIVE",
            Self::App => "APP",
            Self::Mweb => "MWEB",
        }
    }

    /// Reads WeChat's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Jsapi, Self::Native, Self::App, Self::Mweb]
            .into_iter()
            .find(|trade_type| trade_type.as_str() == word)
    }
}

/// The order, field by field, by WeChat's names. `mch_id`, `nonce_str`,
/// `sign_type` and `sign` are added when it is sent.
///
/// An order that is repeated must be repeated unchanged, times included, or
/// WeChat answers `INVALID_REQUEST` (201 商户订单号重复).
#[derive(Clone, Eq, PartialEq)]
pub struct UnifiedOrder {
    /// The mini program; bound to the merchant.
    pub appid: AppId,
    /// Partner mode: the sub-merchant.
    pub sub_mch_id: Option<MchId>,
    /// Partner mode: the sub-merchant's mini program; needed with `sub_openid`.
    pub sub_appid: Option<AppId>,
    /// `WEB` or a terminal's number, at most 32 characters.
    pub device_info: Option<String>,
    /// `1.0` with discounts on single items.
    pub version: Option<String>,
    /// What the payer reads, at most 127 bytes of UTF-8.
    pub body: String,
    /// JSON of the goods, at most 6000 bytes.
    pub detail: Option<String>,
    /// Comes back in the notification and the query, at most 127 bytes.
    pub attach: Option<String>,
    /// Our number of this attempt.
    pub out_trade_no: OutTradeNo,
    /// `CNY`, also where absent.
    pub fee_type: Option<String>,
    /// The amount, at least 1 fen.
    pub total_fee: Fen,
    /// IPv4 or IPv6 of the machine that calls.
    pub spbill_create_ip: String,
    /// `yyyyMMddHHmmss`, UTC+8.
    pub time_start: Option<String>,
    /// `yyyyMMddHHmmss`, UTC+8; at least one minute ahead.
    pub time_expire: Option<String>,
    /// Names a discount.
    pub goods_tag: Option<String>,
    /// Where WeChat tells us of the payment: public, without a query string, at most 256 bytes.
    pub notify_url: String,
    /// Where the payer pays.
    pub trade_type: TradeType,
    /// Required for [`TradeType::Native`].
    pub product_id: Option<String>,
    /// `no_credit` refuses credit cards.
    pub limit_pay: Option<String>,
    /// The payer; required for [`TradeType::Jsapi`] (or `sub_openid`).
    pub openid: Option<OpenId>,
    /// Partner mode: the payer as the sub-merchant's mini program knows them.
    pub sub_openid: Option<OpenId>,
    /// `Y` offers an invoice.
    pub receipt: Option<String>,
    /// `Y` freezes the money for profit sharing.
    pub profit_sharing: Option<String>,
    /// JSON of the shop, at most 256 bytes.
    pub scene_info: Option<String>,
    /// Real-name payment: kind of document.
    pub user_type: Option<String>,
    /// Real-name payment: number of the document.
    pub user_creid: Option<String>,
    /// Real-name payment: the payer's name.
    pub user_truename: Option<String>,
    /// Fields that this version does not know.
    pub other: Fields,
}

impl UnifiedOrder {
    /// An order of a mini program with the required fields only.
    pub fn jsapi(
        appid: AppId,
        openid: OpenId,
        out_trade_no: OutTradeNo,
        total_fee: Fen,
        body: String,
        notify_url: String,
    ) -> Self {
        Self {
            appid,
            sub_mch_id: None,
            sub_appid: None,
            device_info: None,
            version: None,
            body,
            detail: None,
            attach: None,
            out_trade_no,
            fee_type: None,
            total_fee,
            spbill_create_ip: "127.0.0.1".to_owned(),
            time_start: None,
            time_expire: None,
            goods_tag: None,
            notify_url,
            trade_type: TradeType::Jsapi,
            product_id: None,
            limit_pay: None,
            openid: Some(openid),
            sub_openid: None,
            receipt: None,
            profit_sharing: None,
            scene_info: None,
            user_type: None,
            user_creid: None,
            user_truename: None,
            other: Fields::new(),
        }
    }

    /// The order as a message, unsigned.
    pub fn fields(&self) -> Fields {
        let mut fields = self.other.clone();
        fields.set("appid", self.appid.as_str());
        fields.set_optional("sub_mch_id", self.sub_mch_id.as_ref().map(MchId::as_str));
        fields.set_optional("sub_appid", self.sub_appid.as_ref().map(AppId::as_str));
        fields.set_optional("device_info", self.device_info.as_deref());
        fields.set_optional("version", self.version.as_deref());
        fields.set("body", &self.body);
        fields.set_optional("detail", self.detail.as_deref());
        fields.set_optional("attach", self.attach.as_deref());
        fields.set("out_trade_no", self.out_trade_no.as_str());
        fields.set_optional("fee_type", self.fee_type.as_deref());
        fields.set("total_fee", &self.total_fee.get().to_string());
        fields.set("spbill_create_ip", &self.spbill_create_ip);
        fields.set_optional("time_start", self.time_start.as_deref());
        fields.set_optional("time_expire", self.time_expire.as_deref());
        fields.set_optional("goods_tag", self.goods_tag.as_deref());
        fields.set("notify_url", &self.notify_url);
        fields.set("trade_type", self.trade_type.as_str());
        fields.set_optional("product_id", self.product_id.as_deref());
        fields.set_optional("limit_pay", self.limit_pay.as_deref());
        fields.set_optional("openid", self.openid.as_ref().map(OpenId::as_str));
        fields.set_optional("sub_openid", self.sub_openid.as_ref().map(OpenId::as_str));
        fields.set_optional("receipt", self.receipt.as_deref());
        fields.set_optional("profit_sharing", self.profit_sharing.as_deref());
        fields.set_optional("scene_info", self.scene_info.as_deref());
        fields.set_optional("user_type", self.user_type.as_deref());
        fields.set_optional("user_creid", self.user_creid.as_deref());
        fields.set_optional("user_truename", self.user_truename.as_deref());
        fields
    }

    /// Reads an order as WeChat's side does. `mch_id`, `nonce_str`, `sign_type`
    /// and `sign` are left out of `other`.
    ///
    /// # Errors
    /// The first required field that is missing or holds what it cannot hold.
    pub fn from_fields(mut fields: Fields) -> Result<Self, Error> {
        for envelope in ["mch_id", "nonce_str", "sign_type", "sign"] {
            fields.remove(envelope);
        }
        let openid = |name| fields.get(name).map(OpenId::parse).transpose();
        let trade_type = fields.required(ORDER, "trade_type")?;
        let order = Self {
            appid: fields.parsed(ORDER, "appid")?,
            sub_mch_id: fields.get("sub_mch_id").map(MchId::parse).transpose()?,
            sub_appid: fields.get("sub_appid").map(AppId::parse).transpose()?,
            device_info: fields.owned("device_info"),
            version: fields.owned("version"),
            body: fields.required(ORDER, "body")?.to_owned(),
            detail: fields.owned("detail"),
            attach: fields.owned("attach"),
            out_trade_no: fields.parsed(ORDER, "out_trade_no")?,
            fee_type: fields.owned("fee_type"),
            total_fee: fields
                .fen(ORDER, "total_fee")?
                .ok_or_else(|| Error::missing(ORDER, "total_fee"))?,
            spbill_create_ip: fields.required(ORDER, "spbill_create_ip")?.to_owned(),
            time_start: fields.owned("time_start"),
            time_expire: fields.owned("time_expire"),
            goods_tag: fields.owned("goods_tag"),
            notify_url: fields.required(ORDER, "notify_url")?.to_owned(),
            trade_type: TradeType::parse(trade_type)
                .ok_or_else(|| Error::holds(ORDER, "trade_type", trade_type))?,
            product_id: fields.owned("product_id"),
            limit_pay: fields.owned("limit_pay"),
            openid: openid("openid")?,
            sub_openid: openid("sub_openid")?,
            receipt: fields.owned("receipt"),
            profit_sharing: fields.owned("profit_sharing"),
            scene_info: fields.owned("scene_info"),
            user_type: fields.owned("user_type"),
            user_creid: fields.owned("user_creid"),
            user_truename: fields.owned("user_truename"),
            other: Fields::new(),
        };
        for (known, _) in order.fields().iter() {
            fields.remove(known);
        }
        fields.drop_empty();
        Ok(Self { other: fields, ..order })
    }
}

/// As its fields, which know what to mask.
impl fmt::Debug for UnifiedOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnifiedOrder").field(&self.fields()).finish()
    }
}

/// Places an order.
#[derive(Clone, Copy, Debug)]
pub struct PlaceOrder<'a> {
    /// Who places it.
    pub account: Account<'a>,
    /// What is ordered.
    pub order: &'a UnifiedOrder,
}

/// What WeChat answers to an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnifiedOrderAnswer {
    /// What the second sign signs. Lives two hours.
    pub prepay_id: PrepayId,
    /// The text of the QR code; `NATIVE` only.
    pub code_url: Option<String>,
    /// Where the browser goes; `MWEB` only.
    pub mweb_url: Option<String>,
    /// All fields of the answer.
    pub fields: Fields,
}

impl Call for PlaceOrder<'_> {
    type Answer = UnifiedOrderAnswer;

    fn operation(&self) -> &'static str {
        "POST /pay/unifiedorder"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        answer::post("/pay/unifiedorder", self.account, self.order.fields(), moment)
    }

    fn answer(&self, reply: Reply<'_>, _: i64) -> Result<UnifiedOrderAnswer, Error> {
        let fields = answer::read(WHAT, self.account, reply)?;
        Ok(UnifiedOrderAnswer {
            prepay_id: fields.parsed(WHAT, "prepay_id")?,
            code_url: fields.owned("code_url"),
            mweb_url: fields.owned("mweb_url"),
            fields,
        })
    }
}
