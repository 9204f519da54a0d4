//! The examples run, from the first line to the last.

use std::path::PathBuf;

use serde_json::{Value, json};
use suanpan_client::{Outside, SystemOutside};

use crate::common::*;

#[expect(dead_code, reason = "cargo runs `main`, the test runs `run`")]
#[path = "../../examples/jsapi_v3.rs"]
mod jsapi_v3;
#[expect(dead_code, reason = "cargo runs `main`, the test runs `run`")]
#[path = "../../examples/login.rs"]
mod login;
#[expect(dead_code, reason = "cargo runs `main`, the test runs `run`")]
#[path = "../../examples/unified_order_v2.rs"]
mod unified_order_v2;

const APP: &str = "wx2421b1c4370ec43b";
const OTHER_APP: &str = "wx0000000000000002";

/// What the simulator writes, as far as the examples read it.
fn credentials(directory: &tempfile::TempDir, town: &Town) -> PathBuf {
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let merchant = |app: &str| {
        json!({
            "mchid": "1900000109", "apps": [app], "api_v2_key": V2_KEY, "api_v3_key": SECRET,
            "merchant_serial": "5157F09EFDC096DE15EBE81A47057A72",
            "merchant_private_key": write("key.pem", &WECHAT.0),
            "wechatpay_public_key_id": KEY_ID,
            "wechatpay_public_key": write("pub_key.pem", &WECHAT.1),
        })
    };
    let file = json!({
        "base_url": town.url, "users": ["alice", "bob"],
        "merchants": [merchant(APP), merchant(OTHER_APP)],
        "apps": [{"appid": APP, "secret": SECRET}, {"appid": OTHER_APP, "secret": SECRET}],
    });
    write("credentials.json", &file.to_string())
}

/// The answers of a login, and then these.
async fn town(then: impl IntoIterator<Item = Say>) -> Town {
    let session = format!(r#"{{"openid":"{OPENID}","session_key":"{SESSION_KEY}"}}"#);
    Town::says([plain(200, r#"{"code":"0b3abc"}"#), plain(200, &session)].into_iter().chain(then))
        .await
}

#[track_caller]
fn signs(parameters: &str, sign_type: &str) {
    let parameters: Value = serde_json::from_str(parameters).unwrap();
    assert_eq!(parameters["package"], "prepay_id=wx201410272009395522657a690389285100");
    assert_eq!(parameters["signType"], sign_type);
    assert_eq!(parameters.as_object().unwrap().len(), 5);
}

#[tokio::test]
async fn login_says_who() {
    let (directory, town) = (tempfile::tempdir().unwrap(), town([]).await);
    let path = credentials(&directory, &town);
    let who = login::run(&path, Some(OTHER_APP)).await.unwrap();
    assert_eq!(who, "payer oUpF…6o of wx0000000000000002, merchant 1900000109");
    assert!(login::run(&path, Some("wx0000000000000003")).await.is_err());
}

#[tokio::test]
async fn jsapi_v3_orders_signs_and_closes() {
    let now = SystemOutside.now();
    let prepaid = r#"{"prepay_id":"wx201410272009395522657a690389285100"}"#;
    let town = town([signed_at(now, 200, prepaid), signed_at(now, 204, "")]).await;
    let directory = tempfile::tempdir().unwrap();
    let parameters = jsapi_v3::run(&credentials(&directory, &town), None).await.unwrap();
    signs(&parameters, "RSA");
    assert_eq!(town.heard().len(), 4);
}

#[tokio::test]
async fn unified_order_v2_orders_signs_and_closes() {
    let ok = [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("appid", OTHER_APP)];
    let prepay_id = ("prepay_id", "wx201410272009395522657a690389285100");
    let placed = [&ok[..], &[("trade_type", "JSAPI"), prepay_id]].concat();
    let town = town([xml(&placed), xml(&ok)]).await;
    let directory = tempfile::tempdir().unwrap();
    let parameters = unified_order_v2::run(&credentials(&directory, &town), None).await.unwrap();
    signs(&parameters, "HMAC-SHA256");
    assert!(town.heard()[3].starts_with("POST /pay/closeorder"));
}
