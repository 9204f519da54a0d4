//! WeChat's answer is lost, broken or a lie: the order keeps its number, and ends right.

use serde_json::json;

use crate::world::World;

const PLACE: [&str; 2] = ["POST /v3/pay/transactions/jsapi", "POST /pay/unifiedorder"];

#[tokio::test]
async fn an_answer_that_is_lost_costs_nothing() {
    let world = World::open_impatient().await;
    for (nth, place) in PLACE.into_iter().enumerate() {
        let app = world.app(nth);
        let faults =
            ["timeout_after", "timeout_before", "http_500", "system_error", "cut", "bad_signature"];
        for fault in faults {
            let order = world.order(&format!("{fault}-{nth}"), &app).await;
            world.fault(place, fault, json!({ "times": 1 })).await;
            let doubt = world.pay("alice", &app, &order).await;
            doubt.is_problem(503, "SP-WECHAT-UNKNOWN");
            assert_eq!(world.status(&order).await, "paying", "{fault}: doubt means pending");

            world.alice_pays(&app, &order).await;
            world.until_status(&order, "paid").await;
        }
    }
    let ledger = world.control("ledger", None).await;
    assert_eq!(ledger["orders"].as_array().unwrap().len(), 12, "one number for each order");
    assert_eq!(ledger["payments"].as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn a_doubt_is_followed_by_a_query() {
    let world = World::open().await;
    for (nth, place) in PLACE.into_iter().enumerate() {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.fault(place, "cut", json!({ "times": 1 })).await;
        world.pay("alice", &app, &order).await.is_problem(503, "SP-WECHAT-UNKNOWN");
        world.advance(5);
        world.until_told(&order, "asked for").await;
    }
}

#[tokio::test]
async fn a_probe_is_refused_and_the_question_asked_again() {
    let world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.fault(PLACE[0], "signtest", json!({ "times": 1 })).await;
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;
}

#[tokio::test]
async fn a_key_that_nobody_knows_proves_nothing() {
    let world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.fault(PLACE[0], "unknown_serial", json!({ "times": 1 })).await;
    world.pay("alice", &app, &order).await.is_problem(503, "SP-WECHAT-UNKNOWN");
    world.fault(PLACE[0], "clock_skew", json!({ "times": 1, "seconds": 600 })).await;
    world.pay("alice", &app, &order).await.is_problem(503, "SP-WECHAT-UNKNOWN");
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;
}

#[tokio::test]
async fn when_wechat_is_asked_too_often_the_phone_is_told_to_try_again() {
    let world = World::open().await;
    for (nth, place) in PLACE.into_iter().enumerate() {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.fault(place, "frequency_limited", json!({ "times": 1 })).await;
        let refused = world.pay("alice", &app, &order).await;
        // It says nothing about the order, and the same request gets in a little later.
        refused.is_problem(503, "SP-WECHAT-REFUSED");
        assert!(refused.json["wechat"]["code"].is_string(), "{}", refused.json);
        let remedy = refused.json["remedy"].as_str().unwrap();
        assert!(remedy.contains("asked too often"), "{remedy}");
        assert_eq!(refused.retry_after.as_deref(), Some("1"));
        world.alice_pays(&app, &order).await;
        world.until_status(&order, "paid").await;
    }
}
