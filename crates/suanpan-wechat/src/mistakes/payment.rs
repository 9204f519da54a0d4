//! Mistakes of the second sign, by either API.

use super::message::{Keys, Message};
use super::search::Change;
use super::table::Mistake;

/// For what `wx.requestPayment` takes; none for other messages.
pub(super) fn changes(message: &Message, keys: &Keys, pairs: bool) -> Vec<Change> {
    let Message::Payment { app_id, package, sign_type, .. } = message else { return Vec::new() };
    let bare = package.strip_prefix("prepay_id=").unwrap_or(package).to_owned();
    let set = |id: &'static str, name: &'static str, about: &str, value: String| {
        Change::new(Mistake::about(id, about).within(name), move |draft| {
            draft.set(name, value.clone())
        })
    };
    let mut changes = vec![
        set("payment.bare", "package", "", bare.clone()),
        set("payment.prefix-twice", "package", "", format!("prepay_id=prepay_id={bare}")),
        set("payment.package-app", "package", "", "Sign=WXPay".to_owned()),
        Change::new(Mistake::new("payment.sign-type-line").within("signType"), {
            let word = sign_type.as_str();
            move |draft| draft.parts.push(("signType".to_owned(), word.to_owned()))
        }),
    ];
    if !pairs {
        // Among names and values it is the same as left out.
        changes.push(set("payment.app-empty", "appId", "", String::new()));
    }
    let words = ["MD5", "HMAC-SHA256", "RSA", "SHA256-RSA", "WECHATPAY2-SHA256-RSA2048"];
    let words = words.into_iter().filter(|word| *word != sign_type.as_str());
    changes.extend(words.map(|word| set("payment.sign-type", "signType", word, word.to_owned())));
    let apps = keys.apps.iter().filter(|other| *other != app_id);
    changes.extend(apps.map(|other| set("payment.app", "appId", other, other.clone())));
    changes.extend(keys.merchants().map(|mchid| app_form(&bare, mchid)));
    changes
}

/// What the SDK for apps signs: six fields in small letters.
fn app_form(prepay_id: &str, mchid: &str) -> Change {
    let (prepay_id, mchid) = (prepay_id.to_owned(), mchid.to_owned());
    Change::new(Mistake::new("payment.app-form").within("package"), move |draft| {
        let value = |name| draft.value(name).unwrap_or_default().to_owned();
        let parts = [
            ("appid", value("appId")),
            ("partnerid", mchid.clone()),
            ("prepayid", prepay_id.clone()),
            ("package", "Sign=WXPay".to_owned()),
            ("noncestr", value("nonceStr")),
            ("timestamp", value("timeStamp")),
        ];
        draft.parts = parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    })
}
