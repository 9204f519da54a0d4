//! Each fault of a notification: what is told, and that the order ends paid once.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::world::World;

async fn open() -> World {
    World::open_with(|config, _| {
        config.wechat.timeout_seconds = 20;
        config.webhooks.timeout_seconds = 50;
    })
    .await
}

impl World {
    /// Alice pays an order whose first notification goes wrong like this; what the timeline says from the payment on.
    async fn told_wrong(&self, nth: usize, fault: &str) -> (String, usize) {
        let app = self.app(nth);
        let order = self.order(&format!("{fault}-{nth}"), &app).await;
        let params = self.pay("alice", &app, &order).await.json;
        let from = self.timeline(&order).await.lines().count();
        self.fault("notify", fault, json!({ "times": 1 })).await;
        let said = self.sheet("alice", &app, &params, "pay").await;
        assert_eq!(said["errMsg"], "requestPayment:ok");
        (order, from)
    }

    /// The first try of the last notification is over.
    async fn until_tried(&self) {
        self.until_ledger("tried", |ledger| {
            let last = ledger["notifications"].as_array().unwrap().last();
            let tries = last.and_then(|last| last["tries"].as_array());
            tries.is_some_and(|tries| !tries.is_empty())
        })
        .await;
    }

    async fn since(&self, order: &str, from: usize) -> String {
        self.until_told(order, "order.paid →").await;
        let events = self.merchant("GET", "/v1/events?limit=100", None).await.json;
        let events = events["data"].as_array().unwrap();
        let ours = events.iter().filter(|event| event["data"]["id"] == *order);
        assert_eq!(ours.count(), 1, "{events:#?}");
        self.story(order).await.lines().skip(from).map(|line| format!("{line}\n")).collect()
    }

    /// Both APIs: the fault, then WeChat's repeat after 15 seconds.
    ///
    /// Our own question is due by then, too, and either may be first. The other one changes nothing.
    async fn repeated(&self, nth: usize, fault: &str) -> String {
        let (order, from) = self.told_wrong(nth, fault).await;
        self.until_tried().await;
        assert_eq!(self.status(&order).await, "paying", "{fault}");
        self.advance(15);
        let story = self.since(&order, from).await;
        self.until_all_are_taken().await;
        assert_eq!(self.since(&order, from).await, story, "{fault}");
        let lines = story.lines().map(|line| match line.split_once(" by TRANSACTION_ID, ") {
            Some((head, change)) => format!("{} repeat or query: {change}\n", &head[..19]),
            None => format!("{line}\n"),
        });
        lines.collect()
    }

    /// WeChat has nothing more to tell.
    async fn until_all_are_taken(&self) {
        let acknowledged = |ledger: &Value| {
            let told = ledger["notifications"].as_array().unwrap();
            told.iter().all(|one| one["acknowledged"] == true)
        };
        self.until_ledger("the repeat changes nothing", acknowledged).await;
    }
}

#[tokio::test]
async fn a_lost_notification_is_found_by_the_query_schedule() {
    let world = open().await;
    for nth in [0, 1] {
        let (order, from) = world.told_wrong(nth, "lose").await;
        world.until_tried().await;
        // Before WeChat repeats it.
        world.advance(6);
        let story = world.since(&order, from).await;
        if nth == 0 {
            assert_snapshot!(story, @r"
            2026-01-01 08:00:06 query        asked for OUT_TRADE_NO: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:06 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(story, @r"
            2026-01-01 08:00:27 query        asked for OUT_TRADE_NO: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:27 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        }
        world.advance(15);
        world.until_all_are_taken().await;
        assert_eq!(world.since(&order, from).await, story);
    }
}

#[tokio::test]
async fn a_late_notification_changes_nothing_any_more() {
    let world = open().await;
    for nth in [0, 1] {
        let (order, from) = world.told_wrong(nth, "late").await;
        world.advance(6);
        let story = world.since(&order, from).await;
        if nth == 0 {
            assert_snapshot!(story, @r"
            2026-01-01 08:00:06 query        asked for OUT_TRADE_NO: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:06 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(story, @r"
            2026-01-01 08:01:12 query        asked for OUT_TRADE_NO: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:01:12 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        }
        world.advance(60);
        world.until_tried().await;
        assert_eq!(world.since(&order, from).await, story);
    }
}

#[tokio::test]
async fn two_notifications_at_once_are_one_line() {
    let world = open().await;
    for nth in [0, 1] {
        let (order, from) = world.told_wrong(nth, "twice").await;
        world.until_tried().await;
        let story = world.since(&order, from).await;
        if nth == 0 {
            assert_snapshot!(story, @r"
            2026-01-01 08:00:00 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(story, @r"
            2026-01-01 08:00:00 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        }
    }
}

#[tokio::test]
async fn notifications_out_of_order_move_each_its_own_order() {
    let world = open().await;
    for nth in [0, 1] {
        let (first, from) = world.told_wrong(nth, "reorder").await;
        world.advance(1);
        let app = world.app(nth);
        let second = world.order(&format!("second-{nth}"), &app).await;
        world.alice_pays(&app, &second).await;
        let other = world.since(&second, 5).await;
        let story = format!("{other}{}", world.since(&first, from).await);
        if nth == 0 {
            assert_snapshot!(story, @r"
            2026-01-01 08:00:01 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:01 webhook      order.paid → 127.0.0.1 200, N ms
            2026-01-01 08:00:01 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:01 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(story, @r"
            2026-01-01 08:00:02 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:02 webhook      order.paid → 127.0.0.1 200, N ms
            2026-01-01 08:00:02 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:02 webhook      order.paid → 127.0.0.1 200, N ms
            ");
        }
    }
}

#[tokio::test]
async fn a_wrong_amount_alarms_and_the_right_one_pays() {
    let world = open().await;
    assert_snapshot!(world.repeated(0, "wrong_amount").await, @r"
    2026-01-01 08:00:00 notify       ALARM: the payment is for another amount: 9.91 instead of 9.90; the order did not move
    2026-01-01 08:00:15 repeat or query: paying → paid
    2026-01-01 08:00:15 webhook      order.paid → 127.0.0.1 200, N ms
    ");
    assert_snapshot!(world.repeated(1, "wrong_amount").await, @r"
    2026-01-01 08:00:15 notify       ALARM: the payment is for another amount: 9.91 instead of 9.90; the order did not move
    2026-01-01 08:00:30 repeat or query: paying → paid
    2026-01-01 08:00:30 webhook      order.paid → 127.0.0.1 200, N ms
    ");
}

#[tokio::test]
async fn what_is_for_another_merchant_leaves_no_trace_and_the_right_one_pays() {
    let world = open().await;
    assert_snapshot!(world.repeated(0, "other_merchant").await, @r"
    2026-01-01 08:00:15 repeat or query: paying → paid
    2026-01-01 08:00:15 webhook      order.paid → 127.0.0.1 200, N ms
    ");
    assert_snapshot!(world.repeated(1, "other_merchant").await, @r"
    2026-01-01 08:00:30 repeat or query: paying → paid
    2026-01-01 08:00:30 webhook      order.paid → 127.0.0.1 200, N ms
    ");
}

#[tokio::test]
async fn what_is_forged_leaves_no_trace_and_the_right_one_pays() {
    let world = open().await;
    assert_snapshot!(world.repeated(0, "forge").await, @r"
    2026-01-01 08:00:15 repeat or query: paying → paid
    2026-01-01 08:00:15 webhook      order.paid → 127.0.0.1 200, N ms
    ");
    assert_snapshot!(world.repeated(1, "forge").await, @r"
    2026-01-01 08:00:30 repeat or query: paying → paid
    2026-01-01 08:00:30 webhook      order.paid → 127.0.0.1 200, N ms
    ");
}
