//! WeChat does not know the payment yet, its answer is lost, or two nodes tell it: in the end it was told, and once.

use insta::assert_snapshot;
use serde_json::json;

use crate::shipping::{GET_ORDER, MANAGED, UPLOAD, ships_by_express, ships_virtually, zto};
use crate::world::World;

#[tokio::test]
async fn a_payment_that_wechat_does_not_know_yet_is_told_again_and_again() {
    let mut world = World::open_with(ships_virtually).await;
    world.switch("shipping_payment_known_after_seconds", json!(100)).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    let store = world.store().await;
    while world.shipping(&order).await["state"] != "shipped" {
        assert!(world.to_next_try(&store, &order).await);
    }
    world.until_shipping(&order, "shipped").await;
    assert_eq!(
        world.asked(UPLOAD).await,
        5,
        "at 10, 20, 40, 70 and 130 seconds, and a little more"
    );
    assert_eq!(world.asked(MANAGED).await, 1);
    let story = world.shipping_story(&order).await;
    assert_eq!(story.matches("10060001").count(), 1, "the same problem is one line: {story}");
}

#[tokio::test]
async fn what_cannot_be_told_is_left_to_a_person_at_the_deadline() {
    let mut world = World::open_with(ships_virtually).await;
    world.switch("shipping_payment_known_after_seconds", json!(400_000)).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    let store = world.store().await;
    while world.to_next_try(&store, &order).await {}
    world.until_shipping(&order, "refused").await;
    let refused = world.shipping(&order).await;
    assert!(refused["problem"].as_str().unwrap().contains("10060001"), "{refused}");
    let asked = world.asked(UPLOAD).await;
    assert!((20..40).contains(&asked), "often at first, then each few hours: {asked}");

    // It can still be told by hand.
    world.advance(400_000);
    let shipped = world.ship(&order, json!({})).await;
    assert_eq!(
        (shipped.status, &shipped.json["state"]),
        (200, &json!("shipped")),
        "{}",
        shipped.json
    );
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_and_nothing_is_told_twice() {
    let mut world = World::open_with(|config, credentials| {
        ships_virtually(config, credentials);
        config.wechat.timeout_seconds = 2;
    })
    .await;
    world.fault(&format!("POST {UPLOAD}"), "timeout_after", json!({ "times": 1 })).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(10);
    world.until_told(&order, "asking first").await;
    let doubt = world.shipping(&order).await;
    assert_eq!(doubt["state"], "uploading", "doubt means pending");
    let store = world.store().await;
    assert!(world.to_next_try(&store, &order).await);
    world.until_shipping(&order, "shipped").await;
    assert_eq!((world.asked(UPLOAD).await, world.asked(GET_ORDER).await), (1, 1));
    assert_eq!(world.shipping_at_wechat(0).await["finish_shipping_count"], 1);
    assert_snapshot!(world.shipping_story(&order).await, @r"
    2026-01-01 08:00:00 shipping     virtual by itself; WeChat wants to know by 2026-01-03 08:00:00
    2026-01-01 08:00:10 shipping     the answer is not known (SIMULATOR did not answer in time: error sending request: operation timed out); asking first
    2026-01-01 08:00:20 shipping     WeChat says that it has it: virtual: 龙井一杯, uploading → shipped
    ");
}

#[tokio::test]
async fn what_never_came_there_is_told_again() {
    let world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.advance(60);
    world.fault(&format!("POST {UPLOAD}"), "http_500", json!({ "times": 1 })).await;
    let doubt = world.ship(&order, zto("ZTO1")).await;
    assert_eq!((doubt.status, &doubt.json["state"]), (200, &json!("uploading")), "{}", doubt.json);
    world.ship(&order, zto("ZTO2")).await.is_problem(409, "SP-SHIPPING-RUNNING");
    assert_eq!(world.ship(&order, zto("ZTO1")).await.json["state"], "uploading");
    world.advance(60);
    world.until_shipping(&order, "shipped").await;
    assert_eq!((world.asked(UPLOAD).await, world.asked(GET_ORDER).await), (2, 1));
}

#[tokio::test]
async fn without_a_token_it_is_stored_and_told_later() {
    let world = World::open_with(ships_by_express).await;
    let order = world.bought("tea-1", &world.app(0)).await;
    world.fault("POST /cgi-bin/stable_token", "system_error", json!({ "times": 3 })).await;
    world.advance(10);
    let stored = world.ship(&order, zto("ZTO1")).await;
    assert_eq!(
        (stored.status, &stored.json["state"]),
        (200, &json!("uploading")),
        "{}",
        stored.json
    );
    world.call("DELETE", format!("{}/_sim/faults", world.simulator), None).await;
    world.advance(60);
    world.until_shipping(&order, "shipped").await;
}

#[tokio::test]
async fn two_nodes_tell_of_each_order_once() {
    let mut world = World::open_with(ships_virtually).await;
    world.start_node(|config| config.wechat.timeout_seconds = 2).await;
    let mut orders = Vec::new();
    for nth in 0..8 {
        orders.push(world.bought(&format!("tea-{nth}"), &world.app(nth % 2)).await);
    }
    world.advance(10);
    for order in &orders {
        // Who waits for the other node's token looks again as the clock goes on.
        while world.shipping(order).await["state"] != "shipped" {
            world.clock.advance(std::time::Duration::from_millis(1));
        }
        assert_eq!(world.shipping_story(order).await.matches("uploaded").count(), 1);
    }
    assert_eq!(world.asked(UPLOAD).await, 8);
    assert_eq!(world.asked("/cgi-bin/stable_token").await, 2, "one for each app");
}
