//! Certificates and keys in files, each spoiled in one way.

use std::path::{Path, PathBuf};

use suanpan_server::doctor::Mark;

use crate::clinic::{CERTIFICATES, Clinic, PARTNER, V2, V3, Wanted, marks, wanted};

const CERT: &str = "merchants.0.merchant_certificate";
const KEY: &str = "merchants.0.merchant_private_key";

/// Names another file at this place of a healthy account, and looks offline.
async fn spoil(nth: usize, place: &str, file: impl Fn(&Clinic) -> PathBuf, wanted: Wanted<'_>) {
    let mut clinic = Clinic::open(&[nth]).await;
    let file = file(&clinic);
    clinic.set(place, file.to_str().unwrap());
    let report = clinic.examine(true).await;
    clinic.check(&format!("{place} = {}", file.display()), &report, &wanted);
}

#[tokio::test]
async fn certificate_and_key_are_a_pair_of_this_merchant() {
    let others = |name: &'static str| move |clinic: &Clinic| clinic.key_file(V2, name);
    spoil(
        V3,
        KEY,
        others("merchant_private_key"),
        wanted(&["problem key.pair"], "apiclient_key.pem", "apiclient_key.pem"),
    )
    .await;
    spoil(
        V3,
        CERT,
        others("merchant_certificate"),
        wanted(&["problem cert.merchant"], "apiclient_cert.pem", "apiclient_cert.pem"),
    )
    .await;
    let platform = |clinic: &Clinic| {
        let path = &clinic.credentials["merchants"][V2]["platform_certificates"][0]["path"];
        PathBuf::from(path.as_str().unwrap())
    };
    spoil(
        V3,
        CERT,
        platform,
        wanted(&["problem cert.merchant"], "平台证书", "platform certificate"),
    )
    .await;
    spoil(
        V3,
        CERT,
        |_| "/nowhere/cert.pem".into(),
        wanted(&["problem cert.merchant"], "/nowhere/cert.pem", "/nowhere/cert.pem"),
    )
    .await;
    spoil(
        V3,
        CERT,
        |clinic| clinic.key_file(V3, "merchant_private_key"),
        wanted(&["problem cert.merchant"], "是私钥", "private key"),
    )
    .await;
    spoil(
        V3,
        CERT,
        |clinic| clinic.key_file(V3, "wechatpay_public_key"),
        wanted(&["problem cert.merchant"], "是公钥", "public key"),
    )
    .await;
}

#[tokio::test]
async fn what_is_no_private_key_is_recognised() {
    const WANT: &[&str] = &["problem key.private"];
    spoil(
        V3,
        KEY,
        |clinic| clinic.key_file(V3, "merchant_certificate"),
        wanted(WANT, "是证书", "certificate"),
    )
    .await;
    spoil(
        V3,
        KEY,
        |clinic| clinic.key_file(V3, "wechatpay_public_key"),
        wanted(WANT, "是公钥", "public key"),
    )
    .await;
    let vector = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../suanpan-wechat/tests/vectors");
        std::fs::read(folder.join(name)).unwrap()
    };
    let encrypted = include_str!("encrypted.key.pem");
    spoil(
        V3,
        KEY,
        |clinic| clinic.file("own.pem", encrypted),
        wanted(WANT, "openssl pkcs8", "openssl pkcs8"),
    )
    .await;
    spoil(
        V3,
        KEY,
        |clinic| clinic.file("own.pem", vector("merchant-1.p12")),
        wanted(WANT, "不是文本", "no text"),
    )
    .await;
    let cut = |clinic: &Clinic| {
        let pem = clinic.pem(V3, "merchant_private_key");
        clinic.file("own.pem", &pem[..400])
    };
    spoil(V3, KEY, cut, wanted(WANT, "不完整", "is cut")).await;
    spoil(
        V3,
        KEY,
        |clinic| clinic.file("own.pem", "tea"),
        wanted(WANT, "apiclient_key.pem", "apiclient_key.pem"),
    )
    .await;
}

/// However a key has travelled, as long as it is one.
#[tokio::test]
async fn a_key_may_be_written_in_more_than_one_way() {
    let none = || wanted(&[], "", "");
    // The text itself, as a variable has it.
    let mut clinic = Clinic::open(&[V3]).await;
    let pem = clinic.pem(V3, "merchant_private_key");
    clinic.set(KEY, pem.replace('\n', "\\n"));
    clinic.check("text", &clinic.examine(true).await, &none());
    let written_out = |clinic: &Clinic| {
        let pem = clinic.pem(V3, "merchant_private_key");
        clinic.file("own.pem", pem.replace('\n', "\\n"))
    };
    let want = &["problem key.private"];
    spoil(V3, KEY, written_out, wanted(want, "printf", "printf")).await;
    let of_windows = |clinic: &Clinic| {
        let pem = clinic.pem(V3, "merchant_private_key");
        clinic.file("own.pem", format!("\u{feff}{}", pem.replace('\n', "\r\n")))
    };
    spoil(V3, KEY, of_windows, none()).await;
}

#[tokio::test]
async fn half_of_what_belongs_together_is_named() {
    for (place, want, says) in [
        (KEY, "problem key.private", "merchant_private_key"),
        (CERT, "problem cert.merchant", "merchant_certificate"),
    ] {
        let mut clinic = Clinic::open(&[V3]).await;
        clinic.unset(place);
        clinic.check(place, &clinic.examine(true).await, &wanted(&[want], says, says));
    }
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.set("merchants.0.merchant_p12", clinic.of(V3, "merchant_p12"));
    clinic.check(
        "all three",
        &clinic.examine(true).await,
        &wanted(&["problem merchant.api"], "留一种", "one of the two"),
    );
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.unset(KEY);
    clinic.unset(CERT);
    clinic.check(
        "neither",
        &clinic.examine(true).await,
        &wanted(&["problem merchant.api"], "API 证书", "API certificate"),
    );
}

#[tokio::test]
async fn a_p12_opens_with_its_password() {
    let open = || async {
        let mut clinic = Clinic::open(&[V3]).await;
        clinic.unset(KEY);
        clinic.unset(CERT);
        clinic
    };
    let want = &["problem key.p12"];
    let mut clinic = open().await;
    clinic.set("merchants.0.merchant_p12", clinic.of(V3, "merchant_p12"));
    clinic.set("merchants.0.merchant_p12_password", "teatime");
    let report = clinic.examine(true).await;
    clinic.check("password", &report, &wanted(want, "商户号", "merchant number"));
    assert!(!serde_json::to_string(&report).unwrap().contains("teatime"));
    let mut clinic = open().await;
    clinic.set("merchants.0.merchant_p12", clinic.of(V3, "merchant_certificate"));
    clinic.check(
        "PEM",
        &clinic.examine(true).await,
        &wanted(want, "apiclient_cert.p12", "apiclient_cert.p12"),
    );
}

#[tokio::test]
async fn wechats_keys_are_wechats() {
    const PUBLIC: &[&str] = &["problem platform.public_key"];
    const FILE: &str = "merchants.0.wechatpay_public_key";
    const ID: &str = "merchants.0.wechatpay_public_key_id";
    spoil(
        V3,
        FILE,
        |clinic| clinic.key_file(V3, "merchant_certificate"),
        wanted(PUBLIC, "是证书", "certificate"),
    )
    .await;
    spoil(
        V3,
        FILE,
        |clinic| clinic.key_file(V3, "merchant_private_key"),
        wanted(PUBLIC, "是私钥", "private key"),
    )
    .await;
    for (place, says) in [(ID, "没有公钥 ID"), (FILE, "没有公钥文件")] {
        let mut clinic = Clinic::open(&[V3]).await;
        clinic.unset(place);
        clinic.check(place, &clinic.examine(true).await, &wanted(PUBLIC, says, "id"));
    }
    for (id, zh, en) in [
        (String::from("5157F09EFDC096DE15EBE81A47057A7232F1B8E1"), "序列号", "serial number"),
        (String::from("PUB_KEY_ID_…"), "写法不对", "right form"),
    ] {
        let mut clinic = Clinic::open(&[V3]).await;
        clinic.set(ID, id.clone());
        clinic.check(&id, &clinic.examine(true).await, &wanted(PUBLIC, zh, en));
    }
    // The public half of the merchant's own key.
    let mut clinic = Clinic::open(&[V3]).await;
    let own = clinic.file("own.pem", own_public_key(&clinic));
    clinic.set(FILE, own.to_str().unwrap());
    clinic.check(
        "own",
        &clinic.examine(true).await,
        &wanted(PUBLIC, "商户自己的公钥", "merchant's own"),
    );
}

/// As `openssl x509 -pubkey` prints it.
fn own_public_key(clinic: &Clinic) -> String {
    let openssl = std::process::Command::new("openssl")
        .args(["x509", "-noout", "-pubkey", "-in"])
        .arg(clinic.key_file(V3, "merchant_certificate"))
        .output()
        .unwrap();
    assert!(openssl.status.success(), "{openssl:?}");
    String::from_utf8(openssl.stdout).unwrap()
}

#[tokio::test]
async fn a_merchants_certificate_is_not_wechats() {
    const WANT: &[&str] = &["problem platform.certificates"];
    for (nth, zh, en) in
        [(V2, "商户自己的证书", "merchant's own"), (PARTNER, "API 证书", "API certificate")]
    {
        let mut clinic = Clinic::open(&[V2]).await;
        let certificate = clinic.of(nth, "merchant_certificate");
        clinic.set("merchants.0.platform_certificates", vec![toml::Value::from(certificate)]);
        clinic.check(zh, &clinic.examine(true).await, &wanted(WANT, zh, en));
    }
}

#[tokio::test]
async fn an_end_that_is_near_is_told_in_time() {
    let mut clinic = Clinic::open_real(&[V3]).await;
    let pem = clinic.pem(V3, "merchant_certificate");
    let certificate = suanpan_wechat::v3::Certificate::from_pem(&pem).unwrap();
    let now =
        suanpan_server::outside::Clock::now_seconds(&suanpan_server::outside::SystemClock::new());
    let day = 24 * 3600;
    for (at, want, zh, en) in [
        (certificate.not_after - 10 * day, "warn cert.expiry", "还有 10 天", "in 10 days"),
        (certificate.not_after + day, "problem cert.expiry", "过期", "expired"),
        (certificate.not_before - day, "problem cert.expiry", "时钟", "clock"),
    ] {
        clinic.clock_off(at - now);
        clinic.check(want, &clinic.examine(true).await, &wanted(&[want], zh, en));
    }
}

#[tokio::test]
async fn without_a_certificate_apiv2_gives_nothing_back() {
    let mut clinic = Clinic::open(&[V2]).await;
    for name in
        ["merchant_certificate", "merchant_private_key", "api_v3_key", "platform_certificates"]
    {
        clinic.unset(&format!("merchants.0.{name}"));
    }
    let report = clinic.examine(true).await;
    clinic.check("hold", &report, &wanted(&["warn refund.certificate"], "退款", "refunds"));
    clinic.set("orders.extra_payment", "refund");
    let report = clinic.examine(true).await;
    clinic.check(
        "refund",
        &report,
        &wanted(&["problem refund.certificate"], "extra_payment", "extra_payment"),
    );
}

#[tokio::test]
async fn an_outdated_platform_certificate_is_no_drama() {
    let mut clinic = Clinic::open_real(&[CERTIFICATES]).await;
    let path = &clinic.credentials["merchants"][CERTIFICATES]["platform_certificates"][0]["path"];
    let pem = std::fs::read_to_string(path.as_str().unwrap()).unwrap();
    let until = suanpan_wechat::v3::Certificate::from_pem(&pem).unwrap().not_after;
    let now =
        suanpan_server::outside::Clock::now_seconds(&suanpan_server::outside::SystemClock::new());
    clinic.clock_off(until + 3600 - now);
    let report = clinic.examine(true).await;
    let marks: Vec<_> = marks(&report, "cert.expiry").into_iter().map(|(_, mark)| mark).collect();
    assert!(marks.contains(&Mark::Warn), "{marks:?}");
}
