//! Several nodes on one database, and everything at once: nothing is paid twice, given back twice or told twice.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::gate::{Gate, Passed};
use crate::world::World;

const PLACE: [&str; 2] = ["/v3/pay/transactions/jsapi", "/pay/unifiedorder"];
const QUERY: [&str; 2] = ["/v3/pay/transactions/out-trade-no/", "/pay/orderquery"];

impl World {
    /// A node that asks WeChat through this gate.
    async fn node_behind(&mut self, gate: &Gate) -> String {
        let host = gate.url.clone();
        self.start_node(|config| config.wechat.merchant_hosts = vec![host]).await
    }

    /// Posts to this node what came for another.
    async fn post_as_it_came(&self, node: &str, notice: &Passed) -> u16 {
        let request = reqwest::Client::new().post(format!("{node}{}", notice.path));
        let request = request.headers(notice.headers.clone()).body(notice.body.clone());
        request.send().await.unwrap().status().as_u16()
    }

    /// What WeChat holds, of this kind.
    async fn held(&self, kind: &str) -> Vec<Value> {
        self.control("ledger", None).await[kind].as_array().unwrap().clone()
    }
}

/// The model check found this one: a number that WeChat does not know yet may be on its way to it.
#[tokio::test]
async fn a_number_that_another_node_is_placing_is_not_given_up() {
    for nth in [0, 1] {
        let mut world = World::open().await;
        let slow = Gate::before(&world.simulator).await;
        let quick = Gate::before(&world.simulator).await;
        let first = world.node_behind(&slow).await;
        let second = world.node_behind(&quick).await;
        let app = world.app(nth);
        let order = world.order("tea-1", &app).await;

        // The first node has stored Alice's number, and it has not come to WeChat yet. The second node wants the order
        // for Bob: it asks how Alice's number stands, has it closed, asks again, and is told that there is none. Before
        // it hears the last of this, Alice's number arrives, and she gets her sheet.
        let mut placing = slow.hold_question(PLACE[nth], 1);
        let mut hearing = quick.hold_answer(QUERY[nth], 2);
        let (alice, bob) = tokio::join!(world.pay_at(&first, "alice", &app, &order), async {
            placing.arrives().await;
            let (bob, ()) = tokio::join!(world.pay_at(&second, "bob", &app, &order), async {
                hearing.arrives().await;
                placing.let_through();
                world.until_told(&order, "paySign for").await;
                hearing.let_through();
            });
            bob
        });
        assert_eq!((alice.status, bob.status), (200, 200), "{} {}", alice.json, bob.json);
        assert_ne!(alice.json["package"], bob.json["package"]);

        // Of the two sheets, one takes money.
        let late = world.sheet("alice", &app, &alice.json, "pay").await;
        assert_ne!(late["errMsg"], "requestPayment:ok", "{}", world.timeline(&order).await);
        let said = world.sheet("bob", &app, &bob.json, "pay").await;
        assert_eq!(said["errMsg"], "requestPayment:ok");
        world.until_status(&order, "paid").await;
        assert_eq!(world.held("payments").await.len(), 1);
        world.check().await;
    }
}

#[tokio::test]
async fn a_hundred_taps_on_two_nodes_are_one_order_at_wechat() {
    for nth in [0, 1] {
        let mut world = World::open().await;
        let nodes = [world.url.clone(), world.start_node(|_| ()).await];
        let app = world.app(nth);
        let order = world.order("tea-1", &app).await;
        let taps = (0..100).map(|tap| world.pay_at(&nodes[tap % 2], "alice", &app, &order));
        let answers = join_all(taps).await;
        let packages: BTreeSet<_> = answers
            .iter()
            .map(|answer| (answer.status, answer.json["package"].to_string()))
            .collect();
        assert_eq!(packages.len(), 1, "{packages:?}");

        let paid = answers.iter().map(|answer| world.sheet("alice", &app, &answer.json, "pay"));
        let said = join_all(paid).await;
        let ok = said.iter().filter(|said| said["errMsg"] == "requestPayment:ok").count();
        assert_eq!(ok, 1);
        world.until_status(&order, "paid").await;
        assert_eq!(world.held("orders").await.len(), 1);
        world.check().await;
    }
}

#[tokio::test]
async fn two_payers_who_hammer_two_nodes_pay_once() {
    for nth in [0, 1] {
        let mut world = World::open().await;
        let nodes = [world.url.clone(), world.start_node(|_| ()).await];
        let app = world.app(nth);
        let order = world.order("tea-1", &app).await;
        let users = ["alice", "bob"];
        let tap = async |turn: usize| {
            let user = users[turn % 2];
            let params = world.pay_at(&nodes[turn / 2 % 2], user, &app, &order).await;
            if params.status != 200 || params.json["alreadyPaid"] == true {
                // Who came second while the first was served is told so, and never that it failed.
                assert!(matches!(params.status, 200 | 409), "{}", params.json);
                return false;
            }
            world.sheet(user, &app, &params.json, "pay").await["errMsg"] == "requestPayment:ok"
        };
        let paid = join_all((0..24).map(tap)).await;
        assert_eq!(paid.iter().filter(|paid| **paid).count(), 1);
        world.until_status(&order, "paid").await;
        world.check().await;
    }
}

#[tokio::test]
async fn whoever_closes_while_somebody_pays_the_answer_is_one() {
    let mut world = World::open().await;
    let nodes = [world.url.clone(), world.start_node(|_| ()).await];
    for turn in 0..20_usize {
        let app = world.app(turn % 2);
        let order = world.order(&format!("tea-{turn}"), &app).await;
        let params = world.pay("alice", &app, &order).await.json;
        let path = format!("/v1/orders/{order}/close");
        let (said, first, second) = tokio::join!(
            world.sheet("alice", &app, &params, "pay"),
            world.merchant_at(&nodes[0], "POST", &path, None),
            world.merchant_at(&nodes[1], "POST", &path, None),
        );
        let paid = said["errMsg"] == "requestPayment:ok";
        world.until_status(&order, if paid { "paid" } else { "closed" }).await;
        for close in [first, second] {
            let expected = if paid { 409 } else { 200 };
            assert_eq!(close.status, expected, "{}\n{}", close.json, world.timeline(&order).await);
        }
    }
    world.check().await;
}

#[tokio::test]
async fn halves_that_two_nodes_give_back_at_once_are_two() {
    let mut world = World::open().await;
    let nodes = [world.url.clone(), world.start_node(|_| ()).await];
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.alice_pays(&app, &order).await;
        world.until_status(&order, "paid").await;
        let path = format!("/v1/orders/{order}/refunds");
        let half = |turn: usize| {
            let body = Some(json!({ "amount": 495 }));
            world.merchant_at(&nodes[turn % 2], "POST", &path, body)
        };
        let answers = join_all((0..12).map(half)).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 2);
        assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)));
        world.advance(60);
        let whole = async {
            let path = format!("/v1/orders/{order}");
            while world.merchant("GET", &path, None).await.json["amount_refunded"] != 990 {}
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), whole).await.unwrap();
    }
    assert_eq!(world.held("refunds").await.len(), 4);
    world.check().await;
}

#[tokio::test]
async fn a_notification_that_comes_two_hundred_times_at_once_moves_once() {
    for nth in [0, 1] {
        let mut world = World::open().await;
        let door = Gate::before(&world.url).await;
        // What this node sells, WeChat tells at the door.
        let public_url = door.url.clone();
        let node = world.start_node(|config| config.server.public_url = Some(public_url)).await;
        let app = world.app(nth);
        let order = world.order("tea-1", &app).await;
        let params = world.pay_at(&node, "alice", &app, &order).await;
        // It is taken and kept from the server, until it comes from everywhere.
        let mut held = door.hold_question("/wechat/notify/", 1);
        let (_, ()) =
            tokio::join!(async { world.sheet("alice", &app, &params.json, "pay").await }, async {
                held.arrives().await;
                let notice = door.passed().remove(0);
                assert_eq!(world.status(&order).await, "paying");
                let storm = (0..200).map(|turn| {
                    let to = if turn % 2 == 0 { &world.url } else { &node };
                    world.post_as_it_came(to, &notice)
                });
                for status in join_all(storm).await {
                    assert!(matches!(status, 200 | 204), "{status}");
                }
                held.let_through();
            });
        assert_eq!(world.status(&order).await, "paid");
        assert_eq!(world.events().await, ["order.paid"]);
        world.check().await;
    }
}
