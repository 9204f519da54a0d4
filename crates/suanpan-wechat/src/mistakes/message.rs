//! What is signed, and the keys that are at hand.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::draft::{Digest, Draft, Shape};
use crate::v2::SignType;
use crate::v3::{self, PublicKey};
use crate::{PaySignType, pay_sign_text_v2};

/// A message that is signed, as it was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// APIv2, any message: its fields in the order in which they were sent, the empty ones too. A `sign` among
    /// them is not signed over.
    Fields {
        /// Names and values, decoded.
        fields: Vec<(String, String)>,
        /// The digest that is wanted.
        sign_type: SignType,
    },
    /// A request of APIv3.
    Request {
        /// In capitals.
        method: String,
        /// Path and query, as on the wire.
        url: String,
        /// The host that was asked, where it is known.
        host: Option<String>,
        /// Unix seconds, as they stand in `Authorization`.
        timestamp: String,
        /// `nonce_str` of `Authorization`.
        nonce: String,
        /// The exact bytes.
        body: Vec<u8>,
    },
    /// An answer or a notification of APIv3.
    Answer {
        /// `Wechatpay-Timestamp`.
        timestamp: String,
        /// `Wechatpay-Nonce`.
        nonce: String,
        /// The bytes that are in hand.
        body: Vec<u8>,
    },
    /// What `wx.requestPayment` takes, and the app that it is for.
    Payment {
        /// The app that the phone stands in; signed, and not passed.
        app_id: String,
        /// `timeStamp`
        time_stamp: String,
        /// `nonceStr`
        nonce_str: String,
        /// `package`
        package: String,
        /// `signType`, which says by which API it is signed.
        sign_type: PaySignType,
    },
    /// A delivery by Standard Webhooks: what we tell the merchant's system.
    Webhook {
        /// `webhook-id`
        id: String,
        /// `webhook-timestamp`, unix seconds.
        timestamp: String,
        /// The bytes that are in hand.
        body: Vec<u8>,
    },
}

impl Message {
    /// The kind of key that signs it.
    pub const fn signed_by(&self) -> KeyKind {
        match self {
            Self::Fields { .. } => KeyKind::ApiV2,
            Self::Payment { sign_type: PaySignType::Md5 | PaySignType::HmacSha256, .. } => {
                KeyKind::ApiV2
            }
            Self::Payment { sign_type: PaySignType::Rsa, .. } | Self::Request { .. } => {
                KeyKind::Merchant
            }
            Self::Answer { .. } => KeyKind::Platform,
            Self::Webhook { .. } => KeyKind::Webhook,
        }
    }

    /// The text that must be signed, before a key is appended.
    pub(super) fn draft(&self) -> Draft {
        match self {
            Self::Fields { fields, sign_type } => {
                let fields = fields.iter().filter(|(name, _)| name != "sign");
                let digest = match sign_type {
                    SignType::Md5 => Digest::Md5,
                    SignType::HmacSha256 => Digest::HmacSha256,
                };
                Draft::new(fields.cloned(), Shape::pairs(), digest)
            }
            Self::Request { method, url, timestamp, nonce, body, .. } => {
                let text = String::from_utf8_lossy(body);
                let parts = [
                    ("method", &**method),
                    ("url", url),
                    ("timestamp", timestamp),
                    ("nonce_str", nonce),
                    ("body", &text),
                ];
                let time = timestamp.parse().unwrap_or_default();
                let exact = v3::request_message(method, url, time, nonce, body);
                Draft::of(parts, Shape::LINES, Digest::Sha256).exactly(body, exact)
            }
            Self::Answer { timestamp, nonce, body } => {
                let text = String::from_utf8_lossy(body);
                let parts = [("timestamp", &**timestamp), ("nonce", nonce), ("body", &text)];
                let exact = v3::message(timestamp, nonce, body);
                Draft::of(parts, Shape::LINES, Digest::Sha256).exactly(body, exact)
            }
            Self::Payment { app_id, time_stamp, nonce_str, package, sign_type } => {
                let digest = match sign_type {
                    PaySignType::Md5 => Digest::Md5,
                    PaySignType::HmacSha256 => Digest::HmacSha256,
                    PaySignType::Rsa => {
                        let parts = [
                            ("appId", &**app_id),
                            ("timeStamp", time_stamp),
                            ("nonceStr", nonce_str),
                            ("package", package),
                        ];
                        return Draft::of(parts, Shape::LINES, Digest::Sha256);
                    }
                };
                self.payment_pairs(digest)
            }
            Self::Webhook { id, timestamp, body } => {
                let text = String::from_utf8_lossy(body);
                let parts = [("id", &**id), ("timestamp", timestamp), ("body", &text)];
                let mut exact = format!("{id}.{timestamp}.").into_bytes();
                exact.extend_from_slice(body);
                let shape = Shape::Lines { end: ".", last: false, names: false };
                Draft::of(parts, shape, Digest::WebhookMac).exactly(body, exact)
            }
        }
    }

    /// The second sign, the APIv2 way; no fields for another message.
    pub(super) fn payment_pairs(&self, digest: Digest) -> Draft {
        let fields = match self {
            Self::Payment { app_id, time_stamp, nonce_str, package, sign_type } => {
                pay_sign_text_v2(app_id, time_stamp, nonce_str, package, sign_type.as_str())
            }
            Self::Fields { .. }
            | Self::Request { .. }
            | Self::Answer { .. }
            | Self::Webhook { .. } => crate::v2::Fields::new(),
        };
        let fields = fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Draft::new(fields.collect::<Vec<_>>(), Shape::pairs(), digest)
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyKind {
    /// The APIv2 key of a merchant.
    ApiV2,
    /// The APIv3 key of a merchant: decrypts, and never signs.
    ApiV3,
    /// The `AppSecret` of an app.
    AppSecret,
    /// The public half of a merchant's private key.
    Merchant,
    /// WeChat's: a platform certificate or the WeChat Pay public key.
    Platform,
    /// `whsec_…` of a webhook endpoint.
    Webhook,
}

/// The keys that are at hand. The first of the kind that a message wants is the right one for it; all the
/// others are keys that somebody may have taken by mistake.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub(super) secrets: Vec<Secret>,
    pub(super) public: Vec<Public>,
    pub(super) apps: Vec<String>,
}

/// A key that both sides hold.
#[derive(Clone)]
pub(super) struct Secret {
    pub(super) kind: KeyKind,
    pub(super) of: String,
    pub(super) text: Arc<Zeroizing<String>>,
}

/// A key that proves what another one signed.
#[derive(Clone, Debug)]
pub(super) struct Public {
    pub(super) kind: KeyKind,
    pub(super) of: String,
    pub(super) key: PublicKey,
}

impl Keys {
    /// None.
    pub const fn new() -> Self {
        Self { secrets: Vec::new(), public: Vec::new(), apps: Vec::new() }
    }

    /// Adds a key that both sides hold, and whose it is: a merchant number, an appid.
    pub fn secret(&mut self, kind: KeyKind, of: &str, text: &str) {
        let text = Arc::new(Zeroizing::new(text.to_owned()));
        self.secrets.push(Secret { kind, of: of.to_owned(), text });
    }

    /// Adds a public key, and whose it is: a merchant number, a serial number.
    pub fn public(&mut self, kind: KeyKind, of: &str, key: PublicKey) {
        self.public.push(Public { kind, of: of.to_owned(), key });
    }

    /// Adds an app that a second sign may have been made for.
    pub fn app(&mut self, appid: &str) {
        self.apps.push(appid.to_owned());
    }

    /// A text with this in place of each key that both sides hold, for whoever shows it.
    pub fn masked(&self, text: &[u8], shown: &str) -> Vec<u8> {
        let mut text = String::from_utf8_lossy(text).into_owned();
        for secret in self.secrets.iter().filter(|secret| !secret.text.is_empty()) {
            text = text.replace(secret.text.as_str(), shown);
        }
        text.into_bytes()
    }

    /// The merchants that a key is known of.
    pub(super) fn merchants(&self) -> impl Iterator<Item = &str> {
        let keys = self.secrets.iter().filter(|secret| secret.kind == KeyKind::ApiV2);
        keys.map(|secret| secret.of.as_str())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.public.is_empty()
    }

    /// Whether the key is there that signs this message, or proves it.
    pub fn has(&self, kind: KeyKind) -> bool {
        let secret = self.secrets.iter().any(|secret| secret.kind == kind);
        secret || self.public.iter().any(|public| public.kind == kind)
    }
}

/// Without the key.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} (…)", self.kind, self.of)
    }
}
