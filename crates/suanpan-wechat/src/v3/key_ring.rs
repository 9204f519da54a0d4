//! WeChat's keys, by the name under which messages refer to them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Certificate, PublicKey};
use crate::{Error, Serial};

/// Platform certificates and WeChat Pay public keys side by side.
///
/// During a migration from one to the other, and during a rotation, messages
/// come signed with either; so the key is always looked up, never assumed.
///
/// A ring that is in use can be replaced ([`KeyRing::replace`]): whoever holds
/// it sees the newer one at once and whole.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    keys: BTreeMap<Serial, PublicKey>,
    preferred: Option<Preferred>,
    /// What replaced this one. Rings are kept until the first one goes: WeChat
    /// rotates once in years, and so what was borrowed stays where it is.
    newer: OnceLock<Box<Self>>,
}

#[derive(Clone, Debug)]
struct Preferred {
    serial: Serial,
    /// When it became valid; a key without a certificate does not say.
    since: Option<i64>,
}

impl KeyRing {
    /// No keys: nothing verifies.
    pub const fn new() -> Self {
        Self { keys: BTreeMap::new(), preferred: None, newer: OnceLock::new() }
    }

    /// Adds a platform certificate. During a rotation the younger one is preferred,
    /// whichever is added first.
    #[must_use]
    pub fn with_certificate(self, certificate: Certificate) -> Self {
        self.with(certificate.serial, certificate.public_key, Some(certificate.not_before))
    }

    /// Adds a key under its name.
    ///
    /// A WeChat Pay public key is preferred to certificates: naming it in our
    /// requests is how a merchant finishes the migration.
    #[must_use]
    pub fn with_key(self, serial: Serial, key: PublicKey) -> Self {
        self.with(serial, key, None)
    }

    /// Puts `newer` in the place of this ring, for everyone who holds it.
    pub fn replace(&self, newer: Self) {
        let mut newer = Box::new(newer);
        // Somebody else may replace it at the same time: then ours comes after theirs.
        while let Err(back) = self.latest().newer.set(newer) {
            newer = back;
        }
    }

    fn latest(&self) -> &Self {
        let mut ring = self;
        while let Some(newer) = ring.newer.get() {
            ring = newer;
        }
        ring
    }

    fn with(mut self, serial: Serial, key: PublicKey, since: Option<i64>) -> Self {
        while let Some(newer) = self.newer.take() {
            self = *newer;
        }
        // A new name without a date is a public key, or the last word of the operator.
        let replaced = |known: &Preferred| {
            !known.serial.is_public_key() && (since.is_none() || known.since <= since)
        };
        if self.preferred.as_ref().is_none_or(replaced) {
            self.preferred = Some(Preferred { serial: serial.clone(), since });
        }
        self.keys.insert(serial, key);
        self
    }

    /// The key of that name.
    ///
    /// # Errors
    /// [`Error::UnknownSerial`], with the names that are known.
    pub fn find(&self, serial: &Serial) -> Result<&PublicKey, Error> {
        self.latest().keys.get(serial).ok_or_else(|| {
            let known: Vec<&str> = self.serials().map(Serial::as_str).collect();
            let known = if known.is_empty() { "no key".to_owned() } else { known.join(", ") };
            Error::UnknownSerial { serial: serial.to_string(), known }
        })
    }

    /// The names of all keys.
    pub fn serials(&self) -> impl Iterator<Item = &Serial> {
        self.latest().keys.keys()
    }

    /// What we send as `Wechatpay-Serial`: the key that we ask WeChat to answer with.
    pub fn preferred(&self) -> Option<&Serial> {
        self.latest().preferred.as_ref().map(|preferred| &preferred.serial)
    }
}
