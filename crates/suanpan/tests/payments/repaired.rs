//! What nobody told us is found out: by the query schedule, by the end of an order, after a close that was none.

use futures_util::future::join_all;
use serde_json::json;

use crate::world::World;

const CLOSE: [&str; 2] =
    ["POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close", "POST /pay/closeorder"];
const QUERY: [&str; 2] = ["/v3/pay/transactions/out-trade-no/", "/pay/orderquery"];

#[tokio::test]
async fn a_lost_notification_is_made_up_for_by_the_schedule() {
    let world = World::open().await;
    world.fault("notify", "lose", json!({})).await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.alice_pays(&app, &order).await;
        assert_eq!(world.status(&order).await, "paying");
        world.advance(6);
        world.until_status(&order, "paid").await;
    }
    assert_eq!(world.events().await, ["order.paid", "order.paid"]);
}

#[tokio::test]
async fn a_payer_who_takes_an_hour_is_found_by_the_schedule_too() {
    let world = World::open().await;
    world.fault("notify", "lose", json!({})).await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let params = world.pay("alice", &app, &order).await.json;
        world.advance(6);
        world.until_told(&order, "NOTPAY").await;
        world.advance(60 * 60);
        world.sheet("alice", &app, &params, "pay").await;
        world.advance(80 * 60);
        world.until_status(&order, "paid").await;
    }
}

#[tokio::test]
async fn a_backend_that_was_down_asks_when_it_is_up() {
    let mut world = World::open().await;
    world.fault("notify", "lose", json!({})).await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let params = world.pay("alice", &app, &order).await.json;
        world.stop_server().await;
        world.sheet("alice", &app, &params, "pay").await;
        world.advance(60);
        world.start_server().await;
        world.until_status(&order, "paid").await;
    }
}

#[tokio::test]
async fn an_order_whose_time_is_over_is_closed_at_wechat_and_told() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let expires_at = if nth == 0 { "2026-01-01T00:30:00Z" } else { "2026-01-01T01:30:00Z" };
        let order = world.order_until(&format!("tea-{nth}"), &app, expires_at).await;
        world.pay("alice", &app, &order).await;
        world.advance(30 * 60 * (u64::try_from(nth).unwrap() + 1));
        world.until_status(&order, "closed").await;
    }
    let never_tried = world.order_until("tea-2", &world.app(0), "2026-01-01T02:00:00Z").await;
    world.advance(30 * 60);
    world.until_status(&never_tried, "closed").await;
    assert_eq!(world.events().await, ["order.closed"; 3]);
}

#[tokio::test]
async fn an_order_without_an_end_has_wechats_seven_days() {
    let world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.advance(24 * 60 * 60);
    world.pay("alice", &app, &order).await;
    // As long for the attempt as for the order.
    world.advance(6 * 24 * 60 * 60 + 60);
    let other = world.order("tea-2", &app).await;
    world.alice_pays(&app, &other).await;
    world.until_status(&other, "paid").await;
    assert_eq!(world.status(&order).await, "paying");
    world.advance(24 * 60 * 60);
    world.until_status(&order, "closed").await;
}

#[tokio::test]
async fn who_paid_in_the_last_second_has_paid() {
    let world = World::open().await;
    world.fault("notify", "lose", json!({})).await;
    let app = world.app(0);
    let order = world.order_until("tea-1", &app, "2026-01-01T00:30:00Z").await;
    let params = world.pay("alice", &app, &order).await.json;
    world.advance(30 * 60 - 1);
    world.sheet("alice", &app, &params, "pay").await;
    world.advance(1);
    world.until_status(&order, "paid").await;
    assert_eq!(world.events().await, ["order.paid"]);
}

#[tokio::test]
async fn a_close_that_was_none_is_found_and_made_good() {
    let world = World::open().await;
    for (nth, close) in CLOSE.into_iter().enumerate() {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let params = world.pay("alice", &app, &order).await.json;
        world.fault(close, "pretend", json!({ "times": 1 })).await;
        let closed = world.merchant("POST", &format!("/v1/orders/{order}/close"), None).await;
        assert_eq!(closed.json["status"], "closed", "{}", closed.json);
        world.advance(61);
        world.until_told(&order, "still open at WeChat; closed once more").await;
        let late = world.sheet("alice", &app, &params, "pay").await;
        assert_ne!(late["errMsg"], "requestPayment:ok");
    }
}

#[tokio::test]
async fn money_after_a_close_is_kept_and_told() {
    let world = World::open().await;
    for (nth, close) in CLOSE.into_iter().enumerate() {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let params = world.pay("alice", &app, &order).await.json;
        world.fault(close, "pretend", json!({ "times": 1 })).await;
        world.merchant("POST", &format!("/v1/orders/{order}/close"), None).await;
        assert_eq!(world.status(&order).await, "closed");
        // Events of one moment have no order among them.
        world.advance(1);
        let said = world.sheet("alice", &app, &params, "pay").await;
        assert_eq!(said["errMsg"], "requestPayment:ok");
        world.until_status(&order, "paid").await;
        world.advance(1);
    }
    let kinds = ["order.closed", "order.overpaid", "order.closed", "order.overpaid"];
    assert_eq!(world.events().await, kinds);
    let events = world.merchant("GET", "/v1/events", None).await.json;
    assert_eq!(events["data"][0]["data"]["reason"], "paid_after_close", "{events}");
}

#[tokio::test]
async fn two_payers_of_one_order_have_both_paid() {
    let world = World::open().await;
    for (nth, close) in CLOSE.into_iter().enumerate() {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let alices = world.pay("alice", &app, &order).await.json;
        world.fault(close, "pretend", json!({ "times": 1 })).await;
        let bobs = world.pay("bob", &app, &order).await.json;
        for (user, params) in [("bob", bobs), ("alice", alices)] {
            let said = world.sheet(user, &app, &params, "pay").await;
            assert_eq!(said["errMsg"], "requestPayment:ok");
            world.until_status(&order, "paid").await;
            world.advance(1);
        }
        world.until_told(&order, "once more by").await;
        assert_eq!(world.confirm(&order).await.json["status"], "paid");
    }
    let kinds = ["order.paid", "order.overpaid", "order.paid", "order.overpaid"];
    assert_eq!(world.events().await, kinds);
}

#[tokio::test]
async fn when_a_closed_attempt_is_paid_the_live_one_is_closed() {
    let world = World::open().await;
    for (nth, close) in CLOSE.into_iter().enumerate() {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let alices = world.pay("alice", &app, &order).await.json;
        world.fault(close, "pretend", json!({ "times": 1 })).await;
        let bobs = world.pay("bob", &app, &order).await.json;
        world.sheet("alice", &app, &alices, "pay").await;
        world.until_status(&order, "paid").await;
        world
            .until_ledger("bob's is closed", |ledger| {
                let orders = ledger["orders"].as_array().unwrap();
                let ours = orders.iter().filter(|placed| placed["appid"] == app.as_str());
                ours.filter(|placed| !placed["closed_at"].is_null()).count() == 1
            })
            .await;
        let late = world.sheet("bob", &app, &bobs, "pay").await;
        assert_ne!(late["errMsg"], "requestPayment:ok");
    }
    assert_eq!(world.events().await, ["order.paid", "order.paid"]);
}

#[tokio::test]
async fn a_front_end_that_hammers_is_answered_and_wechat_is_spared() {
    let world = World::open().await;
    for (nth, query) in QUERY.into_iter().enumerate() {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.pay("alice", &app, &order).await;
        let answers = join_all((0..30).map(|_| world.confirm(&order))).await;
        assert!(answers.iter().all(|answer| answer.json["status"] == "paying"));
        assert!(world.asked(query).await <= 2, "{}", world.asked(query).await);
        // For days, if they like: what is the same is told once.
        for _ in 0..5 {
            world.advance(2);
            world.confirm(&order).await;
        }
        assert!(3 <= world.asked(query).await, "{}", world.asked(query).await);
        assert_eq!(world.timeline(&order).await.matches("NOTPAY").count(), 1);
    }
}

#[tokio::test]
async fn where_wechat_will_not_close_yet_the_second_payer_is_told_when() {
    let world = World::open().await;
    world.control("switches", Some(json!({ "v2_close_wait_seconds": 300 }))).await;
    let app = world.app(1);
    let order = world.order("tea-1", &app).await;
    world.pay("alice", &app, &order).await;
    let bob = world.pay("bob", &app, &order).await;
    bob.is_problem(409, "SP-CLOSE-TOO-SOON");
    assert!(bob.json["detail"].as_str().unwrap().contains("08:05:00"), "{}", bob.json);
    world.advance(300);
    assert_eq!(world.pay("bob", &app, &order).await.status, 200);
}
