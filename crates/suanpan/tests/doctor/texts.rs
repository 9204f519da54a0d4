//! Numbers and keys of one line, each spoiled in one way.

use crate::clinic::{CERTIFICATES, Clinic, PARTNER, V2, V3, Wanted, wanted};

/// Changes one setting of a healthy v3 account (the first) beside a v2 account (the second), and looks offline.
async fn spoil(place: &str, change: impl Fn(&str) -> String, wanted: Wanted<'_>) {
    let mut clinic = Clinic::open(&[V3, V2]).await;
    let healthy = clinic.get(place);
    let spoiled = change(&healthy);
    clinic.set(place, spoiled.clone());
    let report = clinic.examine(true).await;
    clinic.check(&format!("{place} = {spoiled:?}"), &report, &wanted);
}

const V3_KEY: &[&str] = &["problem key.v3"];
const V2_KEY: &[&str] = &["problem key.v2"];

#[tokio::test]
async fn a_key_is_32_letters_and_digits_and_nothing_around_them() {
    let key = "merchants.0.api_v3_key";
    spoil(key, |key| key[..31].to_owned(), wanted(V3_KEY, "31 个字符", "31 characters")).await;
    spoil(key, |key| format!("{key}x"), wanted(V3_KEY, "33 个字符", "33 characters")).await;
    spoil(key, |key| format!("{key}\n"), wanted(V3_KEY, "换行", "line break")).await;
    spoil(key, |key| format!(" {key}"), wanted(V3_KEY, "空格", "blanks")).await;
    spoil(key, |key| format!("\"{key}\""), wanted(V3_KEY, "引号", "quotes")).await;
    spoil(key, |key| format!("\u{feff}{key}"), wanted(V3_KEY, "BOM", "BOM")).await;
    spoil(key, |key| format!("{key}\\n"), wanted(V3_KEY, "\\n", "\\n")).await;
    spoil(
        key,
        |key| format!("{}-{}", &key[..15], &key[16..]),
        wanted(V3_KEY, "第 16 个", "character 16"),
    )
    .await;
    spoil(key, |_| String::new(), wanted(V3_KEY, "空的", "empty")).await;
}

#[tokio::test]
async fn something_else_in_the_place_of_a_key_is_recognised() {
    let key = "merchants.0.api_v3_key";
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
    spoil(key, |_| pem.to_owned(), wanted(V3_KEY, "PEM", "PEM")).await;
    let serial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
    spoil(key, |_| serial.to_owned(), wanted(V3_KEY, "序列号", "serial number")).await;
    let id = "PUB_KEY_ID_0116000000002026";
    spoil(key, |_| id.to_owned(), wanted(V3_KEY, "公钥 ID", "public key")).await;
    let app = "wx2421b1c4370ec43b";
    spoil(key, |_| app.to_owned(), wanted(V3_KEY, "AppID", "AppID")).await;
    spoil("merchants.1.api_v2_key", |key| key[..30].to_owned(), wanted(V2_KEY, "30", "30")).await;
}

#[tokio::test]
async fn keys_in_each_others_places_are_found() {
    for (place, name) in
        [("merchants.0.api_v3_key", "api_v3_key"), ("merchants.1.api_v2_key", "api_v2_key")]
    {
        let mut clinic = Clinic::open(&[V3, V2]).await;
        let secret = clinic.get(&format!("{}.apps.0.secret", &place[..11]));
        clinic.set(place, secret);
        let report = clinic.examine(true).await;
        clinic.check(place, &report, &wanted(&["problem key.mixed"], name, "AppSecret"));
    }
    let mut clinic = Clinic::open(&[V3]).await;
    let v3 = clinic.get("merchants.0.api_v3_key");
    clinic.set("merchants.0.api_v2_key", v3);
    let report = clinic.examine(true).await;
    clinic.check("twice", &report, &wanted(&["warn key.mixed"], "同一个", "the same"));
}

#[tokio::test]
async fn a_key_that_is_missing_or_there_twice_is_named() {
    let mut clinic = Clinic::open(&[V3, V2]).await;
    clinic.unset("merchants.0.api_v3_key");
    clinic.unset("merchants.1.api_v2_key");
    let both = &["problem key.v3", "problem key.v2"];
    clinic.check("missing", &clinic.examine(true).await, &wanted(both, "api_v3_key", "api_v3_key"));

    let mut clinic = Clinic::open(&[V3]).await;
    let key = clinic.get("merchants.0.api_v3_key");
    clinic.file("api_v3.key", key);
    clinic.set("merchants.0.api_v3_key_file", "api_v3.key");
    let settings = &["problem config.settings"];
    clinic.check("twice", &clinic.examine(true).await, &wanted(settings, "只能写一个", "not both"));
    clinic.unset("merchants.0.api_v3_key");
    clinic.check("in a file", &clinic.examine(true).await, &wanted(&[], "", ""));
    clinic.set("merchants.0.api_v3_key_file", "nowhere.key");
    clinic.check(
        "nowhere",
        &clinic.examine(true).await,
        &wanted(V3_KEY, "nowhere.key", "nowhere.key"),
    );
}

#[tokio::test]
async fn an_appid_and_its_secret_have_a_form() {
    const APP: &[&str] = &["problem app.appid"];
    const SECRET: &[&str] = &["problem app.secret"];
    let app = "merchants.0.apps.0.appid";
    spoil(app, |_| "gh_0123456789ab".to_owned(), wanted(APP, "原始 ID", "original id")).await;
    spoil(app, |_| "1900000109".to_owned(), wanted(APP, "商户号", "merchant number")).await;
    spoil(app, |app| app[..17].to_owned(), wanted(APP, "16 位", "16 hexadecimal")).await;
    let secret = "merchants.0.apps.0.secret";
    spoil(secret, |secret| secret[..31].to_owned(), wanted(SECRET, "31 个", "31 characters")).await;
    spoil(secret, |secret| format!("{secret}\n"), wanted(SECRET, "换行", "line break")).await;
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.unset("merchants.0.apps.0.secret");
    clinic.check("none", &clinic.examine(true).await, &wanted(SECRET, "没有", "none"));
}

#[tokio::test]
async fn a_merchant_number_is_8_to_10_digits() {
    // The certificate is another merchant's then, which is true as well.
    let mut clinic = Clinic::open(&[V3]).await;
    let app = clinic.get("merchants.0.apps.0.appid");
    clinic.set("merchants.0.mchid", app);
    let both = &["problem merchant.mchid", "problem cert.merchant"];
    clinic.check("appid", &clinic.examine(true).await, &wanted(both, "是 AppID", "an AppID"));
    clinic.set("merchants.0.mchid", "19000001");
    let other = &["problem cert.merchant"];
    clinic.check(
        "another",
        &clinic.examine(true).await,
        &wanted(other, "是商户号", "is the certificate of merchant"),
    );

    let mut clinic = Clinic::open(&[V2]).await;
    clinic.unset("merchants.0.merchant_certificate");
    clinic.unset("merchants.0.merchant_private_key");
    clinic.unset("merchants.0.api_v3_key");
    clinic.unset("merchants.0.platform_certificates");
    clinic.set("merchants.0.mchid", "123456");
    let both = &["problem merchant.mchid", "warn refund.certificate"];
    clinic.check("short", &clinic.examine(true).await, &wanted(both, "6 位", "6 digits"));
}

#[tokio::test]
async fn accounts_and_apps_stand_there_once() {
    let mut clinic = Clinic::open(&[V3, CERTIFICATES]).await;
    let app = clinic.get("merchants.0.apps.0.appid");
    clinic.set("merchants.1.apps.0.appid", app);
    let want = &["problem merchant.apps"];
    clinic.check("app twice", &clinic.examine(true).await, &wanted(want, "也写在", "too"));
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.unset("merchants.0.apps");
    clinic.check("no app", &clinic.examine(true).await, &wanted(want, "appid", "appid"));
    clinic.toml.remove("merchants");
    clinic.check(
        "none",
        &clinic.examine(true).await,
        &wanted(want, "一个商户号也没有", "no merchant account"),
    );
}

#[tokio::test]
async fn a_partner_says_for_whom_it_sells() {
    const WANT: &[&str] = &["problem app.partner"];
    let mut clinic = Clinic::open(&[PARTNER]).await;
    clinic.unset("merchants.0.apps.0.sub_mchid");
    clinic.check("no sub", &clinic.examine(true).await, &wanted(WANT, "sub_mchid", "sub_mchid"));
    let mut clinic = Clinic::open(&[PARTNER]).await;
    clinic.set("merchants.0.apps.0.sub_mchid", clinic.of(PARTNER, "mchid"));
    clinic.check(
        "itself",
        &clinic.examine(true).await,
        &wanted(WANT, "服务商自己", "partner itself"),
    );
    let mut clinic = Clinic::open(&[PARTNER]).await;
    clinic.unset("merchants.0.sp_appid");
    clinic.check("no sp_appid", &clinic.examine(true).await, &wanted(WANT, "sp_appid", "sp_appid"));
    let mut clinic = Clinic::open(&[PARTNER]).await;
    clinic.unset("merchants.0.mode");
    clinic.check("direct", &clinic.examine(true).await, &wanted(WANT, "partner", "partner"));
}
