//! The file itself, the address by which WeChat reaches us, endpoints, and settings that are not safe.

use suanpan_server::doctor::{Mark, Wish};
use toml::Value;

use crate::clinic::{Clinic, V2, V3, Wanted, marks, wanted};

const SETTINGS: &[&str] = &["problem config.settings"];

/// Sets one thing of a configuration for the real WeChat, and looks offline.
async fn spoil(place: &str, value: impl Into<Value>, wanted: Wanted<'_>) {
    let mut clinic = Clinic::open_real(&[V3]).await;
    let value = value.into();
    clinic.set(place, value.clone());
    clinic.check(&format!("{place} = {value}"), &clinic.examine(true).await, &wanted);
}

#[tokio::test]
async fn a_file_that_is_no_toml_is_named_with_its_line_and_without_it() {
    let clinic = Clinic::open(&[V3]).await;
    let text = "[server]\n\n[[merchants]]\napi_v3_key = hunter2hunter2\n";
    let report = clinic.examine_text(text, &Wish { offline: true, ..Wish::default() }).await;
    clinic.check("TOML", &report, &wanted(&["problem config.parses"], "第 4 行", "line 4"));
    assert!(!serde_json::to_string(&report).unwrap().contains("hunter2"));
    // Nothing else could be looked at, and that is said of each.
    let skipped = report.checks.iter().filter(|one| one.because == ["config.parses"]);
    assert_eq!(skipped.count(), report.checks.len() - 1);
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_value_are_named() {
    spoil("server.lisen", "127.0.0.1:1", wanted(SETTINGS, "server.listen", "server.listen")).await;
    spoil(
        "server.max_connections",
        "many",
        wanted(SETTINGS, "server.max_connections", "server.max_connections"),
    )
    .await;
    spoil("server.request_timeout_seconds", 600, wanted(SETTINGS, "50", "50")).await;
    spoil("console.idle_minutes", 0, wanted(SETTINGS, "720", "720")).await;
    spoil("retention.inbox_days", 1, wanted(SETTINGS, "36500", "36500")).await;
    spoil("webhooks.timeout_seconds", 90, wanted(SETTINGS, "50", "50")).await;
    spoil("orders.prepay_seconds", 7201, wanted(SETTINGS, "7200", "7200")).await;
    spoil("refunds.second_person_above", -1, wanted(SETTINGS, "负数", "negative")).await;
    spoil("log.format", "xml", wanted(SETTINGS, "json", "json")).await;
    spoil("tea.kind", "green", wanted(SETTINGS, "tea", "tea")).await;
    let both = &["problem config.settings", "problem key.v3"];
    let mut clinic = Clinic::open(&[V3]).await;
    let key = clinic.get("merchants.0.api_v3_key");
    clinic.unset("merchants.0.api_v3_key");
    clinic.set("merchants.0.api_v3_kye", key);
    clinic.check(
        "kye",
        &clinic.examine(true).await,
        &wanted(both, "merchants[0].api_v3_key？", "merchants[0].api_v3_key?"),
    );
}

/// One wrong setting hides none of the others.
#[tokio::test]
async fn several_mistakes_are_found_at_once() {
    let mut clinic = Clinic::open(&[V3, V2]).await;
    clinic.set("server.lisen", "x");
    clinic.set("limits.pay_per_minute", "many");
    let key = clinic.get("merchants.0.api_v3_key");
    clinic.set("merchants.0.api_v3_key", key[..31].to_owned());
    clinic.set("merchants.1.merchant_private_key", clinic.of(V3, "merchant_private_key"));
    let report = clinic.examine(true).await;
    let speak = &["problem config.settings", "problem key.v3", "problem key.pair"];
    clinic.check("several", &report, &wanted(speak, "lisen", "lisen"));
    assert_eq!(marks(&report, "config.settings").len(), 2);
}

#[tokio::test]
async fn what_only_a_start_would_find_is_found() {
    const START: &[&str] = &["problem config.start"];
    spoil("database.url", "mysql://db", wanted(START, "mysql", "mysql")).await;
    spoil(
        "wechat.platform_host",
        "https://api.weixin.qq.com/sns",
        wanted(START, "only scheme", "only scheme"),
    )
    .await;
}

#[tokio::test]
async fn wechat_must_be_able_to_reach_the_notify_url() {
    const WANT: &[&str] = &["problem public.url"];
    let place = "server.public_url";
    for (url, zh, en) in [
        ("http://pay.example.com", "不是 https", "not https"),
        ("https://pay.example.com?shop=1", "带着 ?", "has a ?"),
        ("https://pay.example.com/#top", "带着 ?", "has a ?"),
        ("https://localhost", "不在公网", "not on the internet"),
        ("https://10.0.0.8", "不在公网", "not on the internet"),
        ("https://192.168.1.2:8443", "不在公网", "not on the internet"),
        ("https://[::1]", "不在公网", "not on the internet"),
        ("https://shop.local", "不在公网", "not on the internet"),
        ("https://81.69.104.1", "IP 地址", "bare address"),
        ("https://me:tea@pay.example.com", "用户名", "user"),
        ("https://pay.example.com/wechat/notify/1900000109", "通知地址本身", "notify URL itself"),
        ("pay.example.com", "不是网址", "no address"),
        (" https://pay.example.com", "空格", "blanks"),
    ] {
        spoil(place, url, wanted(WANT, zh, en)).await;
    }
    let long = format!("https://pay.example.com/{}", "a".repeat(230));
    spoil(place, long, wanted(WANT, "255", "255")).await;
    let mut clinic = Clinic::open_real(&[V3]).await;
    clinic.unset(place);
    clinic.check("none", &clinic.examine(true).await, &wanted(WANT, "public_url", "public_url"));
}

#[tokio::test]
async fn what_works_and_is_not_safe_is_told() {
    spoil(
        "webhooks.allow_private_networks",
        true,
        wanted(&["warn safe.private_networks"], "内网", "private"),
    )
    .await;
    spoil(
        "wechat.allow_plain_http",
        true,
        wanted(&["problem safe.plain_http"], "allow_plain_http", "allow_plain_http"),
    )
    .await;
    spoil(
        "server.trusted_proxies",
        vec![Value::from("0.0.0.0")],
        wanted(&["problem safe.proxies"], "0.0.0.0", "0.0.0.0"),
    )
    .await;
    spoil(
        "server.trusted_proxies",
        Vec::<Value>::new(),
        wanted(&["warn safe.proxies"], "trusted_proxies", "trusted_proxies"),
    )
    .await;
    let mut clinic = Clinic::open_real(&[V3]).await;
    clinic.set("server.listen", "0.0.0.0:8080");
    clinic.set("server.trusted_proxies", Vec::<Value>::new());
    clinic.check(
        "open",
        &clinic.examine(true).await,
        &wanted(&["warn safe.listen"], "127.0.0.1", "127.0.0.1"),
    );
    let mut clinic = Clinic::open_real(&[V3]).await;
    clinic.set("wechat.allow_plain_http", true);
    clinic.set("wechat.platform_host", "http://api.weixin.qq.com");
    clinic.check(
        "plain",
        &clinic.examine(true).await,
        &wanted(
            &["problem safe.plain_http"],
            "https://api.weixin.qq.com",
            "https://api.weixin.qq.com",
        ),
    );
}

#[tokio::test]
async fn an_endpoint_can_be_called_and_has_a_key() {
    const WANT: &[&str] = &["problem webhook.form"];
    const GOOD: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    for (url, secret, events, zh, en) in [
        ("http://shop.example.com/hook", Some(GOOD), None, "https", "https"),
        ("https://10.0.0.8/hook", Some(GOOD), None, "公网", "public"),
        ("https://shop.example.com/hook", None, None, "没有密钥", "no key"),
        ("https://shop.example.com/hook", Some("tea"), None, "whsec_", "whsec_"),
        (
            "https://shop.example.com/hook",
            Some(GOOD),
            Some("order.payed"),
            "order.paid",
            "order.paid",
        ),
    ] {
        let mut endpoint = toml::Table::new();
        endpoint.insert("url".to_owned(), url.into());
        if let Some(secret) = secret {
            endpoint.insert("secret".to_owned(), secret.into());
        }
        if let Some(event) = events {
            endpoint.insert("events".to_owned(), vec![Value::from(event)].into());
        }
        spoil("webhooks.endpoints", vec![Value::Table(endpoint)], wanted(WANT, zh, en)).await;
    }
}

#[tokio::test]
async fn only_what_is_wished_for_is_looked_at() {
    let clinic = Clinic::open(&[V3, V2]).await;
    let text = toml::to_string(&clinic.toml).unwrap();
    let wish = Wish { only: vec!["key".to_owned(), "app.appid".to_owned()], ..Wish::default() };
    let report = clinic.examine_text(&text, &wish).await;
    assert!(
        report
            .checks
            .iter()
            .all(|one| one.check.id == "app.appid" || one.check.id.starts_with("key."))
    );
    assert!(report.checks.iter().any(|one| one.result == Mark::Ok));
    let file = clinic.write();
    let wish = Wish { only: vec!["tea".to_owned()], ..Wish::default() };
    assert!(suanpan_server::doctor::examine(&file, &wish, &clinic.seams).await.is_err());
}
