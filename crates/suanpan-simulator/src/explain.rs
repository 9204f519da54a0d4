//! What a caller signed instead.
//!
//! All keys of this WeChat are at hand, and so every mistake that people make can be made on purpose
//! ([`suanpan_wechat::mistakes`]) until one gives the signature that came. Where none does, the log says so
//! and guesses nothing.

use suanpan_wechat::ApiV2Key;
use suanpan_wechat::mistakes::{
    Examined, Found, KeyKind, Keys, Message, Mistake, Verdict, examine, text_to_sign,
};

use crate::registry::{Merchant, Registry};
use crate::requests::Mismatch;

/// Finds the mistake in a question of this merchant.
pub(crate) fn mismatch(
    registry: &Registry,
    merchant: &Merchant,
    message: &Message,
    given: &str,
) -> Mismatch {
    let key = shown(merchant);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let expected = text(text_to_sign(message, &key));
    if given.is_empty() {
        return Mismatch::unknown(expected, "the field `sign` is missing");
    }
    match examine(message, &keys(registry, merchant), given).verdict {
        Verdict::Found(found) => {
            let why = found.first().map(words).unwrap_or_default();
            let yours = found.first().and_then(|found| found.signed(&key)).map(text);
            match yours {
                Some(yours) => Mismatch::found(expected, yours, why),
                None => Mismatch::unknown(expected, &why),
            }
        }
        Verdict::Right | Verdict::Unknown { key_is_right: false } => {
            Mismatch::unknown(expected, NOTHING_FITS)
        }
        Verdict::Unknown { key_is_right: true } => Mismatch::unknown(expected, KEY_FITS),
    }
}

/// Finds the mistake in a second sign: the field that it is in, what it is, and the text that is right.
pub(crate) fn second_sign(
    registry: &Registry,
    merchant: &Merchant,
    message: &Message,
    given: &str,
) -> Result<(), (&'static str, String, String)> {
    let Examined { verdict, .. } = examine(message, &keys(registry, merchant), given);
    let key = shown(merchant);
    let expected = String::from_utf8_lossy(&text_to_sign(message, &key)).into_owned();
    let nothing = "fits nothing that we tried: compare what you sign with `expected`";
    match verdict {
        Verdict::Right => Ok(()),
        Verdict::Unknown { .. } => Err(("paySign", nothing.to_owned(), expected)),
        Verdict::Found(found) => {
            let first = found.first();
            let field = first.and_then(|found| found.mistakes.iter().find_map(|one| one.field));
            let why = first.map(words).unwrap_or_default();
            Err((field.unwrap_or("paySign"), why, expected))
        }
    }
}

/// The merchant's keys first, then those that it may have taken instead.
fn keys(registry: &Registry, merchant: &Merchant) -> Keys {
    let mut keys = Keys::new();
    let others = registry.merchants.iter().filter(|other| other.mchid != merchant.mchid);
    for one in std::iter::once(merchant).chain(others) {
        let of = one.mchid.as_str();
        keys.secret(KeyKind::ApiV2, of, one.api_v2_key.expose());
        keys.secret(KeyKind::ApiV3, of, one.api_v3_key.expose());
        keys.public(KeyKind::Merchant, of, one.public_key.clone());
    }
    for (appid, secret) in &registry.apps {
        keys.app(appid.as_str());
        // A secret of another form is nobody's APIv2 key.
        if ApiV2Key::parse(secret.expose()).is_ok() {
            keys.secret(KeyKind::AppSecret, appid.as_str(), secret.expose());
        }
    }
    keys
}

/// What stands in a text in place of a key.
fn shown(merchant: &Merchant) -> String {
    format!("(the APIv2 key of {})", merchant.mchid)
}

fn words(found: &Found) -> String {
    let said = |mistake: &Mistake| {
        let words = mistake.en();
        format!("{}: {}", words.cause, words.fix)
    };
    found.mistakes.iter().map(said).collect::<Vec<_>>().join("; and ")
}

const NOTHING_FITS: &str = "none of the usual mistakes fits: compare the text that you sign with this one, byte by byte; if \
                            they are the same, the key is another one";
const KEY_FITS: &str = "none of the usual mistakes fits, though the private key is the merchant's: so the text is another \
                        one, compare it with this one, byte by byte";
