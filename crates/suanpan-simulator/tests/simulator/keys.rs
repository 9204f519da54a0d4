//! `POST /_sim/keys`: what WeChat signs with changes while everybody works.

use serde_json::{Value, json};
use suanpan_wechat::v3::{
    Certificate, DownloadCertificates, KeyRing, PublicKey, QueryByOutTradeNo,
};
use suanpan_wechat::{Error, Serial};

use crate::common::{Said, Sim};
use crate::merchant::{Merchant, number};
use crate::receiver::Receiver;

/// The merchant with two platform certificates.
const FLOWERS: usize = 2;

async fn change(sim: &Sim, merchant: &Merchant, mut change: Value) -> Value {
    change["mchid"] = json!(merchant.mchid);
    sim.control("keys", change).await
}

/// Asks about an order that nobody knows: the answer is signed like any other.
async fn asked(sim: &Sim, merchant: &Merchant) -> (Said, Result<(), Error>) {
    let name = number("order_0001");
    let query = QueryByOutTradeNo { account: merchant.v3(), out_trade_no: &name };
    let said = sim.send(sim.question(&query)).await;
    let heard = sim.heard(&query, &said).map(drop);
    (said, heard)
}

async fn certificates(sim: &Sim, merchant: &Merchant) -> Result<Vec<Certificate>, Error> {
    sim.ask(&DownloadCertificates { account: merchant.v3() }).await
}

fn serials(certificates: &[Certificate]) -> Vec<&str> {
    certificates.iter().map(|one| one.serial.as_str()).collect()
}

#[tokio::test]
async fn a_new_certificate_signs_from_now_on_and_is_handed_out_beside_the_old() {
    let sim = Sim::start().await;
    let mut merchant = sim.merchant(FLOWERS);
    let before = certificates(&sim, &merchant).await.unwrap();
    let changed = change(&sim, &merchant, json!({ "rotate": true })).await;
    let listed = changed["platform_certificates"].as_array().unwrap();
    assert_eq!(listed.len(), 3, "{changed}");
    let newest = listed[2]["serial"].as_str().unwrap();

    // Who asks for an old one still gets its signature.
    let old = merchant.keys.preferred().unwrap().to_string();
    let (said, heard) = asked(&sim, &merchant).await;
    assert_eq!(said.headers["wechatpay-serial"], old);
    assert!(matches!(heard, Err(Error::Refused(_))), "{heard:?}");

    // A new backend knows none, and opens all of them with its APIv3 key.
    merchant.keys = KeyRing::new();
    let fetched = certificates(&sim, &merchant).await.unwrap();
    assert_eq!(serials(&fetched), [serials(&before), vec![newest]].concat());
    assert!(fetched.iter().all(|one| one.issuer.contains("Tenpay.com Root CA")));

    // The file says the same, also to the next run.
    let sim = sim.restart().await;
    let entry = &sim.credentials["merchants"][FLOWERS];
    assert_eq!(entry["platform_certificates"], changed["platform_certificates"]);
    assert_eq!(serials(&certificates(&sim, &merchant).await.unwrap()), serials(&fetched));
}

#[tokio::test]
async fn a_retired_certificate_signs_nothing_any_more() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(FLOWERS);
    let changed = change(&sim, &merchant, json!({ "rotate": true, "retire": true })).await;
    let listed = changed["platform_certificates"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{changed}");

    // Not even for who asks for it: the answer names a serial that this backend does not know.
    let (said, heard) = asked(&sim, &merchant).await;
    let Err(Error::UnknownSerial { serial, .. }) = heard else { panic!("{heard:?}") };
    assert_eq!(Some(serial.as_str()), listed[0]["serial"].as_str());
    assert_eq!(said.headers["wechatpay-serial"], serial);
    assert_eq!(serials(&certificates(&sim, &merchant).await.unwrap()), [serial]);
}

#[tokio::test]
async fn a_migration_goes_from_certificates_over_both_to_the_public_key() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let merchant = sim.merchant(FLOWERS);
    let public = merchant.entry["wechatpay_public_key_id"].as_str().unwrap().to_owned();
    let is_public = |serial: &Value| serial == &json!(public);
    // The same merchant with the key configured beside its certificates.
    let mut migrated = sim.merchant(FLOWERS);
    let pem = merchant.entry["wechatpay_public_key"].as_str().unwrap();
    let key = PublicKey::from_pem(&std::fs::read_to_string(pem).unwrap()).unwrap();
    migrated.keys = migrated.keys.with_key(Serial::normalised(&public).unwrap(), key);
    let mut signed_by = async |name: &str| {
        receiver.answers(500, "");
        migrated.sell_v3(&sim, name, &receiver.url).await;
        let mut serials = Vec::new();
        for wait in [0, 15] {
            sim.advance(wait).await;
            let told = receiver.next().await;
            serials.push(json!(told.headers["wechatpay-serial"].to_str().unwrap()));
        }
        // What is left of it is not told to the next.
        receiver.answers(204, "");
        sim.advance(15).await;
        receiver.next().await;
        serials
    };

    assert!(!signed_by("order_0001").await.iter().any(is_public));
    change(&sim, &merchant, json!({ "mode": "migrating" })).await;
    let both = signed_by("order_0002").await;
    assert_eq!(both.iter().filter(|serial| is_public(serial)).count(), 1, "{both:?}");
    assert_eq!(certificates(&sim, &merchant).await.unwrap().len(), 2);

    change(&sim, &merchant, json!({ "mode": "public_key" })).await;
    assert!(signed_by("order_0003").await.iter().all(is_public));
    // Signed with the key, which this backend has not configured: it hears what it lacks all the same.
    let Err(Error::Refused(refusal)) = certificates(&sim, &merchant).await else { panic!() };
    assert_eq!((refusal.status, refusal.code.as_str()), (404, "RESOURCE_NOT_EXISTS"));
    let (_, heard) = asked(&sim, &merchant).await;
    let Err(Error::UnknownSerial { serial, .. }) = heard else { panic!("{heard:?}") };
    assert!(Serial::normalised(&serial).unwrap().is_public_key());
}

#[tokio::test]
async fn a_merchant_of_the_public_key_can_be_sent_back() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    let changed = change(&sim, &merchant, json!({ "mode": "platform_certificate" })).await;
    assert_eq!(changed["mode"], "platform_certificate");
    let fetched = certificates(&sim, &merchant).await.unwrap();
    assert_eq!(changed["platform_certificates"][0]["serial"], serials(&fetched)[0]);
}

#[tokio::test]
async fn what_is_no_change_is_refused_and_says_what_to_send() {
    let sim = Sim::start().await;
    for (body, status, code) in [
        (json!({ "mchid": "1600000000", "rotate": true }), 404, "SIM_UNKNOWN"),
        (json!({ "rotate": true }), 400, "SIM_BAD_REQUEST"),
        (json!({ "mchid": sim.merchant(0).mchid, "mode": "both" }), 400, "SIM_BAD_REQUEST"),
        (json!({ "mchid": sim.merchant(0).mchid, "rotated": true }), 400, "SIM_BAD_REQUEST"),
    ] {
        let said = sim.post("/_sim/keys", &body).await;
        assert_eq!(said.status, status, "{body}: {}", said.text());
        assert!(said.text().contains(code), "{body}: {}", said.text());
        assert!(said.text().contains("platform_certificate|migrating|public_key"), "{body}");
    }
}
