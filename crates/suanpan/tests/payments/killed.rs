//! The backend dies between an effect and its answer: the repeat under the same key finds what was made.

use std::future::pending;

use serde_json::{Value, json};
use suanpan_server::Server;
use tokio::runtime::Runtime;

use crate::world::{Answer, PATIENCE, World};

/// A machine of its own, whose power can be cut: nothing on it runs to its end.
struct Machine(Option<Runtime>);

impl Machine {
    fn new() -> Self {
        Self(Some(Runtime::new().unwrap()))
    }

    /// Returns when nothing moves any more: the next backend wants the same port.
    async fn cut_power(mut self) {
        let runtime = self.0.take().unwrap();
        let dark = tokio::task::spawn_blocking(|| runtime.shutdown_timeout(PATIENCE));
        dark.await.unwrap();
    }

    async fn run(&self, world: &mut World) {
        let mut config = world.config();
        config.server.listen = world.url.strip_prefix("http://").unwrap().parse().unwrap();
        // Longer than the test: the answer never comes.
        config.wechat.timeout_seconds = 60;
        let runtime = self.0.as_ref().unwrap();
        let opened = runtime.spawn(Server::open(config, world.seams()));
        runtime.spawn(opened.await.unwrap().unwrap().run(pending()));
    }
}

/// Also where a test fails.
impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl World {
    /// `None`: no answer came.
    async fn refund_once(&self, order: &str, key: &str, body: Value) -> Option<Answer> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http
            .post(format!("{}/v1/orders/{order}/refunds", self.url))
            .bearer_auth(&self.key)
            .header("idempotency-key", key)
            .json(&body);
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some(Answer {
            status,
            json: response.json().await.ok()?,
            retry_after: None,
            wechat_asked: None,
        })
    }
}

#[tokio::test]
async fn a_refund_is_made_once_however_often_and_late_it_is_asked_for() {
    let mut world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;

    world.stop_server().await;
    let machine = Machine::new();
    machine.run(&mut world).await;
    world
        .fault("POST /v3/refund/domestic/refunds", "slow", json!({ "times": 1, "seconds": 30 }))
        .await;
    let asked = world.refund_once(&order, "refund-1", json!({ "amount": 100 }));
    let dies = async {
        // Stored with its number; WeChat has not answered.
        world.until_told(&order, "1.00 of 9.90 CNY").await;
        machine.cut_power().await;
    };
    let (answer, ()) = tokio::join!(asked, dies);
    assert!(answer.is_none());

    world.start_server().await;
    let again =
        async || world.refund_once(&order, "refund-1", json!({ "amount": 100 })).await.unwrap();
    again().await.is_problem(409, "SP-IDEMPOTENCY-RUNNING");
    world.advance(61);
    let found = again().await;
    assert_eq!(found.status, 201, "{}", found.json);
    // The first call, which WeChat has been slow about, or the query of the refund's own work: whichever came first, WeChat
    // has it now, and gives the money back two seconds later.
    let has_it = |ledger: &Value| ledger["refunds"].as_array().is_some_and(|all| !all.is_empty());
    world.until_ledger("a refund at WeChat", has_it).await;
    world.advance(3);
    world.until_told(&order, "processing → succeeded").await;
    assert_eq!(again().await.json, found.json);

    // A day later the key is forgotten, but not what it gave back.
    world.advance(24 * 60 * 60 + 60);
    let late = again().await;
    assert_eq!((late.status, &late.json["id"]), (201, &found.json["id"]));
    assert_eq!(late.json["status"], "succeeded");
    world.advance(24 * 60 * 60 + 60);
    let other = world.refund_once(&order, "refund-1", json!({ "amount": 200 })).await.unwrap();
    other.is_problem(409, "SP-IDEMPOTENCY-REUSED");

    let at_wechat = world.control("ledger", None).await["refunds"].clone();
    assert_eq!(at_wechat.as_array().unwrap().len(), 1, "{at_wechat}");
    let order = world.merchant("GET", &format!("/v1/orders/{order}"), None).await;
    assert_eq!(order.json["amount_refunded"], 100);
}
