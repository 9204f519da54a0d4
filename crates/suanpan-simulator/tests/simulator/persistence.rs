//! A restart over the same folder finds everything.

use serde_json::json;
use suanpan_wechat::v2::SignType;

use crate::common::Sim;
use crate::merchant::{Merchant, NOWHERE, pays};
use crate::receiver::Receiver;

#[tokio::test]
async fn orders_payments_clock_switches_and_users_survive() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    merchant.sell_v3(&sim, "order_0001", NOWHERE).await;
    sim.merchant(1).place_v2(&sim, "order_0002", NOWHERE, SignType::HmacSha256).await;
    let carol = sim.openid(&merchant, "carol").await;
    sim.switch("logins_a_minute", json!(7)).await;
    sim.advance(3600).await;
    let (ledger, clock) = (sim.ledger().await, sim.get("/_sim/clock").await.json());

    let sim = sim.restart().await;
    sim.advance(0).await;
    assert_eq!(sim.ledger().await, ledger);
    assert_eq!(sim.get("/_sim/clock").await.json(), clock);
    assert_eq!(sim.get("/_sim/switches").await.json()["logins_a_minute"], 7);
    // Carol is still a payer of this app.
    let order = merchant.v3_order(&carol, "order_0003").to_string();
    let path = "/v3/pay/transactions/jsapi";
    let said = sim.send(merchant.v3_question(&sim, "POST", path, order.as_bytes())).await;
    assert_eq!(said.status, 200, "{said:?}");
}

#[tokio::test]
async fn a_notification_that_nobody_heard_goes_on() {
    let mut receiver = Receiver::start().await;
    receiver.answers(500, "");
    let sim = Sim::start().await;
    sim.merchant(0).sell_v3(&sim, "order_0001", &receiver.url).await;
    receiver.next().await;
    sim.advance(0).await;

    let sim = sim.restart().await;
    receiver.answers(204, "");
    sim.machine.pass(15);
    receiver.next().await;
    sim.advance(0).await;
    let told = &sim.ledger().await["notifications"][0];
    assert_eq!(told["acknowledged"], true);
    assert_eq!(told["tries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_can_be_paid_after_the_restart() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(1);
    let prepay_id = merchant.place_v2(&sim, "order_0001", NOWHERE, SignType::Md5).await;
    let object = merchant.sign_v2(&sim, &prepay_id, SignType::Md5);
    let sim = sim.restart().await;
    pays(&sim, object).await;
    assert_eq!(sim.ledger().await["orders"][0]["trade_state"], "SUCCESS");
}

#[tokio::test]
async fn the_file_is_rewritten_with_one_line_a_thing() {
    let sim = Sim::start().await;
    let merchant: Merchant = sim.merchant(0);
    for _ in 0..5 {
        sim.advance(1).await;
    }
    merchant.sell_v3(&sim, "order_0001", NOWHERE).await;
    let sim = sim.restart().await;
    let (folder, _) = sim.stop().await;
    let text = std::fs::read_to_string(folder.path().join("ledger.jsonl")).unwrap();
    let kinds: Vec<_> = text.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["ahead", "switches", "user", "user", "order", "payment", "notification"]);
}
