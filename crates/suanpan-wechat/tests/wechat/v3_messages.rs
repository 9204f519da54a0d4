//! How WeChat signs: answers and notifications, in every key mode, at every hour.

use http::{HeaderMap, HeaderValue};
use suanpan_wechat::Error;
use suanpan_wechat::v3::{KeyRing, PublicKey, message, sign_message, verify_message};

use crate::common::{
    PUBLIC_KEY_ID, certificate, headers, key_ring, moment, nonce, number, private_key, text,
    vector_file, vectors,
};

#[test]
fn messages_are_verified_as_elsewhere() {
    let mut refused = Vec::new();
    for vector in vectors(vector_file!("v3_message.json"), 14) {
        let given = &vector["given"];
        let (headers, body) = (headers(&vector), text(given, "body"));
        let keys = key_ring(text(given, "platform"));
        let verdict = verify_message(&headers, body.as_bytes(), &keys, number(given, "now"));
        assert_eq!(verdict.is_ok(), vector["want"]["valid"] == true, "{}", vector["id"]);
        if let Err(error) = verdict {
            refused.push(format!("{} {}", text(&vector, "id"), error.code()));
        }

        // The vector whose body was altered quotes what was signed before.
        if vector["id"] != "body-tampered" {
            let [timestamp, nonce] = ["wechatpay-timestamp", "wechatpay-nonce"]
                .map(|name| headers[name].to_str().unwrap());
            let signed_text = message(timestamp, nonce, body.as_bytes());
            assert_eq!(String::from_utf8_lossy(&signed_text), text(&vector, "want/signed_text"));
        }
    }
    assert_eq!(
        refused,
        [
            "body-tampered SP-SIGNATURE",
            "signtest-probe SP-SIGNTEST",
            "skew-301 SP-CLOCK",
            "skew-future SP-CLOCK",
            "serial-mismatch SP-SIGNATURE",
        ]
    );
}

/// A message that WeChat signed at this second under this name.
fn signed(serial: &str, now: i64) -> HeaderMap {
    let key = if serial == PUBLIC_KEY_ID { "wechatpay-1" } else { "platform-1" };
    let serial = serial.parse().unwrap();
    sign_message(&private_key(key), &serial, moment(now, &nonce("n")), b"{}")
}

const SERIAL: &str = "2F5B1A9C7D3E4F60718293A4B5C6D7E8F9012345";
const NOW: i64 = 1_795_500_000;

#[track_caller]
fn check(headers: &HeaderMap, want: Result<(), &str>) {
    let got = verify_message(headers, b"{}", &key_ring("platform-1"), NOW);
    assert_eq!(got.map_err(|error| error.code()), want);
}

#[test]
fn less_than_five_minutes_are_allowed_both_ways() {
    for distance in [0, 1, 299] {
        check(&signed(SERIAL, NOW - distance), Ok(()));
        check(&signed(SERIAL, NOW + distance), Ok(()));
    }
    for distance in [300, 301, 86_400, NOW] {
        check(&signed(SERIAL, NOW - distance), Err("SP-CLOCK"));
        check(&signed(SERIAL, NOW + distance), Err("SP-CLOCK"));
    }
    // No overflow at the ends of the range, with which anyone could bring us down.
    for end in [i64::MIN, i64::MAX] {
        check(&signed(SERIAL, end), Err("SP-CLOCK"));
        let got = verify_message(&signed(SERIAL, 0), b"{}", &key_ring("platform-1"), end);
        assert!(matches!(got, Err(Error::Stale { seconds }) if seconds > 1 << 62));
    }
    let error = Error::Stale { seconds: 300 }.to_string();
    assert_eq!(
        error,
        "the message was signed 300 s away from our clock, less than 300 s are allowed"
    );
}

#[test]
fn every_header_is_there_once() {
    let names =
        ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial", "wechatpay-signature"];
    for name in names {
        let mut headers = signed(SERIAL, NOW);
        headers.append(name, headers[name].clone());
        check(&headers, Err("SP-HEADER"));
        headers.remove(name);
        check(&headers, Err("SP-HEADER"));
        for blank in ["", " "] {
            headers.insert(name, HeaderValue::from_static(blank));
            check(&headers, Err("SP-HEADER"));
        }
        headers.insert(name, HeaderValue::from_bytes(b"\xff").unwrap());
        check(&headers, Err("SP-HEADER"));
    }
    check(&HeaderMap::new(), Err("SP-HEADER"));
}

#[test]
fn the_signature_type_may_be_absent_and_is_rsa() {
    let mut headers = signed(SERIAL, NOW);
    headers.remove("wechatpay-signature-type");
    check(&headers, Ok(()));
    headers.insert("wechatpay-signature-type", HeaderValue::from_static("WECHATPAY2-SM2-WITH-SM3"));
    check(&headers, Err("SP-HEADER"));
}

#[track_caller]
fn check_with(name: &'static str, value: &str, want: Result<(), &str>) {
    let mut headers = signed(SERIAL, NOW);
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    check(&headers, want);
}

#[test]
fn a_serial_number_is_a_number_however_it_is_printed() {
    for print in [SERIAL, &SERIAL.to_lowercase(), &format!("00{SERIAL}")] {
        check_with("wechatpay-serial", print, Ok(()));
    }
    check_with("wechatpay-serial", "1234", Err("SP-SERIAL"));
    check_with("wechatpay-serial", "not hex", Err("SP-HEADER"));
    check_with("wechatpay-serial", "0", Err("SP-HEADER"));
}

/// A name finds its own key and no other, in either mode and during a migration.
#[test]
fn keys_are_not_mixed_up() {
    check(&signed(SERIAL, NOW), Ok(()));
    check(&signed(PUBLIC_KEY_ID, NOW), Ok(()));
    check_with("wechatpay-serial", PUBLIC_KEY_ID, Err("SP-SIGNATURE"));
    check_with("wechatpay-serial", &format!("{PUBLIC_KEY_ID}9"), Err("SP-SERIAL"));
    check_with("wechatpay-serial", &PUBLIC_KEY_ID.to_lowercase(), Err("SP-HEADER"));

    let only_certificate = KeyRing::new().with_certificate(certificate("platform-1"));
    let got = verify_message(&signed(PUBLIC_KEY_ID, NOW), b"{}", &only_certificate, NOW);
    let Err(Error::UnknownSerial { serial, known }) = got else { panic!("{got:?}") };
    assert_eq!((serial.as_str(), known.as_str()), (PUBLIC_KEY_ID, SERIAL));

    // The merchant's own key signs requests, and proves nothing that WeChat says.
    let merchant = certificate("merchant-1");
    let forged =
        sign_message(&private_key("merchant-1"), &merchant.serial, moment(NOW, &nonce("n")), b"{}");
    check(&forged, Err("SP-SERIAL"));
}

#[test]
fn the_younger_certificate_is_preferred_and_a_public_key_before_all() {
    let (old, new) = (certificate("platform-1"), certificate("platform-1-next"));
    let id = PUBLIC_KEY_ID.parse().unwrap();
    let key = PublicKey::from_pem(vector_file!("wechatpay-1.pub.pem")).unwrap();
    let ring = KeyRing::new;

    let both = ring().with_certificate(old.clone()).with_certificate(new.clone());
    assert_eq!(both.preferred(), Some(&new.serial));
    let turned = ring().with_certificate(new.clone()).with_certificate(old.clone());
    assert_eq!(turned.preferred(), Some(&new.serial));
    assert_eq!(turned.with_key(id, key.clone()).preferred().unwrap().as_str(), PUBLIC_KEY_ID);
    let first = ring().with_key(PUBLIC_KEY_ID.parse().unwrap(), key).with_certificate(new);
    assert_eq!(first.preferred().unwrap().as_str(), PUBLIC_KEY_ID);
    assert_eq!(first.serials().count(), 2);
    assert!(first.find(&old.serial).is_err());
    assert_eq!(ring().preferred(), None);
}

#[test]
fn a_probe_is_told_apart_and_refused() {
    let probe = format!("WECHATPAY/SIGNTEST/{}", "A".repeat(300));
    check_with("wechatpay-signature", &probe, Err("SP-SIGNTEST"));
    check_with("wechatpay-signature", "WECHATPAY/SIGNTEST/", Err("SP-SIGNTEST"));
    assert!(Error::Probe.is_retryable());
    for noise in ["WECHATPAY/SIGNTES", "AAAA", "not base64", "=", &"A".repeat(344)] {
        check_with("wechatpay-signature", noise, Err("SP-SIGNATURE"));
    }
}
