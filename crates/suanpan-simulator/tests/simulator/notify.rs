//! Step 5: what the merchant is told, how, and how often.

use serde_json::{Value, json};
use suanpan_wechat::v2::{PaymentNotice, SignType};
use suanpan_wechat::v3::{PaymentNotification, QueryByOutTradeNo};

use crate::common::Sim;
use crate::merchant::{Merchant, NOWHERE, number};
use crate::receiver::{Receiver, Told};

/// Waits as well, in seconds.
const SCHEDULE: [u32; 15] =
    [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600];

fn opened(sim: &Sim, merchant: &Merchant, told: &Told) -> PaymentNotification {
    let Told { headers, body } = told;
    PaymentNotification::read(headers, body, &merchant.keys, &merchant.v3_key, sim.now()).unwrap()
}

async fn notification(sim: &Sim) -> Value {
    sim.ledger().await["notifications"][0].clone()
}

#[tokio::test]
async fn a_payment_of_v3_is_told_sealed_and_signed() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    for nth in [0, 1, 2, 3] {
        let merchant = sim.merchant(nth);
        merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
        let told = receiver.next().await;
        assert_eq!(told.headers["user-agent"], "Mozilla/4.0");
        let PaymentNotification { envelope, transaction } = opened(&sim, &merchant, &told);
        assert_eq!(envelope.create_time, "2026-01-01T08:00:00+08:00");
        assert_eq!(envelope.resource.original_type, "transaction");

        let name = number("order_0001");
        let query = QueryByOutTradeNo { account: merchant.v3(), out_trade_no: &name };
        assert_eq!(sim.ask(&query).await.unwrap(), transaction);
    }
}

#[tokio::test]
async fn a_payment_of_v2_is_told_in_signed_xml() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let merchant = sim.merchant(1);
    for (name, sign_type) in [("order_0001", SignType::Md5), ("order_0002", SignType::HmacSha256)] {
        merchant.sell_v2(&sim, name, &receiver.url, sign_type).await;
        let told = receiver.next().await;
        let notice = PaymentNotice::read(&told.body, &merchant.v2_key).unwrap();
        assert_eq!(notice.out_trade_no.as_str(), name);
        assert_eq!((notice.total_fee.get(), notice.time_end), (990, sim.now()));
        sim.advance(0).await;
    }
    let ledger = sim.ledger().await;
    for told in ledger["notifications"].as_array().unwrap() {
        assert_eq!((&told["acknowledged"], &told["next_try_at"]), (&json!(true), &Value::Null));
        assert_eq!(told["tries"][0]["status"], 200);
    }
}

#[tokio::test]
async fn it_is_told_again_on_wechats_schedule_and_then_no_more() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    receiver.answers(500, "");
    sim.merchant(0).sell_v3(&sim, "order_0001", &receiver.url).await;
    receiver.next().await;
    sim.advance(0).await;
    for (tries, wait) in (1..).zip(SCHEDULE) {
        sim.advance(wait - 1).await;
        assert!(receiver.is_empty(), "{wait}");
        assert_eq!(notification(&sim).await["tries"].as_array().unwrap().len(), tries);
        sim.advance(1).await;
        receiver.next().await;
    }
    let told = notification(&sim).await;
    assert_eq!(told["tries"].as_array().unwrap().len(), 16);
    assert_eq!((&told["acknowledged"], &told["next_try_at"]), (&json!(false), &Value::Null));
    let note = told["tries"][0]["note"].as_str().unwrap();
    assert!(note.contains("only 200 and 204"), "{note}");
}

#[tokio::test]
async fn a_jump_of_a_day_meets_all_tries_of_that_day() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    receiver.answers(404, "");
    sim.merchant(0).sell_v3(&sim, "order_0001", &receiver.url).await;
    sim.advance(SCHEDULE.iter().sum()).await;
    assert_eq!(notification(&sim).await["tries"].as_array().unwrap().len(), 16);
    receiver.next().await;
}

#[tokio::test]
async fn what_acknowledges_depends_on_the_version() {
    const XML: &str = suanpan_wechat::v2::acknowledge();
    const JSON: &str = r#"{"code":"FAIL","message":"失败"}"#;
    for (api, status, body, acknowledged) in [
        // The status before the body.
        ("v3", 200, JSON, true),
        ("v3", 204, "", true),
        ("v3", 302, "", false),
        ("v3", 500, XML, false),
        ("v2", 200, XML, true),
        ("v2", 204, "", false),
        ("v2", 200, "success", false),
        ("v2", 200, JSON, false),
        ("v2", 500, XML, false),
    ] {
        let sim = Sim::start().await;
        let receiver = Receiver::start().await;
        receiver.answers(status, body);
        let merchant = sim.merchant(0);
        match api {
            "v3" => merchant.sell_v3(&sim, "order_0001", &receiver.url).await,
            _ => merchant.sell_v2(&sim, "order_0001", &receiver.url, SignType::Md5).await,
        }
        sim.advance(0).await;
        assert_eq!(notification(&sim).await["acknowledged"], acknowledged, "{api} {status} {body}");
    }
}

#[tokio::test]
async fn a_merchant_who_is_silent_for_five_seconds_has_not_heard() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    receiver.is_silent();
    sim.merchant(0).sell_v3(&sim, "order_0001", &receiver.url).await;
    receiver.next().await;
    sim.machine.pass(5);
    sim.advance(0).await;
    let told = notification(&sim).await;
    assert_eq!(told["tries"][0]["note"], "no answer within 5 seconds");
    assert_eq!(told["next_try_at"], "2026-01-01T08:00:15+08:00");
}

#[tokio::test]
async fn a_merchant_who_is_away_has_not_heard() {
    let sim = Sim::start().await;
    sim.merchant(1).sell_v2(&sim, "order_0001", NOWHERE, SignType::Md5).await;
    sim.advance(0).await;
    let told = notification(&sim).await;
    assert_eq!((&told["tries"][0]["status"], &told["acknowledged"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn each_try_is_signed_anew_and_keeps_its_id() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    receiver.answers(500, "");
    let merchant = sim.merchant(0);
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    let first = receiver.next().await;
    sim.machine.pass(15);
    let second = receiver.next().await;
    assert_eq!(second.headers["wechatpay-timestamp"], "1767225615");
    assert_ne!(first.headers["wechatpay-nonce"], second.headers["wechatpay-nonce"]);
    let id = |told: &Told| opened(&sim, &merchant, told).envelope.id;
    assert_eq!(id(&first), id(&second));

    sim.advance(0).await;
    sim.switch("notification_keeps_its_id", json!(false)).await;
    sim.machine.pass(15);
    assert_ne!(id(&first), id(&receiver.next().await));
}

#[tokio::test]
async fn on_the_way_to_the_public_key_both_keys_sign() {
    for (nth, keys) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
        let sim = Sim::start().await;
        let mut receiver = Receiver::start().await;
        receiver.answers(500, "");
        sim.merchant(nth).sell_v3(&sim, "order_0001", &receiver.url).await;
        let first = receiver.next().await.headers["wechatpay-serial"].clone();
        sim.advance(15).await;
        let second = receiver.next().await.headers["wechatpay-serial"].clone();
        assert_eq!(if first == second { 1 } else { 2 }, keys, "{nth}");
    }
}

#[tokio::test]
async fn an_acknowledgement_may_be_taken_strictly() {
    let sim = Sim::start().await;
    let receiver = Receiver::start().await;
    receiver.answers(200, "<xml><return_code>SUCCESS</return_code></xml>\n");
    sim.switch("v2_acknowledgement_is_strict", json!(true)).await;
    sim.merchant(1).sell_v2(&sim, "order_0001", &receiver.url, SignType::Md5).await;
    sim.advance(0).await;
    assert_eq!(notification(&sim).await["acknowledged"], false);
}
