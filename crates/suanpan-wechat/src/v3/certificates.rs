//! The answer of `GET /v3/certificates`: WeChat's platform certificates, sealed.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012551764. The very first answer
//! cannot be verified with a key that we hold: it is opened under the APIv3 key
//! (which is what makes it trustworthy), and then verified with its own content.

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::json::null_as_default;
use super::{Certificate, KeyRing, Resource, open, verify_message};
use crate::{ApiV3Key, Error};

const WHAT: &str = "answer of /v3/certificates";

/// The wire form.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CertificatesAnswer {
    /// One, or two during a rotation; none for merchants in public key mode.
    pub data: Vec<CertificateEntry>,
}

/// One certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CertificateEntry {
    /// Its serial number.
    pub serial_no: String,
    /// Valid from, RFC 3339.
    pub effective_time: String,
    /// Valid until, RFC 3339.
    pub expire_time: String,
    /// The certificate, sealed.
    pub encrypt_certificate: EncryptCertificate,
}

/// A sealed certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct EncryptCertificate {
    /// `AEAD_AES_256_GCM`.
    pub algorithm: String,
    /// 12 characters.
    pub nonce: String,
    /// `certificate`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub associated_data: String,
    /// Base64 of the sealed PEM.
    pub ciphertext: String,
}

impl CertificatesAnswer {
    /// Opens every certificate and verifies the answer with one of them.
    ///
    /// # Errors
    /// [`Error::Json`], [`Error::Field`], [`Error::Decrypt`], [`Error::Key`], or those
    /// of [`verify_message`].
    pub fn open(
        headers: &HeaderMap,
        body: &[u8],
        key: &ApiV3Key,
        now: i64,
    ) -> Result<Vec<Certificate>, Error> {
        Self::open_knowing(&KeyRing::new(), headers, body, key, now)
    }

    /// The same for a merchant that holds keys already: in the midst of the
    /// migration to the WeChat Pay public key this answer is signed with it.
    ///
    /// # Errors
    /// As [`CertificatesAnswer::open`].
    pub fn open_knowing(
        keys: &KeyRing,
        headers: &HeaderMap,
        body: &[u8],
        key: &ApiV3Key,
        now: i64,
    ) -> Result<Vec<Certificate>, Error> {
        let answer: Self =
            serde_json::from_slice(body).map_err(|source| Error::Json { what: WHAT, source })?;
        let certificates: Vec<Certificate> = answer
            .data
            .iter()
            .map(|entry| {
                let sealed = &entry.encrypt_certificate;
                if sealed.algorithm != Resource::ALGORITHM {
                    let given = &sealed.algorithm;
                    return Err(Error::holds(WHAT, "encrypt_certificate.algorithm", given));
                }
                let pem = open(key, &sealed.nonce, &sealed.associated_data, &sealed.ciphertext)?;
                let pem = String::from_utf8_lossy(&pem);
                Certificate::from_pem(&pem)
            })
            .collect::<Result<_, _>>()?;

        let keys = certificates.iter().cloned().fold(keys.clone(), KeyRing::with_certificate);
        verify_message(headers, body, &keys, now)?;
        Ok(certificates)
    }
}
