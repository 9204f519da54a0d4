//! Step 5 of 6, notify, the APIv3 way: the envelope that WeChat posts to us.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012791902. The envelope is signed,
//! what it tells is sealed inside. The event's name cannot be trusted to tell a
//! payment from a profit-sharing notice: the members of the plaintext do.

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::json::null_as_default;
use super::{KeyRing, RefundResource, Transaction, open, seal, verify_message};
use crate::{ApiV3Key, Error};

const WHAT: &str = "notification";

/// The envelope.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Notification {
    /// WeChat's id of it, the same each time it is repeated.
    pub id: String,
    /// When it was made, RFC 3339.
    pub create_time: String,
    /// Such as `TRANSACTION.SUCCESS` or `REFUND.SUCCESS`.
    pub event_type: String,
    /// `encrypt-resource`.
    pub resource_type: String,
    /// For people.
    #[serde(default, deserialize_with = "null_as_default")]
    pub summary: String,
    /// What it tells, sealed.
    pub resource: Resource,
}

/// What a notification tells, sealed under the APIv3 key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Resource {
    /// Such as `transaction` or `refund`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub original_type: String,
    /// `AEAD_AES_256_GCM`.
    pub algorithm: String,
    /// Base64.
    pub ciphertext: String,
    /// May be empty or absent.
    #[serde(default, deserialize_with = "null_as_default")]
    pub associated_data: String,
    /// 12 characters.
    pub nonce: String,
}

impl Resource {
    /// The one algorithm of RSA merchants.
    pub const ALGORITHM: &'static str = "AEAD_AES_256_GCM";

    /// Seals a text, as WeChat's side does.
    ///
    /// # Errors
    /// [`Error::Decrypt`] where `nonce` is not 12 bytes long.
    pub fn seal(
        original_type: &str,
        key: &ApiV3Key,
        nonce: &str,
        text: &[u8],
    ) -> Result<Self, Error> {
        Ok(Self {
            original_type: original_type.to_owned(),
            algorithm: Self::ALGORITHM.to_owned(),
            ciphertext: seal(key, nonce, original_type, text)?,
            associated_data: original_type.to_owned(),
            nonce: nonce.to_owned(),
        })
    }

    /// What was sealed.
    ///
    /// # Errors
    /// [`Error::Field`] for another algorithm, [`Error::Decrypt`] for another key.
    pub fn open(&self, key: &ApiV3Key) -> Result<Vec<u8>, Error> {
        if self.algorithm != Self::ALGORITHM {
            return Err(Error::holds(WHAT, "resource.algorithm", &self.algorithm));
        }
        open(key, &self.nonce, &self.associated_data, &self.ciphertext)
    }
}

impl Notification {
    /// Verifies a message, then reads the envelope. `now` is in unix seconds.
    ///
    /// # Errors
    /// Those of [`verify_message`], and [`Error::Json`].
    pub fn read(headers: &HeaderMap, body: &[u8], keys: &KeyRing, now: i64) -> Result<Self, Error> {
        verify_message(headers, body, keys, now)?;
        serde_json::from_slice(body).map_err(|source| Error::Json { what: WHAT, source })
    }
}

/// A notification that tells of a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentNotification {
    /// The envelope.
    pub envelope: Notification,
    /// What it tells.
    pub transaction: Transaction,
}

impl PaymentNotification {
    /// The only event that tells of a payment.
    pub const EVENT_TYPE: &'static str = "TRANSACTION.SUCCESS";

    /// Verifies, reads and opens a payment notification.
    ///
    /// # Errors
    /// Those of [`Notification::read`] and [`Resource::open`]; [`Error::Field`]
    /// where it tells of something else than a payment.
    pub fn read(
        headers: &HeaderMap,
        body: &[u8],
        keys: &KeyRing,
        api_v3_key: &ApiV3Key,
        now: i64,
    ) -> Result<Self, Error> {
        let envelope = Notification::read(headers, body, keys, now)?;
        Self::open(envelope, api_v3_key)
    }

    /// Opens an envelope that was verified.
    ///
    /// # Errors
    /// As [`PaymentNotification::read`].
    pub fn open(envelope: Notification, api_v3_key: &ApiV3Key) -> Result<Self, Error> {
        if envelope.event_type != Self::EVENT_TYPE {
            return Err(Error::holds(WHAT, "event_type", &envelope.event_type));
        }
        let text = envelope.resource.open(api_v3_key)?;
        let transaction: Transaction = serde_json::from_slice(&text)
            .map_err(|source| Error::Json { what: "sealed transaction", source })?;
        if transaction.trade_state.is_none() {
            return Err(Error::missing("sealed transaction", "trade_state"));
        }
        Ok(Self { envelope, transaction })
    }
}

/// A notification that tells of a refund.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefundNotification {
    /// The envelope.
    pub envelope: Notification,
    /// What it tells.
    pub refund: RefundResource,
}

impl RefundNotification {
    /// The events that tell of a refund.
    pub const EVENT_TYPES: [&'static str; 3] =
        ["REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"];

    /// Whether the envelope says that it tells of a refund.
    pub fn is_told_by(envelope: &Notification) -> bool {
        envelope.event_type.starts_with("REFUND.")
    }

    /// Opens an envelope that was verified.
    ///
    /// # Errors
    /// Those of [`Resource::open`]; [`Error::Field`] where it tells of something else than a refund.
    pub fn open(envelope: Notification, api_v3_key: &ApiV3Key) -> Result<Self, Error> {
        if !Self::is_told_by(&envelope) {
            return Err(Error::holds(WHAT, "event_type", &envelope.event_type));
        }
        let text = envelope.resource.open(api_v3_key)?;
        let refund: RefundResource = serde_json::from_slice(&text)
            .map_err(|source| Error::Json { what: "sealed refund", source })?;
        // The calls say `status`, the notification says `refund_status`: without it this is no refund.
        if refund.refund_status.is_none() {
            return Err(Error::missing("sealed refund", "refund_status"));
        }
        Ok(Self { envelope, refund })
    }
}
