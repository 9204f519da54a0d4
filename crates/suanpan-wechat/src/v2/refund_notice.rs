//! The ciphertext of a refund notification, `req_info`.
//!
//! A refund notification of APIv2 has no signature, and AES-ECB gives no
//! integrity: what comes out of here is a hint to ask WeChat, never a fact.
//! Source: pay.weixin.qq.com/doc/v2, "退款结果通知".

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::{ApiV2Key, Error};

const BLOCK: usize = 16;

/// Opens `req_info`: base64 of AES-256-ECB under the lower-case hex of the
/// key's MD5, padded by PKCS#7. Gives the inner XML.
///
/// # Errors
/// [`Error::Decrypt`] where the text is not base64, is cut, or was made with another key.
pub fn open_req_info(req_info: &str, key: &ApiV2Key) -> Result<Vec<u8>, Error> {
    let failed = || Error::Decrypt { what: "refund notification" };

    let mut text = STANDARD.decode(req_info.trim()).map_err(|_| failed())?;
    if text.is_empty() || text.len() % BLOCK != 0 {
        return Err(failed());
    }
    let aes_key = hex::encode(Md5::digest(key.expose()));
    UnboundCipherKey::new(&AES_256, aes_key.as_bytes())
        .and_then(DecryptingKey::ecb)
        .and_then(|key| key.decrypt(&mut text, DecryptionContext::None).map(|_| ()))
        .map_err(|_| failed())?;

    let padding = text.last().copied().map(usize::from).unwrap_or_default();
    let end = text.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding));
    let padded_well =
        |end: &usize| text.iter().skip(*end).all(|byte| usize::from(*byte) == padding);
    let end = end.filter(padded_well).ok_or_else(failed)?;
    text.truncate(end);
    Ok(text)
}
