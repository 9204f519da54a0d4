//! The answer of `GET /v3/certificates`: WeChat's platform certificates, sealed.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012551764. The very first answer
//! cannot be verified with a key that we hold: it is opened under the APIv3 key
//! (which is what makes it trustworthy), and then verified with its own content.

use http::{HeaderMap, Method, Request};
use serde::{Deserialize, Serialize};

use super::calls::{granted, refusal, signed};
use super::json::null_as_default;
use super::{Account, Certificate, KeyRing, Resource, open, verify_message};
use crate::{ApiV3Key, Call, Error, Host, Moment, Reply};

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

/// Fetches WeChat's platform certificates: those in force, opened and verified.
///
/// None, or a refusal with status 404, means a merchant in public key mode.
#[derive(Clone, Copy, Debug)]
pub struct DownloadCertificates<'a> {
    /// Who asks. Its keys may be none at all.
    pub account: Account<'a>,
}

impl Call for DownloadCertificates<'_> {
    type Answer = Vec<Certificate>;

    fn operation(&self) -> &'static str {
        "GET /v3/certificates"
    }

    fn host(&self) -> Host {
        Host::Merchant
    }

    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        signed(self.account, Method::GET, "/v3/certificates", Vec::new(), moment)
    }

    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<Vec<Certificate>, Error> {
        let Account { keys, api_v3_key, .. } = self.account;
        if (200..300).contains(&reply.status) && reply.status != 202 {
            // No certificate, no proof: an empty list can only withhold, as a cut line could.
            let empty = |answer: CertificatesAnswer| answer.data.is_empty();
            if serde_json::from_slice(reply.body).is_ok_and(empty) {
                return Ok(Vec::new());
            }
            let (headers, body) = (reply.headers, reply.body);
            return CertificatesAnswer::open_knowing(keys, headers, body, api_v3_key, now);
        }
        match granted(self.account, reply, now) {
            // A refusal that is signed with a key which the caller still lacks says what is lacking.
            Err(Error::UnknownSerial { .. }) => Err(Error::Refused(refusal(reply, false))),
            Err(error) => Err(error),
            Ok(()) => Err(Error::Refused(refusal(reply, true))),
        }
    }
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
