//! APIv3: orders, queries, closing.

use serde_json::{Value, json};
use suanpan_wechat::v3::{Close, JsapiOrder, Prepay, QueryByOutTradeNo, verify_message};
use suanpan_wechat::{Error, OpenId, TradeState};

use crate::common::{Said, Sim};
use crate::merchant::{Merchant, NOWHERE, number, pays};

const JSAPI: &str = "/v3/pay/transactions/jsapi";

async fn order(sim: &Sim, merchant: &Merchant, order: &Value) -> Said {
    let body = order.to_string();
    let said = sim.send(merchant.v3_question(sim, "POST", JSAPI, body.as_bytes())).await;
    // Whoever has proven who asks gets a signed answer, a refusal too.
    verify_message(&said.headers, &said.body, &merchant.keys, sim.now()).unwrap();
    assert!(said.headers.contains_key("request-id"));
    said
}

async fn start() -> (Sim, Merchant, OpenId) {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let openid = sim.openid(&merchant, "alice").await;
    (sim, merchant, openid)
}

fn code(call: Result<impl std::fmt::Debug, Error>) -> (u16, String) {
    let Err(Error::Refused(refusal)) = call else { panic!("{call:?}") };
    assert!(refusal.verified, "{refusal}");
    (refusal.status, refusal.code)
}

#[tokio::test]
async fn an_order_is_answered_with_a_prepay_id() {
    let (sim, merchant, openid) = start().await;
    let said = order(&sim, &merchant, &merchant.v3_order(&openid, "order_0001")).await;
    let answer = said.json();
    let prepay_id = answer["prepay_id"].as_str().unwrap();
    assert!(prepay_id.len() == 36 && prepay_id.starts_with("wx20260101080000"), "{prepay_id}");
    let known = &sim.ledger().await["orders"][0];
    assert_eq!(known["trade_state"], "NOTPAY");
    assert_eq!(known["user"], "alice");
    assert_eq!(known["prepays"][0]["prepay_id"], prepay_id);
}

#[tokio::test]
async fn every_parameter_is_checked() {
    let (sim, merchant, openid) = start().await;
    let good = merchant.v3_order(&openid, "order_0001");
    let cases: &[(&str, Value, &str)] = &[
        (
            "/appid",
            Value::Null,
            "输入源“/body/appid”映射到字段“公众账号ID”必填性规则校验失败，此字段为必填项",
        ),
        ("/mchid", json!(""), "必填性规则校验失败"),
        ("/mchid", json!("1900000109"), "http header中的mchid与post payload中的mchid不匹配"),
        ("/description", json!("茶".repeat(128)), "字符数 128，大于最大值 127"),
        ("/description", json!("好茶🍵"), "1-3 字节的 UTF-8 字符"),
        ("/out_trade_no", json!("short"), "字符数 5，小于最小值 6"),
        ("/out_trade_no", json!("9".repeat(33)), "字符数 33，大于最大值 32"),
        ("/out_trade_no", json!("order 0001"), "正则表达式“^[0-9a-zA-Z_\\-\\|\\*]+$”"),
        ("/out_trade_no", json!(20_260_101), "此字段需要一个 string 类型的 Json 值"),
        ("/attach", json!("x".repeat(129)), "字符数 129，大于最大值 128"),
        ("/notify_url", json!("https://shop.example/n?a=1"), "正则表达式“^https?://"),
        (
            "/notify_url",
            json!(format!("https://shop.example/{}", "n".repeat(255))),
            "大于最大值 255",
        ),
        ("/amount", json!({}), "“总金额”必填性规则校验失败"),
        ("/amount/total", json!(0), "值低于最小值 1"),
        ("/amount/total", json!(-1), "值低于最小值 1"),
        ("/amount/total", json!("990"), "此字段需要一个合法的 64 位有符号整数"),
        ("/amount/total", json!(9.9), "此字段需要一个合法的 64 位有符号整数"),
        ("/amount/currency", json!("USD"), "仅支持人民币CNY"),
        ("/payer", Value::Null, "“用户标识”必填性规则校验失败"),
        ("/payer/openid", json!("oNobody"), "无效的openid"),
        ("/time_expire", json!("tomorrow"), "rfc3339"),
        ("/time_expire", json!("2026-01-01T07:59:59+08:00"), "必须晚于当前时间"),
        ("/appid", json!("wx0000000000000000"), "无效的appid"),
    ];
    for (pointer, value, words) in cases {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap_or(&mut Value::Null) = value.clone();
        if bad == good {
            bad[&pointer[1..]] = value.clone();
        }
        let said = order(&sim, &merchant, &bad).await;
        let message = said.json()["message"].as_str().unwrap().to_owned();
        assert_eq!(said.refusal(), (400, "PARAM_ERROR".to_owned()), "{pointer} {value}: {message}");
        assert!(message.contains(words), "{pointer} {value}: {message}");
        assert!(said.json()["detail"]["location"].is_string());
    }
    for body in ["", "[]", "{", "null"] {
        let said = sim.send(merchant.v3_question(&sim, "POST", JSAPI, body.as_bytes())).await;
        assert_eq!(said.refusal(), (400, "PARAM_ERROR".to_owned()), "{body}");
    }
    assert_eq!(sim.ledger().await["orders"], json!([]));
}

#[tokio::test]
async fn app_merchant_and_payer_must_belong_together() {
    let (sim, merchant, openid) = start().await;
    let other = sim.merchant(1);
    let mut bad = merchant.v3_order(&openid, "order_0001");
    bad["appid"] = json!(other.appid);
    let refusal = order(&sim, &merchant, &bad).await.refusal();
    assert_eq!(refusal, (400, "APPID_MCHID_NOT_MATCH".to_owned()));

    let theirs = sim.openid(&other, "alice").await;
    let bad = merchant.v3_order(&theirs, "order_0001");
    assert_eq!(order(&sim, &merchant, &bad).await.json()["message"], "appid与openid不匹配");
    sim.switch("v3_openid_mismatch", json!("INVALID_REQUEST")).await;
    let refusal = order(&sim, &merchant, &bad).await.refusal();
    assert_eq!(refusal, (400, "INVALID_REQUEST".to_owned()));
}

#[tokio::test]
async fn a_number_stands_for_one_order() {
    let (sim, merchant, openid) = start().await;
    let good = merchant.v3_order(&openid, "order_0001");
    let first = order(&sim, &merchant, &good).await.json();
    assert_eq!(order(&sim, &merchant, &good).await.json(), first);

    let mut other = good.clone();
    other["attach"] = "changed".into();
    let used = (403, "OUT_TRADE_NO_USED".to_owned());
    assert_eq!(order(&sim, &merchant, &other).await.refusal(), used);
    sim.switch("v3_duplicate_order", json!("INVALID_REQUEST")).await;
    let said = order(&sim, &merchant, &other).await;
    assert_eq!(said.refusal(), (400, "INVALID_REQUEST".to_owned()));
    assert_eq!(said.json()["message"], "201 商户订单号重复");

    // Another merchant's numbers are its own.
    let stranger = sim.merchant(2);
    stranger.place_v3(&sim, "order_0001", NOWHERE).await;
}

#[tokio::test]
async fn an_old_prepay_id_is_renewed() {
    let (sim, merchant, openid) = start().await;
    let good = merchant.v3_order(&openid, "order_0001");
    let first = order(&sim, &merchant, &good).await.json();
    sim.machine.pass(7199);
    assert_eq!(order(&sim, &merchant, &good).await.json(), first);
    sim.machine.pass(1);
    let second = order(&sim, &merchant, &good).await.json();
    assert_ne!(second, first);
    sim.switch("repeated_order_renews_prepay_id", json!(true)).await;
    assert_ne!(order(&sim, &merchant, &good).await.json(), second);
}

#[tokio::test]
async fn an_order_is_asked_for_by_both_numbers() {
    let (sim, merchant, _) = start().await;
    let prepay_id = merchant.place_v3(&sim, "order|0001*", NOWHERE).await;
    let name = number("order|0001*");
    let query = QueryByOutTradeNo { account: merchant.v3(), out_trade_no: &name };
    let unpaid = sim.ask(&query).await.unwrap();
    assert_eq!(unpaid.payment().unwrap().state, TradeState::NotPay);
    assert_eq!((unpaid.transaction_id, unpaid.trade_type), (None, None));

    pays(&sim, merchant.sign_v3(&sim, &prepay_id)).await;
    let paid = sim.ask(&query).await.unwrap();
    let payment = paid.payment().unwrap();
    assert_eq!(payment.state, TradeState::Success);
    assert_eq!((payment.total.unwrap().get(), payment.success_time), (990, Some(sim.now())));
    let id = paid.transaction_id.clone().unwrap();
    assert!(id.as_str().len() == 28 && id.as_str().starts_with("42000"), "{id}");

    let by_id = |merchant: &Merchant, mchid: &str| {
        let path = format!("/v3/pay/transactions/id/{id}?mchid={mchid}");
        merchant.v3_question(&sim, "GET", &path, b"")
    };
    let said = sim.send(by_id(&merchant, merchant.mchid.as_str())).await;
    assert_eq!(said.json(), serde_json::to_value(&paid).unwrap());

    let stranger = sim.merchant(2);
    let said = sim.send(by_id(&stranger, stranger.mchid.as_str())).await;
    assert_eq!(said.refusal(), (404, "ORDER_NOT_EXIST".to_owned()));
    let said = sim.send(by_id(&stranger, merchant.mchid.as_str())).await;
    assert_eq!(said.refusal(), (400, "PARAM_ERROR".to_owned()));
    let path = "/v3/pay/transactions/out-trade-no/order_0001";
    let said = sim.send(merchant.v3_question(&sim, "GET", path, b"")).await;
    assert!(said.json()["message"].as_str().unwrap().contains("/query/mchid"));
    let path = format!("/v3/pay/transactions/out-trade-no/x?mchid={}", merchant.mchid);
    let said = sim.send(merchant.v3_question(&sim, "GET", &path, b"")).await;
    assert_eq!(said.refusal(), (400, "PARAM_ERROR".to_owned()));
    let nobody = number("order_0002");
    let query = QueryByOutTradeNo { account: merchant.v3(), out_trade_no: &nobody };
    assert_eq!(code(sim.ask(&query).await), (404, "ORDER_NOT_EXIST".to_owned()));
}

#[tokio::test]
async fn closing_is_granted_again_and_again_but_not_after_the_payment() {
    let (sim, merchant, openid) = start().await;
    let placed: JsapiOrder =
        serde_json::from_value(merchant.v3_order(&openid, "order_0001")).unwrap();
    let place = Prepay { account: merchant.v3(), order: &placed };
    sim.ask(&place).await.unwrap();
    let close = Close { account: merchant.v3(), out_trade_no: &placed.out_trade_no };
    let said = sim.send(sim.question(&close)).await;
    assert_eq!((said.status, said.text()), (204, ""));
    sim.ask(&close).await.unwrap();
    assert_eq!(code(sim.ask(&place).await), (400, "ORDER_CLOSED".to_owned()));

    let unknown = number("never_ordered");
    let unknown = Close { account: merchant.v3(), out_trade_no: &unknown };
    sim.ask(&unknown).await.unwrap();
    sim.switch("v3_close_of_unknown_is_204", json!(false)).await;
    assert_eq!(code(sim.ask(&unknown).await), (404, "ORDER_NOT_EXIST".to_owned()));

    merchant.sell_v3(&sim, "order_0002", NOWHERE).await;
    let paid = number("order_0002");
    let close = Close { account: merchant.v3(), out_trade_no: &paid };
    assert_eq!(code(sim.ask(&close).await), (400, "ORDER_PAID".to_owned()));
    sim.switch("v3_close_of_paid", json!("TRADE_ERROR")).await;
    assert_eq!(code(sim.ask(&close).await), (403, "TRADE_ERROR".to_owned()));
    let mut again = merchant.v3_order(&openid, "order_0002");
    again["notify_url"] = NOWHERE.into();
    let refusal = order(&sim, &merchant, &again).await.refusal();
    assert_eq!(refusal, (400, "ORDER_PAID".to_owned()));

    let path = "/v3/pay/transactions/out-trade-no/order_0001/close";
    for body in ["{}", r#"{"mchid":"1"}"#, ""] {
        let said = sim.send(merchant.v3_question(&sim, "POST", path, body.as_bytes())).await;
        assert_eq!(said.refusal(), (400, "PARAM_ERROR".to_owned()), "{body}");
    }
}

#[tokio::test]
async fn an_order_past_its_time_is_closed() {
    let (sim, merchant, openid) = start().await;
    let state = async |name: &str| {
        let name = number(name);
        let query = QueryByOutTradeNo { account: merchant.v3(), out_trade_no: &name };
        sim.ask(&query).await.unwrap().payment().unwrap().state
    };
    // Nearer than a minute is raised to a minute.
    let mut short = merchant.v3_order(&openid, "order_0001");
    short["time_expire"] = "2026-01-01T08:00:10+08:00".into();
    order(&sim, &merchant, &short).await;
    order(&sim, &merchant, &merchant.v3_order(&openid, "order_0002")).await;
    sim.machine.pass(59);
    assert_eq!(state("order_0001").await, TradeState::NotPay);
    sim.machine.pass(1);
    assert_eq!(state("order_0001").await, TradeState::Closed);
    sim.switch("expired_order_is_closed", json!(false)).await;
    assert_eq!(state("order_0001").await, TradeState::NotPay);
    sim.switch("expired_order_is_closed", json!(true)).await;

    sim.machine.pass(7 * 24 * 3600 - 61);
    assert_eq!(state("order_0002").await, TradeState::NotPay);
    sim.machine.pass(1);
    assert_eq!(state("order_0002").await, TradeState::Closed);
}

#[tokio::test]
async fn refusals_of_business_may_be_unsigned() {
    let (sim, merchant, openid) = start().await;
    sim.switch("v3_refusals_are_signed", json!(false)).await;
    sim.switch("notify_url_must_be_public", json!(true)).await;
    let body = merchant.v3_order(&openid, "order_0001").to_string();
    let said = sim.send(merchant.v3_question(&sim, "POST", JSAPI, body.as_bytes())).await;
    assert_eq!(said.refusal(), (400, "PARAM_ERROR".to_owned()));
    assert!(!said.headers.contains_key("wechatpay-signature"));
}
