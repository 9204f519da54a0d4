//! Money that goes back, in both APIs: whole and in parts, with answers and notifications lost.

use serde_json::{Value, json};

use crate::world::{Answer, World};

impl World {
    /// An order of 9.90 that Alice has paid.
    pub(crate) async fn paid(&self, reference: &str, app: &str) -> String {
        let order = self.order(reference, app).await;
        self.alice_pays(app, &order).await;
        self.until_status(&order, "paid").await;
        order
    }

    pub(crate) async fn refund(&self, order: &str, body: Value) -> Answer {
        self.merchant("POST", &format!("/v1/orders/{order}/refunds"), Some(body)).await
    }

    pub(crate) async fn refund_now(&self, id: &Value) -> Value {
        let path = format!("/v1/refunds/{}", id.as_str().unwrap());
        self.merchant("GET", &path, None).await.json
    }

    async fn refunded(&self, order: &str) -> Value {
        let order = self.merchant("GET", &format!("/v1/orders/{order}"), None).await;
        order.json["amount_refunded"].clone()
    }

    /// What WeChat holds.
    pub(crate) async fn refunds_at_wechat(&self) -> Vec<Value> {
        self.control("ledger", None).await["refunds"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn all_of_it_goes_back_in_both_apis() {
    let world = World::open().await;
    for nth in [0, 1] {
        let order = world.paid(&format!("tea-{nth}"), &world.app(nth)).await;
        let made = world.refund(&order, json!({ "reason": "茶凉了" })).await;
        assert_eq!((made.status, made.json["status"].as_str()), (201, Some("processing")));
        assert_eq!((&made.json["amount"], &made.json["order_id"]), (&json!(990), &json!(order)));

        world.advance(2);
        world.until_told(&order, "processing → succeeded").await;
        let refund = world.refund_now(&made.json["id"]).await;
        assert_eq!((&refund["status"], &refund["problem"]), (&json!("succeeded"), &Value::Null));
        assert!(refund["succeeded_at"].is_string(), "{refund}");
        assert_eq!(world.refunded(&order).await, 990);
        // Paid it stays, also by WeChat's own word for it.
        assert_eq!(world.confirm(&order).await.json["status"], "paid");
        world.refund(&order, json!({})).await.is_problem(409, "SP-REFUND-NOTHING-LEFT");
    }
    // Events of one millisecond have no order but their order's.
    let mut events = world.events().await;
    events.sort();
    assert_eq!(events, ["order.paid", "order.paid", "refund.succeeded", "refund.succeeded"]);
}

#[tokio::test]
async fn three_halves_at_once_are_two() {
    let world = World::open().await;
    for nth in [0, 1] {
        let order = world.paid(&format!("tea-{nth}"), &world.app(nth)).await;
        let half = || world.refund(&order, json!({ "amount": 495 }));
        let answers = tokio::join!(half(), half(), half());
        let mut statuses = [answers.0.status, answers.1.status, answers.2.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 201, 409]);

        world.advance(2);
        // On, should a busy machine lose a question: it comes again in time.
        let reached = async {
            while world.refunded(&order).await != 990 {
                world.advance(1);
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), reached).await.unwrap();
    }
    let sums: Vec<_> = world.refunds_at_wechat().await;
    assert_eq!(sums.len(), 4);
}

#[tokio::test]
async fn a_lost_answer_is_one_refund_under_one_number() {
    let world = World::open().await;
    let calls = ["POST /v3/refund/domestic/refunds", "POST /secapi/pay/refund"];
    for (nth, call) in calls.into_iter().enumerate() {
        for fault in ["cut", "bad_signature", "http_500", "system_error", "frequency_limited"] {
            let order = world.paid(&format!("tea-{nth}-{fault}"), &world.app(nth)).await;
            world.fault(call, fault, json!({ "times": 1 })).await;
            let made = world.refund(&order, json!({})).await;
            assert_eq!((made.status, made.json["status"].as_str()), (201, Some("processing")));
            assert!(made.json["problem"].is_string(), "{fault}: {}", made.json);

            // The question comes first, then the same number once more.
            world.advance(60);
            let number = &made.json["out_refund_no"];
            let taken =
                |ledger: &Value| ledger["refunds"].to_string().contains(&number.to_string());
            world.until_ledger("taken", taken).await;
            world.advance(70);
            world.until_told(&order, "→ succeeded").await;
            let refunds = world.refunds_at_wechat().await;
            let own = refunds.iter().filter(|refund| refund["out_refund_no"] == *number);
            assert_eq!(own.count(), 1, "{fault}");
        }
    }
    assert_eq!(world.refunds_at_wechat().await.len(), 10);
}

#[tokio::test]
async fn a_lost_notification_is_made_up_for_by_the_query() {
    let world = World::open().await;
    for nth in [0, 1] {
        let order = world.paid(&format!("tea-{nth}"), &world.app(nth)).await;
        world.fault("notify", "lose", json!({})).await;
        assert_eq!(world.refund(&order, json!({ "amount": 100 })).await.status, 201);
        world.advance(60);
        world.until_told(&order, "→ succeeded").await;
        assert_eq!(world.refunded(&order).await, 100);
        let url = format!("{}/_sim/faults", world.simulator);
        world.call("DELETE", url, None).await;
    }
}

#[tokio::test]
async fn a_short_balance_waits_and_takes_the_same_number() {
    let world = World::open().await;
    for nth in [0, 1] {
        let order = world.paid(&format!("tea-{nth}"), &world.app(nth)).await;
        world.control("switches", Some(json!({ "merchant_balance_is_short": true }))).await;
        let made = world.refund(&order, json!({})).await;
        assert_eq!(made.json["status"], "processing");
        assert!(made.json["problem"].as_str().unwrap().starts_with("NOT"), "{}", made.json);
        world.control("switches", Some(json!({ "merchant_balance_is_short": false }))).await;
        world.advance(60);
        world.until_told(&order, " accepted").await;
        let refunds = world.refunds_at_wechat().await;
        assert_eq!(refunds.last().unwrap()["out_trade_no"].as_str().map(str::len), Some(32));
        assert!(refunds.iter().any(|one| one["out_refund_no"] == made.json["out_refund_no"]));
    }
}

#[tokio::test]
async fn closed_and_abnormal_ends_are_told_and_give_the_sum_back_or_hold_it() {
    let world = World::open().await;
    for nth in [0, 1] {
        let order = world.paid(&format!("tea-{nth}"), &world.app(nth)).await;
        world.control("switches", Some(json!({ "refund_ends": "CLOSED" }))).await;
        world.refund(&order, json!({})).await;
        world.advance(2);
        world.until_told(&order, "processing → closed").await;

        world.control("switches", Some(json!({ "refund_ends": "ABNORMAL" }))).await;
        let made = world.refund(&order, json!({})).await;
        assert_eq!(made.status, 201, "what was closed can go back again: {}", made.json);
        world.advance(2);
        world.until_told(&order, "processing → abnormal").await;
        world.refund(&order, json!({})).await.is_problem(409, "SP-REFUND-NOTHING-LEFT");
        assert_eq!(world.refunded(&order).await, 0);

        // Somebody names another account on the merchant platform.
        let body = json!({ "out_refund_no": made.json["out_refund_no"], "status": "SUCCESS" });
        world.control("refunds", Some(body)).await;
        world.until_told(&order, "abnormal → succeeded").await;
        assert_eq!(world.refunded(&order).await, 990);
    }
}

#[tokio::test]
async fn lies_about_a_refund_move_nothing() {
    let world = World::open().await;
    for nth in [0, 1] {
        for lie in ["forge", "wrong_amount", "other_merchant"] {
            let order = world.paid(&format!("tea-{nth}-{lie}"), &world.app(nth)).await;
            world.fault("notify", lie, json!({ "times": 1 })).await;
            let made = world.refund(&order, json!({})).await;
            world.advance(2);
            let number = made.json["out_refund_no"].clone();
            world
                .until_ledger("a try", |ledger| {
                    let told = ledger["notifications"].as_array().unwrap().iter();
                    told.filter(|one| one["out_refund_no"] == number)
                        .any(|one| one["tries"].as_array().is_some_and(|tries| !tries.is_empty()))
                })
                .await;
            assert_eq!(world.refund_now(&made.json["id"]).await["status"], "processing", "{lie}");
            let ledger = world.control("ledger", None).await.to_string();
            assert!(!ledger.contains("FINDING"), "{lie}");
            // The truth follows.
            world.advance(15);
            world.until_told(&order, "→ succeeded").await;
        }
    }
}

#[tokio::test]
async fn what_cannot_go_back_is_refused() {
    let world = World::open().await;
    let unpaid = world.order("unpaid", &world.app(0)).await;
    world.refund(&unpaid, json!({})).await.is_problem(409, "SP-ORDER-NOT-PAID");
    let order = world.paid("tea", &world.app(0)).await;
    world.refund(&order, json!({ "amount": 991 })).await.is_problem(409, "SP-REFUND-TOO-MUCH");
    world.refund(&order, json!({ "amount": 0 })).await.is_problem(422, "SP-REQUEST-FIELD");
    world.refund(&order, json!({ "amount": "1" })).await.is_problem(422, "SP-REQUEST-FIELD");
    let long = json!({ "reason": "茶".repeat(27) });
    world.refund(&order, long).await.is_problem(422, "SP-REQUEST-FIELD");
    let named = || world.refund(&order, json!({ "amount": 1, "reference": "r-1" }));
    assert_eq!(named().await.status, 201);
    named().await.is_problem(409, "SP-REFUND-REFERENCE-TAKEN");
    world.merchant("GET", "/v1/refunds/ref_none", None).await.is_problem(404, "SP-NOT-FOUND");
    assert_eq!(world.refunds_at_wechat().await.len(), 1);
}

#[tokio::test]
async fn a_web_server_that_wants_a_certificate_is_no_refusal_of_wechats() {
    let world = World::open().await;
    let order = world.paid("tea", &world.app(1)).await;
    world.control("switches", Some(json!({ "v2_refund_wants_certificate": true }))).await;
    let made = world.refund(&order, json!({})).await;
    assert_eq!((made.status, made.json["status"].as_str()), (201, Some("processing")));
    assert!(made.json["problem"].as_str().unwrap().contains("400"), "{}", made.json);

    world.control("switches", Some(json!({ "v2_refund_wants_certificate": false }))).await;
    world.advance(60);
    world.until_told(&order, " accepted").await;
    assert_eq!(world.refunds_at_wechat().await.len(), 1);
}

/// A refund of APIv3 that the bank would not take.
async fn abnormal(world: &World, nth: usize, reference: &str) -> Value {
    world.control("switches", Some(json!({ "refund_ends": "ABNORMAL" }))).await;
    let order = world.paid(reference, &world.app(nth)).await;
    let made = world.refund(&order, json!({})).await;
    world.advance(2);
    world.until_told(&order, "processing → abnormal").await;
    made.json
}

#[tokio::test]
async fn what_the_bank_would_not_take_goes_to_another_account() {
    let world = World::open().await;
    let card = json!({
        "type": "USER_BANK_CARD", "bank_type": "CMB_DEBIT", "bank_account": "6225880137706868", "real_name": "张三",
    });
    for (nth, (to, fault)) in [(json!({ "type": "MERCHANT_BANK_CARD" }), None), (card, Some("cut"))]
        .into_iter()
        .enumerate()
    {
        let refund = abnormal(&world, 0, &format!("tea-{nth}")).await;
        let path = format!("/v1/refunds/{}/abnormal", refund["id"].as_str().unwrap());
        let call = "POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund";
        if let Some(fault) = fault {
            world.fault(call, fault, json!({ "times": 1 })).await;
        }
        let sent = world.merchant("POST", &path, Some(to)).await;
        assert_eq!(sent.status, 200, "{}", sent.json);
        let order = refund["order_id"].as_str().unwrap();
        world.until_told(order, "abnormal → processing").await;
        let again = world.merchant("POST", &path, Some(json!({ "type": "MERCHANT_BANK_CARD" })));
        again.await.is_problem(409, "SP-REFUND-NOT-ABNORMAL");
        world.advance(2);
        world.until_told(order, "processing → succeeded").await;
        assert_eq!(world.refunded(order).await, 990);
        // Whose card it is WeChat alone can read.
        let told = world.timeline(order).await;
        let asked = world.control("requests", None).await.to_string();
        assert!(asked.contains("apply-abnormal-refund"));
        for secret in ["6225880137706868", "张三"] {
            assert!(!asked.contains(secret) && !told.contains(secret), "{secret}");
        }
    }
}

#[tokio::test]
async fn only_what_fits_goes_to_another_account() {
    let world = World::open().await;
    let by_v2 = abnormal(&world, 1, "tea-1").await;
    let path = |refund: &Value| format!("/v1/refunds/{}/abnormal", refund["id"].as_str().unwrap());
    let merchants = json!({ "type": "MERCHANT_BANK_CARD" });
    let refused = world.merchant("POST", &path(&by_v2), Some(merchants)).await;
    refused.is_problem(409, "SP-REFUND-BY-HAND");
    let by_v3 = abnormal(&world, 0, "tea-2").await;
    for wrong in [
        json!({ "type": "CASH" }),
        json!({ "type": "USER_BANK_CARD" }),
        json!({ "type": "MERCHANT_BANK_CARD", "real_name": "张三" }),
        json!({ "type": "USER_BANK_CARD", "bank_type": "CMB_DEBIT", "bank_account": "1\n", "real_name": "张三" }),
    ] {
        let refused = world.merchant("POST", &path(&by_v3), Some(wrong)).await;
        refused.is_problem(422, "SP-REQUEST-FIELD");
    }
    let unknown = world.merchant(
        "POST",
        "/v1/refunds/ref_none/abnormal",
        Some(json!({ "type": "MERCHANT_BANK_CARD" })),
    );
    unknown.await.is_problem(404, "SP-NOT-FOUND");
}
