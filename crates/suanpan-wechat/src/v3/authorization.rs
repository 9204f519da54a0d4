//! How a request is signed: the `Authorization` header.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012365336. Five lines, each ended
//! by a line feed, the last one too; the second is path and query exactly as
//! they go on the wire, the fifth the exact bytes of the body.

use super::{PrivateKey, PublicKey};
use crate::{Error, MchId, Moment, Serial};

/// The only scheme that we sign with; SM2 merchants have another.
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
const HEADER: &str = "Authorization";

/// A merchant as the gateway knows it: number, certificate, key.
#[derive(Debug)]
pub struct Signer {
    /// The caller (in partner mode the partner).
    pub mchid: MchId,
    /// The serial number of the merchant's API certificate.
    pub serial: Serial,
    /// The key of that certificate.
    pub key: PrivateKey,
}

/// What is signed of a request.
pub fn request_message(
    method: &str,
    path_and_query: &str,
    now: i64,
    nonce: &str,
    body: &[u8],
) -> Vec<u8> {
    let mut text = format!("{method}\n{path_and_query}\n{now}\n{nonce}\n").into_bytes();
    text.extend_from_slice(body);
    text.push(b'\n');
    text
}

/// The whole value of the `Authorization` header.
///
/// For uploads `body` is the `meta` part alone, not the multipart body.
pub fn authorize(
    signer: &Signer,
    method: &str,
    path_and_query: &str,
    body: &[u8],
    moment: Moment<'_>,
) -> String {
    let nonce = moment.nonce.as_str();
    let text = request_message(method, path_and_query, moment.now, nonce, body);
    let signature = signer.key.sign(&text);
    let (mchid, serial) = (&signer.mchid, signer.serial.wire());
    let now = moment.now;
    format!(
        "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",timestamp=\"{now}\",serial_no=\"{serial}\",signature=\"{signature}\""
    )
}

/// A parsed `Authorization` header: WeChat's side reads it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authorization {
    /// The merchant that says it asks.
    pub mchid: String,
    /// Its nonce.
    pub nonce_str: String,
    /// Its clock, unix seconds.
    pub timestamp: i64,
    /// The certificate that it says it signed with.
    pub serial_no: Serial,
    /// Base64.
    pub signature: String,
}

impl Authorization {
    /// Reads the value of the header: scheme, one space, five members in any
    /// order, each once, in double quotes, joined by commas without blanks.
    ///
    /// # Errors
    /// [`Error::Header`] for any other form.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let malformed = || Error::Header { name: HEADER };
        let members = value.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(' '));

        let mut found: [Option<&str>; 5] = [None; 5];
        const NAMES: [&str; 5] = ["mchid", "nonce_str", "timestamp", "serial_no", "signature"];
        for member in members.ok_or_else(malformed)?.split(',') {
            let (name, value) = member.split_once('=').ok_or_else(malformed)?;
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = value.filter(|value| !value.is_empty() && !value.contains('"'));
            let place = NAMES.iter().position(|known| *known == name);
            let slot = place.and_then(|place| found.get_mut(place)).ok_or_else(malformed)?;
            if slot.replace(value.ok_or_else(malformed)?).is_some() {
                return Err(malformed());
            }
        }
        let [Some(mchid), Some(nonce_str), Some(timestamp), Some(serial_no), Some(signature)] =
            found
        else {
            return Err(malformed());
        };

        Ok(Self {
            mchid: mchid.to_owned(),
            nonce_str: nonce_str.to_owned(),
            timestamp: timestamp.parse().map_err(|_| malformed())?,
            serial_no: Serial::normalised(serial_no).map_err(|_| malformed())?,
            signature: signature.to_owned(),
        })
    }

    /// Whether the signature is the merchant's, over exactly this request.
    ///
    /// # Errors
    /// [`Error::Signature`] where it is not.
    pub fn verify(
        &self,
        method: &str,
        path_and_query: &str,
        body: &[u8],
        key: &PublicKey,
    ) -> Result<(), Error> {
        let text = request_message(method, path_and_query, self.timestamp, &self.nonce_str, body);
        key.verify("request", &text, &self.signature)
    }
}
