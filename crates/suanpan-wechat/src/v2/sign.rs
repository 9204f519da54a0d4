//! The signature of APIv2: sort, join, append the key, digest.
//!
//! Source: pay.weixin.qq.com/doc/v2, "签名算法". Empty values and `sign` itself
//! stay out; names sort byte by byte, so capitals come before small letters;
//! values are signed decoded, never as they are escaped in the XML.

use aws_lc_rs::{constant_time, hmac};
use md5::{Digest, Md5};

use super::Fields;
use crate::{ApiV2Key, Error};

/// The digest of an APIv2 signature.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SignType {
    /// What WeChat takes where a message does not say.
    #[default]
    Md5,
    /// The better one: MD5 is broken as a digest, if not in this use.
    HmacSha256,
}

impl SignType {
    /// WeChat's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// Reads WeChat's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Md5, Self::HmacSha256].into_iter().find(|sign_type| sign_type.as_str() == word)
    }

    /// The digest of a text that is signed, in upper-case hex.
    fn digest(self, text: &str, key: &str) -> String {
        match self {
            Self::Md5 => hex::encode_upper(Md5::digest(text)),
            Self::HmacSha256 => {
                // The key is in twice: at the end of the text, and as the key of the HMAC.
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                hex::encode_upper(hmac::sign(&key, text.as_bytes()))
            }
        }
    }
}

impl Fields {
    /// What is signed, without the key: `a=1&b=2`.
    pub fn canonical(&self) -> String {
        let pairs = self.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
        pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// The signature, in upper-case hex: 32 characters of MD5, 64 of HMAC-SHA256.
    pub fn sign(&self, sign_type: SignType, key: &ApiV2Key) -> String {
        self.sign_with(sign_type, key.expose())
    }

    /// With any text as the key: published vectors use short ones.
    pub(crate) fn sign_with(&self, sign_type: SignType, key: &str) -> String {
        let text = format!("{}&key={key}", self.canonical());
        sign_type.digest(&text, key)
    }

    /// The same fields and their `sign`.
    #[must_use]
    pub fn signed(mut self, sign_type: SignType, key: &ApiV2Key) -> Self {
        let sign = self.sign(sign_type, key);
        self.set("sign", &sign);
        self
    }

    /// Whether `sign` is there and matches.
    ///
    /// # Errors
    /// [`Error::Signature`] where it is absent, differs, or has the length of
    /// another digest.
    pub fn verify(&self, sign_type: SignType, key: &ApiV2Key) -> Result<(), Error> {
        let given = self.get("sign").unwrap_or_default();
        let want = self.sign(sign_type, key);
        constant_time::verify_slices_are_equal(given.as_bytes(), want.as_bytes())
            .map_err(|_| Error::Signature { what: "APIv2 message" })
    }

    /// The digest that the message says it is signed with; MD5 where it says nothing.
    ///
    /// # Errors
    /// [`Error::Field`] for a word that APIv2 does not know.
    pub fn declared_sign_type(&self) -> Result<SignType, Error> {
        match self.get("sign_type") {
            None => Ok(SignType::default()),
            Some(word) => SignType::parse(word)
                .ok_or_else(|| Error::holds("APIv2 message", "sign_type", word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A published vector of another SDK; its key is too short to be an `ApiV2Key`.
    #[test]
    fn empty_values_and_sign_stay_out() {
        let fields = Fields::from_iter([("a", "3"), ("b", "4"), ("c", ""), ("sign", "IGNORED")]);
        assert_eq!(fields.canonical(), "a=3&b=4");
        assert_eq!(fields.sign_with(SignType::Md5, "abc"), "85566166DABF8B84307C0AF0A7699366");
        assert_eq!(
            fields.sign_with(SignType::HmacSha256, "abc"),
            "AAF907CA1B2239E0187A4BD73331DCD840F84748C6905B7FD857688BED84ACF7"
        );
    }
}
