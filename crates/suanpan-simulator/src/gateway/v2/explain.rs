//! What a caller signed instead. In APIv2 both sides have all fields and the key,
//! so the usual mistakes can simply be tried.

use std::collections::BTreeSet;

use suanpan_wechat::ApiV2Key;
use suanpan_wechat::v2::{Fields, SignType};

use crate::registry::Merchant;
use crate::requests::Mismatch;
use crate::world::World;

/// Finds the mistake.
pub(super) fn explain(
    world: &World,
    merchant: &Merchant,
    fields: &Fields,
    sign_type: SignType,
) -> Mismatch {
    let sign = fields.get("sign").unwrap_or_default();
    let key = &merchant.api_v2_key;
    let text = |fields: &Fields, whose: &str| format!("{}&key={whose}", fields.canonical());
    let own_key = format!("(the APIv2 key of {})", merchant.mchid);
    let expected = text(fields, &own_key);
    if sign.is_empty() {
        return Mismatch::unknown(expected, "the field `sign` is missing");
    }

    let fits = |fields: &Fields, sign_type, key: &ApiV2Key| fields.sign(sign_type, key) == sign;
    for (sign_type_used, name) in [(SignType::Md5, "MD5"), (SignType::HmacSha256, "HMAC-SHA256")] {
        if sign_type_used != sign_type && fits(fields, sign_type_used, key) {
            let why =
                format!("it is signed with {name}, and `sign_type` says {}", sign_type.as_str());
            return Mismatch::found(expected.clone(), expected, why);
        }
        if fields.sign(sign_type_used, key).eq_ignore_ascii_case(sign) {
            let why = "the signature is right but in small letters; upper case is wanted";
            return Mismatch::found(expected.clone(), expected, why.to_owned());
        }
        for (whose, other) in other_keys(world, merchant) {
            if fits(fields, sign_type_used, &other) {
                let why = format!("it is signed with {whose}, not with {own_key}");
                return Mismatch::found(expected, text(fields, &format!("({whose})")), why);
            }
        }
        for (why, other) in other_fields(fields) {
            if fits(&other, sign_type_used, key) {
                return Mismatch::found(expected, text(&other, &own_key), why);
            }
        }
    }
    Mismatch::unknown(
        expected,
        "none of the usual mistakes fits: compare the text that you sign with this one, byte by \
         byte; if they are the same, the APIv2 key is another one",
    )
}

/// Keys that are at hand, and wrong.
fn other_keys(world: &World, merchant: &Merchant) -> Vec<(String, ApiV2Key)> {
    let v3_key = ApiV2Key::parse(merchant.api_v3_key.expose()).ok();
    let mut keys: Vec<_> = v3_key
        .map(|key| (format!("the APIv3 key of {}", merchant.mchid), key))
        .into_iter()
        .collect();
    for other in &world.registry.merchants {
        if other.mchid != merchant.mchid {
            keys.push((format!("the APIv2 key of {}", other.mchid), other.api_v2_key.clone()));
        }
    }
    for (appid, secret) in &world.registry.apps {
        let key = ApiV2Key::parse(secret.expose()).ok();
        keys.extend(key.map(|key| (format!("the AppSecret of {appid}"), key)));
    }
    keys
}

/// Fields as they may have been before they were sent.
fn other_fields(fields: &Fields) -> Vec<(String, Fields)> {
    let names: BTreeSet<&str> = fields.iter().map(|(name, _)| name).collect();
    let without = names.iter().filter(|name| **name != "sign").map(|name| {
        let mut other = fields.clone();
        other.remove(name);
        (format!("the field `{name}` is sent and not signed"), other)
    });
    let changed = |why: &str, change: &dyn Fn(&str) -> String| {
        let other = fields.iter().map(|(name, value)| (name.to_owned(), change(value)));
        (why.to_owned(), other.collect::<Fields>())
    };
    let url = |value: &str| form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let xml = |value: &str| value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    without
        .chain([
            changed("the values are signed as in a URL, with percent signs", &url),
            changed("the values are signed as in XML, with entities", &xml),
            changed("the values are signed with blanks around them", &|value| {
                value.trim().to_owned()
            }),
        ])
        .collect()
}
