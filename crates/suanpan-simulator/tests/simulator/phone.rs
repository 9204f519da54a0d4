//! The payer's phone, as its page asks.

use serde_json::{Value, json};
use suanpan_simulator::{Options, Shop, Simulator};

use crate::common::Sim;
use crate::merchant::NOWHERE;

#[tokio::test]
async fn the_page_is_served_with_all_that_it_names() {
    let sim = Sim::start().await;
    let page = sim.get("/phone").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
        "{policy}"
    );
    assert!(
        policy.contains("connect-src 'self' http://127.0.0.1:* http://localhost:*;"),
        "{policy}"
    );
    for (name, content_type) in [
        ("phone.css", "text/css; charset=utf-8"),
        ("phone.js", "text/javascript; charset=utf-8"),
        ("phone-wire.js", "text/javascript; charset=utf-8"),
        ("phone-words.js", "text/javascript; charset=utf-8"),
    ] {
        let file = sim.get(&format!("/phone/{name}")).await;
        assert_eq!(
            (file.status, file.headers["content-type"].to_str().unwrap()),
            (200, content_type)
        );
        assert!(!file.body.is_empty());
    }
    assert_eq!(sim.get("/phone/../src/lib.rs").await.status, 404);
    assert_eq!(sim.get("/phone/nothing.js").await.refusal(), (404, "SIM_NOT_FOUND".to_owned()));
    // The home is the phone.
    assert_eq!(sim.get("/").await.text(), page.text());
}

#[tokio::test]
async fn the_configuration_says_who_can_be_played() {
    let sim = Sim::start().await;
    let config = sim.get("/phone/config.json").await.json();
    assert_eq!((&config["users"], &config["shop"]), (&json!(["alice", "bob"]), &Value::Null));
    let merchant = sim.merchant(0);
    let app =
        json!({ "appid": merchant.appid, "mchid": merchant.mchid, "merchant_name": "算盘茶馆" });
    assert_eq!(config["apps"][0], app);
    assert_eq!(config["apps"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_shop_may_come_later_and_is_all_that_the_page_may_call() {
    let folder = tempfile::tempdir().unwrap();
    crate::credentials::seed(folder.path()).await;
    let options = Options::new(folder.path(), "127.0.0.1:0".parse().unwrap());
    let simulator = Simulator::open(options).await.unwrap();
    simulator.set_shop(Shop {
        name: "茶馆".to_owned(),
        url: "http://127.0.0.1:7001/shop".to_owned(),
        backend_url: "http://127.0.0.1:7002".to_owned(),
    });
    let url = simulator.base_url().to_owned();
    tokio::spawn(simulator.serve(std::future::pending()));

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = http.get(format!("{url}/phone")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("connect-src 'self' http://127.0.0.1:7001 http://127.0.0.1:7002;"),
        "{policy}"
    );
    let config = http.get(format!("{url}/phone/config.json")).send().await.unwrap();
    let config: Value = serde_json::from_slice(&config.bytes().await.unwrap()).unwrap();
    let shop = json!({ "name": "茶馆", "url": "http://127.0.0.1:7001/shop", "backend_url": "http://127.0.0.1:7002" });
    assert_eq!(config["shop"], shop);
}

#[tokio::test]
async fn the_sheet_shows_what_is_paid_and_to_whom() {
    let sim = Sim::start().await;
    let prepay_id = sim.merchant(0).place_v3(&sim, "order_0001", NOWHERE).await;
    let sheet = sim.get(&format!("/phone/sheet?prepay_id={prepay_id}")).await.json();
    assert_eq!(sheet, json!({ "merchant_name": "算盘茶馆", "amount": 990, "description": "龙井" }));
    for path in ["/phone/sheet?prepay_id=wx0", "/phone/sheet"] {
        let said = sim.get(path).await;
        assert_eq!(said.refusal(), (404, "SIM_UNKNOWN_PREPAY_ID".to_owned()), "{path}");
    }
}
