//! Notifications that go wrong, on demand.

use serde_json::{Value, json};
use suanpan_wechat::v2::{PaymentNotice, SignType};
use suanpan_wechat::v3::{PaymentNotification, Transaction};
use suanpan_wechat::{Error, OutTradeNo};

use crate::common::Sim;
use crate::merchant::Merchant;
use crate::receiver::{Receiver, Told};

async fn start(fault: Value) -> (Sim, Merchant, Receiver) {
    let sim = Sim::start().await;
    let mut rule = fault;
    rule["on"] = "notify".into();
    sim.fault(rule).await;
    let (merchant, receiver) = (sim.merchant(0), Receiver::start().await);
    (sim, merchant, receiver)
}

fn read(sim: &Sim, merchant: &Merchant, told: &Told) -> Result<Transaction, Error> {
    let Told { headers, body } = told;
    PaymentNotification::read(headers, body, &merchant.keys, &merchant.v3_key, sim.now())
        .map(|told| told.transaction)
}

fn number(sim: &Sim, merchant: &Merchant, told: &Told) -> OutTradeNo {
    read(sim, merchant, told).unwrap().out_trade_no.unwrap()
}

async fn tries(sim: &Sim) -> Vec<Value> {
    sim.ledger().await["notifications"][0]["tries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_lost_try_is_made_up_for_by_the_next() {
    let (sim, merchant, mut receiver) = start(json!({ "fault": "lose", "times": 2 })).await;
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    sim.advance(15).await;
    assert!(receiver.is_empty());
    sim.advance(15).await;
    receiver.next().await;
    let faults: Vec<_> = tries(&sim).await.into_iter().map(|each| each["fault"].clone()).collect();
    assert_eq!(faults, [json!("lose"), json!("lose"), Value::Null]);
}

#[tokio::test]
async fn a_notification_may_never_come() {
    let (sim, merchant, mut receiver) = start(json!({ "fault": "lose" })).await;
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    sim.advance(100_000).await;
    assert!(receiver.is_empty());
    assert_eq!(tries(&sim).await.len(), 16);
}

#[tokio::test]
async fn it_may_come_late() {
    let (sim, merchant, mut receiver) = start(json!({ "fault": "late", "seconds": 100 })).await;
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    sim.advance(99).await;
    assert!(receiver.is_empty());
    sim.advance(1).await;
    receiver.next().await;
    assert_eq!(sim.ledger().await["notifications"][0]["acknowledged"], true);
}

#[tokio::test]
async fn it_may_come_twice_at_once() {
    let (sim, merchant, mut receiver) = start(json!({ "fault": "twice" })).await;
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    let name = |told: &Told| number(&sim, &merchant, told);
    assert_eq!(name(&first), name(&second));
    sim.advance(0).await;
    assert_eq!(tries(&sim).await.len(), 2);
    sim.advance(100_000).await;
    assert!(receiver.is_empty());
}

#[tokio::test]
async fn two_may_come_in_the_other_order() {
    let rule = json!({ "fault": "reorder", "times": 1, "match": "order_0001" });
    let (sim, merchant, mut receiver) = start(rule).await;
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    sim.advance(0).await;
    assert!(receiver.is_empty());
    merchant.sell_v3(&sim, "order_0002", &receiver.url).await;
    let first = receiver.next().await;
    assert_eq!(number(&sim, &merchant, &first).as_str(), "order_0002");
    let second = receiver.next().await;
    assert_eq!(number(&sim, &merchant, &second).as_str(), "order_0001");
}

#[tokio::test]
async fn one_that_waits_for_another_does_not_wait_for_ever() {
    let (sim, merchant, mut receiver) = start(json!({ "fault": "reorder", "seconds": 20 })).await;
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    sim.advance(19).await;
    assert!(receiver.is_empty());
    sim.advance(1).await;
    receiver.next().await;
}

/// A lie, acknowledged or not; then the truth.
async fn lied(fault: &str, check: impl Fn(&Sim, &Merchant, Result<Transaction, Error>)) {
    let (sim, merchant, mut receiver) = start(json!({ "fault": fault, "times": 1 })).await;
    merchant.sell_v3(&sim, "order_0001", &receiver.url).await;
    let told = receiver.next().await;
    check(&sim, &merchant, read(&sim, &merchant, &told));

    // The receiver took it for true; that is written down, and the truth still comes.
    sim.advance(0).await;
    let first = &tries(&sim).await[0];
    assert_eq!((&first["fault"], &first["acknowledged"]), (&json!(fault), &json!(false)));
    assert!(first["note"].as_str().unwrap().starts_with("FINDING"), "{first}");
    sim.machine.pass(15);
    let truth = read(&sim, &merchant, &receiver.next().await).unwrap();
    assert_eq!(truth.amount.unwrap().total.unwrap().get(), 990);
    assert_eq!(truth.mchid, Some(merchant.mchid.clone()));
}

#[tokio::test]
async fn it_may_name_another_amount() {
    lied("wrong_amount", |_, _, told| {
        assert_eq!(told.unwrap().amount.unwrap().total.unwrap().get(), 991);
    })
    .await;
}

#[tokio::test]
async fn it_may_name_another_merchant() {
    lied("other_merchant", |_, merchant, told| {
        let told = told.unwrap();
        assert_ne!(told.mchid, Some(merchant.mchid.clone()));
        assert_ne!(told.appid, Some(merchant.appid.clone()));
    })
    .await;
}

#[tokio::test]
async fn it_may_be_forged() {
    lied("forge", |_, _, told| {
        assert!(matches!(told, Err(Error::Signature { .. })), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn the_lies_of_v2_are_the_same() {
    for fault in ["wrong_amount", "other_merchant", "forge"] {
        let (sim, merchant, mut receiver) = start(json!({ "fault": fault, "times": 1 })).await;
        merchant.sell_v2(&sim, "order_0001", &receiver.url, SignType::Md5).await;
        let told = PaymentNotice::read(&receiver.next().await.body, &merchant.v2_key);
        match fault {
            "wrong_amount" => assert_eq!(told.unwrap().total_fee.get(), 991),
            "other_merchant" => assert_ne!(told.unwrap().mch_id, merchant.mchid),
            _ => assert!(matches!(told, Err(Error::Signature { .. })), "{told:?}"),
        }
        sim.advance(15).await;
        let truth = PaymentNotice::read(&receiver.next().await.body, &merchant.v2_key).unwrap();
        assert_eq!((truth.total_fee.get(), truth.mch_id), (990, merchant.mchid.clone()));
    }
}
