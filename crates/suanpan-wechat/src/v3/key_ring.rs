//! WeChat's keys, by the name under which messages refer to them.

use std::collections::BTreeMap;

use super::{Certificate, PublicKey};
use crate::{Error, Serial};

/// Platform certificates and WeChat Pay public keys side by side.
///
/// During a migration from one to the other, and during a rotation, messages
/// come signed with either; so the key is always looked up, never assumed.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    keys: BTreeMap<Serial, PublicKey>,
    preferred: Option<Serial>,
}

impl KeyRing {
    /// No keys: nothing verifies.
    pub const fn new() -> Self {
        Self { keys: BTreeMap::new(), preferred: None }
    }

    /// Adds a platform certificate.
    #[must_use]
    pub fn with_certificate(self, certificate: Certificate) -> Self {
        self.with_key(certificate.serial, certificate.public_key)
    }

    /// Adds a key under its name.
    ///
    /// A WeChat Pay public key is preferred to certificates: naming it in our
    /// requests is how a merchant finishes the migration.
    #[must_use]
    pub fn with_key(mut self, serial: Serial, key: PublicKey) -> Self {
        if self.preferred.as_ref().is_none_or(|known| !known.is_public_key()) {
            self.preferred = Some(serial.clone());
        }
        self.keys.insert(serial, key);
        self
    }

    /// The key of that name.
    ///
    /// # Errors
    /// [`Error::UnknownSerial`], with the names that are known.
    pub fn find(&self, serial: &Serial) -> Result<&PublicKey, Error> {
        self.keys.get(serial).ok_or_else(|| {
            let known: Vec<&str> = self.serials().map(Serial::as_str).collect();
            let known = if known.is_empty() { "no key".to_owned() } else { known.join(", ") };
            Error::UnknownSerial { serial: serial.to_string(), known }
        })
    }

    /// The names of all keys.
    pub fn serials(&self) -> impl Iterator<Item = &Serial> {
        self.keys.keys()
    }

    /// What we send as `Wechatpay-Serial`: the key that we ask WeChat to answer with.
    pub const fn preferred(&self) -> Option<&Serial> {
        self.preferred.as_ref()
    }
}
