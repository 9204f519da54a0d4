//! Refunds that people ask for in the console: above a limit a second one decides.

use serde_json::json;
use suanpan_server::audit::{By, Who, check};
use suanpan_server::client::wechat::Fen;
use suanpan_server::repair::refund::request::{Ask, Asked, approve, ask, decline, find, new_id};
use suanpan_server::{Error, Server};

use crate::world::World;

/// Ten of the 9.90 need nobody else, with all that went back before counted in.
async fn open() -> World {
    World::open_with(|config, _| config.refunds.second_person_above = Some(500)).await
}

fn by(name: &str) -> By {
    let operator = Who { id: Some(format!("op_{name}")), name: name.to_owned() };
    By { operator, address: "203.0.113.9".to_owned() }
}

fn asks(server: &Server, order: &str, fen: i64) -> Ask {
    Ask {
        id: new_id(server.world()),
        order_id: order.parse().unwrap(),
        amount: Fen::new(fen).unwrap(),
        reason: "茶凉了".to_owned(),
    }
}

async fn waits(server: &Server, name: &str, order: &str, fen: i64) -> String {
    let asked = ask(server.world(), by(name), asks(server, order, fen)).await.unwrap();
    let Asked::Waiting(id) = asked else { panic!("{asked:?}") };
    id
}

#[tokio::test]
async fn below_the_limit_one_person_is_enough_and_many_small_ones_are_a_large_one() {
    let mut world = open().await;
    let order = world.paid("tea-1", &world.app(0)).await;
    let server = world.idle_node().await;
    for _ in 0..2 {
        let asked = ask(server.world(), by("mei"), asks(&server, &order, 250)).await.unwrap();
        assert!(matches!(asked, Asked::Begun(_)), "{asked:?}");
    }
    assert_eq!(world.refunds_at_wechat().await.len(), 2);
    waits(&server, "mei", &order, 1).await;
    assert_eq!(world.refunds_at_wechat().await.len(), 2);
}

#[tokio::test]
async fn a_second_person_approves_and_the_money_goes_back_in_both_apis() {
    let mut world = open().await;
    for (nth, lines) in [(0, 2), (1, 4)] {
        let order = world.paid(&format!("tea-{nth}"), &world.app(nth)).await;
        let server = world.idle_node().await;
        let id = waits(&server, "mei", &order, 990).await;
        assert_eq!(world.refunds_at_wechat().await.len(), nth);

        let own = approve(server.world(), by("mei"), &id, "fine").await.unwrap_err();
        assert_eq!(own.code(), "SP-REFUND-OWN-REQUEST");
        assert_eq!(world.refunds_at_wechat().await.len(), nth);

        let refund = approve(server.world(), by("lan"), &id, "agreed by phone").await.unwrap();
        let again = approve(server.world(), by("lan"), &id, "agreed by phone").await.unwrap_err();
        assert_eq!(again.code(), "SP-REFUND-DECIDED");
        assert_eq!(world.refunds_at_wechat().await.len(), nth + 1);
        let request = find(server.world(), &id).await.unwrap();
        let decision = request.decision.unwrap();
        assert_eq!(
            (decision.refund_id.as_deref(), decision.by.1.as_str()),
            (Some(&*refund.id), "lan")
        );

        world.advance(2);
        world.until_told(&order, "processing → succeeded").await;
        assert_eq!(world.refund_now(&json!(refund.id)).await["amount"], 990);
        let checked = check(server.world().store(), true).await.unwrap();
        // Asked for, and approved.
        assert_eq!((checked.lines, checked.broken_at), (lines, None));
    }
}

#[tokio::test]
async fn a_form_that_is_sent_twice_asks_once() {
    let mut world = open().await;
    let order = world.paid("tea-1", &world.app(0)).await;
    let server = world.idle_node().await;
    let small = asks(&server, &order, 100);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let asked = ask(server.world(), by("mei"), small.clone()).await.unwrap();
        let Asked::Begun(refund) = asked else { panic!("{asked:?}") };
        ids.push(refund.id);
    }
    ids.dedup();
    assert_eq!((ids.len(), world.refunds_at_wechat().await.len()), (1, 1));
    let other = Ask { amount: Fen::new(101).unwrap(), ..small };
    let refused = ask(server.world(), by("mei"), other).await.unwrap_err();
    assert!(matches!(refused, Error::KeyReused), "{refused:?}");

    let large = asks(&server, &order, 890);
    for _ in 0..2 {
        let asked = ask(server.world(), by("mei"), large.clone()).await.unwrap();
        assert!(matches!(&asked, Asked::Waiting(id) if *id == large.id), "{asked:?}");
    }
    decline(server.world(), by("lan"), &large.id, "not agreed").await.unwrap();
    let asked = ask(server.world(), by("mei"), large).await.unwrap();
    assert!(matches!(asked, Asked::Declined(_)), "{asked:?}");
    assert_eq!(world.refunds_at_wechat().await.len(), 1);
}

#[tokio::test]
async fn of_two_that_approve_at_once_one_does() {
    let mut world = open().await;
    let order = world.paid("tea-1", &world.app(0)).await;
    let (one, two) = (world.idle_node().await, world.idle_node().await);
    let id = waits(&one, "mei", &order, 990).await;
    let (first, second) = tokio::join!(
        approve(one.world(), by("lan"), &id, "yes"),
        approve(two.world(), by("hua"), &id, "yes"),
    );
    let codes: Vec<_> = [first, second]
        .into_iter()
        .filter_map(|said| said.err().map(|error| error.code().to_owned()))
        .collect();
    assert_eq!(codes, ["SP-REFUND-DECIDED"]);
    assert_eq!(world.refunds_at_wechat().await.len(), 1);
}

#[tokio::test]
async fn what_is_no_longer_there_is_not_approved_and_the_request_stays() {
    let mut world = open().await;
    let order = world.paid("tea-1", &world.app(0)).await;
    let server = world.idle_node().await;
    let id = waits(&server, "mei", &order, 600).await;
    let by_api = world.refund(&order, json!({ "amount": 500 })).await;
    assert_eq!(by_api.status, 201, "{}", by_api.json);
    let refused = approve(server.world(), by("lan"), &id, "yes").await.unwrap_err();
    assert_eq!(refused.code(), "SP-REFUND-TOO-MUCH");
    assert_eq!(find(server.world(), &id).await.unwrap().decision, None);
    // And what is more than is left is not even asked for.
    let more = ask(server.world(), by("mei"), asks(&server, &order, 491)).await.unwrap_err();
    assert_eq!(more.code(), "SP-REFUND-TOO-MUCH");
}

/// The answer is lost, and with it the caller: the refund was stored with the approval, and its own work goes on.
#[tokio::test]
async fn an_approval_whose_call_was_lost_is_made_good() {
    let mut world = open().await;
    let order = world.paid("tea-1", &world.app(0)).await;
    let server = world.idle_node().await;
    let id = waits(&server, "mei", &order, 990).await;
    world.fault("POST /v3/refund/domestic/refunds", "system_error", json!({ "times": 1 })).await;
    let refund = approve(server.world(), by("lan"), &id, "yes").await.unwrap();
    assert_eq!(refund.state.as_str(), "processing");
    assert!(world.refunds_at_wechat().await.is_empty());
    world.advance(60);
    world.until_ledger("taken", |ledger| ledger["refunds"].as_array().unwrap().len() == 1).await;
    world.advance(70);
    world.until_told(&order, "processing → succeeded").await;
    let held = world.refunds_at_wechat().await;
    assert_eq!((held.len(), &held[0]["out_refund_no"]), (1, &json!(refund.out_refund_no.as_str())));
}
