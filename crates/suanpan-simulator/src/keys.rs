//! Makes the keys and certificates of the first start.
//!
//! All are new and worth nothing: RSA-2048, the merchants' certificates and
//! WeChat's platform certificates issued as Tenpay issues them, five years long.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKeyChain};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, Issuer, KeyPair, PKCS_RSA_SHA256, RsaKeySize,
    SerialNumber,
};

use crate::{Error, Outside};

/// Whoever signs certificates at Tenpay. Its key is thrown away after the first start.
#[derive(Debug)]
pub(crate) struct Authority {
    key: KeyPair,
    /// A day, and five years later.
    valid: [(i32, u8, u8); 2],
}

/// A key pair with its certificate.
#[derive(Debug)]
pub(crate) struct Certified {
    /// 40 upper-case hex digits.
    pub(crate) serial: String,
    /// PEM.
    pub(crate) certificate: String,
    /// PEM, PKCS#8.
    pub(crate) private_key: String,
    /// PKCS#12 of both, for APIv2.
    pub(crate) p12: Vec<u8>,
}

/// A key pair without a certificate.
#[derive(Debug)]
pub(crate) struct Pair {
    /// PEM, PKCS#8.
    pub(crate) private_key: String,
    /// PEM, SPKI.
    pub(crate) public_key: String,
}

/// A new key pair.
pub(crate) fn pair() -> Result<Pair, Error> {
    let key = rsa()?;
    Ok(Pair { private_key: key.serialize_pem(), public_key: key.public_key_pem() })
}

impl Authority {
    /// A new one; its certificates are valid from today (unix seconds).
    pub(crate) fn new(now: i64) -> Result<Self, Error> {
        let today = Timestamp::from_second(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let today = TimeZone::UTC.to_datetime(today).date();
        let month = u8::try_from(today.month()).unwrap_or(1);
        // No year lacks a 28th.
        let day = u8::try_from(today.day()).unwrap_or(1).min(28);
        let year = i32::from(today.year());
        Ok(Self { key: rsa()?, valid: [(year, month, day), (year.saturating_add(5), month, day)] })
    }

    /// A merchant's API certificate; the password of its PKCS#12 is the merchant number.
    pub(crate) fn merchant(
        &self,
        outside: &dyn Outside,
        mchid: &str,
        name: &str,
    ) -> Result<Certified, Error> {
        let subject = [
            (DnType::CommonName, mchid),
            (DnType::OrganizationName, "微信商户系统"),
            (DnType::OrganizationalUnitName, name),
            (DnType::LocalityName, "Shenzhen"),
            (DnType::CountryName, "CN"),
        ];
        self.certify(outside, subject, mchid)
    }

    /// One of WeChat's platform certificates.
    pub(crate) fn platform(&self, outside: &dyn Outside) -> Result<Certified, Error> {
        self.certify(outside, tenpay("Tenpay.com sign"), "platform")
    }

    fn certify<const N: usize>(
        &self,
        outside: &dyn Outside,
        subject: [(DnType, &str); N],
        password: &str,
    ) -> Result<Certified, Error> {
        const WHAT: &str = "certificate";
        let [from, to] = self.valid;
        let key = rsa()?;
        let serial = serial(outside);

        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.distinguished_name = name(subject);
        let mut issuer = CertificateParams::default();
        issuer.distinguished_name = name(tenpay("Tenpay.com Root CA"));
        let issuer = Issuer::from_params(&issuer, &self.key);
        let certificate = params.signed_by(&key, &issuer).map_err(failed(WHAT))?;

        Ok(Certified {
            serial: hex::encode_upper(serial),
            p12: p12(&key, certificate.der(), password)?,
            certificate: certificate.pem(),
            private_key: key.serialize_pem(),
        })
    }
}

/// As WeChat makes `apiclient_cert.p12`: triple DES and SHA-1, which old tools can read too.
fn p12(key: &KeyPair, certificate: &[u8], password: &str) -> Result<Vec<u8>, Error> {
    const WHAT: &str = "PKCS#12 file";
    let key = p12_keystore::PrivateKey::from_der(key.serialized_der()).map_err(failed(WHAT))?;
    let certificate = p12_keystore::Certificate::from_der(certificate).map_err(failed(WHAT))?;
    let chain = PrivateKeyChain::new("Tenpay Certificate", key, [certificate]);
    let mut store = KeyStore::new();
    store.add_entry("Tenpay Certificate", KeyStoreEntry::PrivateKeyChain(chain));
    store
        .writer(password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
        .encryption_iterations(2048)
        .mac_algorithm(MacAlgorithm::HmacSha1)
        .mac_iterations(2048)
        .write()
        .map_err(failed(WHAT))
}

/// 160 bits that print as 40 hex digits: neither a sign nor a leading zero.
fn serial(outside: &dyn Outside) -> [u8; 20] {
    let mut serial = [0_u8; 20];
    outside.fill(&mut serial);
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    serial
}

const fn tenpay(common_name: &str) -> [(DnType, &str); 4] {
    [
        (DnType::CommonName, common_name),
        (DnType::OrganizationalUnitName, "Tenpay.com CA Center"),
        (DnType::OrganizationName, "Tenpay.com"),
        (DnType::CountryName, "CN"),
    ]
}

fn name<const N: usize>(parts: [(DnType, &str); N]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, text) in parts {
        name.push(kind, text);
    }
    name
}

fn rsa() -> Result<KeyPair, Error> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(failed("RSA key"))
}

fn failed<E: ToString>(what: &'static str) -> impl FnOnce(E) -> Error {
    move |cause| Error::Key { what, why: cause.to_string() }
}
