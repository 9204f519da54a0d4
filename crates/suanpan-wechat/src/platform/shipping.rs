//! `POST /wxa/sec/order/upload_shipping_info` and its form for combined orders:
//! the goods are on their way, so the money may be settled.
//!
//! A whole shipment may be corrected once, as long as the payer has not
//! confirmed the receipt. `delivery_mode` 2 (several parcels at several times)
//! is for express only. Codes: 10060001 (the payment is not known there yet),
//! 10060002 and 10060023 (done already), 10060003 (the correction is used),
//! 10060004 (refunded or closed), 10060031 (another payer).
//! Source: developers.weixin.qq.com, "小程序发货信息管理服务".

use serde::Serialize;

use super::Question;
use crate::{Error, MchId, OpenId, OutTradeNo, TransactionId};

/// The most characters of `item_desc`.
pub const MAX_ITEM_DESC: usize = 120;

/// The most entries of `shipping_list`.
pub const MAX_PARCELS: usize = 15;

/// Which order; `order_number_type` 2 or 1.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(into = "WireOrderKey")]
pub enum OrderKey {
    /// By WeChat's number of the payment.
    Transaction(TransactionId),
    /// By the merchant's number. With sub-merchants, the one that took the money.
    OutTradeNo(MchId, OutTradeNo),
}

#[derive(Serialize)]
struct WireOrderKey {
    order_number_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<TransactionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mchid: Option<MchId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<OutTradeNo>,
}

impl From<OrderKey> for WireOrderKey {
    fn from(key: OrderKey) -> Self {
        let (order_number_type, transaction_id, mchid, out_trade_no) = match key {
            OrderKey::Transaction(id) => (2, Some(id), None, None),
            OrderKey::OutTradeNo(mchid, number) => (1, None, Some(mchid), Some(number)),
        };
        Self { order_number_type, transaction_id, mchid, out_trade_no }
    }
}

/// How the goods reach the payer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(into = "u8")]
pub enum LogisticsType {
    /// By an express company, with a tracking number.
    Express,
    /// In the same city, without one.
    SameCity,
    /// There is nothing to carry.
    Virtual,
    /// The payer fetches them.
    SelfPickup,
}

impl From<LogisticsType> for u8 {
    fn from(kind: LogisticsType) -> Self {
        match kind {
            LogisticsType::Express => 1,
            LogisticsType::SameCity => 2,
            LogisticsType::Virtual => 3,
            LogisticsType::SelfPickup => 4,
        }
    }
}

/// In one go or in several.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(into = "u8")]
pub enum DeliveryMode {
    /// `UNIFIED_DELIVERY`.
    Unified,
    /// `SPLIT_DELIVERY`, express only.
    Split,
}

impl From<DeliveryMode> for u8 {
    fn from(mode: DeliveryMode) -> Self {
        match mode {
            DeliveryMode::Unified => 1,
            DeliveryMode::Split => 2,
        }
    }
}

/// One parcel; without company and number where nothing is sent by express.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Parcel {
    /// The number on it, 1 to 128 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_no: Option<String>,
    /// `delivery_id` of [`GetDeliveryList`](super::GetDeliveryList): `SF`, `ZTO`, `YTO`, `EMS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub express_company: Option<String>,
    /// What is in it, as the payer reads it.
    pub item_desc: String,
    /// Needed with `SF`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// Whom the courier calls; masked, with the last four digits readable: `189****1234`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Contact {
    /// Who sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consignor_contact: Option<String>,
    /// Who receives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver_contact: Option<String>,
}

/// Who paid.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Payer {
    /// As this app knows them.
    pub openid: OpenId,
}

/// The shipment of one order.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct UploadShippingInfo {
    /// Which order.
    pub order_key: OrderKey,
    /// How it goes.
    pub logistics_type: LogisticsType,
    /// In one go or in several.
    pub delivery_mode: DeliveryMode,
    /// With [`DeliveryMode::Split`]: whether this was the last parcel. The payer is told only then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_all_delivered: Option<bool>,
    /// Exactly one with [`DeliveryMode::Unified`].
    pub shipping_list: Vec<Parcel>,
    /// [`rfc3339_millis`](crate::time::beijing_rfc3339_millis); later than that of the upload before.
    pub upload_time: String,
    /// Who paid.
    pub payer: Payer,
}

/// One order of a combined payment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SubOrder {
    /// Which; the same kind of number as that of the whole.
    pub order_key: OrderKey,
    /// How it goes.
    pub logistics_type: LogisticsType,
    /// In one go or in several.
    pub delivery_mode: DeliveryMode,
    /// As in [`UploadShippingInfo`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_all_delivered: Option<bool>,
    /// As in [`UploadShippingInfo`].
    pub shipping_list: Vec<Parcel>,
}

/// The shipments of a combined payment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct UploadCombinedShippingInfo {
    /// The whole.
    pub order_key: OrderKey,
    /// Its parts.
    pub sub_orders: Vec<SubOrder>,
    /// As in [`UploadShippingInfo`].
    pub upload_time: String,
    /// Who paid.
    pub payer: Payer,
}

impl Question for UploadShippingInfo {
    type Answer = ();
    const OPERATION: &'static str = "POST /wxa/sec/order/upload_shipping_info";

    fn read(_: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

impl Question for UploadCombinedShippingInfo {
    type Answer = ();
    const OPERATION: &'static str = "POST /wxa/sec/order/upload_combined_shipping_info";

    fn read(_: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::tests::{heard, sent};
    use crate::time::beijing_rfc3339_millis;

    fn transaction() -> OrderKey {
        OrderKey::Transaction(TransactionId::parse("4200001").unwrap())
    }

    fn upload(logistics_type: LogisticsType, parcel: Parcel) -> UploadShippingInfo {
        UploadShippingInfo {
            order_key: transaction(),
            logistics_type,
            delivery_mode: DeliveryMode::Unified,
            is_all_delivered: None,
            shipping_list: vec![parcel],
            upload_time: beijing_rfc3339_millis(1_671_082_175_120),
            payer: Payer { openid: OpenId::parse("ogqztkPsejM9MQAFfwCQSCi4oNg3").unwrap() },
        }
    }

    #[test]
    fn nothing_to_carry_has_neither_company_nor_number_and_chinese_stays_chinese() {
        let parcel = Parcel { item_desc: "龙井 \"一杯\"".to_owned(), ..Parcel::default() };
        let (uri, body) = sent(&upload(LogisticsType::Virtual, parcel));
        assert!(uri.starts_with("/wxa/sec/order/upload_shipping_info?access_token="), "{uri}");
        insta::assert_snapshot!(body, @r#"{"order_key":{"order_number_type":2,"transaction_id":"4200001"},"logistics_type":3,"delivery_mode":1,"shipping_list":[{"item_desc":"龙井 \"一杯\""}],"upload_time":"2022-12-15T13:29:35.120+08:00","payer":{"openid":"ogqztkPsejM9MQAFfwCQSCi4oNg3"}}"#);
    }

    #[test]
    fn a_parcel_of_express_has_all() {
        let contact =
            Contact { receiver_contact: Some("189****1234".to_owned()), ..Contact::default() };
        let parcel = Parcel {
            tracking_no: Some("SF1".to_owned()),
            express_company: Some("SF".to_owned()),
            item_desc: "茶".to_owned(),
            contact: Some(contact),
        };
        let mut question = upload(LogisticsType::Express, parcel);
        question.order_key = OrderKey::OutTradeNo(
            MchId::parse("1900000109").unwrap(),
            OutTradeNo::parse("SP0001").unwrap(),
        );
        question.delivery_mode = DeliveryMode::Split;
        question.is_all_delivered = Some(false);
        insta::assert_snapshot!(sent(&question).1, @r#"{"order_key":{"order_number_type":1,"mchid":"1900000109","out_trade_no":"SP0001"},"logistics_type":1,"delivery_mode":2,"is_all_delivered":false,"shipping_list":[{"tracking_no":"SF1","express_company":"SF","item_desc":"茶","contact":{"receiver_contact":"189****1234"}}],"upload_time":"2022-12-15T13:29:35.120+08:00","payer":{"openid":"ogqztkPsejM9MQAFfwCQSCi4oNg3"}}"#);
    }

    #[test]
    fn a_combined_order_names_its_parts() {
        let whole = upload(LogisticsType::SelfPickup, Parcel::default());
        let part = SubOrder {
            order_key: transaction(),
            logistics_type: LogisticsType::SameCity,
            delivery_mode: DeliveryMode::Unified,
            is_all_delivered: None,
            shipping_list: vec![Parcel { item_desc: "花".to_owned(), ..Parcel::default() }],
        };
        let combined = UploadCombinedShippingInfo {
            order_key: whole.order_key,
            sub_orders: vec![part],
            upload_time: whole.upload_time,
            payer: whole.payer,
        };
        let (uri, body) = sent(&combined);
        assert!(uri.starts_with("/wxa/sec/order/upload_combined_shipping_info?"), "{uri}");
        insta::assert_snapshot!(body, @r#"{"order_key":{"order_number_type":2,"transaction_id":"4200001"},"sub_orders":[{"order_key":{"order_number_type":2,"transaction_id":"4200001"},"logistics_type":2,"delivery_mode":1,"shipping_list":[{"item_desc":"花"}]}],"upload_time":"2022-12-15T13:29:35.120+08:00","payer":{"openid":"ogqztkPsejM9MQAFfwCQSCi4oNg3"}}"#);
    }

    #[test]
    fn zero_and_nothing_are_both_yes() {
        let question = upload(LogisticsType::Virtual, Parcel::default());
        for body in [r#"{"errcode":0,"errmsg":"ok"}"#, "{}"] {
            assert!(heard(&question, body).is_ok(), "{body}");
        }
        for code in [10_060_001, 10_060_023, 268_485_216, 47001] {
            let body = format!(r#"{{"errcode":{code},"errmsg":"no"}}"#);
            let Err(Error::Refused(refusal)) = heard(&question, &body) else { panic!("{code}") };
            assert_eq!(refusal.code, code.to_string());
        }
    }
}
