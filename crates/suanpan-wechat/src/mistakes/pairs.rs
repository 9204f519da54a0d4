//! Mistakes in names and values.

use super::draft::{Draft, EMPTY, KeyPlace, Order, Shape};
use super::lines::{ends, of_part};
use super::request::with_escapes;
use super::search::Change;
use super::table::Mistake;

/// For a text of names and values.
pub(super) fn changes(right: &Draft) -> Vec<Change> {
    let mut changes = of_key();
    changes.extend(of_shape());
    changes.extend(of_values());
    changes.extend(of_names());
    changes.extend(of_amounts(right));
    changes.extend(of_members(right));
    changes.extend(ends());
    changes
}

/// The key in the text.
fn of_key() -> Vec<Change> {
    let place = |id: &'static str, about: &str, to: KeyPlace| {
        Change::new(Mistake::about(id, about), move |draft| {
            if let Shape::Pairs { key, .. } = &mut draft.shape {
                *key = to;
            }
        })
    };
    let mut changes = vec![
        place("pairs.key-missing", "", KeyPlace::Absent),
        place("pairs.key-bare", "", KeyPlace::Behind("")),
        place("pairs.key-bare", "", KeyPlace::Behind("&")),
        place("pairs.key-before", "", KeyPlace::Before),
    ];
    let words = [
        "&KEY=",
        "&Key=",
        "&apikey=",
        "&api_key=",
        "&apiKey=",
        "&secret=",
        "key=",
        "&key",
        "&key:",
    ];
    changes.extend(words.map(|word| place("pairs.key-word", word, KeyPlace::Behind(word))));
    let among = ["key", "api_key", "apikey"];
    changes.extend(among.map(|name| place("pairs.key-among", name, KeyPlace::Among(name))));
    changes
}

/// How names and values are put together.
fn of_shape() -> Vec<Change> {
    let sorted = |id, to: Order| {
        Change::new(Mistake::new(id), move |draft| {
            if let Shape::Pairs { order, .. } = &mut draft.shape {
                *order = to;
            }
        })
    };
    let joined = |id, about: &str, by: &'static str| {
        Change::new(Mistake::about(id, about), move |draft| {
            if let Shape::Pairs { and, .. } = &mut draft.shape {
                *and = by;
            }
        })
    };
    let named = |id, by: &'static str, with: bool| {
        Change::new(Mistake::new(id), move |draft| {
            if let Shape::Pairs { equals, names, .. } = &mut draft.shape {
                (*equals, *names) = (by, with);
            }
        })
    };
    let mut changes = vec![
        sorted("pairs.order-sent", Order::Sent),
        sorted("pairs.order-case", Order::NoCase),
        sorted("pairs.order-locale", Order::Locale),
        sorted("pairs.order-backwards", Order::Backwards),
        joined("pairs.no-and", "", ""),
        named("pairs.no-equals", "", true),
        named("pairs.values", "=", false),
    ];
    changes.extend(
        [",", ";", "|", "\\n", "&amp;"]
            .map(|by| joined("pairs.comma", by, if by == "\\n" { "\n" } else { by })),
    );
    changes
}

/// All values in another spelling.
fn of_values() -> Vec<Change> {
    let each = |id, about: &str, edit: fn(&str) -> String| {
        Change::new(Mistake::about(id, about), move |draft| {
            // What has no value is not signed, and so not spoilt.
            draft.each(|_, value| if value.is_empty() { String::new() } else { edit(value) });
        })
    };
    vec![
        each("pairs.url", "%20", |value| escaped(value, "")),
        each("pairs.url", "+", |value| escaped(value, "").replace("%20", "+")),
        each("pairs.url", "URLEncoder", |value| {
            form_urlencoded::byte_serialize(value.as_bytes()).collect()
        }),
        each("pairs.url", "encodeURIComponent", |value| escaped(value, "!'()*")),
        each("pairs.url", "quote", |value| escaped(value, "/")),
        each("pairs.url", "encodeURI", |value| escaped(value, "!'()*;/?:@&=+$,#")),
        each("pairs.url", "%e8", |value| with_escapes(&escaped(value, ""), str::to_lowercase)),
        each("pairs.url-decoded", "", super::request::percent_decoded),
        each("pairs.xml", "", as_xml),
        each("pairs.xml", "", |value| as_xml(value).replace('"', "&quot;")),
        each("pairs.html", "", |value| as_xml(value).replace('"', "&quot;").replace('\'', "&#39;")),
        each("pairs.html", "", |value| as_xml(value).replace('"', "&#34;").replace('\'', "&#39;")),
        each("pairs.html", "", |value| {
            as_xml(value).replace('"', "&quot;").replace('\'', "&#039;")
        }),
        each("pairs.html", "", |value| {
            as_xml(value).replace('"', "&quot;").replace('\'', "&apos;")
        }),
        each("pairs.cdata", "", |value| format!("<![CDATA[{value}]]>")),
        each("pairs.trimmed", "", |value| value.trim().to_owned()),
        each("pairs.no-blanks", "", |value| value.replace(' ', "")),
        each("pairs.quoted", "", |value| format!("\"{value}\"")),
        each("pairs.quoted", "", |value| format!("'{value}'")),
        each("pairs.escaped", "", |value| {
            let style = super::json::Style { ascii: true, ..Default::default() };
            let quoted = super::json::restyled(&serde_json::Value::from(value).to_string(), style);
            quoted.trim_matches('"').to_owned()
        }),
        each("pairs.slashes", "", |value| value.replace('/', "\\/")),
    ]
}

/// All names in another spelling.
fn of_names() -> Vec<Change> {
    let each = |id, edit: fn(&str) -> String| {
        Change::new(Mistake::new(id), move |draft| {
            for (name, _) in &mut draft.parts {
                *name = edit(name);
            }
        })
    };
    vec![each("pairs.names-lower", str::to_lowercase), each("pairs.names-camel", camel)]
}

/// Amounts that are no whole fen any more.
fn of_amounts(right: &Draft) -> Vec<Change> {
    let whole = |value: &str| {
        !value.is_empty() && value.len() < 12 && value.bytes().all(|byte| byte.is_ascii_digit())
    };
    let amounts = right.parts.iter().filter(|(name, value)| name.ends_with("_fee") && whole(value));
    let mut changes = Vec::new();
    for (name, value) in amounts {
        let mut set = |id, text: String| {
            let field = name.clone();
            let mistake = Mistake::about(id, name.clone());
            changes.push(Change::new(mistake, move |draft| draft.set(&field, text.clone())));
        };
        set("pairs.float", format!("{value}.0"));
        set("pairs.float", format!("{value}.00"));
        let padded = format!("{value:0>3}");
        let (yuan, fen) =
            padded.split_at_checked(padded.len().saturating_sub(2)).unwrap_or_default();
        set("pairs.yuan", format!("{yuan}.{fen}"));
        set(
            "pairs.yuan",
            format!("{yuan}.{fen}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        );
        set(
            "pairs.yuan",
            format!("{yuan}.{}", if fen == "00" { "0" } else { fen.trim_end_matches('0') }),
        );
    }
    changes
}

/// Fields that are missing, too many, or have another name.
fn of_members(right: &Draft) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, value) in &right.parts {
        let (out, escape, field) = (name.clone(), name.clone(), name.clone());
        changes.push(Change::new(of_part("pairs.unsigned", name), move |draft| draft.remove(&out)));
        if value.is_empty() {
            continue;
        }
        changes.push(Change::new(of_part("pairs.url-one", name), move |draft| {
            let text = draft.value(&escape).map(|value| escaped(value, ""));
            draft.set(&escape, text.unwrap_or_default());
        }));
        for (from, to) in NAMES.iter().filter(|(from, _)| from == name) {
            let mut mistake = of_part("pairs.renamed", from);
            mistake.about = format!("{from} -> {to}");
            let (field, to) = (field.clone(), *to);
            changes.push(Change::new(mistake, move |draft| {
                for (name, _) in draft.parts.iter_mut().filter(|(name, _)| *name == field) {
                    *name = to.to_owned();
                }
            }));
        }
    }
    if right.parts.iter().any(|(_, value)| value.is_empty()) {
        changes.push(fill("pairs.empty", "", EMPTY));
        changes.extend(
            ["null", "None", "undefined", "\"\""].map(|word| fill("pairs.null", word, word)),
        );
    }
    changes.push(add("pairs.sign-in", "sign=", "sign", EMPTY));
    let known = |name: &str| right.parts.iter().any(|(field, _)| field == name);
    let unsent = ADDED.iter().filter(|(name, _)| !known(name));
    changes.extend(
        unsent.map(|(name, value)| add("pairs.added", &format!("{name}={value}"), name, value)),
    );
    changes
}

fn fill(id: &'static str, about: &str, with: &'static str) -> Change {
    Change::new(Mistake::about(id, about), move |draft| {
        draft.each(|_, value| if value.is_empty() { with.to_owned() } else { value.to_owned() });
    })
}

fn add(id: &'static str, about: &str, name: &'static str, value: &'static str) -> Change {
    Change::new(Mistake::about(id, about), move |draft| {
        draft.parts.push((name.to_owned(), value.to_owned()));
    })
}

/// A text with percent signs for all but letters, digits, `-_.~` and these.
pub(super) fn escaped(text: &str, kept: &str) -> String {
    let one = |byte: u8| match char::from(byte) {
        char if char.is_ascii_alphanumeric() || "-_.~".contains(char) || kept.contains(char) => {
            char.to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn as_xml(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `mch_id` as `mchId`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at_checked(1).unwrap_or((word, ""));
        name + &head.to_uppercase() + tail
    })
}

/// Names that are mixed up with others of WeChat's.
const NAMES: [(&str, &str); 30] = [
    ("appId", "appid"),
    ("appId", "app_id"),
    ("timeStamp", "timestamp"),
    ("timeStamp", "time_stamp"),
    ("nonceStr", "noncestr"),
    ("nonceStr", "nonce_str"),
    ("package", "prepay_id"),
    ("package", "prepayId"),
    ("package", "prepayid"),
    ("package", "Package"),
    ("signType", "signtype"),
    ("signType", "sign_type"),
    ("appid", "appId"),
    ("appid", "app_id"),
    ("mch_id", "mchid"),
    ("mch_id", "mchId"),
    ("mch_id", "partnerid"),
    ("nonce_str", "noncestr"),
    ("nonce_str", "nonceStr"),
    ("sign_type", "signType"),
    ("out_trade_no", "outTradeNo"),
    ("total_fee", "totalFee"),
    ("total_fee", "total"),
    ("total_fee", "amount"),
    ("notify_url", "notifyUrl"),
    ("trade_type", "tradeType"),
    ("openid", "openId"),
    ("openid", "open_id"),
    ("spbill_create_ip", "spbillCreateIp"),
    ("body", "description"),
];

/// Fields that libraries sign by themselves.
const ADDED: [(&str, &str); 9] = [
    ("sign_type", "MD5"),
    ("sign_type", "HMAC-SHA256"),
    ("signType", "MD5"),
    ("signType", "HMAC-SHA256"),
    ("trade_type", "JSAPI"),
    ("fee_type", "CNY"),
    ("device_info", "WEB"),
    ("version", "1.0"),
    ("limit_pay", "no_credit"),
];
