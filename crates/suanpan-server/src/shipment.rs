//! What is shipped for a paid order, as the store holds it, and as callers see it.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use suanpan_ledger::ShippingState;
use suanpan_wechat::platform::{self, DeliveryMode, LogisticsType};
use utoipa::ToSchema;

use crate::ids::OrderId;
use crate::order::rfc3339;

/// Who says what is shipped for a paid order of an app.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum ShippingPolicy {
    /// Nobody: WeChat is told nothing.
    #[default]
    None,
    /// There is nothing to carry; WeChat is told so by itself.
    Virtual,
    /// The payer fetches it; WeChat is told so by itself.
    SelfPickup,
    /// The merchant, for each order.
    Express,
}

impl ShippingPolicy {
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Virtual, Self::SelfPickup, Self::Express];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Virtual => "virtual",
            Self::SelfPickup => "self_pickup",
            Self::Express => "express",
        }
    }
}

impl FromStr for ShippingPolicy {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == word).ok_or("not a policy")
    }
}

/// The shipment of an order. Times are unix microseconds, but for `upload_time`.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// The order.
    pub order_id: OrderId,
    /// The attempt that it was paid by.
    pub attempt_id: String,
    /// The policy of the app when the order was paid.
    pub policy: ShippingPolicy,
    /// Whether the policy says what is shipped; otherwise the merchant does.
    pub automatic: bool,
    /// Where it stands.
    pub state: ShippingState,
    /// The last upload, as it was asked for.
    pub goods: Option<Goods>,
    /// All that WeChat has taken.
    pub parcels: Vec<Parcel>,
    /// Which upload this is; 0: nobody has asked for one, or the policy has.
    pub serial: i64,
    /// How often WeChat was told of this upload: above 0, an answer may be lost.
    pub tries: i64,
    /// That of the last call, unix milliseconds.
    pub upload_time: i64,
    /// WeChat's number for where it stands, when it was asked last.
    pub order_state: Option<i64>,
    /// Why it does not get on.
    pub problem: Option<String>,
    /// When the order was paid.
    pub paid_at: i64,
    /// Until when WeChat wants to be told.
    pub deadline: i64,
    /// When WeChat had all of it.
    pub shipped_at: Option<i64>,
    /// When the payer was reminded to confirm.
    pub reminded_at: Option<i64>,
    /// When WeChat was asked last.
    pub asked_at: Option<i64>,
    /// When the row was made.
    pub created_at: i64,
    /// How often it changed.
    pub version: i64,
}

/// How the goods reach the payer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Logistics {
    /// By an express company, with a tracking number.
    Express,
    /// In the same city, without one.
    SameCity,
    /// There is nothing to carry.
    Virtual,
    /// The payer fetches them.
    SelfPickup,
}

/// One upload.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Goods {
    /// How they go.
    pub logistics_type: Logistics,
    /// Parcels at several times, express only.
    pub split: bool,
    /// Whether this is all of it.
    pub is_all_delivered: bool,
    /// What is sent now.
    pub parcels: Vec<Parcel>,
}

/// 一个包裹；不是快递就只有商品说明。/ A parcel; without company and number where nothing goes by express.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Parcel {
    /// 快递公司编码，微信的 `delivery_id` / the company, by WeChat's `delivery_id`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128, example = "ZTO")]
    pub express_company: Option<String>,
    /// 快递单号 / the number on it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128, example = "73100000000000")]
    pub tracking_no: Option<String>,
    /// 里面是什么，付款人会看到；不写就是订单的描述 / what is in it; left out: the order's description
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 120, example = "龙井一盒")]
    pub item_desc: String,
    /// 收件人电话，掩码 `189****1234`；给完整号码就替你掩码。顺丰要收件人或寄件人之一 / the receiver's telephone, masked; a whole one is masked here. SF wants this or the consignor's
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "189****1234")]
    pub receiver_contact: Option<String>,
    /// 寄件人电话，同上 / the consignor's telephone, likewise
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "021-****5678")]
    pub consignor_contact: Option<String>,
}

impl Logistics {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Express => "express",
            Self::SameCity => "same_city",
            Self::Virtual => "virtual",
            Self::SelfPickup => "self_pickup",
        }
    }

    /// WeChat's.
    pub(crate) const fn wechat(self) -> LogisticsType {
        match self {
            Self::Express => LogisticsType::Express,
            Self::SameCity => LogisticsType::SameCity,
            Self::Virtual => LogisticsType::Virtual,
            Self::SelfPickup => LogisticsType::SelfPickup,
        }
    }
}

impl Goods {
    /// All of it in one parcel that nobody carries, with these words.
    pub(crate) fn in_words(logistics_type: Logistics, words: &str) -> Self {
        let item_desc = words.chars().take(platform::MAX_ITEM_DESC).collect();
        let parcel = Parcel {
            express_company: None,
            tracking_no: None,
            item_desc,
            receiver_contact: None,
            consignor_contact: None,
        };
        Self { logistics_type, split: false, is_all_delivered: true, parcels: vec![parcel] }
    }

    pub(crate) const fn mode(&self) -> DeliveryMode {
        if self.split { DeliveryMode::Split } else { DeliveryMode::Unified }
    }

    /// Whether WeChat has it already, as it says itself.
    pub(crate) fn is_in(&self, told: &platform::ShippingStatus) -> bool {
        let has = |parcel: &Parcel| {
            told.shipping_list.iter().any(|known| match &parcel.tracking_no {
                Some(number) => {
                    known.tracking_no == *number
                        && Some(&known.express_company) == parcel.express_company.as_ref()
                }
                None => known.goods_desc == parcel.item_desc,
            })
        };
        told.logistics_type == i64::from(u8::from(self.logistics_type.wechat()))
            && (!self.is_all_delivered || told.finish_shipping)
            && self.parcels.iter().all(has)
    }

    /// In a line, for people: no telephone is in it.
    pub(crate) fn words(&self) -> String {
        let parcels = self.parcels.iter().map(|parcel| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let way = format!("{} {}", text(&parcel.express_company), text(&parcel.tracking_no));
            format!("{} {}", way.trim(), parcel.item_desc).trim().to_owned()
        });
        let more = if self.is_all_delivered { "" } else { "; more will follow" };
        format!(
            "{}: {}{more}",
            self.logistics_type.as_str(),
            parcels.collect::<Vec<_>>().join(", ")
        )
    }
}

impl Parcel {
    pub(crate) fn wechat(&self) -> platform::Parcel {
        let contact = platform::Contact {
            consignor_contact: self.consignor_contact.clone(),
            receiver_contact: self.receiver_contact.clone(),
        };
        platform::Parcel {
            tracking_no: self.tracking_no.clone(),
            express_company: self.express_company.clone(),
            item_desc: self.item_desc.clone(),
            contact: (contact != platform::Contact::default()).then_some(contact),
        }
    }
}

/// 一个订单的发货信息。/ The shipping information of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shipping)]
pub struct ShippingView<'a> {
    /// 订单号 / the order's id
    #[schema(value_type = String, example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")]
    order_id: &'a OrderId,
    /// 状态；没有要发的就是 none / where it stands; `none`: nothing is to be shipped
    #[schema(schema_with = states)]
    state: &'static str,
    /// 小程序的发货方式 / the policy of the app
    #[schema(schema_with = policies)]
    policy: &'static str,
    /// 我们自动上传，还是等商户来说 / whether it is uploaded by itself
    automatic: bool,
    /// 微信要求在这之前上传（付款后 48 小时）/ until when WeChat wants to be told: 48 hours after the payment
    #[schema(value_type = Option<String>, required, format = DateTime, example = "2026-01-03T00:00:12Z")]
    deadline: Option<Timestamp>,
    /// 过了期限还没有传完 / the deadline has passed and it is not whole
    overdue: bool,
    /// 怎么送到 / how it goes
    #[schema(value_type = Option<Logistics>, required)]
    logistics_type: Option<Logistics>,
    /// unified 一次发完，split 分几次 / in one go, or in several
    #[schema(value_type = Option<String>, required, example = "unified")]
    delivery_mode: Option<&'static str>,
    /// 最近一次上传是不是最后一批 / whether the last upload is all of it
    #[schema(value_type = Option<bool>, required)]
    is_all_delivered: Option<bool>,
    /// 微信已收下的包裹 / the parcels that WeChat has taken
    parcels: &'a [Parcel],
    /// 微信的 `order_state`：1 待发货 2 已发货 3 已收货 4 已完成 5 已退款 6 资金待结算；没问过就是 null / WeChat's, when it was asked last
    #[schema(required, example = 2)]
    order_state: Option<i64>,
    /// 微信收完全部发货信息的时间 / when WeChat had all of it
    #[schema(value_type = Option<String>, required, format = DateTime)]
    shipped_at: Option<Timestamp>,
    /// 提醒过付款人确认收货的时间 / when the payer was reminded to confirm
    #[schema(value_type = Option<String>, required, format = DateTime)]
    reminded_at: Option<Timestamp>,
    /// 最近一次问微信的时间 / when WeChat was asked last
    #[schema(value_type = Option<String>, required, format = DateTime)]
    asked_at: Option<Timestamp>,
    /// 为什么还没有好 / why it does not get on
    #[schema(required)]
    problem: Option<&'a str>,
}

impl Shipment {
    /// The shipment in JSON; `now` in unix microseconds.
    pub fn view(&self, now: i64) -> ShippingView<'_> {
        let goods = self.goods.as_ref();
        ShippingView {
            order_id: &self.order_id,
            state: self.state.as_str(),
            policy: self.policy.as_str(),
            automatic: self.automatic,
            deadline: Some(rfc3339(self.deadline)),
            overdue: self.state.is_open() && self.deadline <= now,
            logistics_type: goods.map(|goods| goods.logistics_type),
            delivery_mode: goods.map(|goods| if goods.split { "split" } else { "unified" }),
            is_all_delivered: goods.map(|goods| goods.is_all_delivered),
            parcels: &self.parcels,
            order_state: self.order_state,
            shipped_at: self.shipped_at.map(rfc3339),
            reminded_at: self.reminded_at.map(rfc3339),
            asked_at: self.asked_at.map(rfc3339),
            problem: self.problem.as_deref(),
        }
    }
}

impl<'a> ShippingView<'a> {
    /// Of an order for which nothing is to be shipped, or not yet.
    pub(crate) const fn none(order_id: &'a OrderId, policy: ShippingPolicy) -> Self {
        Self {
            order_id,
            state: "none",
            policy: policy.as_str(),
            automatic: false,
            deadline: None,
            overdue: false,
            logistics_type: None,
            delivery_mode: None,
            is_all_delivered: None,
            parcels: &[],
            order_state: None,
            shipped_at: None,
            reminded_at: None,
            asked_at: None,
            problem: None,
        }
    }
}

/// The words for where a shipment stands.
fn states() -> utoipa::openapi::Object {
    let mut words = vec!["none"];
    words.extend(ShippingState::ALL.map(ShippingState::as_str));
    enumerated("状态 / where it stands", words)
}

fn policies() -> utoipa::openapi::Object {
    enumerated(
        "小程序的发货方式 / the policy of the app",
        ShippingPolicy::ALL.map(ShippingPolicy::as_str).to_vec(),
    )
}

fn enumerated(description: &str, words: Vec<&'static str>) -> utoipa::openapi::Object {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .description(Some(description))
        .enum_values(Some(words))
        .build()
}
