//! Notifications and webhooks that are lost, late, twice or for a server that is down.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_lost_notification_is_made_up_for_by_confirm() {
    let world = World::open().await;
    world.fault("notify", "lose", json!({})).await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.alice_pays(&app, &order).await;
        assert_eq!(world.status(&order).await, "paying");
        assert_eq!(world.confirm(&order).await.json["status"], "paid");
        // Once more changes nothing.
        assert_eq!(world.confirm(&order).await.json["status"], "paid");
    }
    assert_eq!(world.events().await, ["order.paid", "order.paid"]);
}

#[tokio::test]
async fn a_notification_that_comes_twice_moves_once_and_is_acknowledged_twice() {
    let world = World::open().await;
    for nth in [0, 1] {
        world.fault("notify", "twice", json!({ "times": 1 })).await;
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.alice_pays(&app, &order).await;
        world.until_status(&order, "paid").await;
        world
            .until_ledger("acknowledged", |ledger| {
                let notifications = ledger["notifications"].as_array().unwrap();
                notifications.iter().all(|notification| notification["acknowledged"] == true)
            })
            .await;
    }
    assert_eq!(world.events().await, ["order.paid", "order.paid"]);
    let timeline = world.timeline(&world.order("other", &world.app(0)).await).await;
    assert_eq!(timeline.lines().count(), 1, "another order knows nothing of it");
}

#[tokio::test]
async fn a_backend_that_is_down_hears_of_it_by_wechats_repeats() {
    let mut world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        let params = world.pay("alice", &app, &order).await.json;
        world.stop_server().await;
        let said = world.sheet("alice", &app, &params, "pay").await;
        assert_eq!(said["errMsg"], "requestPayment:ok");
        world
            .until_ledger("a failed try", |ledger| {
                let notifications = ledger["notifications"].as_array().unwrap();
                notifications.last().is_some_and(|last| {
                    last["tries"].as_array().is_some_and(|tries| !tries.is_empty())
                })
            })
            .await;

        world.start_server().await;
        world.advance(15);
        world.until_status(&order, "paid").await;
    }
}

#[tokio::test]
async fn a_receiver_that_is_down_for_a_day_is_told_when_it_is_up() {
    let world = World::open().await;
    world.receiver.answers(500);
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;
    world.until_told(&order, "try 2").await;
    for (number, wait) in [5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600].into_iter().enumerate()
    {
        world.advance(wait + wait / 10 + 1);
        world.until_told(&order, &format!("try {}", number + 3)).await;
    }
    world.receiver.answers(200);
    world.advance(8 * 60 * 60 + 60 * 60);
    world.until_told(&order, " 200, ").await;

    let taken = world.receiver.taken();
    assert_eq!(taken.len(), 11);
    assert!(
        taken
            .iter()
            .all(|delivery| (&delivery.id, &delivery.body) == (&taken[0].id, &taken[0].body))
    );
}

#[tokio::test]
async fn confirm_says_whether_wechat_was_asked() {
    let world = World::open().await;
    let query = ["GET /v3/pay/transactions/out-trade-no/{out_trade_no}", "POST /pay/orderquery"];
    for (nth, query) in query.into_iter().enumerate() {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        assert_eq!(
            world.confirm(&order).await.wechat_asked.as_deref(),
            Some("true"),
            "there is nothing to ask"
        );
        world.pay("alice", &app, &order).await;
        let mut asked = Vec::new();
        for _ in 0..3 {
            asked.push(world.confirm(&order).await.wechat_asked.unwrap());
        }
        assert_eq!(asked, ["true", "true", "false"], "two questions in a second, and no third");

        world.advance(10);
        world.fault(query, "system_error", json!({})).await;
        assert_eq!(
            world.confirm(&order).await.wechat_asked.as_deref(),
            Some("false"),
            "no clear answer"
        );
    }
}
