//! `POST /wxa/sec/order/get_order` and `get_order_list`: how WeChat sees the shipment.
//!
//! The fields have other names here than in the upload (`merchant_trade_no`,
//! `goods_desc`), and times are unix seconds.
//! Source: developers.weixin.qq.com, "小程序发货信息管理服务".

use serde::{Deserialize, Serialize};

use super::shipping::OrderKey;
use super::{Question, read};
use crate::{Error, Fen, MchId, OpenId, OutTradeNo, TransactionId};

/// Asks about one order.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct GetOrder {
    #[serde(flatten)]
    key: Names,
}

/// An order by the names that everything but the upload gives it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(super) struct Names {
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<TransactionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_id: Option<MchId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_merchant_id: Option<MchId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_trade_no: Option<OutTradeNo>,
}

impl Names {
    pub(super) fn of(key: OrderKey, sub_merchant_id: Option<MchId>) -> Self {
        match key {
            OrderKey::Transaction(id) => {
                Self { transaction_id: Some(id), sub_merchant_id, ..Self::default() }
            }
            OrderKey::OutTradeNo(mchid, number) => Self {
                merchant_id: Some(mchid),
                merchant_trade_no: Some(number),
                sub_merchant_id,
                ..Self::default()
            },
        }
    }
}

impl GetOrder {
    /// About this order; `sub_merchant_id` where a partner's sub-merchant took the money.
    pub fn new(key: OrderKey, sub_merchant_id: Option<MchId>) -> Self {
        Self { key: Names::of(key, sub_merchant_id) }
    }
}

/// Asks about many orders; all narrowings are optional.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct GetOrderList {
    /// Only those paid in this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_time_range: Option<TimeRange>,
    /// Only those that stand so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_state: Option<i64>,
    /// Only those of this payer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenId>,
    /// `last_index` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_index: Option<String>,
    /// 100 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i64>,
}

/// Both ends included, unix seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct TimeRange {
    /// From.
    pub begin_time: i64,
    /// To.
    pub end_time: i64,
}

/// Where an order stands in shipping management.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(from = "i64")]
pub enum OrderState {
    /// 1: to be shipped.
    ToShip,
    /// 2: shipped.
    Shipped,
    /// 3: the payer has confirmed the receipt.
    Received,
    /// 4: done.
    Finished,
    /// 5: refunded.
    Refunded,
    /// 6: the money is to be settled.
    ToSettle,
    /// Any other number: WeChat may add some.
    Other(i64),
}

impl From<i64> for OrderState {
    fn from(number: i64) -> Self {
        match number {
            1 => Self::ToShip,
            2 => Self::Shipped,
            3 => Self::Received,
            4 => Self::Finished,
            5 => Self::Refunded,
            6 => Self::ToSettle,
            other => Self::Other(other),
        }
    }
}

impl OrderState {
    /// WeChat's number.
    pub const fn number(self) -> i64 {
        match self {
            Self::ToShip => 1,
            Self::Shipped => 2,
            Self::Received => 3,
            Self::Finished => 4,
            Self::Refunded => 5,
            Self::ToSettle => 6,
            Self::Other(other) => other,
        }
    }

    /// A word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToShip => "to_ship",
            Self::Shipped => "shipped",
            Self::Received => "received",
            Self::Finished => "finished",
            Self::Refunded => "refunded",
            Self::ToSettle => "to_settle",
            Self::Other(_) => "other",
        }
    }
}

/// The answer about one order.
#[derive(Clone, Debug, Deserialize)]
pub struct OneOrder {
    /// The order.
    pub order: ShippingOrder,
}

/// The answer about many orders.
#[derive(Clone, Debug, Deserialize)]
pub struct OrderList {
    /// For the next page.
    #[serde(default)]
    pub last_index: String,
    /// Whether there is one.
    #[serde(default)]
    pub has_more: bool,
    /// This page.
    #[serde(default)]
    pub order_list: Vec<ShippingOrder>,
}

/// An order as shipping management sees it.
#[derive(Clone, Debug, Deserialize)]
pub struct ShippingOrder {
    /// WeChat's number of the payment.
    pub transaction_id: TransactionId,
    /// The merchant.
    pub merchant_id: String,
    /// `"0"` where there is none.
    #[serde(default)]
    pub sub_merchant_id: String,
    /// The merchant's number.
    pub merchant_trade_no: String,
    /// All item texts, joined by `;` and cut.
    #[serde(default)]
    pub description: String,
    /// What was paid.
    pub paid_amount: Fen,
    /// Who paid.
    pub openid: OpenId,
    /// Unix seconds.
    #[serde(default)]
    pub trade_create_time: i64,
    /// Unix seconds.
    #[serde(default)]
    pub pay_time: i64,
    /// Where it stands.
    pub order_state: OrderState,
    /// The payer has complained.
    #[serde(default)]
    pub in_complaint: bool,
    /// What was uploaded; absent before.
    #[serde(default)]
    pub shipping: ShippingStatus,
}

/// What was uploaded.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ShippingStatus {
    /// 1 in one go, 2 in several.
    pub delivery_mode: i64,
    /// 1 express, 2 same city, 3 virtual, 4 fetched.
    pub logistics_type: i64,
    /// All of it is on its way.
    pub finish_shipping: bool,
    /// All item texts.
    pub goods_desc: String,
    /// 0: not yet, 1: once, 2: corrected, which is the last time.
    pub finish_shipping_count: i64,
    /// The parcels.
    pub shipping_list: Vec<ShippedItem>,
}

/// A parcel that was uploaded.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ShippedItem {
    /// The number on it.
    pub tracking_no: String,
    /// The company's id.
    pub express_company: String,
    /// What is in it.
    pub goods_desc: String,
    /// Unix seconds.
    pub upload_time: i64,
}

impl Question for GetOrder {
    type Answer = OneOrder;
    const OPERATION: &'static str = "POST /wxa/sec/order/get_order";

    fn read(body: &[u8]) -> Result<OneOrder, Error> {
        read(Self::OPERATION, body)
    }
}

impl Question for GetOrderList {
    type Answer = OrderList;
    const OPERATION: &'static str = "POST /wxa/sec/order/get_order_list";

    fn read(body: &[u8]) -> Result<OrderList, Error> {
        read(Self::OPERATION, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::tests::{heard, sent};

    fn key() -> OrderKey {
        OrderKey::Transaction(TransactionId::parse("4200001").unwrap())
    }

    #[test]
    fn an_order_is_named_by_either_number() {
        let sub = MchId::parse("1900000110").unwrap();
        assert_eq!(sent(&GetOrder::new(key(), None)).1, r#"{"transaction_id":"4200001"}"#);
        let own = OrderKey::OutTradeNo(
            MchId::parse("1900000109").unwrap(),
            OutTradeNo::parse("SP0001").unwrap(),
        );
        insta::assert_snapshot!(sent(&GetOrder::new(own, Some(sub))).1, @r#"{"merchant_id":"1900000109","sub_merchant_id":"1900000110","merchant_trade_no":"SP0001"}"#);
    }

    #[test]
    fn a_list_is_narrowed_by_what_is_given() {
        assert_eq!(sent(&GetOrderList::default()).1, "{}");
        let list = GetOrderList {
            pay_time_range: Some(TimeRange { begin_time: 1, end_time: 2 }),
            order_state: Some(OrderState::ToShip.number()),
            openid: Some(OpenId::parse("o1").unwrap()),
            last_index: Some("abc".to_owned()),
            page_size: Some(50),
        };
        insta::assert_snapshot!(sent(&list).1, @r#"{"pay_time_range":{"begin_time":1,"end_time":2},"order_state":1,"openid":"o1","last_index":"abc","page_size":50}"#);
    }

    // The fields of the documented sample; it has `upload_scene` too, which the table does not name.
    const SAMPLE: &str = r#"{"transaction_id":"42000020212023112332159214xx","merchant_id":"1230000000",
        "sub_merchant_id":"0","merchant_trade_no":"1234567890","description":"微信红包抱枕*1个;茶",
        "paid_amount":990,"openid":"ogqztkPsejM9MQAFfwCQSCi4oNg3","trade_create_time":1670000000,
        "pay_time":1670000010,"order_state":2,"in_complaint":false,"upload_scene":1,
        "shipping":{"delivery_mode":1,"logistics_type":1,"finish_shipping":true,"goods_desc":"茶",
        "finish_shipping_count":1,"shipping_list":[{"tracking_no":"3233","express_company":"DHL",
        "goods_desc":"茶","upload_time":1670000100,"contact":{"consignor_contact":"189****1234"}}]}}"#;

    #[test]
    fn an_order_is_read_with_and_without_its_shipment() {
        let body = format!(r#"{{"errcode":0,"errmsg":"ok","order":{SAMPLE}}}"#);
        let order = heard(&GetOrder::new(key(), None), &body).unwrap().order;
        assert_eq!(order.order_state, OrderState::Shipped);
        assert_eq!(order.paid_amount, Fen::new(990).unwrap());
        assert_eq!(order.shipping.finish_shipping_count, 1);
        assert_eq!(order.shipping.shipping_list[0].express_company, "DHL");

        let bare = r#"{"order":{"transaction_id":"1","merchant_id":"1","merchant_trade_no":"123456",
            "paid_amount":1,"openid":"o1","order_state":1}}"#;
        let order = heard(&GetOrder::new(key(), None), bare).unwrap().order;
        assert!(!order.shipping.finish_shipping && order.shipping.shipping_list.is_empty());
    }

    #[test]
    fn a_page_says_whether_there_are_more() {
        let body =
            format!(r#"{{"errcode":0,"last_index":"x1","has_more":true,"order_list":[{SAMPLE}]}}"#);
        let page = heard(&GetOrderList::default(), &body).unwrap();
        assert_eq!(
            (page.last_index.as_str(), page.has_more, page.order_list.len()),
            ("x1", true, 1)
        );
        assert!(heard(&GetOrderList::default(), "{}").unwrap().order_list.is_empty());
        assert!(heard(&GetOrderList::default(), r#"{"order_list":{}}"#).is_err());
    }

    #[test]
    fn every_state_has_its_number() {
        let words: Vec<_> = (0..=7).map(|number| OrderState::from(number).as_str()).collect();
        let expected = [
            "other",
            "to_ship",
            "shipped",
            "received",
            "finished",
            "refunded",
            "to_settle",
            "other",
        ];
        assert_eq!(words, expected);
        assert!((0..=7).all(|number| OrderState::from(number).number() == number));
    }
}
