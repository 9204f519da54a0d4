//! Money that is more than what is owed: an order that is paid twice, or after its close, under both policies.

use futures_util::future::join_all;
use insta::assert_snapshot;
use serde_json::{Value, json};
use suanpan_server::config::ExtraPayment;
use suanpan_server::{Config, Seams, Server};
use suanpan_simulator::{Options, Simulator};

use crate::world::{PATIENCE, World};

const CLOSE: [&str; 2] =
    ["POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close", "POST /pay/closeorder"];

async fn giving_back() -> World {
    World::open_with(|config, _| {
        config.orders.extra_payment = ExtraPayment::Refund;
        // A busy machine loses no question.
        config.wechat.timeout_seconds = 20;
    })
    .await
}

async fn holding() -> World {
    World::open_with(|config, _| config.wechat.timeout_seconds = 20).await
}

impl World {
    /// Bob pays an order, and so does Alice, whose attempt WeChat only pretended to close.
    async fn paid_twice(&self, nth: usize, reference: &str) -> String {
        let app = self.app(nth);
        let order = self.order(reference, &app).await;
        let alices = self.pay("alice", &app, &order).await.json;
        self.fault(CLOSE[nth], "pretend", json!({ "times": 1 })).await;
        let bobs = self.pay("bob", &app, &order).await.json;
        self.sheet("bob", &app, &bobs, "pay").await;
        self.until_told(&order, "order.paid →").await;
        self.advance(1);
        let said = self.sheet("alice", &app, &alices, "pay").await;
        assert_eq!(said["errMsg"], "requestPayment:ok");
        self.until_told(&order, "order.overpaid →").await;
        order
    }

    /// Alice pays an order that WeChat only pretended to close.
    async fn paid_after_close(&self, nth: usize, reference: &str) -> String {
        let app = self.app(nth);
        let order = self.order(reference, &app).await;
        let params = self.pay("alice", &app, &order).await.json;
        self.fault(CLOSE[nth], "pretend", json!({ "times": 1 })).await;
        self.merchant("POST", &format!("/v1/orders/{order}/close"), None).await;
        self.until_told(&order, "order.closed →").await;
        self.advance(1);
        self.sheet("alice", &app, &params, "pay").await;
        self.until_told(&order, "order.overpaid →").await;
        order
    }

    /// The refund of an extra payment is at its end, and the merchant was told.
    async fn until_back(&self, order: &str) {
        self.until_told(order, "accepted").await;
        self.advance(2);
        self.until_told(order, "refund.succeeded →").await;
    }

    async fn shown(&self, order: &str) -> (Value, Value) {
        let order = self.merchant("GET", &format!("/v1/orders/{order}"), None).await.json;
        (order["status"].clone(), order["amount_refunded"].clone())
    }

    /// What the merchant was told in events of this kind, oldest first.
    async fn told(&self, kind: &str) -> Vec<Value> {
        let events = self.merchant("GET", "/v1/events?limit=100", None).await.json;
        let events = events["data"].as_array().unwrap().iter().rev();
        events.filter(|event| event["type"] == kind).map(|event| event["data"].clone()).collect()
    }

    async fn back_at_wechat(&self) -> Vec<Value> {
        self.control("ledger", None).await["refunds"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_second_payment_goes_back_by_itself_and_the_first_stays() {
    let world = giving_back().await;
    for nth in [0, 1] {
        let order = world.paid_twice(nth, &format!("tea-{nth}")).await;
        world.until_back(&order).await;
        assert_eq!(world.shown(&order).await, (json!("paid"), json!(0)));

        let overpaid = world.told("order.overpaid").await.pop().unwrap();
        let refund = world.told("refund.succeeded").await.pop().unwrap();
        assert_eq!(overpaid["reason"], "paid_twice");
        assert_eq!(overpaid["extra_refund_id"], refund["id"]);
        assert_eq!(overpaid["extra_transaction_id"], refund["transaction_id"]);
        assert_ne!(overpaid["transaction_id"], refund["transaction_id"]);
        assert_eq!((&overpaid["extra_amount"], &refund["amount"]), (&json!(990), &json!(990)));
        assert_eq!(world.back_at_wechat().await.len(), 2 * nth + 1);
        assert_eq!(refund["reason"], "多付的款项自动退回");

        // The order's own payment has its own sum: all of it can go back, and no more.
        let path = format!("/v1/orders/{order}/refunds");
        let own = world.merchant("POST", &path, None).await;
        assert_eq!((own.status, &own.json["amount"]), (201, &json!(990)), "{}", own.json);
        world.merchant("POST", &path, None).await.is_problem(409, "SP-REFUND-NOTHING-LEFT");
        let extra = json!({ "transaction_id": refund["transaction_id"] });
        let again = world.merchant("POST", &path, Some(extra)).await;
        again.is_problem(409, "SP-REFUND-NOTHING-LEFT");
        world.advance(2);
        let gone = async { while world.shown(&order).await.1 != json!(990) {} };
        tokio::time::timeout(PATIENCE, gone).await.unwrap();
        // Events of one moment have no order among them.
        world.advance(1);
    }
}

#[tokio::test]
async fn the_story_of_a_second_payment_that_goes_back() {
    let world = giving_back().await;
    let order = world.paid_twice(0, "tea-1").await;
    world.until_back(&order).await;
    assert_snapshot!(world.story(&order).await, @r"
    2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1
    2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
    2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO by APIv3
    2026-01-01 08:00:00 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
    2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID
    2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
    2026-01-01 08:00:00 query        asked for OUT_TRADE_NO: NOTPAY
    2026-01-01 08:00:00 close        OUT_TRADE_NO: closed at WeChat
    2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO-2 by APIv3
    2026-01-01 08:00:00 prepay       PREPAY_ID-2 for OUT_TRADE_NO-2, N ms
    2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID-2
    2026-01-01 08:00:00 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID, paying → paid
    2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
    2026-01-01 08:00:01 notify       verified by KEY_ID: 9.90 once more by TRANSACTION_ID-2; the order was paid before
    2026-01-01 08:00:01 refund       9.90 of 9.90 CNY: OUT_REFUND_NO
    2026-01-01 08:00:01 refund       asked WeChat for OUT_REFUND_NO: 9.90 accepted
    2026-01-01 08:00:01 webhook      order.overpaid → 127.0.0.1 200, N ms
    2026-01-01 08:00:03 notify       verified by KEY_ID: OUT_REFUND_NO, 9.90 processing → succeeded
    2026-01-01 08:00:03 webhook      refund.succeeded → 127.0.0.1 200, N ms
    ");
    let order = world.paid_twice(1, "tea-2").await;
    world.until_back(&order).await;
    assert_snapshot!(world.story(&order).await, @r"
    2026-01-01 08:00:03 order        created: 9.90 CNY, tea-2
    2026-01-01 08:00:03 login        code CODE** is OPEN…ID in APPID
    2026-01-01 08:00:03 prepay       attempt OUT_TRADE_NO by APIv2
    2026-01-01 08:00:03 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
    2026-01-01 08:00:03 second_sign  MD5 paySign for prepay_id=PREPAY_ID
    2026-01-01 08:00:03 login        code CODE** is OPEN…ID in APPID
    2026-01-01 08:00:03 query        asked for OUT_TRADE_NO: NOTPAY
    2026-01-01 08:00:03 close        OUT_TRADE_NO: closed at WeChat
    2026-01-01 08:00:03 prepay       attempt OUT_TRADE_NO-2 by APIv2
    2026-01-01 08:00:03 prepay       PREPAY_ID-2 for OUT_TRADE_NO-2, N ms
    2026-01-01 08:00:03 second_sign  MD5 paySign for prepay_id=PREPAY_ID-2
    2026-01-01 08:00:03 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
    2026-01-01 08:00:03 webhook      order.paid → 127.0.0.1 200, N ms
    2026-01-01 08:00:04 notify       verified by the APIv2 key: 9.90 once more by TRANSACTION_ID-2; the order was paid before
    2026-01-01 08:00:04 refund       9.90 of 9.90 CNY: OUT_REFUND_NO
    2026-01-01 08:00:04 refund       asked WeChat for OUT_REFUND_NO: 9.90 accepted
    2026-01-01 08:00:04 webhook      order.overpaid → 127.0.0.1 200, N ms
    2026-01-01 08:00:06 notify       an unsigned notice: OUT_REFUND_NO; asking WeChat
    2026-01-01 08:00:06 query        asked about OUT_REFUND_NO: 9.90 processing → succeeded
    2026-01-01 08:00:06 webhook      refund.succeeded → 127.0.0.1 200, N ms
    ");
}

#[tokio::test]
async fn the_story_of_a_payment_after_the_close_that_goes_back() {
    let world = giving_back().await;
    for nth in [0, 1] {
        let order = world.paid_after_close(nth, &format!("tea-{nth}")).await;
        world.until_back(&order).await;
        // It is the order's own payment, so it counts in the order's own sum.
        assert_eq!(world.shown(&order).await, (json!("paid"), json!(990)));
        let overpaid = world.told("order.overpaid").await.pop().unwrap();
        assert_eq!(overpaid["reason"], "paid_after_close");
        assert_eq!(overpaid["transaction_id"], overpaid["extra_transaction_id"]);
        if nth == 0 {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:00 order        created: 9.90 CNY, tea-0
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO by APIv3
            2026-01-01 08:00:00 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:00 query        asked for OUT_TRADE_NO: NOTPAY
            2026-01-01 08:00:00 close        OUT_TRADE_NO: closed at WeChat
            2026-01-01 08:00:00 order        closed by the merchant
            2026-01-01 08:00:00 webhook      order.closed → 127.0.0.1 200, N ms
            2026-01-01 08:00:01 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID after the close, closed → paid
            2026-01-01 08:00:01 refund       9.90 of 9.90 CNY: OUT_REFUND_NO
            2026-01-01 08:00:01 refund       asked WeChat for OUT_REFUND_NO: 9.90 accepted
            2026-01-01 08:00:01 webhook      order.overpaid → 127.0.0.1 200, N ms
            2026-01-01 08:00:03 notify       verified by KEY_ID: OUT_REFUND_NO, 9.90 processing → succeeded
            2026-01-01 08:00:03 webhook      refund.succeeded → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:03 order        created: 9.90 CNY, tea-1
            2026-01-01 08:00:03 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:03 prepay       attempt OUT_TRADE_NO by APIv2
            2026-01-01 08:00:03 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:03 second_sign  MD5 paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:03 query        asked for OUT_TRADE_NO: NOTPAY
            2026-01-01 08:00:03 close        OUT_TRADE_NO: closed at WeChat
            2026-01-01 08:00:03 order        closed by the merchant
            2026-01-01 08:00:03 webhook      order.closed → 127.0.0.1 200, N ms
            2026-01-01 08:00:04 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID after the close, closed → paid
            2026-01-01 08:00:04 refund       9.90 of 9.90 CNY: OUT_REFUND_NO
            2026-01-01 08:00:04 refund       asked WeChat for OUT_REFUND_NO: 9.90 accepted
            2026-01-01 08:00:04 webhook      order.overpaid → 127.0.0.1 200, N ms
            2026-01-01 08:00:06 notify       an unsigned notice: OUT_REFUND_NO; asking WeChat
            2026-01-01 08:00:06 query        asked about OUT_REFUND_NO: 9.90 processing → succeeded
            2026-01-01 08:00:06 webhook      refund.succeeded → 127.0.0.1 200, N ms
            ");
        }
    }
}

#[tokio::test]
async fn what_is_held_stays_until_the_merchant_gives_it_back() {
    let world = holding().await;
    for nth in [0, 1] {
        let order = world.paid_twice(nth, &format!("tea-{nth}")).await;
        world.advance(3600);
        let overpaid = world.told("order.overpaid").await.pop().unwrap();
        assert_eq!(overpaid["extra_refund_id"], Value::Null);
        assert_eq!(world.back_at_wechat().await.len(), nth, "nothing by itself");

        let path = format!("/v1/orders/{order}/refunds");
        let none = json!({ "transaction_id": "4200000000000000000000000000" });
        world.merchant("POST", &path, Some(none)).await.is_problem(422, "SP-REQUEST-FIELD");
        let extra = json!({ "transaction_id": overpaid["extra_transaction_id"] });
        let made = world.merchant("POST", &path, Some(extra)).await;
        assert_eq!((made.status, &made.json["amount"]), (201, &json!(990)), "{}", made.json);
        world.until_back(&order).await;
        assert_eq!(world.shown(&order).await, (json!("paid"), json!(0)));
        if nth == 0 {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:00 order        created: 9.90 CNY, tea-0
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO by APIv3
            2026-01-01 08:00:00 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 query        asked for OUT_TRADE_NO: NOTPAY
            2026-01-01 08:00:00 close        OUT_TRADE_NO: closed at WeChat
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO-2 by APIv3
            2026-01-01 08:00:00 prepay       PREPAY_ID-2 for OUT_TRADE_NO-2, N ms
            2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID-2
            2026-01-01 08:00:00 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
            2026-01-01 08:00:01 notify       verified by KEY_ID: 9.90 once more by TRANSACTION_ID-2; the order was paid before
            2026-01-01 08:00:01 webhook      order.overpaid → 127.0.0.1 200, N ms
            2026-01-01 09:00:01 refund       9.90 of 9.90 CNY: OUT_REFUND_NO
            2026-01-01 09:00:01 refund       asked WeChat for OUT_REFUND_NO: 9.90 accepted
            2026-01-01 09:00:03 notify       verified by KEY_ID: OUT_REFUND_NO, 9.90 processing → succeeded
            2026-01-01 09:00:03 webhook      refund.succeeded → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 09:00:03 order        created: 9.90 CNY, tea-1
            2026-01-01 09:00:03 login        code CODE** is OPEN…ID in APPID
            2026-01-01 09:00:03 prepay       attempt OUT_TRADE_NO by APIv2
            2026-01-01 09:00:03 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 09:00:03 second_sign  MD5 paySign for prepay_id=PREPAY_ID
            2026-01-01 09:00:03 login        code CODE** is OPEN…ID in APPID
            2026-01-01 09:00:03 query        asked for OUT_TRADE_NO: NOTPAY
            2026-01-01 09:00:03 close        OUT_TRADE_NO: closed at WeChat
            2026-01-01 09:00:03 prepay       attempt OUT_TRADE_NO-2 by APIv2
            2026-01-01 09:00:03 prepay       PREPAY_ID-2 for OUT_TRADE_NO-2, N ms
            2026-01-01 09:00:03 second_sign  MD5 paySign for prepay_id=PREPAY_ID-2
            2026-01-01 09:00:03 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 09:00:03 webhook      order.paid → 127.0.0.1 200, N ms
            2026-01-01 09:00:04 notify       verified by the APIv2 key: 9.90 once more by TRANSACTION_ID-2; the order was paid before
            2026-01-01 09:00:04 webhook      order.overpaid → 127.0.0.1 200, N ms
            2026-01-01 10:00:04 refund       9.90 of 9.90 CNY: OUT_REFUND_NO
            2026-01-01 10:00:04 refund       asked WeChat for OUT_REFUND_NO: 9.90 accepted
            2026-01-01 10:00:06 notify       an unsigned notice: OUT_REFUND_NO; asking WeChat
            2026-01-01 10:00:06 query        asked about OUT_REFUND_NO: 9.90 processing → succeeded
            2026-01-01 10:00:06 webhook      refund.succeeded → 127.0.0.1 200, N ms
            ");
        }
    }
}

#[tokio::test]
async fn what_is_held_after_a_close_is_told_and_stays() {
    let world = holding().await;
    for nth in [0, 1] {
        let order = world.paid_after_close(nth, &format!("tea-{nth}")).await;
        world.advance(3600);
        assert_eq!(world.shown(&order).await, (json!("paid"), json!(0)));
    }
    assert!(world.back_at_wechat().await.is_empty());
}

#[tokio::test]
async fn when_the_bank_will_not_take_it_the_merchant_is_told_and_it_goes_on() {
    let world = giving_back().await;
    world.control("switches", Some(json!({ "refund_ends": "ABNORMAL" }))).await;
    for nth in [0, 1] {
        let order = world.paid_twice(nth, &format!("tea-{nth}")).await;
        world.until_told(&order, "accepted").await;
        world.advance(2);
        world.until_told(&order, "refund.abnormal →").await;
        let refund = world.told("refund.abnormal").await.pop().unwrap();
        // Somebody names another account on the merchant platform.
        let body = json!({ "out_refund_no": refund["out_refund_no"], "status": "SUCCESS" });
        world.control("refunds", Some(body)).await;
        world.until_told(&order, "refund.succeeded →").await;
        assert_eq!(world.shown(&order).await, (json!("paid"), json!(0)));
        if nth == 0 {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:00 order        created: 9.90 CNY, tea-0
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO by APIv3
            2026-01-01 08:00:00 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:00 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:00 query        asked for OUT_TRADE_NO: NOTPAY
            2026-01-01 08:00:00 close        OUT_TRADE_NO: closed at WeChat
            2026-01-01 08:00:00 prepay       attempt OUT_TRADE_NO-2 by APIv3
            2026-01-01 08:00:00 prepay       PREPAY_ID-2 for OUT_TRADE_NO-2, N ms
            2026-01-01 08:00:00 second_sign  RSA paySign for prepay_id=PREPAY_ID-2
            2026-01-01 08:00:00 notify       verified by KEY_ID: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1 200, N ms
            2026-01-01 08:00:01 notify       verified by KEY_ID: 9.90 once more by TRANSACTION_ID-2; the order was paid before
            2026-01-01 08:00:01 refund       9.90 of 9.90 CNY: OUT_REFUND_NO
            2026-01-01 08:00:01 refund       asked WeChat for OUT_REFUND_NO: 9.90 accepted
            2026-01-01 08:00:01 webhook      order.overpaid → 127.0.0.1 200, N ms
            2026-01-01 08:00:03 notify       verified by KEY_ID: OUT_REFUND_NO, 9.90 processing → abnormal
            2026-01-01 08:00:03 notify       verified by KEY_ID: OUT_REFUND_NO, 9.90 abnormal → succeeded
            2026-01-01 08:00:03 webhook      refund.abnormal → 127.0.0.1 200, N ms
            2026-01-01 08:00:03 webhook      refund.succeeded → 127.0.0.1 200, N ms
            ");
        } else {
            assert_snapshot!(world.story(&order).await, @r"
            2026-01-01 08:00:03 order        created: 9.90 CNY, tea-1
            2026-01-01 08:00:03 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:03 prepay       attempt OUT_TRADE_NO by APIv2
            2026-01-01 08:00:03 prepay       PREPAY_ID for OUT_TRADE_NO, N ms
            2026-01-01 08:00:03 second_sign  MD5 paySign for prepay_id=PREPAY_ID
            2026-01-01 08:00:03 login        code CODE** is OPEN…ID in APPID
            2026-01-01 08:00:03 query        asked for OUT_TRADE_NO: NOTPAY
            2026-01-01 08:00:03 close        OUT_TRADE_NO: closed at WeChat
            2026-01-01 08:00:03 prepay       attempt OUT_TRADE_NO-2 by APIv2
            2026-01-01 08:00:03 prepay       PREPAY_ID-2 for OUT_TRADE_NO-2, N ms
            2026-01-01 08:00:03 second_sign  MD5 paySign for prepay_id=PREPAY_ID-2
            2026-01-01 08:00:03 notify       verified by the APIv2 key: 9.90 by TRANSACTION_ID, paying → paid
            2026-01-01 08:00:03 webhook      order.paid → 127.0.0.1 200, N ms
            2026-01-01 08:00:04 notify       verified by the APIv2 key: 9.90 once more by TRANSACTION_ID-2; the order was paid before
            2026-01-01 08:00:04 refund       9.90 of 9.90 CNY: OUT_REFUND_NO
            2026-01-01 08:00:04 refund       asked WeChat for OUT_REFUND_NO: 9.90 accepted
            2026-01-01 08:00:04 webhook      order.overpaid → 127.0.0.1 200, N ms
            2026-01-01 08:00:06 notify       an unsigned notice: OUT_REFUND_NO; asking WeChat
            2026-01-01 08:00:06 query        asked about OUT_REFUND_NO: 9.90 processing → abnormal
            2026-01-01 08:00:06 notify       an unsigned notice: OUT_REFUND_NO; asking WeChat
            2026-01-01 08:00:06 query        asked about OUT_REFUND_NO: 9.90 abnormal → succeeded
            2026-01-01 08:00:06 webhook      refund.abnormal → 127.0.0.1 200, N ms
            2026-01-01 08:00:06 webhook      refund.succeeded → 127.0.0.1 200, N ms
            ");
        }
    }
}

#[tokio::test]
async fn many_messages_on_two_nodes_give_it_back_once() {
    let mut world = giving_back().await;
    let other = world.start_node(|_| {}).await;
    let mut orders = Vec::new();
    for round in 0..6 {
        let nth = round % 2;
        let app = world.app(nth);
        let order = world.order(&format!("tea-{round}"), &app).await;
        let alices = world.pay("alice", &app, &order).await.json;
        world.fault(CLOSE[nth], "pretend", json!({ "times": 1 })).await;
        let bobs = world.pay("bob", &app, &order).await.json;
        world.fault("notify", "twice", json!({ "times": 2 })).await;
        for (user, params) in [("bob", bobs), ("alice", alices)] {
            let nodes = [world.url.clone(), other.clone(), world.url.clone(), other.clone()];
            let asked = join_all(nodes.map(|node| {
                let url = format!("{node}/miniprogram/orders/{order}/confirm");
                world.call("POST", url, None)
            }));
            let (said, _) = tokio::join!(world.sheet(user, &app, &params, "pay"), asked);
            assert_eq!(said["errMsg"], "requestPayment:ok");
            world.advance(1);
        }
        world.until_told(&order, "once more by").await;
        orders.push(order);
    }
    for order in &orders {
        world.until_told(order, "accepted").await;
    }
    // Whoever lost a question asks again.
    world.advance(120);
    for order in &orders {
        world.until_told(order, "refund.succeeded →").await;
        assert_eq!(world.shown(order).await, (json!("paid"), json!(0)));
    }
    assert_eq!(world.told("order.overpaid").await.len(), orders.len());
    assert_eq!(world.told("refund.succeeded").await.len(), orders.len());
    let extra: Vec<_> = world.told("order.overpaid").await;
    let back = world.back_at_wechat().await;
    assert_eq!(back.len(), orders.len(), "{back:#?}");
    for told in extra {
        let of_it = back.iter().filter(|one| one["transaction_id"] == told["extra_transaction_id"]);
        assert_eq!(of_it.count(), 1, "{told}");
    }
}

#[tokio::test]
async fn a_backend_that_dies_before_it_has_asked_gives_it_back_once() {
    let mut world = giving_back().await;
    let asks = ["GET /v3/refund/domestic/refunds/{out_refund_no}", "POST /pay/refundquery"];
    for (nth, ask) in asks.into_iter().enumerate() {
        world.fault(ask, "timeout_before", json!({ "times": 1 })).await;
        world.stop_server().await;
        let mortal = world.start_mortal_server().await;
        let order = world.paid_twice(nth, &format!("tea-{nth}")).await;
        let path = ask.split(['{', ' ']).nth(1).unwrap();
        let waited = async { while world.asked(path).await == 0 {} };
        tokio::time::timeout(PATIENCE, waited).await.unwrap();
        let killed = move || mortal.shutdown_timeout(PATIENCE);
        tokio::task::spawn_blocking(killed).await.unwrap();
        assert_eq!(world.back_at_wechat().await.len(), nth, "it had not asked");

        world.start_server().await;
        // Its lease ends, and another hand takes the work.
        world.advance(61);
        world.until_back(&order).await;
        assert_eq!(world.back_at_wechat().await.len(), nth + 1);
        assert_eq!(world.told("order.overpaid").await.len(), nth + 1);
    }
}

#[tokio::test]
async fn who_could_not_give_it_back_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let simulator = Simulator::open(Options::new(folder.path(), listen)).await.unwrap();
    let mut config = Config::load(simulator.config_path()).unwrap();
    config.server.listen = listen;
    config.orders.extra_payment = ExtraPayment::Refund;
    config.merchants[1].merchant_certificate = None;
    config.merchants[1].merchant_private_key = None;
    let error = Server::open(config, Seams::default()).await.unwrap_err();
    assert_eq!(error.code(), "SP-CONFIG");
    let said = error.to_string();
    assert!(said.contains("merchant_certificate") && said.contains("extra_payment"), "{said}");
}
