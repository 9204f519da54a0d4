//! Which of the signed fields is wrong: found by changing one thing at a time
//! until the signature fits.

use suanpan_wechat::v2::{Fields, SignType};
use suanpan_wechat::{ApiV2Key, PaySignType, pay_sign_text_v2, pay_sign_text_v3};

use super::{Five, Wrong};
use crate::credentials::Api;
use crate::ledger::Order;
use crate::registry::Merchant;
use crate::world::World;

/// What WeChat's client shows for any of these.
const HEARD: &str = "支付验证签名失败";

/// Checks `appId`, `signType` and `paySign` against the order.
pub(super) fn check(world: &World, order: &Order, five: &Five) -> Result<(), Wrong> {
    let no = |field, why: String| Err(Wrong::new(field, HEARD, why));
    let app = order.payer_app();
    if five.app_id != app.as_str() {
        let why = format!("the order was placed for {app}, not for {}", five.app_id);
        return no("appId", why);
    }
    let Some(merchant) = world.registry.merchant(order.mchid.as_str()) else {
        return no("package", format!("merchant {} is gone", order.mchid));
    };
    let of_order = match (order.api, order.sign_type.as_deref()) {
        (Api::V3, _) => PaySignType::Rsa,
        (Api::V2, Some("HMAC-SHA256")) => PaySignType::HmacSha256,
        (Api::V2, _) => PaySignType::Md5,
    };
    if five.sign_type != of_order.as_str() {
        let why = format!(
            "should be {}, as the order was signed, and is {:?}",
            of_order.as_str(),
            five.sign_type
        );
        return no("signType", why);
    }
    match of_order {
        PaySignType::Rsa => check_v3(world, merchant, five),
        PaySignType::Md5 => check_v2(world, merchant, five, SignType::Md5),
        PaySignType::HmacSha256 => check_v2(world, merchant, five, SignType::HmacSha256),
    }
}

/// A guess: the field, what is wrong with it, and what was signed then.
type Guess<T> = (&'static str, String, T);

fn check_v3(world: &World, merchant: &Merchant, five: &Five) -> Result<(), Wrong> {
    let text = |app_id: &str, package: &str| {
        pay_sign_text_v3(app_id, &five.time_stamp, &five.nonce_str, package)
    };
    let right = text(&five.app_id, &five.package);
    let signed = |key: &Merchant, text: &str| {
        key.public_key.verify("", text.as_bytes(), &five.pay_sign).is_ok()
    };
    if signed(merchant, &right) {
        return Ok(());
    }

    let bare = five.package.trim_start_matches("prepay_id=");
    let mut guesses: Vec<Guess<String>> = vec![
        ("package", "is signed without `prepay_id=`".into(), text(&five.app_id, bare)),
        (
            "paySign",
            "the line feed after the last line is missing".into(),
            right.trim_end_matches('\n').to_owned(),
        ),
        ("paySign", "the lines end with CR LF".into(), right.replace('\n', "\r\n")),
        ("paySign", "the line feeds are written out as \\n".into(), right.replace('\n', "\\n")),
        (
            "paySign",
            "is made the APIv2 way, over names and values".into(),
            v2_fields(five, "RSA").canonical(),
        ),
    ];
    guesses.extend(
        other_apps(world, five).map(|(why, app)| ("appId", why, text(&app, &five.package))),
    );
    let orders = ["noncestr", "package"].map(|swap| swapped(five, swap));
    guesses.extend(orders.map(|text| ("paySign", "the lines are in another order".into(), text)));

    let found = guesses.into_iter().find(|(_, _, text)| signed(merchant, text));
    let other = world.registry.merchants.iter().find(|other| signed(other, &right));
    Err(refuse(
        found,
        other.map(|other| {
            format!(
                "is made with the private key of merchant {}, not of {}",
                other.mchid, merchant.mchid
            )
        }),
        right,
    ))
}

fn check_v2(
    world: &World,
    merchant: &Merchant,
    five: &Five,
    sign_type: SignType,
) -> Result<(), Wrong> {
    let right = v2_fields(five, sign_type.as_str());
    let signed =
        |fields: &Fields, sign_type, key: &ApiV2Key| fields.sign(sign_type, key) == five.pay_sign;
    let key = &merchant.api_v2_key;
    if signed(&right, sign_type, key) {
        return Ok(());
    }

    let renamed = |from: &str, to: &str| {
        let names = right.iter().map(|(name, value)| (if name == from { to } else { name }, value));
        names.collect::<Fields>()
    };
    let without = |name: &str| {
        let mut fields = right.clone();
        fields.remove(name);
        fields
    };
    let with = |name: &str, value: &str| {
        let mut fields = right.clone();
        fields.set(name, value);
        fields
    };
    let bare = five.package.trim_start_matches("prepay_id=");
    let mut guesses: Vec<Guess<Fields>> = vec![
        ("appId", "is signed as `appid`; the I is a capital".into(), renamed("appId", "appid")),
        (
            "timeStamp",
            "is signed as `timestamp`; the S is a capital".into(),
            renamed("timeStamp", "timestamp"),
        ),
        (
            "nonceStr",
            "is signed as `noncestr`; the S is a capital".into(),
            renamed("nonceStr", "noncestr"),
        ),
        (
            "nonceStr",
            "is signed as `nonce_str`, the name of the order".into(),
            renamed("nonceStr", "nonce_str"),
        ),
        ("package", "is signed without `prepay_id=`".into(), with("package", bare)),
        ("signType", "is not signed".into(), without("signType")),
        ("appId", "is not signed".into(), without("appId")),
    ];
    guesses.extend(other_apps(world, five).map(|(why, app)| ("appId", why, with("appId", &app))));

    let found = guesses.into_iter().find(|(_, _, fields)| signed(fields, sign_type, key));
    let text = |fields: &Fields| {
        format!("{}&key=(the APIv2 key of {})", fields.canonical(), merchant.mchid)
    };
    let expected = text(&right);
    let found = found.or_else(|| {
        let (other, word) = match sign_type {
            SignType::Md5 => (SignType::HmacSha256, "HMAC-SHA256"),
            SignType::HmacSha256 => (SignType::Md5, "MD5"),
        };
        let why = || format!("says {}, and {word} was used", sign_type.as_str());
        [right.clone(), with("signType", word)]
            .into_iter()
            .find(|fields| signed(fields, other, key))
            .map(|fields| ("signType", why(), fields))
    });
    let key = key_used(world, merchant, &right, five, sign_type);
    Err(refuse(found, key, expected))
}

/// The key, where it is another one of those at hand.
fn key_used(
    world: &World,
    merchant: &Merchant,
    right: &Fields,
    five: &Five,
    sign_type: SignType,
) -> Option<String> {
    let sign = right.sign(sign_type, &merchant.api_v2_key);
    if sign.eq_ignore_ascii_case(&five.pay_sign) {
        return Some("is in small letters; upper case is wanted".to_owned());
    }
    if merchant.public_key.verify("", right.canonical().as_bytes(), &five.pay_sign).is_ok() {
        return Some(
            "is made with the merchant's private key, and the order is of APIv2".to_owned(),
        );
    }
    let signs = |key: &ApiV2Key| right.sign(sign_type, key) == five.pay_sign;
    let v3_key = ApiV2Key::parse(merchant.api_v3_key.expose());
    if v3_key.is_ok_and(|key| signs(&key)) {
        return Some("is made with the APIv3 key, not with the APIv2 key".to_owned());
    }
    let other = world.registry.merchants.iter().find(|other| signs(&other.api_v2_key));
    other.map(|other| {
        format!("is made with the APIv2 key of merchant {}, not of {}", other.mchid, merchant.mchid)
    })
}

fn refuse<T>(found: Option<Guess<T>>, key: Option<String>, expected: String) -> Wrong {
    let (field, why) = match (found, key) {
        (Some((field, why, _)), _) => (field, why),
        (None, Some(why)) => ("paySign", why),
        (None, None) => {
            ("paySign", "fits nothing that we tried: compare what you sign with `expected`".into())
        }
    };
    Wrong { expected: Some(expected), ..Wrong::new(field, HEARD, why) }
}

fn v2_fields(five: &Five, sign_type: &str) -> Fields {
    pay_sign_text_v2(&five.app_id, &five.time_stamp, &five.nonce_str, &five.package, sign_type)
}

/// Two lines of APIv3 in each other's place.
fn swapped(five: &Five, which: &str) -> String {
    let Five { app_id, time_stamp, nonce_str, package, .. } = five;
    match which {
        "noncestr" => pay_sign_text_v3(app_id, nonce_str, time_stamp, package),
        _ => pay_sign_text_v3(app_id, time_stamp, package, nonce_str),
    }
}

/// The apps that it may have been signed for by mistake.
fn other_apps(world: &World, five: &Five) -> impl Iterator<Item = (String, String)> {
    let others = world.registry.apps.keys().filter(|app| app.as_str() != five.app_id);
    let named = |app: &suanpan_wechat::AppId| {
        (format!("is signed as {app}, and this is {}", five.app_id), app.to_string())
    };
    others.map(named).collect::<Vec<_>>().into_iter()
}
