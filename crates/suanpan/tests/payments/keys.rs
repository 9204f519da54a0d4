//! WeChat's keys: rotated, migrated, missing at the start, and asked for by strangers.

use serde_json::{Value, json};
use suanpan_server::Config;

use crate::accounts::{account, certificates, public_key};
use crate::gate::Gate;
use crate::world::World;

/// The merchant with two platform certificates.
const FLOWERS: usize = 2;

fn with_certificates(config: &mut Config, credentials: &Value) {
    config.merchants.push(account(credentials, FLOWERS, "v3", &certificates(credentials, FLOWERS)));
}

/// In the midst of the migration: old certificates and the new key.
fn with_both(config: &mut Config, credentials: &Value) {
    let keys = [certificates(credentials, FLOWERS), public_key(credentials, FLOWERS)].join("\n");
    config.merchants.push(account(credentials, FLOWERS, "v3", &keys));
}

fn without_keys(config: &mut Config, credentials: &Value) {
    config.merchants.push(account(credentials, FLOWERS, "v3", ""));
}

/// A new merchant of WeChat's, who forgot to configure the public key.
fn without_the_public_key(config: &mut Config, credentials: &Value) {
    config.merchants[0] = account(credentials, 0, "v3", "");
}

/// Waits until certificates were fetched, and taken in, so many times since the start of the server.
async fn until_fetched(world: &World, times: usize) {
    let counted = format!("suanpan_key_refreshes_total{{outcome=\"done\"}} {times}\n");
    world.until("certificates fetched", async || world.metrics().await.contains(&counted)).await;
}

async fn change(world: &World, change: Value) {
    let mut body = change;
    body["mchid"] = json!(world.mchid(FLOWERS));
    world.control("keys", Some(body)).await;
}

async fn tries(world: &World) -> Vec<Value> {
    let ledger = world.control("ledger", None).await;
    let last = ledger["notifications"].as_array().unwrap().last().unwrap().clone();
    last["tries"].as_array().unwrap().iter().map(|tried| tried["status"].clone()).collect()
}

/// Not refused, and so not repeated. The order is paid a moment before WeChat has our word for it.
async fn acknowledged(world: &World) {
    world.until("acknowledged at once", async || tries(world).await == [204]).await;
}

#[tokio::test]
async fn a_notification_with_a_new_certificate_is_believed_at_once() {
    let mut world = World::open_with(with_certificates).await;
    until_fetched(&world, 1).await;
    let app = world.app(FLOWERS);
    let order = world.order("roses", &app).await;
    let params = world.pay("alice", &app, &order).await.json;

    change(&world, json!({ "rotate": true })).await;
    world.sheet("alice", &app, &params, "pay").await;
    world.until_status(&order, "paid").await;
    acknowledged(&world).await;
    assert_eq!(world.asked("/v3/certificates").await, 2);

    // It is kept: another start needs no WeChat for it.
    world.fault("GET /v3/certificates", "http_500", json!({})).await;
    world.stop_server().await;
    world.start_server().await;
    let order = world.order("tulips", &app).await;
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;
    acknowledged(&world).await;
}

#[tokio::test]
async fn an_answer_with_a_new_certificate_is_asked_for_again_and_believed() {
    let world = World::open_with(with_certificates).await;
    until_fetched(&world, 1).await;
    // The old ones are gone, so nothing that we hold signs any more.
    change(&world, json!({ "rotate": true, "retire": true })).await;
    let app = world.app(FLOWERS);
    let order = world.order("roses", &app).await;
    let params = world.pay("alice", &app, &order).await;
    assert_eq!(params.status, 200, "{}", params.json);
    assert_eq!(world.asked("/v3/pay/transactions/jsapi").await, 2, "once under each key");
    let ledger = world.control("ledger", None).await;
    assert_eq!(ledger["orders"].as_array().unwrap().len(), 1, "and under one number");
}

#[tokio::test]
async fn certificates_are_fetched_every_twelve_hours() {
    let world = World::open_with(with_certificates).await;
    until_fetched(&world, 1).await;
    world.advance(12 * 3600 - 1);
    assert_eq!(world.asked("/v3/certificates").await, 1);
    world.advance(1);
    until_fetched(&world, 2).await;
}

#[tokio::test]
async fn a_migration_to_the_public_key_loses_no_payment() {
    let mut world = World::open_with(with_certificates).await;
    until_fetched(&world, 1).await;
    let app = world.app(FLOWERS);

    // WeChat signs with the new key before the operator has configured it: refused, and kept by WeChat.
    let early = world.order("early", &app).await;
    let params = world.pay("alice", &app, &early).await.json;
    change(&world, json!({ "mode": "public_key" })).await;
    world.sheet("alice", &app, &params, "pay").await;
    world
        .until_ledger("refused", |ledger| {
            ledger["notifications"][0]["tries"][0]["status"] == json!(401)
        })
        .await;
    assert_eq!(world.status(&early).await, "paying");

    // Both are configured while WeChat goes from one to the other.
    change(&world, json!({ "mode": "migrating" })).await;
    world.stop_server().await;
    world.configure = with_both;
    world.start_server().await;
    world.advance(15);
    world.until_status(&early, "paid").await;

    // The first try is signed with the certificate and lost, the second with the key.
    let late = world.order("late", &app).await;
    world.fault("notify", "lose", json!({ "times": 1 })).await;
    world.alice_pays(&app, &late).await;
    world.advance(15);
    world.until_status(&late, "paid").await;

    // At the end there are no certificates to fetch, and nothing is wrong with that.
    change(&world, json!({ "mode": "public_key" })).await;
    world.advance(12 * 3600);
    until_fetched(&world, 1).await;
    let last = world.order("last", &app).await;
    world.alice_pays(&app, &last).await;
    world.until_status(&last, "paid").await;
    assert_eq!(world.ready().await["status"], "ready");
}

#[tokio::test]
async fn a_server_without_keys_starts_and_gets_them_when_wechat_is_there() {
    let mut world = World::open_with(|_, _| {}).await;
    world.fault("GET /v3/certificates", "http_500", json!({})).await;
    world.stop_server().await;
    world.configure = without_keys;
    world.start_server().await;
    world
        .until("named", async || world.ready().await["degraded"][0]["code"] == json!("SP-REFUSED"))
        .await;
    let ready = world.ready().await;
    assert_eq!(ready["status"], "degraded", "{ready}");
    assert_eq!(ready["degraded"][0]["mchid"], world.mchid(FLOWERS));
    assert!(world.metrics().await.contains("suanpan_accounts_degraded 1"));

    // The others are served, and this one's orders are taken in.
    let other = world.order("tea", &world.app(0)).await;
    world.alice_pays(&world.app(0), &other).await;
    world.until_status(&other, "paid").await;
    let app = world.app(FLOWERS);
    let order = world.order("roses", &app).await;
    world.pay("alice", &app, &order).await.is_problem(503, "SP-WECHAT-UNKNOWN");

    let faults = format!("{}/_sim/faults", world.simulator);
    assert_eq!(world.call("DELETE", faults, None).await.status, 200);
    world.advance(600);
    world.until("ready", async || world.ready().await["status"] == json!("ready")).await;
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;
}

#[tokio::test]
async fn nobody_to_be_reached_is_no_reason_not_to_start() {
    fn nowhere(config: &mut Config, credentials: &Value) {
        without_keys(config, credentials);
        config.wechat.merchant_hosts = vec!["http://127.0.0.1:1".to_owned()];
    }
    let world = World::open_with(nowhere).await;
    world
        .until("named", async || {
            world.ready().await["degraded"][0]["code"] == json!("SP-UNREACHABLE")
        })
        .await;
    assert_eq!(world.order("roses", &world.app(FLOWERS)).await.len(), 52);
}

#[tokio::test]
async fn a_merchant_without_certificates_is_told_to_configure_the_public_key() {
    let world = World::open_with(without_the_public_key).await;
    world
        .until("named", async || {
            world.ready().await["degraded"][0]["code"] == json!("SP-KEYS-PUBLIC")
        })
        .await;
    let remedy = world.ready().await["degraded"][0]["remedy"].clone();
    assert!(remedy.as_str().unwrap().contains("wechatpay_public_key"), "{remedy}");
}

#[tokio::test]
async fn invented_serials_make_us_ask_once_a_minute() {
    let world = World::open_with(with_certificates).await;
    until_fetched(&world, 1).await;
    let knock = async |serial: &str, signature: &str| {
        let now = (world.now() / 1_000_000).to_string();
        let headers = [
            ("wechatpay-serial", serial),
            ("wechatpay-timestamp", &now),
            ("wechatpay-nonce", "n1"),
            ("wechatpay-signature", signature),
        ];
        world.notice(&world.mchid(FLOWERS), &headers, "{}".to_owned()).await
    };
    for digit in 0..5 {
        let serial = format!("7F0000000000000000000000000000000000000{digit}");
        knock(&serial, "AAAA").await.is_problem(401, "SP-SERIAL");
    }
    assert_eq!(world.asked("/v3/certificates").await, 2);
    world.advance(60);
    knock("7F00000000000000000000000000000000000009", "AAAA").await.is_problem(401, "SP-SERIAL");
    assert_eq!(world.asked("/v3/certificates").await, 3);

    // WeChat's own probe is refused too, and counted apart.
    let known = &world.credentials["merchants"][FLOWERS]["platform_certificates"][0]["serial"];
    let probe = format!("WECHATPAY/SIGNTEST/{}", "A".repeat(344));
    knock(known.as_str().unwrap(), &probe).await.is_problem(401, "SP-SIGNTEST");
    // An answer that is a probe is asked for again.
    world.fault("POST /v3/pay/transactions/jsapi", "signtest", json!({ "times": 1 })).await;
    let order = world.order("roses", &world.app(FLOWERS)).await;
    assert_eq!(world.pay("alice", &world.app(FLOWERS), &order).await.status, 200);
    let page = world.metrics().await;
    for line in [
        "suanpan_notifications_total{verdict=\"probe\"} 1\n",
        "suanpan_notifications_total{verdict=\"refused\"} 6\n",
        "suanpan_wechat_answer_probes_total 1\n",
    ] {
        assert!(page.contains(line), "{page}");
    }
}

/// A refund is asked for under a key that is gone: fetched, asked again under the same number, believed.
#[tokio::test]
async fn a_refund_survives_a_change_of_certificates() {
    let world = World::open_with(with_certificates).await;
    until_fetched(&world, 1).await;
    let app = world.app(FLOWERS);
    let order = world.paid("roses", &app).await;
    change(&world, json!({ "rotate": true, "retire": true })).await;
    let made = world.refund(&order, json!({})).await;
    assert_eq!(made.status, 201, "{}", made.json);
    assert_eq!(made.json["problem"], Value::Null, "believed at once: {}", made.json);
    assert_eq!(world.refunds_at_wechat().await.len(), 1);

    // Nobody tells how it ended, so it is asked about: after one more change.
    world.fault("notify", "lose", json!({})).await;
    change(&world, json!({ "rotate": true, "retire": true })).await;
    world.advance(60);
    let id = made.json["id"].clone();
    world.until("back", async || world.refund_now(&id).await["status"] == "succeeded").await;
}

/// Many answers at once under a key that is not here: one of them fetches it for all.
#[tokio::test]
async fn a_new_certificate_is_fetched_once_for_all_who_wait() {
    let world = World::open_with(with_certificates).await;
    until_fetched(&world, 1).await;
    let app = world.app(FLOWERS);
    let mut orders = Vec::new();
    for nth in 0..6 {
        orders.push(world.order(&format!("roses-{nth}"), &app).await);
    }
    change(&world, json!({ "rotate": true, "retire": true })).await;
    let payers = orders.iter().map(|order| world.pay("alice", &app, order));
    for paid in futures_util::future::join_all(payers).await {
        assert_eq!(paid.status, 200, "{}", paid.json);
    }
    assert_eq!(world.asked("/v3/certificates").await, 2);
}

#[tokio::test]
async fn strangers_with_invented_keys_wait_for_nobody_and_make_nobody_wait() {
    let mut world = World::open_with(with_certificates).await;
    until_fetched(&world, 1).await;
    let gate = Gate::before(&world.simulator).await;
    let host = gate.url.clone();
    let node = world.start_node(|config| config.wechat.merchant_hosts = vec![host]).await;
    // One of them makes us ask WeChat, which takes its time.
    let mut held = gate.hold_question("/v3/certificates", 1);
    let forged = async |serial: u32| {
        let url = format!("{node}/wechat/notify/{}", world.mchid(FLOWERS));
        let post = reqwest::Client::new().post(url).body("{}");
        let post = post.header("wechatpay-timestamp", (world.now() / 1_000_000).to_string());
        let post = post.header("wechatpay-nonce", "n").header("wechatpay-signature", "c2lnbg==");
        let post = post.header("wechatpay-serial", format!("{serial:040X}"));
        post.send().await.unwrap().status().as_u16()
    };
    let prompts = async {
        // The node may still be looking at what is kept, and then it is the next that prompts it.
        while gate.passed().is_empty() {
            assert_eq!(forged(1).await, 401);
        }
    };
    let ((), ()) = tokio::join!(prompts, async {
        held.arrives().await;
        for serial in 2..20 {
            assert_eq!(forged(serial).await, 401);
        }
        held.let_through();
    });
    let asked = gate.passed().iter().filter(|passed| passed.path == "/v3/certificates").count();
    assert_eq!(asked, 1);
}
