//! The control API: what is not told elsewhere.

use serde_json::{Value, json};

use suanpan_wechat::v3::verify_message;

use crate::common::Sim;
use crate::receiver::Receiver;

#[tokio::test]
async fn the_clock_goes_forward_only() {
    let sim = Sim::start().await;
    let start =
        json!({ "now": "2026-01-01T08:00:00+08:00", "unix": 1_767_225_600, "ahead_seconds": 0 });
    assert_eq!(sim.get("/_sim/clock").await.json(), start);
    let later = sim.control("clock", json!({ "advance_seconds": 90 })).await;
    assert_eq!(later["now"], "2026-01-01T08:01:30+08:00");
    assert_eq!(later["ahead_seconds"], 90);
    for body in [
        json!({}),
        json!({ "advance_seconds": -1 }),
        json!({ "advance_seconds": 1.5 }),
        Value::Null,
    ] {
        let said = sim.post("/_sim/clock", &body).await;
        assert_eq!(said.refusal(), (400, "SIM_BAD_REQUEST".to_owned()), "{body}");
    }
}

#[tokio::test]
async fn a_backend_whose_clock_stays_behind_is_understood_and_understands() {
    let sim = Sim::start().await;
    let (merchant, mut receiver) = (sim.merchant(0), Receiver::start().await);
    receiver.answers(500, "");
    sim.advance(24 * 3600).await;
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    receiver.next().await;
    sim.advance(3600).await;
    let told = receiver.next().await;
    verify_message(&told.headers, &told.body, &merchant.keys, sim.now()).unwrap();
    assert_eq!(sim.ledger().await["payments"][0]["paid_at"], "2026-01-02T08:00:00+08:00");
}

#[tokio::test]
async fn switches_are_shown_and_set_by_name() {
    let sim = Sim::start().await;
    let before = sim.get("/_sim/switches").await.json();
    let after = sim.control("switches", json!({ "v2_close_wait_seconds": 300 })).await;
    assert_eq!(before["v2_close_wait_seconds"], 0);
    assert_eq!(after["v2_close_wait_seconds"], 300);
    assert_eq!(after["v3_close_of_paid"], before["v3_close_of_paid"]);
    for body in [json!({ "nothing": true }), json!({ "logins_a_minute": "many" }), json!([])] {
        let said = sim.post("/_sim/switches", &body).await;
        assert_eq!(said.refusal(), (400, "SIM_BAD_REQUEST".to_owned()), "{body}");
    }
}

#[tokio::test]
async fn what_is_not_there_says_what_is() {
    let sim = Sim::start().await;
    for path in ["/_sim/nothing", "/_sim/ledger/1"] {
        let said = sim.get(path).await;
        assert_eq!(said.refusal(), (404, "SIM_NOT_FOUND".to_owned()));
        assert!(said.json()["remedy"].as_str().unwrap().contains("/_sim/ledger"));
    }
}

#[tokio::test]
async fn the_ledger_of_a_first_start_is_empty() {
    let sim = Sim::start().await;
    let empty = json!({ "orders": [], "payments": [], "refunds": [], "notifications": [] });
    assert_eq!(sim.ledger().await, empty);
}

#[tokio::test]
async fn the_log_keeps_the_last_thousand() {
    let sim = Sim::start().await;
    for _ in 0..1003 {
        sim.get("/v3/nothing").await;
    }
    let log = sim.get("/_sim/requests").await.json();
    let requests = log["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1000);
    assert_eq!((&requests[0]["id"], &requests[999]["id"]), (&json!(4), &json!(1003)));
    assert_eq!(requests[0]["answer"]["status"], 404);
}
