//! An order and its attempts, as the store holds them, and an order as callers see it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use suanpan_ledger::{AttemptState, Expected, OrderStatus};
use suanpan_wechat::{AppId, Fen, MchId, OpenId, OutTradeNo, PrepayId, TransactionId};
use utoipa::ToSchema;

use crate::ids::OrderId;

/// What a customer owes. Times are unix microseconds.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its id; who knows it may pay it.
    pub id: OrderId,
    /// The merchant's own name for it; unique per merchant account.
    pub reference: String,
    /// Who gets the money.
    pub mchid: MchId,
    /// The mini program that it is paid in.
    pub app: AppId,
    /// What is owed.
    pub amount: Fen,
    /// What went back of it.
    pub amount_refunded: Fen,
    /// `CNY`.
    pub currency: String,
    /// What the payer reads on the payment sheet.
    pub description: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// The only one who may pay it; `None`: whoever comes.
    pub payer_openid: Option<OpenId>,
    /// `JSAPI`.
    pub trade_type: String,
    /// The merchant's own JSON object.
    pub metadata: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// Until when it can be paid.
    pub expires_at: Option<i64>,
    /// When WeChat took the money.
    pub paid_at: Option<i64>,
    /// WeChat's number of the payment.
    pub transaction_id: Option<TransactionId>,
    /// How often it changed: a move says which version it saw.
    pub version: i64,
}

/// One try to pay an order at WeChat, under a number of its own.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its id, `att_…`.
    pub id: String,
    /// The order.
    pub order_id: OrderId,
    /// The merchant that it was placed by.
    pub mchid: MchId,
    /// The mini program that the payer pays in: the one that signs for the sheet.
    pub appid: AppId,
    /// Partner mode: for whom it was placed.
    pub partner: Option<PartnerIds>,
    /// Its number at WeChat.
    pub out_trade_no: OutTradeNo,
    /// The payer that it was placed for.
    pub openid: Option<OpenId>,
    /// Names the parameters: the same number is never placed with others.
    pub fingerprint: String,
    /// The parameters as they are sent: JSON of APIv3 or XML of APIv2.
    pub request: String,
    /// Where it stands.
    pub state: AttemptState,
    /// What the second sign signs.
    pub prepay_id: Option<PrepayId>,
    /// When WeChat gave it.
    pub prepay_at: Option<i64>,
    /// WeChat's number of the payment.
    pub transaction_id: Option<TransactionId>,
    /// The payer's request that it was made for.
    pub request_id: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// How often it changed.
    pub version: i64,
}

/// Partner mode: the two ids that an attempt has beside its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PartnerIds {
    /// The partner's app that it was placed under; the attempt's `appid` is another where the app is the sub-merchant's.
    pub sp_appid: AppId,
    /// The sub-merchant that gets the money.
    pub sub_mchid: MchId,
}

impl Attempt {
    /// The app that it was placed under: the partner's, where there is one.
    pub fn own_app(&self) -> &AppId {
        self.partner.as_ref().map_or(&self.appid, |partner| &partner.sp_appid)
    }

    /// Partner mode: the sub-merchant.
    pub fn sub_mchid(&self) -> Option<&MchId> {
        self.partner.as_ref().map(|partner| &partner.sub_mchid)
    }

    /// Partner mode: the sub-merchant's own app, where the payer pays in it.
    pub fn sub_app(&self) -> Option<&AppId> {
        let partner = self.partner.as_ref()?;
        Some(&self.appid).filter(|appid| **appid != partner.sp_appid)
    }

    /// What a payment must say to be this attempt's.
    pub fn expected<'a>(&'a self, order: &'a Order) -> Expected<'a> {
        Expected {
            mchid: &self.mchid,
            appid: self.own_app(),
            sub_mchid: self.sub_mchid(),
            sub_appid: self.sub_app(),
            out_trade_no: &self.out_trade_no,
            total: order.amount,
            currency: &order.currency,
        }
    }
}

/// 一个订单：金额都是整数分，时间是 RFC 3339。/ An order: amounts in whole fen, times in RFC 3339.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView<'a> {
    /// 订单号；知道它就能付款 / its id; who knows it may pay it
    #[schema(value_type = String, example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")]
    id: &'a OrderId,
    /// 商户自己的单号，每个商户号内唯一 / the merchant's own number, unique per merchant account
    #[schema(value_type = String, max_length = 64, example = "tea-1")]
    reference: &'a str,
    /// 状态 / where it stands
    #[schema(schema_with = statuses)]
    status: &'static str,
    /// 应付金额，分 / what is owed, in fen
    #[schema(value_type = i64, minimum = 1, maximum = 2_147_483_647_i64, example = 990)]
    amount: Fen,
    /// 已退金额，分 / what went back, in fen
    #[schema(value_type = i64, minimum = 0, example = 0)]
    amount_refunded: Fen,
    /// 币种 / the currency
    #[schema(value_type = String, example = "CNY")]
    currency: &'a str,
    /// 付款人在收银台看到的文字 / what the payer reads on the payment sheet
    #[schema(value_type = String, max_length = 127, example = "龙井一杯")]
    description: &'a str,
    /// 在哪个小程序里付 / the mini program that it is paid in
    #[schema(value_type = String, example = "wx2421b1c4370ec43b")]
    app: &'a AppId,
    /// 创建时间 / when it was made
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T00:00:00Z")]
    created_at: Timestamp,
    /// 微信收款的时间 / when WeChat took the money
    #[schema(value_type = Option<String>, required, format = DateTime, example = "2026-01-01T00:00:12Z")]
    paid_at: Option<Timestamp>,
    /// 过了这个时间就不能再付 / until when it can be paid
    #[schema(value_type = Option<String>, required, format = DateTime, example = "2026-01-01T02:00:00Z")]
    expires_at: Option<Timestamp>,
    /// 微信支付订单号 / WeChat's number of the payment
    #[schema(value_type = Option<String>, required, example = "4200000000202601011234567890")]
    transaction_id: Option<&'a TransactionId>,
    /// 商户自己的 JSON 对象，原样返回 / the merchant's own JSON object, as it came
    #[schema(value_type = Option<Object>, required, example = json!({ "table": 7 }))]
    metadata: Option<Box<RawValue>>,
}

/// The words for where an order stands.
fn statuses() -> utoipa::openapi::Object {
    let words = [OrderStatus::Unpaid, OrderStatus::Paying, OrderStatus::Paid, OrderStatus::Closed];
    one_of("状态 / where it stands", words.map(OrderStatus::as_str), OrderStatus::Paid.as_str())
}

/// In the OpenAPI document: a text that is one of these words.
pub(crate) fn one_of(
    description: &str,
    words: impl IntoIterator<Item = &'static str>,
    example: &'static str,
) -> utoipa::openapi::Object {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .description(Some(description))
        .enum_values(Some(words))
        .examples([example])
        .build()
}

impl Order {
    /// The order in JSON.
    pub fn view(&self) -> OrderView<'_> {
        OrderView {
            id: &self.id,
            reference: &self.reference,
            status: self.status.as_str(),
            amount: self.amount,
            amount_refunded: self.amount_refunded,
            currency: &self.currency,
            description: &self.description,
            app: &self.app,
            created_at: rfc3339(self.created_at),
            paid_at: self.paid_at.map(rfc3339),
            expires_at: self.expires_at.map(rfc3339),
            transaction_id: self.transaction_id.as_ref(),
            metadata: self.metadata.clone().and_then(|text| RawValue::from_string(text).ok()),
        }
    }

    /// Whether its time is over. `now` is in unix microseconds.
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// A time for JSON: UTC, to the millisecond. An impossible time is the epoch.
pub(crate) fn rfc3339(micros: i64) -> Timestamp {
    Timestamp::from_millisecond(micros.div_euclid(1000)).unwrap_or(Timestamp::UNIX_EPOCH)
}
