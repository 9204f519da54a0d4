//! How WeChat signs answers and notifications: the `Wechatpay-*` headers.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4013053249. Three lines: timestamp,
//! nonce, and the exact bytes of the body, each ended by a line feed.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{KeyRing, PrivateKey};
use crate::{Error, Moment, Serial};

/// The signature type of RSA merchants, also where the header is absent.
pub const SIGNATURE_TYPE: &str = "WECHATPAY2-SHA256-RSA2048";

/// A message this many seconds old, or more, is refused: it could be a replay.
const MAX_DISTANCE: u64 = 300;

const TIMESTAMP: &str = "wechatpay-timestamp";
const NONCE: &str = "wechatpay-nonce";
const SERIAL: &str = "wechatpay-serial";
const SIGNATURE: &str = "wechatpay-signature";
const TYPE: &str = "wechatpay-signature-type";

/// What is signed of an answer or a notification.
pub fn message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{timestamp}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    text
}

/// The five headers of a signed message: WeChat's side writes them.
pub fn sign_message(
    key: &PrivateKey,
    serial: &Serial,
    moment: Moment<'_>,
    body: &[u8],
) -> HeaderMap {
    let (timestamp, nonce) = (moment.now.to_string(), moment.nonce.as_str());
    let signature = key.sign(&message(&timestamp, nonce, body));
    [
        (TIMESTAMP, timestamp.as_str()),
        (NONCE, nonce),
        (SERIAL, &serial.wire()),
        (SIGNATURE, &signature),
        (TYPE, SIGNATURE_TYPE),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
    })
    .collect()
}

/// Whether WeChat signed these bytes, with a key that we hold, in the last five
/// minutes. `now` is in unix seconds.
///
/// # Errors
/// [`Error::Header`], [`Error::Stale`], [`Error::UnknownSerial`],
/// [`Error::Probe`] or [`Error::Signature`].
pub fn verify_message(
    headers: &HeaderMap,
    body: &[u8],
    keys: &KeyRing,
    now: i64,
) -> Result<(), Error> {
    let signature_type = text(headers, TYPE).unwrap_or(SIGNATURE_TYPE);
    if signature_type != SIGNATURE_TYPE {
        return Err(Error::Header { name: "Wechatpay-Signature-Type" });
    }
    let timestamp = required(headers, TIMESTAMP, "Wechatpay-Timestamp")?;
    let nonce = required(headers, NONCE, "Wechatpay-Nonce")?;
    let serial = required(headers, SERIAL, "Wechatpay-Serial")?;
    let signature = required(headers, SIGNATURE, "Wechatpay-Signature")?;

    let signed_at: i64 =
        timestamp.parse().map_err(|_| Error::Header { name: "Wechatpay-Timestamp" })?;
    // An unsigned distance: a peer once had a panic here, reachable by anyone.
    let seconds = now.abs_diff(signed_at);
    if seconds >= MAX_DISTANCE {
        return Err(Error::Stale { seconds });
    }
    let serial =
        Serial::normalised(serial).map_err(|_| Error::Header { name: "Wechatpay-Serial" })?;
    keys.find(&serial)?.verify("message", &message(timestamp, nonce, body), signature)
}

/// Whether the four headers of a signature are there at all.
pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    [TIMESTAMP, NONCE, SERIAL, SIGNATURE].iter().all(|name| text(headers, name).is_some())
}

fn required<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
    shown: &'static str,
) -> Result<&'h str, Error> {
    text(headers, name).ok_or(Error::Header { name: shown })
}

/// A header that stands there once and is not blank.
fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let (value, rest) = (values.next()?, values.next());
    value.to_str().ok().map(str::trim).filter(|text| !text.is_empty() && rest.is_none())
}
