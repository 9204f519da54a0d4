//! What all tests here share: the vectors and their keys.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use suanpan_wechat::v2::Fields;
use suanpan_wechat::v3::{Certificate, KeyRing, PrivateKey, PublicKey, Signer};
use suanpan_wechat::{ApiV2Key, ApiV3Key, MchId, Moment, Nonce, Serial};

/// A file of `tests/vectors/`, as it was when the test was built.
macro_rules! vector_file {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/", $name))
    };
}
pub(crate) use vector_file;

/// Reads a file of vectors, and sees to it that none is missing.
#[track_caller]
pub(crate) fn vectors(json: &str, count: usize) -> Vec<Value> {
    let vectors: Vec<Value> = serde_json::from_str(json).unwrap();
    assert_eq!(vectors.len(), count, "vectors in the file");
    vectors
}

/// A text of a vector by its path: `given/nonce`.
#[track_caller]
pub(crate) fn text<'a>(vector: &'a Value, path: &str) -> &'a str {
    optional(vector, path).unwrap_or_else(|| panic!("{} has no text {path}", vector["id"]))
}

pub(crate) fn optional<'a>(vector: &'a Value, path: &str) -> Option<&'a str> {
    vector.pointer(&format!("/{path}"))?.as_str()
}

#[track_caller]
pub(crate) fn number(vector: &Value, path: &str) -> i64 {
    let value = vector.pointer(&format!("/{path}")).and_then(Value::as_i64);
    value.unwrap_or_else(|| panic!("{} has no number {path}", vector["id"]))
}

/// The fields of a vector, those without a value too.
#[track_caller]
pub(crate) fn fields(vector: &Value, path: &str) -> Fields {
    let members = vector.pointer(&format!("/{path}")).and_then(Value::as_object).unwrap();
    members.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
}

pub(crate) fn headers(vector: &Value) -> HeaderMap {
    let members = vector["given"]["headers"].as_object().unwrap();
    let header = |(name, value): (&String, &Value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_str(value.as_str().unwrap()).unwrap())
    };
    members.iter().map(header).collect()
}

pub(crate) fn v2_key(text: &str) -> ApiV2Key {
    ApiV2Key::parse(text).unwrap()
}

pub(crate) fn v3_key(text: &str) -> ApiV3Key {
    ApiV3Key::parse(text).unwrap()
}

pub(crate) fn nonce(text: &str) -> Nonce {
    Nonce::parse(text).unwrap()
}

pub(crate) fn moment(now: i64, nonce: &Nonce) -> Moment<'_> {
    Moment { now, nonce }
}

/// Each private key of the vectors.
pub(crate) fn private_key(name: &str) -> PrivateKey {
    let pem = match name {
        "merchant-1" => vector_file!("merchant-1.key.pem"),
        "merchant-2" => vector_file!("merchant-2.key.pem"),
        "openssl" => vector_file!("openssl.key.pem"),
        "platform-1" => vector_file!("platform-1.key.pem"),
        "platform-2" => vector_file!("platform-2.key.pem"),
        "wechatpay-1" => vector_file!("wechatpay-1.key.pem"),
        _ => panic!("no key {name}"),
    };
    PrivateKey::from_pem(pem).unwrap()
}

/// Each certificate of the vectors.
pub(crate) fn certificate(name: &str) -> Certificate {
    let pem = match name {
        "merchant-1" => vector_file!("merchant-1.cert.pem"),
        "merchant-2" => vector_file!("merchant-2.cert.pem"),
        "openssl" => vector_file!("openssl.cert.pem"),
        "platform-1" => vector_file!("platform-1.cert.pem"),
        "platform-1-next" => vector_file!("platform-1-next.cert.pem"),
        "platform-2" => vector_file!("platform-2.cert.pem"),
        _ => panic!("no certificate {name}"),
    };
    Certificate::from_pem(pem).unwrap()
}

pub(crate) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026112400000000000001";

/// WeChat's keys as a merchant of the vectors holds them: both modes and both certificates.
pub(crate) fn key_ring(platform: &str) -> KeyRing {
    let ring = KeyRing::new().with_certificate(certificate(platform));
    if platform == "platform-2" {
        return ring;
    }
    let key = PublicKey::from_pem(vector_file!("wechatpay-1.pub.pem")).unwrap();
    ring.with_certificate(certificate("platform-1-next"))
        .with_key(Serial::parse(PUBLIC_KEY_ID).unwrap(), key)
}

pub(crate) fn signer(merchant: &str) -> Signer {
    let mchid = if merchant == "merchant-1" { "1900000109" } else { "1900009191" };
    Signer {
        mchid: MchId::parse(mchid).unwrap(),
        serial: certificate(merchant).serial,
        key: private_key(merchant),
    }
}
