//! Every member that WeChat documents for an order and a transaction of APIv3 has
//! its place in the types, and what has none survives.

use serde_json::{Map, Value, json};
use suanpan_wechat::v3::{JsapiOrder, Notification, Transaction};

/// pay.weixin.qq.com/doc/v3/merchant/4012791897.
fn order() -> Value {
    json!({
        "appid": "wx8888888888888888",
        "mchid": "1900000109",
        "description": "算盘小店-茶",
        "out_trade_no": "SP-2026_11|24*",
        "time_expire": "2026-11-24T22:25:00+08:00",
        "attach": "{\"x\":1}",
        "notify_url": "https://pay.example.com/wechat/notify/1900000109",
        "goods_tag": "TEA",
        "support_fapiao": true,
        "limit_pay": ["no_credit", "no_debit"],
        "amount": {"total": 990, "currency": "CNY"},
        "payer": {
            "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
            "identity": {"type": "IDCARD", "number": "c2VhbGVk", "name": "c2VhbGVk"},
        },
        "detail": {
            "cost_price": 1000,
            "invoice_id": "T-1",
            "goods_detail": [{
                "merchant_goods_id": "tea", "wechatpay_goods_id": "1001", "goods_name": "茶",
                "quantity": 1, "unit_price": 990,
            }],
        },
        "scene_info": {
            "payer_client_ip": "2001:db8::1",
            "device_id": "013467007045764",
            "store_info": {"id": "0001", "name": "店", "area_code": "440305", "address": "路"},
        },
        "settle_info": {"profit_sharing": false},
        "subsidy_info": {"subsidy_scene": "INSTALLMENT"},
    })
}

/// pay.weixin.qq.com/doc/v3/merchant/4012791900, with the members of partner mode.
fn transaction() -> Value {
    json!({
        "appid": "wx8888888888888888",
        "mchid": "1900000109",
        "sp_appid": "wx8888888888888889",
        "sp_mchid": "1900000100",
        "sub_appid": "wx8888888888888888",
        "sub_mchid": "1900000109",
        "out_trade_no": "SP-2026_11|24*",
        "transaction_id": "4200001234202611240000000001",
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "CMB_DEBIT",
        "attach": "{\"x\":1}",
        "success_time": "2026-11-24T10:03:08+08:00",
        "payer": {
            "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
            "sp_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6p",
            "sub_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6q",
        },
        "amount": {
            "total": 990, "payer_total": 980, "currency": "CNY", "payer_currency": "CNY",
        },
        "scene_info": {"device_id": "013467007045764"},
        "promotion_detail": [{
            "coupon_id": "109519", "name": "满减", "scope": "SINGLE", "type": "NOCASH",
            "amount": 10, "stock_id": "931386", "wechatpay_contribute": 0,
            "merchant_contribute": 10, "other_contribute": 0, "currency": "CNY",
            "goods_detail": [{
                "goods_id": "tea", "quantity": 1, "unit_price": 990, "discount_amount": 10,
                "goods_remark": "绿",
            }],
        }],
    })
}

/// pay.weixin.qq.com/doc/v3/merchant/4012791902.
fn envelope() -> Value {
    json!({
        "id": "EV-2018022511223320873",
        "create_time": "2026-11-24T10:03:09+08:00",
        "event_type": "TRANSACTION.SUCCESS",
        "resource_type": "encrypt-resource",
        "summary": "支付成功",
        "resource": {
            "original_type": "transaction",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": "c2VhbGVk",
            "associated_data": "transaction",
            "nonce": "N0nce-12char",
        },
    })
}

/// Reads and writes: what comes back is what a type has a place for.
fn there_and_back<T: serde::Serialize + serde::de::DeserializeOwned>(json: &Value) -> Value {
    let read: T = serde_json::from_str(&json.to_string()).unwrap();
    serde_json::to_value(read).unwrap()
}

#[test]
fn every_member_has_a_place() {
    assert_eq!(there_and_back::<JsapiOrder>(&order()), order());
    assert_eq!(there_and_back::<Transaction>(&transaction()), transaction());
    assert_eq!(there_and_back::<Notification>(&envelope()), envelope());

    let order: JsapiOrder = serde_json::from_value(order()).unwrap();
    let transaction: Transaction = serde_json::from_value(transaction()).unwrap();
    assert!(order.other.is_empty() && transaction.other.is_empty());
    assert!(!format!("{order:?} {transaction:?}").contains("M2pxb1Q9"));
}

#[test]
fn what_has_no_place_survives() {
    let unknown = json!({"deep": [1, {"x": null}], "text": "茶"});
    for mut json in [order(), transaction()] {
        json["tomorrow"] = unknown.clone();
        let is_order = json.get("description").is_some();
        let back = if is_order {
            there_and_back::<JsapiOrder>(&json)
        } else {
            there_and_back::<Transaction>(&json)
        };
        assert_eq!(back, json);
    }
}

#[test]
fn an_unpaid_transaction_has_little_and_null_is_absent() {
    let unpaid = json!({
        "mchid": "1900000109", "appid": "wx8888888888888888", "out_trade_no": "SP-000001",
        "trade_state": "NOTPAY", "payer": {}, "amount": {"total": 990, "currency": "CNY"},
    });
    assert_eq!(there_and_back::<Transaction>(&unpaid), unpaid);
    let Value::Object(members) = transaction() else { unreachable!() };
    for name in members.keys() {
        let nulled: Map<String, Value> = [(name.clone(), Value::Null)].into_iter().collect();
        assert_eq!(there_and_back::<Transaction>(&nulled.into()), json!({}), "{name}");
    }
}

#[test]
fn an_order_without_a_required_member_is_refused() {
    for name in ["appid", "mchid", "description", "out_trade_no", "notify_url", "amount", "payer"] {
        let mut json = order();
        json.as_object_mut().unwrap().remove(name);
        assert!(serde_json::from_value::<JsapiOrder>(json).is_err(), "{name}");
    }
    for (path, bad) in [
        ("/amount/total", json!(9.9)),
        ("/amount/total", json!(990.0)),
        ("/amount/total", json!("990")),
        ("/amount/total", json!(-1)),
        ("/amount/total", json!(null)),
        ("/amount/total", json!(true)),
        ("/payer/openid", json!("not an openid")),
        ("/out_trade_no", json!("short")),
        ("/appid", json!("gh_1")),
        ("/mchid", json!(1_900_000_109)),
    ] {
        let mut json = order();
        *json.pointer_mut(path).unwrap() = bad.clone();
        assert!(serde_json::from_value::<JsapiOrder>(json).is_err(), "{path} {bad}");
    }
}

/// A signer and a reader could each take another of two members of one name.
#[test]
fn a_member_stands_there_once_and_numbers_are_numbers() {
    let refused =
        |json: &str| assert!(serde_json::from_str::<Transaction>(json).is_err(), "{json}");
    refused(r#"{"out_trade_no":"SP-000001","out_trade_no":"SP-000002"}"#);
    refused(r#"{"amount":{"total":1},"amount":{"total":2}}"#);
    refused(r#"{"amount":{"total":1,"total":2}}"#);
    refused(r#"{"payer":{"openid":"a","openid":"b"}}"#);
    refused(r#"{"amount":{"total":NaN}}"#);
    refused(r#"{"amount":{"total":1e400}}"#);
    refused(r#"{"amount":{"total":1e2}}"#);
    refused(r#"{"tomorrow":1e400}"#);
    refused(r#"{"out_trade_no":"SP-000001"} {}"#);
    refused("\u{feff}{}");
    refused(&format!("{}1{}", "[".repeat(1000), "]".repeat(1000)));
    refused(&format!("{{\"x\":{}1{}}}", "[".repeat(1000), "]".repeat(1000)));
}
