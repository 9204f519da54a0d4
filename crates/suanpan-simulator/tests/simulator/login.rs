//! Step 1: codes live five minutes and work once.

use serde_json::json;

use crate::common::Sim;

/// `errcode` and the words before the trace.
async fn refusal(sim: &Sim, path: &str) -> (i64, String) {
    let said = sim.get(path).await;
    assert_eq!(said.status, 200);
    let answer = said.json();
    let words = answer["errmsg"].as_str().unwrap();
    let (words, trace) = words.split_once(", rid: ").unwrap();
    let lengths: Vec<_> = trace.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 8, 8], "{trace}");
    (answer["errcode"].as_i64().unwrap(), words.to_owned())
}

#[tokio::test]
async fn a_code_gives_the_openid_of_this_user_and_app_once() {
    let sim = Sim::start().await;
    let (first, second) = (sim.merchant(0), sim.merchant(1));
    let code = sim.code(first.appid.as_str(), "alice").await;
    let path = first.session_path(&code);
    let session = sim.get(&path).await.json();
    let openid = session["openid"].as_str().unwrap();
    assert!(openid.len() == 28 && openid.starts_with('o'), "{openid}");
    assert_eq!(session["session_key"].as_str().unwrap().len(), 24);
    assert!(session.get("errcode").is_none());
    assert_eq!(refusal(&sim, &path).await, (40163, "code been used".to_owned()));

    assert_eq!(sim.openid(&first, "alice").await.as_str(), openid);
    assert_ne!(sim.openid(&first, "bob").await.as_str(), openid);
    assert_ne!(sim.openid(&second, "alice").await.as_str(), openid);
}

#[tokio::test]
async fn a_code_dies_after_five_minutes_of_wechats_clock() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let [young, old] = [
        sim.code(merchant.appid.as_str(), "alice").await,
        sim.code(merchant.appid.as_str(), "alice").await,
    ];
    sim.machine.pass(200);
    sim.advance(99).await;
    assert!(sim.get(&merchant.session_path(&young)).await.json().get("openid").is_some());
    sim.advance(1).await;
    assert_eq!(refusal(&sim, &merchant.session_path(&old)).await.0, 40029);
}

#[tokio::test]
async fn every_mistake_has_its_number() {
    let sim = Sim::start().await;
    let (merchant, other) = (sim.merchant(0), sim.merchant(1));
    let code = sim.code(merchant.appid.as_str(), "alice").await;
    let good = merchant.session_path(&code);
    let secret = &merchant.secret;
    let appid = merchant.appid.as_str();
    for (path, errcode) in [
        (good.replace(&code, "0unknown"), 40029),
        // The usual cause in the field: another app than the one that logged in.
        (other.session_path(&code), 40029),
        (good.replace(appid, "wx0000000000000000"), 40013),
        (good.replace(secret, "0123456789abcdef"), 40125),
        (good.replace("authorization_code", "client_credential"), 40002),
        (good.replace("appid=", "app="), 41002),
        (good.replace("secret=", "s="), 41004),
        (good.replace("js_code=", "code="), 41008),
    ] {
        assert_eq!(refusal(&sim, &path).await.0, errcode, "{path}");
    }
    assert_eq!(sim.post(&good, "").await.json()["errcode"], 41002);
    // None of these has used the code up.
    assert!(sim.get(&good).await.json().get("openid").is_some());
}

#[tokio::test]
async fn a_user_logs_in_a_hundred_times_a_minute() {
    let sim = Sim::start().await;
    sim.switch("logins_a_minute", json!(2)).await;
    let merchant = sim.merchant(0);
    for _ in 0..2 {
        sim.openid(&merchant, "alice").await;
    }
    let code = sim.code(merchant.appid.as_str(), "alice").await;
    assert_eq!(refusal(&sim, &merchant.session_path(&code)).await.0, 45011);
    sim.openid(&merchant, "bob").await;
    sim.advance(60).await;
    assert!(sim.get(&merchant.session_path(&code)).await.json().get("openid").is_some());
}

#[tokio::test]
async fn the_log_shows_neither_the_secret_nor_the_session_key() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let code = sim.code(merchant.appid.as_str(), "alice").await;
    let session = sim.get(&merchant.session_path(&code)).await.json();
    // As people post it by mistake.
    sim.post("/sns/jscode2session", format!("secret={}", merchant.secret)).await;
    let log = sim.get("/_sim/requests").await.text().to_owned();
    assert!(log.contains(&code) && log.contains("secret=***"), "{log}");
    for secret in [merchant.secret.as_str(), session["session_key"].as_str().unwrap()] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn a_phone_is_given_to_whoever_asks_for_an_app_that_is_there() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    sim.openid(&merchant, "carol_2.test").await;
    for (appid, user) in
        [("wx0", "alice"), (merchant.appid.as_str(), ""), (merchant.appid.as_str(), "a b")]
    {
        let said = sim.post("/_sim/login", json!({ "appid": appid, "user": user })).await;
        assert_eq!(said.refusal(), (404, "SIM_UNKNOWN".to_owned()), "{appid} {user}");
    }
}
