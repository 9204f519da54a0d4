//! APIv2: the same in XML, with two ways to say no.

use serde_json::{Value, json};
use suanpan_wechat::v2::{CloseOrder, Fields, QueryOrder, SignType};
use suanpan_wechat::v3::QueryByOutTradeNo;
use suanpan_wechat::{ApiV2Key, Error, OpenId, TradeState};

use crate::common::Sim;
use crate::merchant::{Merchant, NOWHERE, number, pays};

const ORDER: &str = "/pay/unifiedorder";

async fn start() -> (Sim, Merchant, OpenId) {
    let sim = Sim::start().await;
    let merchant = sim.merchant(1);
    let openid = sim.openid(&merchant, "alice").await;
    (sim, merchant, openid)
}

/// Posts fields as they are.
async fn post(sim: &Sim, path: &str, fields: &Fields) -> Fields {
    let said = sim.post(path, fields.to_xml()).await;
    assert_eq!(said.status, 200);
    Fields::parse(&said.body).unwrap()
}

/// Signs, posts, and verifies what comes back.
async fn ask(sim: &Sim, merchant: &Merchant, path: &str, fields: Fields) -> Fields {
    let sign_type = fields.declared_sign_type().unwrap();
    let answer = post(sim, path, &fields.signed(sign_type, &merchant.v2_key)).await;
    answer.verify(sign_type, &merchant.v2_key).unwrap();
    assert_eq!(answer.get("return_code"), Some("SUCCESS"));
    assert_eq!(answer.get("mch_id"), Some(merchant.mchid.as_str()));
    answer
}

/// `err_code`, where the question was understood.
async fn refused(sim: &Sim, merchant: &Merchant, path: &str, fields: Fields) -> String {
    let answer = ask(sim, merchant, path, fields).await;
    assert_eq!(answer.get("result_code"), Some("FAIL"), "{answer:?}");
    answer.get("err_code").unwrap().to_owned()
}

#[tokio::test]
async fn an_order_is_answered_with_a_prepay_id_signed_as_the_question() {
    let (sim, merchant, openid) = start().await;
    let order = merchant.v2_order(&openid, "order_0001");
    let answer = ask(&sim, &merchant, ORDER, order.clone()).await;
    assert_eq!(answer.get("result_code"), Some("SUCCESS"), "{answer:?}");
    assert_eq!(answer.get("trade_type"), Some("JSAPI"));
    assert_eq!(answer.get("sign").unwrap().len(), 32);
    assert!(answer.get("sign_type").is_none());

    // The digest and the nonce are no part of the order.
    let mut again = order;
    again.set("sign_type", "HMAC-SHA256");
    again.set("nonce_str", "another");
    let second = ask(&sim, &merchant, ORDER, again).await;
    assert_eq!(second.get("sign").unwrap().len(), 64);
    assert_eq!(second.get("prepay_id"), answer.get("prepay_id"));
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_without_a_signature() {
    let (sim, merchant, openid) = start().await;
    let good = merchant.v2_order(&openid, "order_0001");
    let change = |name: &str, value: &str| {
        let mut fields = good.clone();
        fields.set(name, value);
        fields.signed(SignType::Md5, &merchant.v2_key).to_xml()
    };
    let unsigned = good.to_xml();
    let dtd = "<!DOCTYPE xml [<!ENTITY x \"y\">]><xml><a>&x;</a></xml>".to_owned();
    let big = format!("<xml><a>{}</a></xml>", "x".repeat(65_000));
    for (body, words) in [
        (String::new(), "post数据为空"),
        ("{}".to_owned(), "XML格式错误"),
        (dtd, "XML格式错误"),
        (big, "缺少参数mch_id"),
        (change("mch_id", ""), "缺少参数mch_id"),
        (change("mch_id", "1999999999"), "商户号mch_id或sub_mch_id不存在"),
        (change("sign_type", "SHA1"), "sign_type参数错误"),
        (unsigned, "签名错误，请检查后再试"),
        (change("body", "x").replace("<![CDATA[x]]>", "y"), "签名错误，请检查后再试"),
    ] {
        let said = sim.post(ORDER, &body).await;
        let answer = Fields::parse(&said.body).unwrap();
        let told: Vec<_> = answer.iter().collect();
        assert_eq!(told, [("return_code", "FAIL"), ("return_msg", words)], "{body}");
    }
    let said = sim.get(ORDER).await;
    assert!(said.text().contains("请使用post方法"), "{said:?}");
    assert_eq!(sim.post(ORDER, "x".repeat(64 * 1024 + 1)).await.status, 413);
    let latin = http::Request::post(ORDER).body(b"<xml><a>\xe9</a></xml>".to_vec()).unwrap();
    assert!(sim.send(latin).await.text().contains("UTF-8"));

    sim.switch("v2_signature_error_is_an_err_code", json!(true)).await;
    let answer = post(&sim, ORDER, &good).await;
    assert_eq!(answer.get("err_code"), Some("SIGNERROR"));
    answer.verify(SignType::Md5, &merchant.v2_key).unwrap();
}

#[tokio::test]
async fn every_field_is_checked() {
    let (sim, merchant, openid) = start().await;
    let other = sim.merchant(0);
    let theirs = sim.openid(&other, "alice").await;
    let good = merchant.v2_order(&openid, "order_0001");
    for (name, value, code) in [
        ("nonce_str", "", "LACK_PARAMS"),
        ("appid", "", "LACK_PARAMS"),
        ("body", "", "LACK_PARAMS"),
        ("out_trade_no", "", "LACK_PARAMS"),
        ("total_fee", "", "LACK_PARAMS"),
        ("spbill_create_ip", "", "LACK_PARAMS"),
        ("notify_url", "", "LACK_PARAMS"),
        ("trade_type", "", "LACK_PARAMS"),
        ("openid", "", "LACK_PARAMS"),
        ("nonce_str", &"n".repeat(33), "PARAM_ERROR"),
        ("appid", "wx0000000000000000", "APPID_NOT_EXIST"),
        ("appid", other.appid.as_str(), "APPID_MCHID_NOT_MATCH"),
        ("body", &"茶".repeat(129), "PARAM_ERROR"),
        ("attach", &"x".repeat(128), "PARAM_ERROR"),
        ("out_trade_no", "short", "PARAM_ERROR"),
        ("total_fee", "0", "PARAM_ERROR"),
        ("total_fee", "9.90", "PARAM_ERROR"),
        ("fee_type", "USD", "PARAM_ERROR"),
        ("notify_url", "https://shop.example/n?a=1", "PARAM_ERROR"),
        ("trade_type", "NATIVE", "NOAUTH"),
        ("trade_type", "PIGEON", "PARAM_ERROR"),
        ("openid", "oNobody", "PARAM_ERROR"),
        ("openid", theirs.as_str(), "PARAM_ERROR"),
        ("time_expire", "tomorrow", "PARAM_ERROR"),
        ("time_expire", "20260101080059", "PARAM_ERROR"),
    ] {
        let mut fields = good.clone();
        fields.set(name, value);
        assert_eq!(refused(&sim, &merchant, ORDER, fields).await, code, "{name} {value}");
    }
    let mut backwards = good.clone();
    backwards.set("time_start", "20260102000000");
    backwards.set("time_expire", "20260101120000");
    assert_eq!(refused(&sim, &merchant, ORDER, backwards).await, "PARAM_ERROR");
    assert_eq!(sim.ledger().await["orders"], json!([]));
}

#[tokio::test]
async fn a_number_stands_for_one_order_in_both_versions() {
    let (sim, merchant, openid) = start().await;
    let mut order = merchant.v2_order(&openid, "order_0001");
    ask(&sim, &merchant, ORDER, order.clone()).await;
    order.set("attach", "changed");
    let answer = ask(&sim, &merchant, ORDER, order.clone()).await;
    assert_eq!(answer.get("err_code"), Some("INVALID_REQUEST"));
    assert_eq!(answer.get("err_code_des"), Some("201 商户订单号重复"));
    sim.switch("v2_duplicate_order", json!("OUT_TRADE_NO_USED")).await;
    assert_eq!(refused(&sim, &merchant, ORDER, order).await, "OUT_TRADE_NO_USED");

    // The other version sees it, and cannot order under its number.
    let name = number("order_0001");
    let query = QueryByOutTradeNo { account: merchant.v3(), out_trade_no: &name };
    assert_eq!(sim.ask(&query).await.unwrap().payment().unwrap().state, TradeState::NotPay);
    let body = merchant.v3_order(&openid, "order_0001").to_string();
    let path = "/v3/pay/transactions/jsapi";
    let said = sim.send(merchant.v3_question(&sim, "POST", path, body.as_bytes())).await;
    assert_eq!(said.refusal().1, "OUT_TRADE_NO_USED");
}

#[tokio::test]
async fn an_order_is_asked_for_paid_and_closed() {
    let (sim, merchant, openid) = start().await;
    let account = merchant.v2(SignType::HmacSha256);
    let names = ["order_0001", "order_0002", "order_0003"].map(number);
    let query = |nth: usize| QueryOrder {
        account,
        app_id: &merchant.appid,
        sub: None,
        out_trade_no: &names[nth],
    };
    let close = |nth: usize| CloseOrder {
        account,
        app_id: &merchant.appid,
        sub: None,
        out_trade_no: &names[nth],
    };
    let code = |error: Result<(), Error>| {
        let Err(Error::Refused(refusal)) = error else { panic!("{error:?}") };
        refusal.code
    };
    let prepay_id = merchant.place_v2(&sim, "order_0001", NOWHERE, SignType::HmacSha256).await;
    let unpaid = sim.ask(&query(0)).await.unwrap();
    assert_eq!(unpaid.payment.state, TradeState::NotPay);
    assert!(unpaid.fields.get("total_fee").is_none());

    pays(&sim, merchant.sign_v2(&sim, &prepay_id, SignType::HmacSha256)).await;
    let paid = sim.ask(&query(0)).await.unwrap();
    assert_eq!(paid.payment.state, TradeState::Success);
    assert_eq!(paid.payment.total.unwrap().get(), 990);
    assert_eq!(paid.payment.openid, Some(openid.clone()));
    assert_eq!(code(sim.ask(&close(0)).await), "ORDERPAID");
    let again = merchant.v2_order(&openid, "order_0001");
    assert_eq!(refused(&sim, &merchant, ORDER, again).await, "ORDERPAID");

    let mut by_id = Fields::new();
    by_id.set("appid", merchant.appid.as_str());
    by_id.set("mch_id", merchant.mchid.as_str());
    by_id.set("nonce_str", "n");
    by_id.set("transaction_id", paid.payment.transaction_id.unwrap().as_str());
    let answer = ask(&sim, &merchant, "/pay/orderquery", by_id.clone()).await;
    assert_eq!(answer.get("out_trade_no"), Some("order_0001"));
    by_id.set("transaction_id", "4200000000000000000000000000");
    assert_eq!(refused(&sim, &merchant, "/pay/orderquery", by_id.clone()).await, "ORDERNOTEXIST");
    by_id.set("transaction_id", "");
    assert_eq!(refused(&sim, &merchant, "/pay/orderquery", by_id).await, "LACK_PARAMS");

    merchant.place_v2(&sim, "order_0002", NOWHERE, SignType::Md5).await;
    sim.switch("v2_close_wait_seconds", json!(300)).await;
    assert_eq!(code(sim.ask(&close(1)).await), "TRADE_STATE_ERROR");
    sim.machine.pass(300);
    sim.ask(&close(1)).await.unwrap();
    assert_eq!(sim.ask(&query(1)).await.unwrap().payment.state, TradeState::Closed);
    assert_eq!(code(sim.ask(&close(1)).await), "ORDERCLOSED");
    let again = merchant.v2_order(&openid, "order_0002");
    assert_eq!(refused(&sim, &merchant, ORDER, again).await, "ORDERCLOSED");
    assert_eq!(code(sim.ask(&close(2)).await), "ORDERNOTEXIST");
    assert_eq!(code(sim.ask(&query(2)).await.map(|_| ())), "ORDERNOTEXIST");
}

#[tokio::test]
async fn the_log_says_what_was_signed_instead() {
    let (sim, merchant, openid) = start().await;
    let other = sim.merchant(0);
    let mut order = merchant.v2_order(&openid, "order_0001");
    order.set("body", "tea & more");
    let v3_key = ApiV2Key::parse(merchant.entry["api_v3_key"].as_str().unwrap()).unwrap();
    let secret = ApiV2Key::parse(&merchant.secret).unwrap();
    let key = &merchant.v2_key;
    let mut entities = order.clone();
    entities.set("body", "tea &amp; more");
    let mut lacking = order.clone();
    lacking.remove("spbill_create_ip");
    let md5 = SignType::Md5;
    for (sign, why) in [
        (
            order.sign(SignType::HmacSha256, key),
            "signed with HMAC-SHA256, and `sign_type` says MD5",
        ),
        (order.sign(md5, key).to_lowercase(), "small letters"),
        (order.sign(md5, &v3_key), "the APIv3 key"),
        (order.sign(md5, &secret), "the AppSecret"),
        (order.sign(md5, &other.v2_key), "the APIv2 key of"),
        (entities.sign(md5, key), "with entities"),
        (lacking.sign(md5, key), "`spbill_create_ip` is sent and not signed"),
        (String::new(), "`sign` is missing"),
        ("0".repeat(32), "none of the usual mistakes"),
    ] {
        let mut question = order.clone();
        question.set("sign", &sign);
        post(&sim, ORDER, &question).await;
        let found = &sim.last_request().await["signature"];
        assert!(found["explanation"].as_str().unwrap().contains(why), "{why}: {found}");
        let expected = found["expected"].as_str().unwrap();
        assert!(
            expected.ends_with(&format!("&key=(the APIv2 key of {})", merchant.mchid)),
            "{expected}"
        );
    }
    let log = sim.get("/_sim/requests").await.text().to_owned();
    assert!(!log.contains(key.expose()), "{log}");
    let entry = sim.last_request().await;
    assert_eq!(
        (&entry["operation"], &entry["fault"]),
        (&json!("POST /pay/unifiedorder"), &Value::Null)
    );
}
