//! Nothing secret reaches the log, a timeline, an answer or a metric.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::world::World;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Paper {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_whole_payment_at_the_loudest_level_gives_no_secret_away() {
    let paper = Paper::default();
    let log = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
    // For the whole process: the store and the connections have threads of their own.
    tracing::subscriber::set_global_default(log.with_writer(paper.clone()).finish()).unwrap();

    let world = World::open().await;
    let mut shown = String::new();
    let mut codes = Vec::new();
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.fault("GET /sns/jscode2session", "system_error", json!({ "times": 1 })).await;
        let failed = world.pay("alice", &app, &order).await;
        let code = world.login("alice", &app).await;
        let params = world.pay_with(&code, &order).await.json;
        world.sheet("alice", &app, &params, "pay").await;
        world.until_status(&order, "paid").await;
        world.until_told(&order, "webhook").await;
        let order = world.merchant("GET", &format!("/v1/orders/{order}"), None).await.json;
        shown += &format!(
            "{}{order}{}",
            failed.json,
            world.timeline(order["id"].as_str().unwrap()).await
        );
        codes.push(code);
    }
    let ledger = world.control("ledger", None).await;
    let metrics = world.metrics().await;
    shown += &format!("{metrics}{}", world.ready().await);

    let log = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("suanpan::step"), "the log was heard");
    let all = format!("{log}{shown}");
    for secret in secrets(&world.credentials).into_iter().chain(codes).chain([world.key.clone()]) {
        assert!(!all.contains(&secret), "{secret} was given away");
    }
    // A merchant's own number is on the line of his certificates, and nowhere else.
    let others = |line: &&str| !line.starts_with("suanpan_certificate_days_left{");
    let metrics: String = metrics.lines().filter(others).collect();
    for order in ledger["orders"].as_array().unwrap() {
        let openid = order["openid"].as_str().unwrap();
        assert!(!all.contains(openid), "{openid} was given away");
        // A label for each number would be a series for each: none of them is in the metrics.
        for number in ["mchid", "appid", "out_trade_no", "transaction_id"] {
            let number = order[number].as_str().unwrap();
            assert!(!metrics.contains(number), "{number} is in the metrics");
        }
    }
}

/// Everything in credentials.json that nobody else may know.
fn secrets(credentials: &Value) -> Vec<String> {
    let mut secrets = Vec::new();
    for merchant in credentials["merchants"].as_array().unwrap() {
        for name in ["api_v2_key", "api_v3_key"] {
            secrets.push(merchant[name].as_str().unwrap().to_owned());
        }
        let key =
            std::fs::read_to_string(merchant["merchant_private_key"].as_str().unwrap()).unwrap();
        secrets.push(key.lines().nth(1).unwrap().to_owned());
    }
    for app in credentials["apps"].as_array().unwrap() {
        secrets.push(app["secret"].as_str().unwrap().to_owned());
    }
    secrets
}
