//! Each fault of WeChat's side on each call: what the caller hears, what the timeline says, and that it ends right.
//!
//! A snapshot holds all faults of one call: the fault, what the caller heard, and the lines that the timeline had from
//! then on.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::json;

use crate::world::{Answer, PATIENCE, World};

/// What can become of any call.
const ANY: [&str; 7] = [
    "timeout_before",
    "timeout_after",
    "http_500",
    "system_error",
    "frequency_limited",
    "slow",
    "cut",
];
/// What a signed answer can have.
const SIGNED: [&str; 1] = ["bad_signature"];
/// What an answer of APIv3 can have besides.
const V3: [&str; 3] = ["signtest", "unknown_serial", "clock_skew"];

fn faults(nth: usize) -> Vec<&'static str> {
    let v3: &[_] = if nth == 0 { &V3 } else { &[] };
    [&ANY, &SIGNED[..], v3].concat()
}

const LOGIN: &str = "GET /sns/jscode2session";
const PREPAY: [&str; 2] = ["POST /v3/pay/transactions/jsapi", "POST /pay/unifiedorder"];
const QUERY: [&str; 2] =
    ["GET /v3/pay/transactions/out-trade-no/{out_trade_no}", "POST /pay/orderquery"];
const CLOSE: [&str; 2] =
    ["POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close", "POST /pay/closeorder"];
const REFUND: [&str; 2] = ["POST /v3/refund/domestic/refunds", "POST /secapi/pay/refund"];

async fn open() -> World {
    // Long enough for a busy machine, and short enough to wait for where nothing comes.
    World::open_with(|config, _| {
        config.wechat.timeout_seconds = 5;
        config.webhooks.timeout_seconds = 50;
    })
    .await
}

/// What a caller hears.
fn heard(answer: &Answer) -> String {
    let what = ["code", "status"].map(|name| answer.json[name].as_str());
    let what = what.into_iter().flatten().next().unwrap_or("ok");
    format!("{} {what}", answer.status)
}

impl World {
    /// Has this call go wrong once while this is asked. A slow one comes when its three seconds are over.
    async fn wrong<T>(&self, on: &str, fault: &str, asked: impl Future<Output = T>) -> T {
        self.fault(on, fault, json!({ "times": 1 })).await;
        if fault != "slow" {
            return asked.await;
        }
        let played = async {
            while self.control("faults", None).await["faults"][0]["played"] != 1 {}
            self.advance(3);
        };
        tokio::time::timeout(PATIENCE, async { tokio::join!(asked, played).0 }).await.unwrap()
    }

    /// No rule is left for the next one.
    async fn calm(&self) {
        let url = format!("{}/_sim/faults", self.simulator);
        assert_eq!(self.call("DELETE", url, None).await.status, 200);
    }

    /// A part of the snapshot: the fault, what was heard, and the timeline from this line on.
    async fn part(&self, fault: &str, heard: &str, order: &str, from: usize) -> String {
        let mut text = format!("{fault}: {heard}\n");
        for line in self.story(order).await.lines().skip(from) {
            // The day is the same in all of them.
            writeln!(text, "  {}", &line[11..]).unwrap();
        }
        text
    }

    async fn lines(&self, order: &str) -> usize {
        self.timeline(order).await.lines().count()
    }

    /// WeChat, the order and the merchant agree on one payment.
    async fn paid_once(&self, order: &str) {
        self.until_told(order, "order.paid →").await;
        let shown = self.merchant("GET", &format!("/v1/orders/{order}"), None).await.json;
        let ledger = self.control("ledger", None).await;
        let payments = ledger["payments"].as_array().unwrap();
        let ours = payments.iter().filter(|one| one["transaction_id"] == shown["transaction_id"]);
        assert_eq!(ours.count(), 1, "{ledger:#}");
        let events = self.merchant("GET", "/v1/events?limit=100", None).await.json;
        let events = events["data"].as_array().unwrap();
        let ours = events.iter().filter(|event| event["data"]["id"] == *order);
        assert_eq!(ours.count(), 1, "{events:#?}");
    }
}

/// The payer presses until there is a sheet, and pays.
async fn pressed(nth: usize, on: &str, faults: &[&str]) -> String {
    let world = open().await;
    let app = world.app(nth);
    let mut text = String::new();
    for fault in faults {
        let order = world.order(fault, &app).await;
        let first = world.wrong(on, fault, world.pay("alice", &app, &order)).await;
        let params = if first.status == 200 {
            first.json.clone()
        } else {
            world.pay("alice", &app, &order).await.json
        };
        let said = world.sheet("alice", &app, &params, "pay").await;
        assert_eq!(said["errMsg"], "requestPayment:ok", "{fault}: {params}");
        world.paid_once(&order).await;
        text += &world.part(fault, &heard(&first), &order, 1).await;
        world.calm().await;
    }
    let ledger = world.control("ledger", None).await;
    assert_eq!(ledger["orders"].as_array().unwrap().len(), faults.len(), "one number for each");
    assert_eq!(ledger["payments"].as_array().unwrap().len(), faults.len());
    text
}

#[tokio::test]
async fn a_login_that_goes_wrong_is_made_good_by_another_press() {
    assert_snapshot!(pressed(0, LOGIN, &ANY).await);
}

#[tokio::test]
async fn a_prepay_that_goes_wrong_keeps_its_number_by_apiv3() {
    assert_snapshot!(pressed(0, PREPAY[0], &faults(0)).await);
}

#[tokio::test]
async fn a_prepay_that_goes_wrong_keeps_its_number_by_apiv2() {
    assert_snapshot!(pressed(1, PREPAY[1], &faults(1)).await);
}

/// Nobody tells us of a payment, and the first question about it goes wrong.
async fn asked(nth: usize) -> String {
    let world = open().await;
    let app = world.app(nth);
    let mut text = String::new();
    for fault in faults(nth) {
        let order = world.order(fault, &app).await;
        let params = world.pay("alice", &app, &order).await.json;
        let from = world.lines(&order).await;
        let first = world
            .wrong(QUERY[nth], fault, async {
                world.fault("notify", "lose", json!({})).await;
                world.sheet("alice", &app, &params, "pay").await;
                world.confirm(&order).await
            })
            .await;
        if first.json["status"] != "paid" {
            world.advance(1);
            assert_eq!(world.confirm(&order).await.json["status"], "paid", "{fault}");
        }
        world.paid_once(&order).await;
        text += &world.part(fault, &heard(&first), &order, from).await;
        world.calm().await;
    }
    text
}

#[tokio::test]
async fn a_query_that_goes_wrong_is_asked_again_by_apiv3() {
    assert_snapshot!(asked(0).await);
}

#[tokio::test]
async fn a_query_that_goes_wrong_is_asked_again_by_apiv2() {
    assert_snapshot!(asked(1).await);
}

/// The merchant closes an order, and the close at WeChat goes wrong.
async fn closed(nth: usize) -> String {
    let world = open().await;
    let app = world.app(nth);
    let mut text = String::new();
    for fault in faults(nth) {
        let order = world.order(fault, &app).await;
        world.pay("alice", &app, &order).await;
        let from = world.lines(&order).await;
        let path = format!("/v1/orders/{order}/close");
        let close = async || world.merchant("POST", &path, None).await;
        let first = world.wrong(CLOSE[nth], fault, close()).await;
        if first.status != 200 {
            assert_eq!(world.status(&order).await, "paying", "{fault}: a doubt means pending");
            assert_eq!(close().await.json["status"], "closed", "{fault}");
        }
        world.until_told(&order, "order.closed →").await;
        text += &world.part(fault, &heard(&first), &order, from).await;
        world.calm().await;
    }
    text
}

#[tokio::test]
async fn a_close_that_goes_wrong_closes_nothing_until_wechat_says_so_by_apiv3() {
    assert_snapshot!(closed(0).await);
}

#[tokio::test]
async fn a_close_that_goes_wrong_closes_nothing_until_wechat_says_so_by_apiv2() {
    assert_snapshot!(closed(1).await);
}

/// A refund is asked for, that goes wrong, and no notification tells how it ended.
async fn given_back(nth: usize) -> String {
    let world = open().await;
    let app = world.app(nth);
    let mut text = String::new();
    for fault in faults(nth) {
        let order = world.order(fault, &app).await;
        world.alice_pays(&app, &order).await;
        world.until_told(&order, "order.paid →").await;
        world.advance(1);
        let from = world.lines(&order).await;
        let path = format!("/v1/orders/{order}/refunds");
        let first = world
            .wrong(REFUND[nth], fault, async {
                world.fault("notify", "lose", json!({})).await;
                world.merchant("POST", &path, None).await
            })
            .await;
        assert_eq!(first.status, 201, "{fault}: {}", first.json);
        // Each minute it is asked about, and asked for again where WeChat never had it. How long a hand takes between
        // its question and its next look is the machine's, so time goes on step by step, and the times are left out.
        let number = first.json["out_refund_no"].clone();
        let told = async {
            while !world.timeline(&order).await.contains("refund.succeeded →") {
                world.advance(1);
            }
        };
        tokio::time::timeout(PATIENCE, told).await.unwrap();
        let story = world.part(fault, &heard(&first), &order, from).await;
        for line in story.lines() {
            let untimed = line.strip_prefix("  ").map(|line| format!("  {}", &line[9..]));
            writeln!(text, "{}", untimed.as_deref().unwrap_or(line)).unwrap();
        }
        world.calm().await;
        let refunds = world.control("ledger", None).await["refunds"].clone();
        let ours = refunds.as_array().unwrap().iter().filter(|one| one["out_refund_no"] == number);
        assert_eq!(ours.count(), 1, "{fault}");
    }
    text
}

#[tokio::test]
async fn a_refund_that_goes_wrong_goes_back_once_by_apiv3() {
    assert_snapshot!(given_back(0).await);
}

#[tokio::test]
async fn a_refund_that_goes_wrong_goes_back_once_by_apiv2() {
    assert_snapshot!(given_back(1).await);
}
