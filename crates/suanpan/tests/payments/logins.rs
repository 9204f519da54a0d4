//! Codes that are wrong, used, old or of another app, and orders that are not for this payer.

use futures_util::future::join_all;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_code_must_be_of_this_app_fresh_and_unused() {
    let world = World::open().await;
    let (app, other) = (world.app(0), world.app(1));
    let order = world.order("tea-1", &app).await;

    world.pay_with("nonsense", &order).await.is_problem(422, "SP-LOGIN-CODE-INVALID");
    world.pay("alice", &other, &order).await.is_problem(422, "SP-LOGIN-CODE-INVALID");

    let used = world.login("alice", &app).await;
    assert_eq!(world.pay_with(&used, &order).await.status, 200);
    let again = world.pay_with(&used, &order).await;
    again.is_problem(422, "SP-LOGIN-CODE-USED");
    assert_eq!(again.json["wechat"]["code"], "40163");

    let old = world.login("alice", &app).await;
    world.advance(5 * 60 + 1);
    world.pay_with(&old, &order).await.is_problem(422, "SP-LOGIN-CODE-INVALID");

    let timeline = world.timeline(&order).await;
    assert_eq!(timeline.matches("login").count(), 1, "{timeline}");
}

#[tokio::test]
async fn an_order_for_one_payer_is_not_for_another() {
    let world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.pay("alice", &app, &order).await;
    let ledger = world.control("ledger", None).await;
    let alice = ledger["orders"][0]["openid"].as_str().unwrap();

    let body = json!({ "reference": "tea-2", "amount": 1, "description": "tea", "app": app, "payer_openid": alice });
    let bound = world.merchant("POST", "/v1/orders", Some(body)).await.json["id"].clone();
    let bound = bound.as_str().unwrap();
    world.pay("bob", &app, bound).await.is_problem(403, "SP-OTHER-PAYER");
    assert_eq!(world.pay("alice", &app, bound).await.status, 200);
}

#[tokio::test]
async fn the_same_code_many_times_at_once_breaks_nothing() {
    let world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    let code = world.login("alice", &app).await;
    let answers = join_all((0..50).map(|_| world.pay_with(&code, &order))).await;
    let ok: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!ok.is_empty());
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.is_problem(422, "SP-LOGIN-CODE-USED");
    }
    let package = &ok[0].json["package"];
    assert!(ok.iter().all(|answer| answer.json["package"] == *package));
}

#[tokio::test]
async fn when_the_platform_is_busy_nothing_is_lost() {
    let world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    for fault in ["system_error", "http_500", "cut"] {
        world.fault("GET /sns/jscode2session", fault, json!({ "times": 1 })).await;
        world.pay("alice", &app, &order).await.is_problem(503, "SP-WECHAT-UNKNOWN");
    }
    world.fault("GET /sns/jscode2session", "frequency_limited", json!({ "times": 1 })).await;
    world.pay("alice", &app, &order).await.is_problem(503, "SP-LOGIN-TOO-OFTEN");
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;
}
