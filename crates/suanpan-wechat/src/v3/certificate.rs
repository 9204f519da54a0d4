//! An X.509 certificate, as far as payments need it: number, key, dates, names.

use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::PublicKey;
use super::rsa::{plain_pem, read_pem};
use crate::{Error, MchId, Serial};

/// A merchant's API certificate or one of WeChat's platform certificates.
///
/// No chain is checked: a platform certificate is trusted because it came
/// sealed under the APIv3 key, or because the operator put it there.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Names the key in `Wechatpay-Serial` and in `Authorization`.
    pub serial: Serial,
    /// The key that it certifies.
    pub public_key: PublicKey,
    /// Valid from, unix seconds.
    pub not_before: i64,
    /// Valid until, unix seconds.
    pub not_after: i64,
    /// Whose it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The file itself; nothing in it is secret.
    pub pem: String,
}

impl Certificate {
    /// Reads a PEM file such as `apiclient_cert.pem`.
    ///
    /// # Errors
    /// [`Error::Key`] for anything that is not an X.509 certificate with an RSA key.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        const WHAT: &str = "certificate";
        let (label, der) = read_pem(pem, WHAT)?;
        if label.contains("KEY") {
            return Err(Error::Key { what: WHAT, why: format!("the file holds a {label}") });
        }
        let broken = |why: String| Error::Key { what: WHAT, why };
        let (_, certificate) =
            X509Certificate::from_der(&der).map_err(|cause| broken(cause.to_string()))?;

        Ok(Self {
            serial: Serial::normalised(&hex::encode_upper(certificate.raw_serial()))?,
            public_key: PublicKey::from_spki(certificate.public_key().raw)?,
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            pem: plain_pem(pem),
        })
    }

    /// The merchant that it was issued to; `None` for WeChat's platform certificates.
    ///
    /// Tenpay writes the merchant's number as the common name, and `Tenpay.com sign` for itself.
    pub fn merchant(&self) -> Option<MchId> {
        let mut parts = self.subject.split(", ");
        parts.find_map(|part| MchId::parse(part.strip_prefix("CN=")?).ok())
    }

    /// Whether it is valid at this moment (unix seconds).
    pub const fn is_valid_at(&self, now: i64) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}
