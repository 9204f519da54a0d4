//! Calls that go wrong, on demand.

use serde_json::{Value, json};
use suanpan_wechat::v2::{PlaceOrder, SignType, UnifiedOrder};
use suanpan_wechat::v3::{JsapiOrder, Prepay};
use suanpan_wechat::{Error, PrepayId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::Sim;
use crate::merchant::Merchant;

const JSAPI: &str = "POST /v3/pay/transactions/jsapi";
const UNIFIED: &str = "POST /pay/unifiedorder";
const LOGIN: &str = "GET /sns/jscode2session";

/// What a client hears of an order, and whether WeChat has it.
async fn order_v3(sim: &Sim, merchant: &Merchant) -> (Result<PrepayId, Error>, bool) {
    let openid = sim.openid(merchant, "alice").await;
    let order: JsapiOrder =
        serde_json::from_value(merchant.v3_order(&openid, "order_0001")).unwrap();
    let heard = sim.ask(&Prepay { account: merchant.v3(), order: &order }).await;
    (heard, sim.ledger().await["orders"] != json!([]))
}

async fn order_v2(sim: &Sim, merchant: &Merchant) -> (Result<PrepayId, Error>, bool) {
    let openid = sim.openid(merchant, "alice").await;
    let order = UnifiedOrder::from_fields(merchant.v2_order(&openid, "order_0001")).unwrap();
    let call = PlaceOrder { account: merchant.v2(SignType::Md5), order: &order };
    let heard = sim.ask(&call).await.map(|answer| answer.prepay_id);
    (heard, sim.ledger().await["orders"] != json!([]))
}

async fn with(fault: &str, on: &str) -> (Sim, Merchant) {
    let sim = Sim::start().await;
    sim.fault(json!({ "on": on, "fault": fault, "times": 1 })).await;
    let merchant = sim.merchant(if on == JSAPI { 0 } else { 1 });
    (sim, merchant)
}

fn refusal(heard: Result<PrepayId, Error>) -> (u16, String, bool) {
    let Err(Error::Refused(refusal)) = heard else { panic!("{heard:?}") };
    let doubt = refusal.is_doubt();
    (refusal.status, refusal.code, doubt)
}

#[tokio::test]
async fn faults_of_v3() {
    for (fault, executed, status, code) in [
        ("http_500", false, 500, "HTTP_500"),
        ("system_error", false, 500, "SYSTEM_ERROR"),
        ("frequency_limited", false, 429, "FREQUENCY_LIMITED"),
    ] {
        let (sim, merchant) = with(fault, JSAPI).await;
        let (heard, done) = order_v3(&sim, &merchant).await;
        let (got_status, got_code, _) = refusal(heard);
        assert_eq!((got_status, got_code.as_str(), done), (status, code, executed), "{fault}");
        assert_eq!(sim.get("/_sim/requests").await.json()["requests"][1]["fault"], fault);
        assert!(order_v3(&sim, &merchant).await.0.is_ok());
    }

    for fault in ["bad_signature", "signtest", "unknown_serial", "clock_skew"] {
        let (sim, merchant) = with(fault, JSAPI).await;
        let (heard, done) = order_v3(&sim, &merchant).await;
        let as_meant = matches!(
            (fault, &heard),
            ("bad_signature", Err(Error::Signature { .. }))
                | ("signtest", Err(Error::Probe))
                | ("unknown_serial", Err(Error::UnknownSerial { .. }))
                | ("clock_skew", Err(Error::Stale { seconds: 600 }))
        );
        assert!(as_meant && done, "{fault}: {heard:?}");
        // The same question again finds the order that was placed.
        assert!(order_v3(&sim, &merchant).await.0.is_ok());
    }
}

#[tokio::test]
async fn faults_of_v2() {
    for (fault, executed, code) in [
        ("http_500", false, "HTTP_500"),
        ("system_error", false, "SYSTEMERROR"),
        ("frequency_limited", false, "FREQUENCY_LIMITED"),
    ] {
        let (sim, merchant) = with(fault, UNIFIED).await;
        let (heard, done) = order_v2(&sim, &merchant).await;
        assert_eq!((refusal(heard).1.as_str(), done), (code, executed), "{fault}");
    }
    let (sim, merchant) = with("bad_signature", UNIFIED).await;
    let (heard, done) = order_v2(&sim, &merchant).await;
    assert!(matches!(heard, Err(Error::Signature { .. })) && done, "{heard:?}");
}

#[tokio::test]
async fn a_fault_that_would_do_nothing_is_refused_and_named() {
    let sim = Sim::start().await;
    for (fault, on) in [
        ("signtest", UNIFIED),
        ("unknown_serial", UNIFIED),
        ("clock_skew", "POST /pay/closeorder"),
        ("bad_signature", LOGIN),
        ("signtest", "POST /cgi-bin/stable_token"),
    ] {
        let said = sim.post("/_sim/faults", &json!({ "on": on, "fault": fault })).await;
        assert_eq!(said.refusal(), (400, "SIM_BAD_REQUEST".to_owned()), "{fault} on {on}");
        let text = said.json().to_string();
        assert!(text.contains("does nothing to") && text.contains(JSAPI), "{text}");
    }
}

#[tokio::test]
async fn faults_of_the_login() {
    for (fault, errcode) in [("system_error", -1), ("frequency_limited", 45011)] {
        let (sim, merchant) = with(fault, LOGIN).await;
        let code = sim.code(merchant.appid.as_str(), "alice").await;
        let path = merchant.session_path(&code);
        assert_eq!(sim.get(&path).await.json()["errcode"], errcode, "{fault}");
        // The code was not used up.
        assert!(sim.get(&path).await.json().get("openid").is_some());
    }
}

/// A call that hangs until the clock of the machine has moved on.
async fn hangs(fault: &str, seconds: i64, executed: bool, answered: bool) {
    let (sim, merchant) = with(fault, JSAPI).await;
    let openid = sim.openid(&merchant, "alice").await;
    let body = merchant.v3_order(&openid, "order_0001").to_string();
    let path = "/v3/pay/transactions/jsapi";
    let question = merchant.v3_question(&sim, "POST", path, body.as_bytes());

    let turn_the_clock = async {
        // It hangs once it is in the log.
        while sim.get("/_sim/requests").await.json()["requests"].as_array().unwrap().len() < 2 {}
        assert_eq!(sim.ledger().await["orders"] != json!([]), executed, "{fault}");
        sim.machine.pass(seconds);
    };
    let (said, ()) = tokio::join!(sim.send(question), turn_the_clock);
    assert_eq!(said.status, if answered { 200 } else { 504 }, "{fault}");
}

#[tokio::test]
async fn a_call_may_hang_before_or_after_it_is_done() {
    hangs("timeout_before", 30, false, false).await;
    hangs("timeout_after", 30, true, false).await;
    hangs("slow", 3, true, true).await;
}

#[tokio::test]
async fn a_call_that_hangs_does_not_keep_the_simulator_from_stopping() {
    let (sim, merchant) = with("timeout_before", JSAPI).await;
    let question = merchant.v3_question(&sim, "POST", "/v3/pay/transactions/jsapi", b"{}");
    let hanging = tokio::spawn(sim.sending(question));
    while sim.get("/_sim/requests").await.json()["requests"] == json!([]) {}
    sim.stop_in_spite().await;
    hanging.abort();
}

#[tokio::test]
async fn the_connection_may_break_in_the_middle_of_the_answer() {
    let (sim, merchant) = with("cut", JSAPI).await;
    let openid = sim.openid(&merchant, "alice").await;
    let body = merchant.v3_order(&openid, "order_0001").to_string();
    let path = "/v3/pay/transactions/jsapi";
    let question = merchant.v3_question(&sim, "POST", path, body.as_bytes());
    assert!(sim.try_send(question).await.is_err());
    assert_ne!(sim.ledger().await["orders"], json!([]));

    sim.fault(json!({ "on": "*", "fault": "cut", "match": "close", "times": 1 })).await;
    let path = "/v3/pay/transactions/out-trade-no/order_0001/close";
    let body = json!({ "mchid": merchant.mchid }).to_string();
    let close = || merchant.v3_question(&sim, "POST", path, body.as_bytes());
    assert!(sim.try_send(close()).await.is_err());
    assert_eq!(sim.send(close()).await.status, 204);
}

#[tokio::test]
async fn a_cut_answer_has_its_head_and_half_of_its_body() {
    let (sim, merchant) = with("cut", LOGIN).await;
    let code = sim.code(merchant.appid.as_str(), "alice").await;
    let mut socket =
        tokio::net::TcpStream::connect(sim.url.strip_prefix("http://").unwrap()).await.unwrap();
    let question = format!("GET {} HTTP/1.1\r\nhost: wechat\r\n\r\n", merchant.session_path(&code));
    socket.write_all(question.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    socket.read_to_end(&mut heard).await.unwrap();

    let heard = String::from_utf8(heard).unwrap();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.unwrap().parse().unwrap();
    assert_eq!(body.len(), length / 2, "{heard}");
    assert!(body.starts_with('{') && 2 < body.len(), "{body}");
}

#[tokio::test]
async fn rules_are_shown_counted_and_taken_away() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let rule = sim
        .control("faults", json!({ "on": LOGIN, "fault": "http_500", "times": 3, "probability": 1, "seed": 7, "match": "alice", "seconds": 1 }))
        .await;
    assert_eq!((&rule["id"], &rule["match"]), (&json!(1), &json!("alice")));
    sim.fault(json!({ "on": "*", "fault": "http_500", "probability": 0 })).await;
    sim.fault(json!({ "on": LOGIN, "fault": "system_error", "times": 1 })).await;
    let code = sim.code(merchant.appid.as_str(), "alice").await;
    // The code does not name alice, and zero is never.
    assert_eq!(sim.get(&merchant.session_path(&code)).await.json()["errcode"], -1);

    let rules = sim.get("/_sim/faults").await.json();
    let played: Vec<_> =
        rules["faults"].as_array().unwrap().iter().map(|rule| rule["played"].clone()).collect();
    assert_eq!(played, [0, 0, 1]);
    assert_eq!(rules["faults"][2]["times"], 0);
    let delete = async |path: &str| {
        sim.send(http::Request::delete(path).body(Vec::new()).unwrap()).await.json()
    };
    assert_eq!(delete("/_sim/faults?id=2").await, json!({ "removed": 1 }));
    assert_eq!(delete("/_sim/faults").await, json!({ "removed": 2 }));
    assert_eq!(sim.get("/_sim/faults").await.json(), json!({ "faults": [] }));
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused() {
    let sim = Sim::start().await;
    for rule in [
        json!({}),
        json!({ "on": JSAPI }),
        json!({ "on": JSAPI, "fault": "explode" }),
        json!({ "on": "GET /nothing", "fault": "cut" }),
        json!({ "on": "notify", "fault": "cut" }),
        json!({ "on": "*", "fault": "forge" }),
        json!({ "on": JSAPI, "fault": "cut", "probability": 1.5 }),
        json!({ "on": JSAPI, "fault": "cut", "times": -1 }),
        json!({ "on": JSAPI, "fault": "cut", "oops": 1 }),
        Value::Null,
    ] {
        let said = sim.post("/_sim/faults", &rule).await;
        assert_eq!(said.refusal(), (400, "SIM_BAD_REQUEST".to_owned()), "{rule}");
    }
}
