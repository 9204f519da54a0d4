//! `POST /wxa/sec/order/notify_confirm_receive`: remind the payer to confirm the receipt.
//!
//! Once per order, express only, and only while it is shipped. Codes: 10060028
//! (not shipped), 10060029 (received before it was shipped), 10060030 (reminded
//! already), 10060032 (not express).
//! Source: developers.weixin.qq.com, "小程序发货信息管理服务".

use serde::Serialize;

use super::Question;
use super::query_shipping::Names;
use super::shipping::OrderKey;
use crate::{Error, MchId};

/// Reminds the payer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct NotifyConfirmReceive {
    #[serde(flatten)]
    key: Names,
    received_time: i64,
}

impl NotifyConfirmReceive {
    /// `received_time`: when the courier handed it over, unix seconds.
    pub fn new(key: OrderKey, sub_merchant_id: Option<MchId>, received_time: i64) -> Self {
        Self { key: Names::of(key, sub_merchant_id), received_time }
    }
}

impl Question for NotifyConfirmReceive {
    type Answer = ();
    const OPERATION: &'static str = "POST /wxa/sec/order/notify_confirm_receive";

    fn read(_: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TransactionId;
    use crate::platform::tests::{heard, sent};

    #[test]
    fn the_question_and_its_answers() {
        let key = OrderKey::Transaction(TransactionId::parse("4200001").unwrap());
        let question = NotifyConfirmReceive::new(key, None, 1_670_000_100);
        assert_eq!(sent(&question).1, r#"{"transaction_id":"4200001","received_time":1670000100}"#);
        assert!(heard(&question, r#"{"errcode":0}"#).is_ok());
        assert!(heard(&question, r#"{"errcode":10060030}"#).is_err());
    }
}
