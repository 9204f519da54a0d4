//! `stable_token`: one token for all who ask, and what happens to those that are old.

use serde_json::{Value, json};

use crate::common::Sim;
use crate::merchant::Merchant;

pub(crate) const PATH: &str = "/cgi-bin/stable_token";

/// What `stable_token` is asked.
pub(crate) fn question(merchant: &Merchant) -> Value {
    json!({
        "grant_type": "client_credential",
        "appid": merchant.appid,
        "secret": merchant.secret,
        "force_refresh": false,
    })
}

async fn ask(sim: &Sim, merchant: &Merchant, force: bool) -> (String, i64) {
    let mut question = question(merchant);
    question["force_refresh"] = force.into();
    let said = sim.post(PATH, question).await.json();
    assert!(said.get("errcode").is_none(), "{said}");
    (said["access_token"].as_str().unwrap().to_owned(), said["expires_in"].as_i64().unwrap())
}

/// A token that is taken.
pub(crate) async fn token(sim: &Sim, merchant: &Merchant) -> String {
    ask(sim, merchant, false).await.0
}

/// `errcode` of a call that needs nothing but a token.
async fn with(sim: &Sim, token: &str) -> i64 {
    let path = "/cgi-bin/express/delivery/open_msg/get_delivery_list";
    let said = sim.post(&format!("{path}?access_token={token}"), "{}").await;
    assert_eq!(said.status, 200);
    said.json()["errcode"].as_i64().unwrap()
}

#[tokio::test]
async fn everybody_gets_the_same_token_until_its_last_five_minutes() {
    let sim = Sim::start().await;
    let (merchant, other) = (sim.merchant(0), sim.merchant(1));
    let (first, left) = ask(&sim, &merchant, false).await;
    assert_eq!((left, first.len() <= 512), (7200, true));
    assert_ne!(ask(&sim, &other, false).await.0, first);

    sim.advance(6900).await;
    assert_eq!(ask(&sim, &merchant, false).await, (first.clone(), 300));
    sim.advance(1).await;
    let (second, left) = ask(&sim, &merchant, false).await;
    assert!(second != first && left == 7200, "{left}");
    // Both are taken until the old one's time is over.
    assert_eq!((with(&sim, &first).await, with(&sim, &second).await), (0, 0));
    sim.advance(299).await;
    assert_eq!((with(&sim, &first).await, with(&sim, &second).await), (42001, 0));
}

#[tokio::test]
async fn a_forced_one_kills_the_others_and_not_sooner_than_thirty_seconds() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let (first, _) = ask(&sim, &merchant, false).await;
    let (second, _) = ask(&sim, &merchant, true).await;
    assert_ne!(first, second);
    assert_eq!((with(&sim, &first).await, with(&sim, &second).await), (40001, 0));

    sim.advance(29).await;
    assert_eq!(ask(&sim, &merchant, true).await.0, second, "too soon: nothing happens");
    for _ in 0..19 {
        sim.advance(30).await;
        ask(&sim, &merchant, true).await;
    }
    sim.advance(30).await;
    let mut question = question(&merchant);
    question["force_refresh"] = true.into();
    assert_eq!(sim.post(PATH, question).await.json()["errcode"], 45009, "20 a day");
}

#[tokio::test]
async fn every_mistake_has_its_number() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    for (name, value, errcode) in [
        ("appid", json!(""), 41002),
        ("secret", json!(""), 41004),
        ("grant_type", json!("authorization_code"), 40002),
        ("appid", json!("wx0000000000000000"), 40013),
        ("secret", json!("0123456789abcdef"), 40125),
        ("force_refresh", json!("yes"), 47001),
    ] {
        let mut question = question(&merchant);
        question[name] = value;
        let said = sim.post(PATH, question).await.json();
        assert_eq!(said["errcode"], errcode, "{name}: {said}");
        assert!(said["errmsg"].as_str().unwrap().contains(", rid: "), "{said}");
    }
    assert_eq!(sim.post(PATH, "").await.json()["errcode"], 44002);
    assert_eq!(sim.get(PATH).await.json()["errcode"], 43002);

    assert_eq!(with(&sim, "").await, 41001);
    assert_eq!(with(&sim, "%20").await, 40014);
    assert_eq!(with(&sim, "unknown").await, 40001);
    let lost = token(&sim, &merchant).await;
    let sim = sim.restart().await;
    assert_eq!(with(&sim, &lost).await, 40001, "after a restart nothing is known");
}

#[tokio::test]
async fn who_asks_too_often_is_told_so() {
    let sim = Sim::start().await;
    let (merchant, other) = (sim.merchant(0), sim.merchant(1));
    sim.switch("stable_tokens_a_minute", json!(1)).await;
    token(&sim, &merchant).await;
    assert_eq!(sim.post(PATH, question(&merchant)).await.json()["errcode"], 45011);
    token(&sim, &other).await;
    sim.advance(60).await;
    token(&sim, &merchant).await;
    sim.switch("stable_tokens_a_day", json!(3)).await;
    sim.advance(60).await;
    assert_eq!(sim.post(PATH, question(&merchant)).await.json()["errcode"], 45009);
}

#[tokio::test]
async fn the_log_shows_neither_the_secret_nor_the_token() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let token = token(&sim, &merchant).await;
    with(&sim, &token).await;
    sim.post(PATH, format!("secret={}", merchant.secret)).await;
    let log = sim.get("/_sim/requests").await.text().to_owned();
    assert!(log.contains("access_token=***") && log.contains("client_credential"), "{log}");
    for secret in [merchant.secret.as_str(), token.as_str()] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn a_good_token_is_refused_on_demand() {
    let sim = Sim::start().await;
    let token = token(&sim, &sim.merchant(0)).await;
    let list = "POST /cgi-bin/express/delivery/open_msg/get_delivery_list";
    sim.fault(json!({ "on": list, "fault": "stale_token", "times": 1 })).await;
    assert_eq!((with(&sim, &token).await, with(&sim, &token).await), (40001, 0));

    let rule = json!({ "on": "POST /pay/unifiedorder", "fault": "stale_token" });
    let refused = sim.post("/_sim/faults", rule).await;
    assert!(refused.status == 400 && refused.text().contains("does nothing to"), "{refused:?}");
}
