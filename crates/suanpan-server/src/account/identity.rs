//! What proves a merchant: its API certificate with the key, as PEM files or as WeChat's `apiclient_cert.p12`.
//!
//! APIv3 signs with the key; APIv2 gives money back only over a connection that
//! shows the certificate. Both must belong together, and to this merchant.

use std::path::Path;

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use suanpan_wechat::MchId;
use suanpan_wechat::v3::{Certificate, PrivateKey, plain_pem};

use super::{of, read, secret, wrong};
use crate::Error;
use crate::config::{Config, MerchantConfig, Pem, Secret};

/// A certificate with its key.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Read, and still as PEM.
    pub(super) certificate: Certificate,
    /// PEM.
    pub(super) key: Secret,
}

impl Identity {
    /// Reads and checks it; `None` where none is configured.
    pub(super) fn load(
        config: &Config,
        merchant: &MerchantConfig,
        mchid: &MchId,
    ) -> Result<Option<Self>, Error> {
        let pems = (&merchant.merchant_certificate, &merchant.merchant_private_key);
        let (place, identity) = match (pems, &merchant.merchant_p12) {
            ((None, None), None) => return Ok(None),
            ((None, None), Some(file)) => (P12, Self::open_p12(config, merchant, mchid, file)?),
            ((Some(certificate), Some(key)), None) => {
                (CERTIFICATE, from_pem(config, merchant, certificate, key)?)
            }
            ((Some(_), None), None) => {
                let why = "merchant_certificate and merchant_private_key go together";
                return Err(wrong(merchant, KEY, why));
            }
            ((None, Some(_)), None) => {
                return Err(wrong(
                    merchant,
                    CERTIFICATE,
                    "it is needed beside merchant_private_key",
                ));
            }
            ((Some(_), _) | (None, Some(_)), Some(_)) => {
                let why = "it holds certificate and key: write it, or the two PEM files, not both";
                return Err(wrong(merchant, P12, why));
            }
        };
        identity.check(merchant, mchid, place)?;
        Ok(Some(identity))
    }

    /// The key, to sign with.
    pub(super) fn private_key(&self, merchant: &MerchantConfig) -> Result<PrivateKey, Error> {
        PrivateKey::from_pem(self.key.expose()).map_err(of(merchant, KEY))
    }

    /// The certificate as PEM, to show.
    pub(crate) const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn certificate_pem(&self) -> &str {
        &self.certificate.pem
    }

    /// The key as PEM. Secret.
    pub(crate) fn key_pem(&self) -> &str {
        self.key.expose()
    }

    /// WeChat makes the file with the merchant's number as its password.
    pub(crate) fn open_p12(
        config: &Config,
        merchant: &MerchantConfig,
        mchid: &MchId,
        file: &Path,
    ) -> Result<Self, Error> {
        let bytes = config.read_bytes(&format!("merchants[{mchid}].{P12}"), file)?;
        let inline = merchant.merchant_p12_password.as_ref();
        let in_file = merchant.merchant_p12_password_file.as_deref();
        let password = secret(config, merchant, "merchant_p12_password", inline, in_file)?;
        let password = password.as_ref().map_or(mchid.as_str(), Secret::expose);

        let store = KeyStore::from_pkcs12(&bytes, password, Pkcs12ImportPolicy::Strict);
        // Whether it is the file or the password cannot be told apart: both end in a wrong checksum.
        let store = store.map_err(|_| {
            let why = "it cannot be opened: it is no PKCS#12 file, or merchant_p12_password is another \
                       (WeChat makes it the merchant number)";
            wrong(merchant, P12, why)
        })?;
        let chain = store.private_key_chain().map(|(_, chain)| chain);
        let both = chain.and_then(|chain| Some((chain.key(), chain.certs().first()?)));
        let (key, certificate) =
            both.ok_or_else(|| wrong(merchant, P12, "there is no key with its certificate in it"))?;
        let certificate = pem::encode(&pem::Pem::new("CERTIFICATE", certificate.as_der()));
        Ok(Self {
            certificate: Certificate::from_pem(&certificate).map_err(of(merchant, P12))?,
            key: Secret::new(pem::encode(&pem::Pem::new("PRIVATE KEY", key.as_der()))),
        })
    }

    fn check(&self, merchant: &MerchantConfig, mchid: &MchId, place: &str) -> Result<(), Error> {
        let signature = self.private_key(merchant)?.sign(PROBE);
        if self.certificate.public_key.verify("probe", PROBE, &signature).is_err() {
            let why = if self.certificate.subject.contains("Tenpay.com sign") {
                "this is WeChat's platform certificate; the merchant's own (apiclient_cert.pem) belongs here"
            } else {
                "it is not the certificate of merchant_private_key"
            };
            return Err(wrong(merchant, place, why));
        }
        match self.certificate.merchant() {
            Some(other) if other != *mchid => {
                Err(wrong(merchant, place, format!("this is the certificate of merchant {other}")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn from_pem(
    config: &Config,
    merchant: &MerchantConfig,
    certificate: &Pem,
    key: &Pem,
) -> Result<Identity, Error> {
    let certificate = read(config, merchant, CERTIFICATE, certificate)?;
    Ok(Identity {
        certificate: Certificate::from_pem(&certificate).map_err(of(merchant, CERTIFICATE))?,
        // Whoever shows it takes less than who signs with it.
        key: Secret::new(plain_pem(&read(config, merchant, KEY, key)?)),
    })
}

const CERTIFICATE: &str = "merchant_certificate";
const KEY: &str = "merchant_private_key";
const P12: &str = "merchant_p12";
const PROBE: &[u8] = b"suanpan";
