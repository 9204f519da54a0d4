//! `AEAD_AES_256_GCM`: what is inside a notification and a certificate answer.
//!
//! The key is the APIv3 key's 32 characters as they are, neither hex nor
//! base64; the nonce is 12 characters as they are; the tag is the last 16 bytes.
//! Source: `pay.weixin.qq.com/wiki/doc/apiv3/wechatpay/wechatpay4_2.shtml`.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{ApiV3Key, Error};

/// Opens a ciphertext (base64).
///
/// # Errors
/// [`Error::Decrypt`] where key, nonce, associated data or a single bit differ.
pub fn open(
    key: &ApiV3Key,
    nonce: &str,
    associated_data: &str,
    ciphertext: &str,
) -> Result<Vec<u8>, Error> {
    let failed = || Error::Decrypt { what: "resource of the message" };
    let mut text = STANDARD.decode(ciphertext).map_err(|_| failed())?;
    let (key, nonce) = cipher(key, nonce).ok_or_else(failed)?;
    let associated_data = Aad::from(associated_data.as_bytes());
    let length = key.open_in_place(nonce, associated_data, &mut text).map_err(|_| failed())?.len();
    text.truncate(length);
    Ok(text)
}

/// Seals a text, as WeChat's side does. A nonce of 12 bytes, never used twice.
///
/// # Errors
/// [`Error::Decrypt`] where the nonce has another length.
pub fn seal(
    key: &ApiV3Key,
    nonce: &str,
    associated_data: &str,
    text: &[u8],
) -> Result<String, Error> {
    let failed = || Error::Decrypt { what: "resource of the message" };
    let (key, nonce) = cipher(key, nonce).ok_or_else(failed)?;
    let mut text = text.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(associated_data.as_bytes()), &mut text)
        .map_err(|_| failed())?;
    Ok(STANDARD.encode(text))
}

fn cipher(key: &ApiV3Key, nonce: &str) -> Option<(LessSafeKey, Nonce)> {
    let key = UnboundKey::new(&AES_256_GCM, key.expose().as_bytes()).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
    Some((LessSafeKey::new(key), nonce))
}
