//! RSA keys: the merchant's private one, WeChat's public ones.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RSA_PSS_2048_8192_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo};

use crate::Error;

/// How the signature of a probe begins (see [`Error::Probe`]).
const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

/// A private RSA key: signs requests and payment parameters.
pub struct PrivateKey(KeyPair);

/// A public RSA key: proves what the other side signed.
#[derive(Clone)]
pub struct PublicKey {
    key: std::sync::Arc<ParsedPublicKey>,
    spki: Box<[u8]>,
}

impl PrivateKey {
    /// Reads `apiclient_key.pem`: PKCS#8 (what WeChat issues) or PKCS#1.
    ///
    /// Forgiving about how the text travelled: a BOM, quotes, carriage returns,
    /// `\n` written out (environment variables), or bare base64.
    ///
    /// # Errors
    /// [`Error::Key`] for anything that is not one RSA private key.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        const WHAT: &str = "private key";
        let (label, der) = read_pem(pem, WHAT)?;
        if label.contains("CERTIFICATE") || label.contains("PUBLIC") {
            let why = format!("the file holds a {label}; `apiclient_key.pem` is wanted");
            return Err(Error::Key { what: WHAT, why });
        }
        let key = KeyPair::from_pkcs8(&der).or_else(|_| KeyPair::from_der(&der));
        key.map(Self).map_err(|cause| Error::Key { what: WHAT, why: cause.to_string() })
    }

    /// SHA-256 with RSA (PKCS#1 v1.5), base64 in one line.
    ///
    /// The same text gives the same signature: the random source only blinds the
    /// computation against timing.
    pub fn sign(&self, text: &[u8]) -> String {
        let mut signature = vec![0; self.0.public_modulus_len()];
        match self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature) {
            Ok(()) => STANDARD.encode(signature),
            // The buffer fits and the key was checked when it was read. An empty
            // signature verifies nowhere, so nothing wrong could come of it.
            Err(_) => String::new(),
        }
    }

    /// Opens a field that WeChat encrypted to this merchant (RSA-OAEP with SHA-1), from base64.
    ///
    /// # Errors
    /// [`Error::Decrypt`] where it was not encrypted to this key.
    pub fn decrypt_oaep(&self, ciphertext: &str) -> Result<Vec<u8>, Error> {
        let failed = || Error::Decrypt { what: "encrypted field" };
        let ciphertext = STANDARD.decode(ciphertext).map_err(|_| failed())?;
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&self.0).map_err(|_| failed())?;
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).map_err(|_| failed())?;
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| failed())?;
        let mut text = vec![0; key.min_output_size()];
        let text = key.decrypt(&OAEP_SHA1_MGF1SHA1, &ciphertext, &mut text, None);
        text.map(|text| text.to_vec()).map_err(|_| failed())
    }

    /// The public half.
    ///
    /// # Errors
    /// [`Error::Key`] where the key cannot be encoded, which no readable key is known for.
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(self.0.public_key());
        let spki = spki.map_err(|_| Error::Key {
            what: "private key",
            why: "its public half cannot be encoded".to_owned(),
        })?;
        PublicKey::from_spki(spki.as_ref())
    }
}

impl PublicKey {
    /// Reads `pub_key.pem`: an SPKI public key.
    ///
    /// # Errors
    /// [`Error::Key`] for anything else; a certificate is named as such.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        const WHAT: &str = "public key";
        let (label, der) = read_pem(pem, WHAT)?;
        if label.contains("CERTIFICATE") || label.contains("PRIVATE") {
            let why = format!("the file holds a {label}; `pub_key.pem` is wanted");
            return Err(Error::Key { what: WHAT, why });
        }
        Self::from_spki(&der)
    }

    /// From the DER of a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`Error::Key`] where it is no RSA key of 2048 to 8192 bits.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Error> {
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki)
            .map_err(|cause| Error::Key { what: "public key", why: cause.to_string() })?;
        Ok(Self { key: std::sync::Arc::new(key), spki: spki.into() })
    }

    /// Whether `signature` (base64) is one of `text` by this key.
    ///
    /// # Errors
    /// [`Error::Probe`] for WeChat's deliberately wrong signatures,
    /// [`Error::Signature`] for any other that does not match.
    pub fn verify(&self, what: &'static str, text: &[u8], signature: &str) -> Result<(), Error> {
        if signature.starts_with(PROBE_PREFIX) {
            return Err(Error::Probe);
        }
        let bytes = STANDARD.decode(signature).map_err(|_| Error::Signature { what })?;
        self.key.verify_sig(text, &bytes).map_err(|_| Error::Signature { what })
    }

    /// What the private key was applied to, without its leading zeros: padding and digest. `None` for
    /// what is no signature of this length.
    ///
    /// The other half of [`PublicKey::verify`]: it says what was signed, not only whether it was this. Only
    /// public numbers are in it.
    pub(crate) fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let (_, spki) = SubjectPublicKeyInfo::from_der(&self.spki).ok()?;
        let Ok(x509_parser::public_key::PublicKey::RSA(numbers)) = spki.parsed() else {
            return None;
        };
        let modulus = BigUint::from_bytes_be(numbers.modulus);
        let signature = BigUint::from_bytes_be(signature);
        (signature < modulus).then(|| {
            signature.modpow(&BigUint::from_bytes_be(numbers.exponent), &modulus).to_bytes_be()
        })
    }

    /// Whether it is a signature of this text with PSS padding, which WeChat does not take.
    pub(crate) fn is_pss(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &self.spki);
        key.is_ok_and(|key| key.verify_sig(text, signature).is_ok())
    }

    /// Encrypts a sensitive field to this key: RSA-OAEP with SHA-1, base64.
    ///
    /// At most 214 bytes for a key of 2048 bits. Each call gives another text.
    ///
    /// # Errors
    /// [`Error::Key`] where the text is too long.
    pub fn encrypt_oaep(&self, text: &[u8]) -> Result<String, Error> {
        let failed =
            || Error::Key { what: "public key", why: "the text is too long for it".to_owned() };
        let key = PublicEncryptingKey::from_der(&self.spki).map_err(|_| failed())?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| failed())?;
        let mut ciphertext = vec![0; key.ciphertext_size()];
        let ciphertext = key.encrypt(&OAEP_SHA1_MGF1SHA1, text, &mut ciphertext, None);
        ciphertext.map(|bytes| STANDARD.encode(bytes)).map_err(|_| failed())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(…)")
    }
}

/// A PEM as it was before it travelled: without a BOM, quotes around it and carriage returns, and with line breaks where
/// `\n` is written out.
pub fn plain_pem(pem: &str) -> String {
    let text = pem.trim_start_matches('\u{feff}').replace("\\n", "\n").replace('\r', "");
    text.trim().trim_matches(['"', '\'']).trim().to_owned()
}

/// The label and the bytes of the first PEM block; bare base64 has the label "".
pub(super) fn read_pem(pem: &str, what: &'static str) -> Result<(String, Vec<u8>), Error> {
    let text = plain_pem(pem);
    if !text.contains("-----BEGIN") {
        let base64: String = text.split_whitespace().collect();
        let der = STANDARD
            .decode(base64)
            .map_err(|_| Error::Key { what, why: "it is neither PEM nor base64".to_owned() })?;
        return Ok((String::new(), der));
    }
    match Pem::iter_from_buffer(text.as_bytes()).next() {
        Some(Ok(block)) => Ok((block.label, block.contents)),
        Some(Err(cause)) => Err(Error::Key { what, why: cause.to_string() }),
        None => Err(Error::Key { what, why: "the file is empty".to_owned() }),
    }
}
