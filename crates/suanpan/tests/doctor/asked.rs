//! What only WeChat can tell.

use serde_json::json;
use suanpan_server::doctor::Mark;

use crate::clinic::{CERTIFICATES, Clinic, PARTNER, V2, V3, marks, wanted};

/// A text of the right form that is another one.
fn another(text: &str) -> String {
    text.chars().rev().collect()
}

#[tokio::test]
async fn a_secret_that_wechat_does_not_know_is_named_by_its_code() {
    let mut clinic = Clinic::open(&[V3]).await;
    let place = "merchants.0.apps.0.secret";
    let secret = clinic.get(place);
    clinic.set(place, another(&secret));
    let report = clinic.examine(false).await;
    clinic.check("secret", &report, &wanted(&["problem wechat.app_secret"], "40125", "40125"));
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.set("merchants.0.apps.0.appid", "wx0123456789abcdef");
    let report = clinic.examine(false).await;
    clinic.check("appid", &report, &wanted(&["problem wechat.app_secret"], "40013", "40013"));
}

#[tokio::test]
async fn an_app_of_somebody_else_is_found_where_the_question_names_it() {
    let mut clinic = Clinic::open(&[V2]).await;
    let other = &clinic.credentials["apps"][0];
    let (appid, secret) = (other["appid"].clone(), other["secret"].clone());
    clinic.set("merchants.0.apps.0.appid", appid.as_str().unwrap());
    clinic.set("merchants.0.apps.0.secret", secret.as_str().unwrap());
    let report = clinic.examine(false).await;
    let want = &["problem wechat.binding"];
    clinic.check("v2", &report, &wanted(want, "APPID_MCHID_NOT_MATCH", "APPID_MCHID_NOT_MATCH"));
    assert_eq!(marks(&report, "wechat.v2_sign")[0].1, Mark::Ok);

    let mut clinic = Clinic::open(&[PARTNER]).await;
    clinic.set("merchants.0.apps.0.sub_mchid", "1699999999");
    let report = clinic.examine(false).await;
    clinic.check("partner", &report, &wanted(want, "NO_AUTH", "NO_AUTH"));
}

#[tokio::test]
async fn a_key_of_apiv2_is_proven_wrong() {
    let mut clinic = Clinic::open(&[V2]).await;
    let place = "merchants.0.api_v2_key";
    let key = clinic.get(place);
    clinic.set(place, another(&key));
    let report = clinic.examine(false).await;
    clinic.check("v2", &report, &wanted(&["problem wechat.v2_sign"], "APIv2 密钥", "APIv2 key"));
    // Where orders go by APIv3 nobody is hurt yet.
    let mut clinic = Clinic::open(&[V3]).await;
    let key = clinic.get(place);
    clinic.set(place, another(&key));
    let report = clinic.examine(false).await;
    clinic.check("v3", &report, &wanted(&["warn wechat.v2_sign"], "APIv2 密钥", "APIv2 key"));
}

#[tokio::test]
async fn a_key_of_apiv3_is_proven_wrong_where_there_is_something_to_open() {
    let mut clinic = Clinic::open(&[CERTIFICATES]).await;
    let place = "merchants.0.api_v3_key";
    let key = clinic.get(place);
    clinic.set(place, another(&key));
    let report = clinic.examine(false).await;
    clinic.check("v3", &report, &wanted(&["problem wechat.v3_key"], "APIv3 密钥", "APIv3 key"));
    assert_eq!(marks(&report, "wechat.v3_sign")[0].1, Mark::Ok);
}

/// Certificate and key are a pair of this merchant, and not the one that WeChat knows: as after a renewal.
#[tokio::test]
async fn a_signature_that_wechat_does_not_take_is_traced_to_the_certificate() {
    let mut clinic = Clinic::open(&[V3]).await;
    let folder = clinic.folder.path();
    let (certificate, key) = (folder.join("old_cert.pem"), folder.join("old_key.pem"));
    let openssl = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365", "-subj"])
        .arg(format!("/CN={}", clinic.of(V3, "mchid")))
        .arg("-out")
        .arg(&certificate)
        .arg("-keyout")
        .arg(&key)
        .output()
        .unwrap();
    assert!(openssl.status.success(), "{openssl:?}");
    clinic.set("merchants.0.merchant_certificate", certificate.to_str().unwrap());
    clinic.set("merchants.0.merchant_private_key", key.to_str().unwrap());
    let report = clinic.examine(false).await;
    let want = &["problem wechat.v3_sign"];
    clinic.check("renewed", &report, &wanted(want, "不是商户号", "not in use"));
    assert_eq!(marks(&report, "wechat.v3_answer")[0].1, Mark::Skipped);
}

#[tokio::test]
async fn answers_must_verify() {
    const WANT: &[&str] = &["problem wechat.v3_answer"];
    // The right id, and another key.
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.set("merchants.0.wechatpay_public_key", clinic.of(PARTNER, "wechatpay_public_key"));
    let report = clinic.examine(false).await;
    clinic.check("key", &report, &wanted(WANT, "pub_key.pem", "pub_key.pem"));
    assert_eq!(marks(&report, "wechat.v3_sign")[0].1, Mark::Ok);
    // A merchant in public key mode with nothing to verify by.
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.unset("merchants.0.wechatpay_public_key");
    clinic.unset("merchants.0.wechatpay_public_key_id");
    let id = clinic.of(V3, "wechatpay_public_key_id");
    let report = clinic.examine(false).await;
    clinic.check("mode", &report, &wanted(WANT, &id, &id));
    // And one that has been given somebody else's platform certificate.
    let path = &clinic.credentials["merchants"][CERTIFICATES]["platform_certificates"][0]["path"];
    let path = toml::Value::from(path.as_str().unwrap());
    clinic.set("merchants.0.platform_certificates", vec![path]);
    let report = clinic.examine(false).await;
    clinic.check("certificates", &report, &wanted(WANT, &id, &id));
}

/// A merchant with certificates has them fetched.
#[tokio::test]
async fn platform_certificates_need_not_be_configured() {
    let mut clinic = Clinic::open(&[CERTIFICATES]).await;
    clinic.unset("merchants.0.platform_certificates");
    let report = clinic.examine(false).await;
    clinic.check("fetched", &report, &wanted(&[], "", ""));
    assert_eq!(marks(&report, "wechat.v3_answer")[0].1, Mark::Ok);
}

#[tokio::test]
async fn the_clock_is_compared_with_wechats() {
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.clock_off(90);
    clinic.check("90 s", &clinic.examine(false).await, &wanted(&["warn net.clock"], "快", "ahead"));
    clinic.clock_off(-600);
    let report = clinic.examine(false).await;
    clinic.check("-600 s", &report, &wanted(&["problem net.clock"], "慢", "behind"));
    assert_eq!(marks(&report, "wechat.v3_sign")[0].1, Mark::Skipped);
    let mut clinic = Clinic::open(&[V2]).await;
    clinic.clock_off(30);
    clinic.check("30 s", &clinic.examine(false).await, &wanted(&[], "", ""));
}

#[tokio::test]
async fn a_wechat_that_is_not_there_is_named_with_its_step() {
    const WANT: &[&str] = &["problem net.reach"];
    let mut clinic = Clinic::open(&[V3]).await;
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    clinic.set("wechat.merchant_hosts", vec![toml::Value::from(url.clone())]);
    clinic.set("wechat.platform_host", url);
    let report = clinic.examine(false).await;
    clinic.check("refused", &report, &wanted(WANT, "拒绝", "refused"));
    let blocked = ["wechat.v3_sign", "wechat.v2_sign", "wechat.app_secret", "net.clock"];
    for id in blocked {
        assert_eq!(marks(&report, id)[0].1, Mark::Skipped, "{id}");
    }
    // A name that there is not.
    clinic.set("wechat.platform_host", "https://wechat.invalid");
    let report = clinic.examine(false).await;
    let hosts = marks(&report, "net.reach");
    assert_eq!(hosts.len(), 2, "{hosts:?}");
    let fix = report.checks.iter().find(|one| one.subject == "https://wechat.invalid").unwrap();
    assert!(fix.fix.as_ref().unwrap().en.contains("resolved"), "{fix:?}");
}

/// The machine speaks plain http where TLS is expected.
#[tokio::test]
async fn tls_that_fails_is_told_apart() {
    let mut clinic = Clinic::open(&[V3]).await;
    let url = clinic.simulator.replace("http://", "https://");
    clinic.set("wechat.platform_host", url.clone());
    clinic.set("wechat.merchant_hosts", vec![toml::Value::from(url)]);
    let report = clinic.examine(false).await;
    clinic.check("tls", &report, &wanted(&["problem net.reach"], "TLS", "TLS"));
}

#[tokio::test]
async fn shipments_that_wechat_wants_to_hear_of_are_told() {
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.set("merchants.0.apps.0.shipping", "none");
    let report = clinic.examine(false).await;
    clinic.check("none", &report, &wanted(&["warn shipping.managed"], "shipping", "shipping"));
    let app = clinic.get("merchants.0.apps.0.appid");
    clinic.control("switches", json!({ "trade_unmanaged_apps": [app] })).await;
    clinic.check("unmanaged", &clinic.examine(false).await, &wanted(&[], "", ""));
}

/// A doubt is no verdict.
#[tokio::test]
async fn a_wechat_that_has_trouble_of_its_own_is_no_problem_of_ours() {
    let clinic = Clinic::open(&[V3]).await;
    for on in [
        "POST /cgi-bin/stable_token",
        "GET /v3/pay/transactions/out-trade-no/{n}",
        "POST /pay/orderquery",
    ] {
        clinic.control("faults", json!({ "on": on, "fault": "system_error" })).await;
    }
    let report = clinic.examine(false).await;
    // What APIv2 answers is signed, also where it is a doubt: it took ours.
    let want = &["warn wechat.app_secret", "warn wechat.v3_sign"];
    clinic.check("doubt", &report, &wanted(want, "过一会儿", "later"));
}

#[tokio::test]
async fn a_probe_of_wechats_is_no_problem() {
    let clinic = Clinic::open(&[V3]).await;
    clinic.control("faults", json!({ "on": "*", "fault": "signtest", "times": 1 })).await;
    clinic.check("probe", &clinic.examine(false).await, &wanted(&[], "", ""));
}
