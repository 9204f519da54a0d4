//! What holds for every message of APIv3.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;
use suanpan_wechat::v3::{
    Authorization, Certificate, JsapiOrder, KeyRing, PrivateKey, PublicKey, Signer, Transaction,
    authorize, open, seal, sign_message, verify_message,
};
use suanpan_wechat::{Fen, Serial};

use crate::common::{certificate, key_ring, moment, nonce, private_key, signer, v3_key};

const KEY: &str = "ThrowawayApiV3Key_0123456789abcd";
const NOW: i64 = 1_795_500_000;

static PLATFORM: LazyLock<PrivateKey> = LazyLock::new(|| private_key("platform-1"));
static SERIAL: LazyLock<Serial> = LazyLock::new(|| certificate("platform-1").serial);
static KEYS: LazyLock<KeyRing> = LazyLock::new(|| key_ring("platform-1"));
static MERCHANT: LazyLock<Signer> = LazyLock::new(|| signer("merchant-1"));

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

/// Another byte at one place.
fn flip(bytes: &mut [u8], which: prop::sample::Index, bit: u32) {
    *which.get_mut(bytes) ^= 1 << bit;
}

/// Any header of a signature with one of its bytes changed, as far as HTTP can carry it.
fn with_other(
    headers: &HeaderMap,
    name: &'static str,
    which: prop::sample::Index,
    bit: u32,
) -> Option<HeaderMap> {
    let mut value = headers[name].as_bytes().to_vec();
    flip(&mut value, which, bit);
    let mut headers = headers.clone();
    headers.insert(name, HeaderValue::from_bytes(&value).ok()?);
    Some(headers)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_signed_message_verifies_and_any_changed_byte_does_not(
        body in bytes(), random in "[a-zA-Z0-9]{1,32}", signed_at in NOW - 299..NOW + 300,
        which in any::<prop::sample::Index>(), bit in 0..8_u32,
    ) {
        let random = nonce(&random);
        let headers = sign_message(&PLATFORM, &SERIAL, moment(signed_at, &random), &body);
        let verify = |headers: &HeaderMap, body: &[u8]| verify_message(headers, body, &KEYS, NOW);
        prop_assert!(verify(&headers, &body).is_ok());

        let mut other = body.clone();
        other.push(b'\n');
        prop_assert!(verify(&headers, &other).is_err());
        other.pop();
        if !other.is_empty() {
            flip(&mut other, which, bit);
            prop_assert!(verify(&headers, &other).is_err());
        }
        for name in ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature"] {
            if let Some(changed) = with_other(&headers, name, which, bit) {
                prop_assert!(verify(&changed, &body).is_err(), "{name} {changed:?}");
            }
        }
    }

    /// Of the serial number only the case of its letters may change.
    #[test]
    fn a_changed_serial_number_finds_no_key(which in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let headers = sign_message(&PLATFORM, &SERIAL, moment(NOW, &nonce("n")), b"{}");
        if let Some(changed) = with_other(&headers, "wechatpay-serial", which, bit) {
            let same = changed["wechatpay-serial"].to_str()
                .is_ok_and(|text| text.eq_ignore_ascii_case(&SERIAL.wire()));
            prop_assert_eq!(verify_message(&changed, b"{}", &KEYS, NOW).is_ok(), same);
        }
    }

    #[test]
    fn the_window_is_three_hundred_seconds_each_way(signed_at in NOW - 1_000..NOW + 1_000) {
        let headers = sign_message(&PLATFORM, &SERIAL, moment(signed_at, &nonce("n")), b"{}");
        prop_assert_eq!(verify_message(&headers, b"{}", &KEYS, NOW).is_ok(), signed_at.abs_diff(NOW) < 300);
    }

    #[test]
    fn a_signed_request_verifies_and_any_changed_byte_does_not(
        body in bytes(), path in "/[a-zA-Z0-9/?=&%|*_-]{0,40}", random in "[a-zA-Z0-9]{1,32}",
        now in 0..i64::MAX, which in any::<prop::sample::Index>(), bit in 0..7_u32,
    ) {
        let random = nonce(&random);
        let header = authorize(&MERCHANT, "POST", &path, &body, moment(now, &random));
        let key = MERCHANT.key.public_key().unwrap();
        let verify = |header: &str, method: &str, path: &str, body: &[u8]| {
            Authorization::parse(header).and_then(|read| read.verify(method, path, body, &key))
        };
        prop_assert!(verify(&header, "POST", &path, &body).is_ok());
        prop_assert!(verify(&header, "GET", &path, &body).is_err());
        let longer = format!("{path}&");
        prop_assert!(verify(&header, "POST", &longer, &body).is_err());
        let mut other = body.clone();
        other.push(b' ');
        prop_assert!(verify(&header, "POST", &path, &other).is_err());

        // What is not signed (merchant, serial number) is looked up, so it names another key.
        let mut changed = header.clone().into_bytes();
        flip(&mut changed, which, bit);
        let changed = String::from_utf8(changed).unwrap();
        let read = Authorization::parse(&header).unwrap();
        if let Ok(other) = Authorization::parse(&changed)
            && other.verify("POST", &path, &body, &key).is_ok()
        {
            prop_assert_eq!(
                Authorization { mchid: other.mchid.clone(), serial_no: other.serial_no.clone(), ..read },
                other
            );
        }
    }

    #[test]
    fn what_is_sealed_opens_and_any_changed_byte_does_not(
        text in bytes(), random in "[a-zA-Z0-9]{12}", associated_data in "[a-z]{0,15}",
        which in any::<prop::sample::Index>(), bit in 0..7_u32,
    ) {
        let key = v3_key(KEY);
        let sealed = seal(&key, &random, &associated_data, &text).unwrap();
        prop_assert_eq!(open(&key, &random, &associated_data, &sealed).unwrap(), text);

        let changed = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            flip(&mut bytes, which, bit);
            String::from_utf8(bytes).unwrap()
        };
        prop_assert!(open(&key, &random, &associated_data, &changed(&sealed)).is_err());
        prop_assert!(open(&key, &changed(&random), &associated_data, &sealed).is_err());
        if !associated_data.is_empty() {
            prop_assert!(open(&key, &random, &changed(&associated_data), &sealed).is_err());
        }
        prop_assert!(open(&key, &random[1..], &associated_data, &sealed).is_err());
    }

    #[test]
    fn unknown_members_survive(name in any::<String>(), value in json(), total in 0..i64::MAX) {
        let name = format!("x_{name}");
        let mut wire = serde_json::json!({
            "appid": "wx8888888888888888", "mchid": "1900000109", "out_trade_no": "SP-000001",
            "trade_state": "SUCCESS", "amount": {"total": total},
        });
        wire[name.as_str()] = value.clone();
        let read: Transaction = serde_json::from_str(&wire.to_string()).unwrap();
        prop_assert_eq!(&read.other[name.as_str()], &value);
        prop_assert_eq!(serde_json::to_value(&read).unwrap(), wire);
        prop_assert_eq!(read.payment().unwrap().total, Fen::new(total));
    }

    /// Whatever a shop sells, it is read as it was written.
    #[test]
    fn an_order_comes_back(description in any::<String>(), attach in any::<Option<String>>()) {
        let mut order = JsapiOrder::new(
            "wx8888888888888888".parse().unwrap(), "1900000109".parse().unwrap(),
            "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".parse().unwrap(), "SP-000001".parse().unwrap(),
            Fen::new(1).unwrap(), description, "https://pay.example.com/".to_owned(),
        );
        order.attach = attach;
        let json = serde_json::to_vec(&order).unwrap();
        prop_assert_eq!(serde_json::from_slice::<JsapiOrder>(&json).unwrap(), order);
    }

    #[test]
    fn no_reader_panics(text in any::<String>(), bytes in bytes()) {
        let _ = Authorization::parse(&text);
        let _ = Authorization::parse(&format!("WECHATPAY2-SHA256-RSA2048 {text}"));
        let _ = open(&v3_key(KEY), &text, &text, &text);
        let _ = serde_json::from_slice::<Transaction>(&bytes);
        let _ = Serial::normalised(&text);
        for pem in [text.clone(), format!("-----BEGIN CERTIFICATE-----\n{text}")] {
            prop_assert!(Certificate::from_pem(&pem).is_err());
            prop_assert!(PublicKey::from_pem(&pem).is_err());
            prop_assert!(PrivateKey::from_pem(&pem).is_err());
        }
    }

    /// However it is printed, it is the same number, and goes out in whole bytes.
    #[test]
    fn serial_numbers_have_one_form(digits in "[1-9A-F][0-9A-F]{0,38}", zeros in 0..4_usize) {
        let serial = Serial::parse(&digits).unwrap();
        for print in [&digits, &digits.to_lowercase(), &serial.wire()] {
            let print = format!("{}{print}", "0".repeat(zeros));
            prop_assert_eq!(&Serial::normalised(&print).unwrap(), &serial);
        }
        prop_assert_eq!(serial.wire().len() % 2, 0);
    }
}
