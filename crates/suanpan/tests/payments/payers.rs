//! One order, many phones: at most one attempt is live, and the money comes once.

use futures_util::future::join_all;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn another_payer_takes_over_and_the_first_sheet_is_dead() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let alices = world.pay("alice", &app, &order).await.json;
        // WeChat closes no order of APIv2 within five minutes.
        world.advance(5 * 60 + 1);
        let bobs = world.pay("bob", &app, &order).await;
        assert_eq!(bobs.status, 200, "{}", bobs.json);
        assert_ne!(alices["package"], bobs.json["package"]);

        let dead = world.sheet("alice", &app, &alices, "pay").await;
        assert_ne!(dead["errMsg"], "requestPayment:ok");
        let paid = world.sheet("bob", &app, &bobs.json, "pay").await;
        assert_eq!(paid["errMsg"], "requestPayment:ok", "{paid}");
        world.until_status(&order, "paid").await;
    }
    let ledger = world.control("ledger", None).await;
    assert_eq!(ledger["payments"].as_array().unwrap().len(), 2, "one for each order");
    assert_eq!(world.events().await, ["order.paid", "order.paid"]);
}

#[tokio::test]
async fn when_the_first_payer_was_faster_the_second_is_told_so() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.fault("notify", "lose", json!({})).await;
        world.alice_pays(&app, &order).await;
        world.advance(5 * 60 + 1);
        let bobs = world.pay("bob", &app, &order).await;
        assert_eq!((bobs.status, bobs.json), (200, json!({ "alreadyPaid": true })));
        assert_eq!(world.status(&order).await, "paid");
    }
}

#[tokio::test]
async fn twenty_phones_at_once_get_one_number() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let codes = join_all((0..20).map(|_| world.login("alice", &app))).await;
        let answers = join_all(codes.iter().map(|code| world.pay_with(code, &order))).await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.json);
            assert_eq!(answer.json["package"], answers[0].json["package"]);
        }
        let paid = world.sheet("alice", &app, &answers[7].json, "pay").await;
        assert_eq!(paid["errMsg"], "requestPayment:ok");
        world.until_status(&order, "paid").await;
    }
    let ledger = world.control("ledger", None).await;
    assert_eq!(ledger["orders"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_that_is_closed_while_somebody_has_the_sheet_cannot_be_paid() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let params = world.pay("alice", &app, &order).await.json;
        world.advance(5 * 60 + 1);
        let closed = world.merchant("POST", &format!("/v1/orders/{order}/close"), None).await;
        assert_eq!((closed.status, &closed.json["status"]), (200, &json!("closed")));
        let late = world.sheet("alice", &app, &params, "pay").await;
        assert_ne!(late["errMsg"], "requestPayment:ok");
    }
}

#[tokio::test]
async fn a_close_that_comes_too_late_ends_paid() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.fault("notify", "lose", json!({})).await;
        world.alice_pays(&app, &order).await;
        world.advance(5 * 60 + 1);
        let close = world.merchant("POST", &format!("/v1/orders/{order}/close"), None).await;
        close.is_problem(409, "SP-ORDER-PAID");
        assert_eq!(world.status(&order).await, "paid");
    }
    assert_eq!(world.events().await, ["order.paid", "order.paid"]);
}
