//! What WeChat and the merchant are told of an order that was archived.

use serde_json::{Value, json};
use suanpan_server::archive::{self, Request};
use suanpan_server::outside::{ManualClock, SystemDice};
use suanpan_server::store::{Database, Store};

use crate::database;
use crate::world::{NEW_YEAR, World};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const CLOSE: [&str; 2] =
    ["POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close", "POST /pay/closeorder"];

impl World {
    /// Archives what there is, as if it had rested for years; beside a server that is up.
    async fn archive(&self) -> u64 {
        let folder = self.folder.path();
        let database = Database::parse(&database::url(folder), &folder.join("wechat")).unwrap();
        // As if WeChat had said that nobody can pay any more.
        let store = Store::open(&database, NEW_YEAR).await.unwrap();
        let rest = "UPDATE due SET state = 'done' WHERE order_id IS NOT NULL";
        let rest = store.write(rest, |tx, sql| Box::pin(async move { tx.exec(sql, &[]).await }));
        rest.await.unwrap();
        store.close().await;
        let before = NEW_YEAR + DAY;
        let request = Request { database: &database, before, folder, orders_in_a_file: 10 };
        let years_later = ManualClock::at(before + 400 * DAY);
        archive::run(request, &years_later, &SystemDice, |_| {}).await.unwrap().orders
    }

    async fn told_events(&self, kind: &str) -> Vec<Value> {
        let events = self.merchant("GET", "/v1/events?limit=100", None).await.json;
        let events = events["data"].as_array().unwrap().iter();
        events.filter(|event| event["type"] == kind).map(|event| event["data"].clone()).collect()
    }

    async fn until_acknowledged(&self, payments: usize) {
        self.until_ledger("acknowledged", |ledger| {
            let sent = ledger["notifications"].as_array().unwrap();
            payments <= sent.len() && sent.iter().all(|one| one["acknowledged"] == true)
        })
        .await;
    }
}

#[tokio::test]
async fn an_archived_order_is_gone_for_callers_and_its_numbers_are_not_used_again() {
    let world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.alice_pays(&app, &order).await;
    world.until_told(&order, "webhook").await;
    let refunds = format!("/v1/orders/{order}/refunds");
    let back = json!({ "amount": 90, "reference": "back-1" });
    assert_eq!(world.merchant("POST", &refunds, Some(back.clone())).await.status, 201);
    world.advance(2);
    world.until_told(&order, "refund.succeeded →").await;
    assert_eq!(world.archive().await, 1);

    for path in ["", "/timeline", "/shipping"] {
        let gone = world.merchant("GET", &format!("/v1/orders/{order}{path}"), None).await;
        gone.is_problem(404, "SP-ORDER-ARCHIVED");
        assert!(gone.json["detail"].as_str().unwrap().contains(".jsonl.gz"), "{gone:?}");
    }
    world.merchant("POST", &refunds, Some(back.clone())).await.is_problem(404, "SP-ORDER-ARCHIVED");
    world.pay("alice", &app, &order).await.is_problem(404, "SP-ORDER-ARCHIVED");
    let again = json!({ "reference": "tea-1", "amount": 990, "description": "tea", "app": app });
    let again = world.merchant("POST", "/v1/orders", Some(again)).await;
    again.is_problem(409, "SP-REFERENCE-TAKEN");
    assert_eq!(again.json["order_id"], json!(order));

    let other = world.order("tea-2", &app).await;
    world.alice_pays(&app, &other).await;
    world.until_status(&other, "paid").await;
    let taken = world.merchant("POST", &format!("/v1/orders/{other}/refunds"), Some(back)).await;
    taken.is_problem(409, "SP-REFUND-REFERENCE-TAKEN");
}

#[tokio::test]
async fn money_that_comes_late_for_an_archived_order_is_kept_and_told_once() {
    for nth in [0, 1] {
        let world = World::open().await;
        let app = world.app(nth);
        let paid = world.order("paid", &app).await;
        let late = world.order("late", &app).await;
        // WeChat's word of this one is repeated until it is acknowledged.
        world.fault("notify", "lose", json!({ "times": 1 })).await;
        world.alice_pays(&app, &paid).await;
        assert_eq!(world.confirm(&paid).await.json["status"], "paid");
        let params = world.pay("alice", &app, &late).await.json;
        world.fault(CLOSE[nth], "pretend", json!({ "times": 1 })).await;
        world.merchant("POST", &format!("/v1/orders/{late}/close"), None).await;
        world.until_told(&late, "order.closed →").await;
        world.until_told(&paid, "order.paid →").await;
        assert_eq!(world.archive().await, 2);

        world.fault("notify", "twice", json!({ "times": 1 })).await;
        world.sheet("alice", &app, &params, "pay").await;
        // By then WeChat tells again what was lost.
        world.advance(16);
        world.until_acknowledged(2).await;
        world
            .until("the webhook", async || {
                // Looks at something, so that what it waits for has its turn.
                world.ready().await;
                world.receiver.taken().iter().any(|told| told.json()["type"] == "order.overpaid")
            })
            .await;
        let told = world.told_events("order.overpaid").await;
        assert_eq!(told.len(), 1, "{told:?}");
        let told = &told[0];
        assert_eq!((&told["id"], &told["reference"]), (&json!(late), &json!("late")));
        assert_eq!((&told["status"], &told["amount"]), (&json!("closed"), &json!(990)));
        assert_eq!(
            (&told["reason"], &told["extra_amount"]),
            (&json!("paid_after_archive"), &json!(990))
        );
        let ledger = world.control("ledger", None).await;
        let payments = ledger["payments"].as_array().unwrap();
        assert!(payments.iter().any(|one| one["transaction_id"] == told["extra_transaction_id"]));
    }
}
