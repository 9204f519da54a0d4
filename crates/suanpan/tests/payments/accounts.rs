//! Many merchant accounts in one server: none touches what is another's.

use std::path::Path;

use serde_json::{Value, json};
use suanpan_server::Config;
use suanpan_server::account::Accounts;
use suanpan_server::config::MerchantConfig;
use suanpan_server::reconciliation::DayState;
use suanpan_server::vals;
use suanpan_wechat::v2::{Fields, SignType};
use suanpan_wechat::{ApiV2Key, MchId};

use crate::world::World;

/// The n-th merchant of the simulator as an account of the server: its API, and WeChat's keys as TOML.
pub(crate) fn account(credentials: &Value, nth: usize, api: &str, keys: &str) -> MerchantConfig {
    let entry = &credentials["merchants"][nth];
    let apps = credentials["apps"].as_array().unwrap().iter();
    let apps: Vec<String> = apps
        .filter(|app| entry["apps"].as_array().unwrap().contains(&app["appid"]))
        .map(|app| format!("{{ appid = {}, secret = {} }}", app["appid"], app["secret"]))
        .collect();
    let text = format!(
        "[[merchants]]\nmchid = {}\napi = \"{api}\"\napi_v2_key = {}\napi_v3_key = {}\n\
         merchant_certificate = {}\nmerchant_private_key = {}\n{keys}\napps = [{}]\n",
        entry["mchid"],
        entry["api_v2_key"],
        entry["api_v3_key"],
        entry["merchant_certificate"],
        entry["merchant_private_key"],
        apps.join(", "),
    );
    Config::parse(&text, Path::new("/")).unwrap().merchants.remove(0)
}

/// The WeChat Pay public key of the n-th merchant, as TOML.
pub(crate) fn public_key(credentials: &Value, nth: usize) -> String {
    let entry = &credentials["merchants"][nth];
    format!(
        "wechatpay_public_key_id = {}\nwechatpay_public_key = {}",
        entry["wechatpay_public_key_id"], entry["wechatpay_public_key"]
    )
}

/// The platform certificates of the n-th merchant, as TOML.
pub(crate) fn certificates(credentials: &Value, nth: usize) -> String {
    let listed = credentials["merchants"][nth]["platform_certificates"].as_array().unwrap();
    let paths: Vec<String> = listed.iter().map(|one| one["path"].to_string()).collect();
    format!("platform_certificates = [{}]", paths.join(", "))
}

/// Two accounts that speak APIv3, two that speak APIv2.
fn four(config: &mut Config, credentials: &Value) {
    config.merchants.push(account(credentials, 2, "v3", &certificates(credentials, 2)));
    config.merchants.push(account(credentials, 3, "v2", ""));
}

#[tokio::test]
async fn each_account_is_paid_for_its_own_orders() {
    let world = World::open_with(four).await;
    // The same reference at each: it is the merchant's own.
    let mut orders = Vec::new();
    for nth in 0..4 {
        let (app, order) = (world.app(nth), world.order("tea-1", &world.app(nth)).await);
        world.alice_pays(&app, &order).await;
        orders.push(order);
    }
    for order in &orders {
        world.until_status(order, "paid").await;
    }
    let ledger = world.control("ledger", None).await;
    let payments = ledger["payments"].as_array().unwrap();
    for nth in 0..4 {
        let mut own = payments.iter().filter(|paid| paid["mchid"] == world.mchid(nth));
        assert_eq!(own.next().unwrap()["appid"], world.app(nth));
        assert!(own.next().is_none());
    }
    assert_eq!(world.events().await, ["order.paid"; 4]);
}

#[tokio::test]
async fn a_login_of_one_accounts_app_pays_nothing_of_another() {
    let world = World::open_with(four).await;
    let order = world.order("tea-1", &world.app(2)).await;
    let code = world.login("alice", &world.app(0)).await;
    world.pay_with(&code, &order).await.is_problem(422, "SP-LOGIN-CODE-INVALID");
    assert_eq!(world.status(&order).await, "unpaid");
}

/// Merchant 3's own key signs a payment that names the order of merchant 1.
#[tokio::test]
async fn what_one_account_can_sign_moves_no_order_of_another() {
    let world = World::open_with(four).await;
    let (victim, thief) = (1, 3);
    let order = world.order("tea-1", &world.app(victim)).await;
    let params = world.pay("alice", &world.app(victim), &order).await;
    assert_eq!(params.status, 200, "{}", params.json);
    let ledger = world.control("ledger", None).await;
    let number = ledger["orders"][0]["out_trade_no"].as_str().unwrap().to_owned();
    let key = world.credentials["merchants"][thief]["api_v2_key"].as_str().unwrap();

    // By the thief's name and by the victim's, to the thief's address and to the victim's.
    for (named, path, code) in [
        (thief, thief, "SP-NOTIFY-UNMATCHED"),
        (victim, thief, "SP-NOTIFY-UNMATCHED"),
        (thief, victim, "SP-SIGNATURE"),
        (victim, victim, "SP-SIGNATURE"),
    ] {
        let (appid, mch_id) = (world.app(named), world.mchid(named));
        let mut fields = Fields::new();
        for (name, value) in [
            ("return_code", "SUCCESS"),
            ("result_code", "SUCCESS"),
            ("appid", &appid),
            ("mch_id", &mch_id),
            ("nonce_str", "n1"),
            ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
            ("trade_type", "JSAPI"),
            ("bank_type", "OTHERS"),
            ("total_fee", "990"),
            ("cash_fee", "990"),
            ("transaction_id", "4200000000202601010000000001"),
            ("out_trade_no", &number),
            ("time_end", "20260101080000"),
        ] {
            fields.set(name, value);
        }
        let xml = fields.signed(SignType::Md5, &ApiV2Key::parse(key).unwrap()).to_xml();
        let answer = world.notice(&world.mchid(path), &[("content-type", "text/xml")], xml).await;
        assert_eq!(answer.json["code"], code, "{named} {path}: {}", answer.json);
        assert_eq!(world.status(&order).await, "paying");
    }
    let told = world.sheet("alice", &world.app(victim), &params.json, "pay").await;
    assert_eq!(told, json!({ "errMsg": "requestPayment:ok" }));
    world.until_status(&order, "paid").await;
}

/// Two merchants' files in one folder are easily mixed up, and the first payment would find out.
#[tokio::test]
async fn a_merchants_certificate_in_wechats_place_is_named_at_start() {
    let world = World::open().await;
    let entries = &world.credentials["merchants"];
    let keys = format!("platform_certificates = [{}]", entries[3]["merchant_certificate"]);
    let mut config = Config::load(&world.folder.path().join("wechat/suanpan.toml")).unwrap();
    let refused = |config: &Config| match Accounts::load(config) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it was taken"),
    };
    config.merchants = vec![account(&world.credentials, 2, "v3", &keys)];
    let why = refused(&config);
    for part in [&world.mchid(2), "platform_certificates", &world.mchid(3), "apiclient_cert.pem"] {
        assert!(why.contains(part), "{part}: {why}");
    }

    // The other way round, and another merchant's pair.
    let wechats = entries[3]["platform_certificates"][0]["path"].as_str().unwrap();
    config.merchants = vec![account(&world.credentials, 0, "v3", "")];
    config.merchants[0].merchant_certificate = Some(wechats.into());
    let why = refused(&config);
    assert!(why.contains("this is WeChat's platform certificate"), "{why}");
    let path = |name: &str| Some(entries[3][name].as_str().unwrap().into());
    config.merchants[0].merchant_certificate = path("merchant_certificate");
    config.merchants[0].merchant_private_key = path("merchant_private_key");
    let why = refused(&config);
    assert!(why.contains(&format!("the certificate of merchant {}", world.mchid(3))), "{why}");
}

#[tokio::test]
async fn a_day_of_an_account_that_one_node_lacks_waits_for_one_that_has_it() {
    let mut world = World::open_with(|config, _| {
        config.reconciliation.enabled = true;
        config.merchants.truncate(1);
    })
    .await;
    world.configure = |config, _| config.reconciliation.enabled = true;
    // It has read the account, plans its yesterday, and goes.
    drop(world.idle_node().await);
    let (config, seams) = (world.config(), world.seams());
    let backend = suanpan_server::World::open(&config, seams).await.unwrap();
    let key = format!("reconcile:{}:2025-12-31", world.mchid(1));
    let waits = async || {
        let left = backend.store().look(key.clone(), |tx, key| {
            Box::pin(async move {
                let sql = "SELECT id FROM due WHERE key = $1 AND state = 'ready' AND last_error IS NOT NULL";
                tx.rows(sql, &vals![key.as_str()]).await
            })
        });
        !left.await.unwrap().is_empty()
    };
    world.advance(3 * 3600);
    world.until("left", waits).await;

    world.stop_server().await;
    world.start_server().await;
    let mchid = MchId::parse(&world.mchid(1)).unwrap();
    let compared = async || {
        world.advance(600);
        let day = backend.store().look(mchid.clone(), |tx, mchid| {
            Box::pin(async move { tx.reconciliation(mchid, "2025-12-31".parse().unwrap()).await })
        });
        day.await.unwrap().is_some_and(|day| day.state == DayState::Done)
    };
    world.until("compared", compared).await;
}
