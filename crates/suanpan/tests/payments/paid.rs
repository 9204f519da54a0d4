//! A payment from login to paid and delivered, in both APIs.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::world::World;

/// Walks one payment, and answers its story.
async fn story(nth: usize) -> String {
    let world = World::open().await;
    let app = world.app(nth);
    let order = world.order("tea-1", &app).await;
    world.advance(3);
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;
    world.until_told(&order, "webhook").await;

    let shown = world.merchant("GET", &format!("/v1/orders/{order}"), None).await.json;
    let ledger = world.control("ledger", None).await;
    agree(&world, &ledger, &shown);
    world.story(&order).await
}

/// The simulator's ledger, our order and the delivered webhook tell the same.
fn agree(world: &World, ledger: &Value, order: &Value) {
    let payments = ledger["payments"].as_array().unwrap();
    assert_eq!(payments.len(), 1, "{ledger:#}");
    assert_eq!(payments[0]["transaction_id"], order["transaction_id"]);
    assert_eq!(
        (&order["amount"], &order["paid_at"]),
        (&json!(990), &json!("2026-01-01T00:00:03Z"))
    );

    let taken = world.receiver.taken();
    assert_eq!(taken.len(), 1);
    let told = taken[0].json();
    assert_eq!((&told["type"], &told["data"]), (&json!("order.paid"), order));
}

#[tokio::test]
async fn the_story_of_a_payment_by_apiv3() {
    assert_snapshot!(story(0).await, @r"
    2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1
    2026-01-01 08:00:03 login        code CODE** is OPEN…ID in APPID
    2026-01-01 08:00:03 prepay       attempt OUT_TRADE_NO by APIv3
    2026-01-01 08:00:03 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
    2026-01-01 08:00:03 second_sign  RSA paySign for prepay_id=PREPAY_ID
    2026-01-01 08:00:03 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID, paying → paid
    2026-01-01 08:00:03 webhook      order.paid → 127.0.0.1 200, N ms
    ");
}

#[tokio::test]
async fn the_story_of_a_payment_by_apiv2() {
    assert_snapshot!(story(1).await, @r"
    2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1
    2026-01-01 08:00:03 login        code CODE** is OPEN…ID in APPID
    2026-01-01 08:00:03 prepay       attempt OUT_TRADE_NO by APIv2
    2026-01-01 08:00:03 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
    2026-01-01 08:00:03 second_sign  MD5 paySign for prepay_id=PREPAY_ID
    2026-01-01 08:00:03 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
    2026-01-01 08:00:03 webhook      order.paid → 127.0.0.1 200, N ms
    ");
}

#[tokio::test]
async fn a_paid_order_is_not_paid_again() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.alice_pays(&app, &order).await;
        world.until_status(&order, "paid").await;
        let again = world.pay("bob", &app, &order).await;
        assert_eq!((again.status, again.json), (200, json!({ "alreadyPaid": true })));
        let close = world.merchant("POST", &format!("/v1/orders/{order}/close"), None).await;
        close.is_problem(409, "SP-ORDER-PAID");
    }
}

#[tokio::test]
async fn a_payer_who_cancels_or_lacks_money_can_pay_later_with_the_same_prepay_id() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let first = world.pay("alice", &app, &order).await.json;
        let cancel = world.sheet("alice", &app, &first, "cancel").await;
        assert_eq!(cancel["errMsg"], "requestPayment:fail cancel");
        let poor = world.sheet("alice", &app, &first, "insufficient").await;
        assert!(poor["errMsg"].as_str().unwrap().starts_with("requestPayment:fail"), "{poor}");
        assert_eq!(world.confirm(&order).await.json["status"], "paying");

        world.advance(60);
        let second = world.alice_pays(&app, &order).await;
        assert_eq!(first["package"], second["package"]);
        assert_ne!(first["paySign"], second["paySign"], "another nonce, another time");
        world.until_status(&order, "paid").await;
    }
    assert_eq!(world.asked("/v3/pay/transactions/jsapi").await, 1);
    assert_eq!(world.asked("/pay/unifiedorder").await, 1);
}

#[tokio::test]
async fn an_old_prepay_id_is_asked_for_anew_under_the_same_number() {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.pay("alice", &app, &order).await;
        world.advance(2 * 60 * 60);
        world.alice_pays(&app, &order).await;
        world.until_status(&order, "paid").await;
        let ledger = world.control("ledger", None).await;
        let orders = ledger["orders"].as_array().unwrap();
        assert_eq!(orders.iter().filter(|placed| placed["appid"] == app.as_str()).count(), 1);
    }
}
