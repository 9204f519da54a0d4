//! What a caller signed instead, where that can be found out.
//!
//! An RSA signature cannot be read backwards; but it can be tried on the texts
//! that people sign by mistake. Where none fits, the log says so and guesses
//! nothing.

use std::borrow::Cow;

use suanpan_wechat::v3::{Authorization, request_message};

use super::super::Heard;
use crate::registry::Merchant;
use crate::requests::Mismatch;
use crate::world::World;

/// Finds the mistake.
pub(super) fn explain(
    world: &World,
    heard: &Heard,
    authorization: &Authorization,
    merchant: &Merchant,
) -> Mismatch {
    let Authorization { timestamp, nonce_str, signature, .. } = authorization;
    let url = heard.path_and_query();
    let right = request_message(&heard.method, &url, *timestamp, nonce_str, &heard.body);
    let expected = String::from_utf8_lossy(&right).into_owned();

    let other = world.registry.merchants.iter().find(|other| {
        other.mchid != merchant.mchid && other.public_key.verify("", &right, signature).is_ok()
    });
    if let Some(other) = other {
        let explanation = format!(
            "the text is right, and the private key is that of merchant {}, not of {}",
            other.mchid, merchant.mchid
        );
        return Mismatch::found(expected.clone(), expected, explanation);
    }
    let mistake = mistakes(heard, authorization)
        .into_iter()
        .find(|(_, text)| merchant.public_key.verify("", text, signature).is_ok());
    match mistake {
        Some((why, text)) => {
            let yours = String::from_utf8_lossy(&text).into_owned();
            Mismatch::found(expected, yours, why.to_owned())
        }
        None => Mismatch::unknown(
            expected,
            "none of the usual mistakes fits: compare the text that you sign with this one, byte \
             by byte; if they are the same, the private key does not belong to the merchant's \
             certificate",
        ),
    }
}

/// The texts that people sign by mistake.
fn mistakes(heard: &Heard, authorization: &Authorization) -> Vec<(&'static str, Vec<u8>)> {
    let Authorization { timestamp, nonce_str, .. } = authorization;
    let (method, path, body) = (heard.method.as_str(), heard.path.as_str(), &heard.body[..]);
    let url = heard.path_and_query();
    let signed = |method: &str, url: &str, body: &[u8]| {
        request_message(method, url, *timestamp, nonce_str, body)
    };
    let right = signed(method, &url, body);
    let text = String::from_utf8_lossy(body);
    let host = heard.header("host").unwrap_or_default();
    let lines = |order: [&str; 4]| format!("{}\n{text}\n", order.join("\n")).into_bytes();
    let time = timestamp.to_string();

    let mut mistakes = vec![
        (
            "the line feed after the body is missing",
            right.strip_suffix(b"\n").unwrap_or(&right).to_owned(),
        ),
        ("the query is not signed: the second line is path and query", signed(method, path, body)),
        ("the body is not signed", signed(method, &url, b"")),
        ("the URL is signed with its host", signed(method, &format!("http://{host}{url}"), body)),
        ("the URL is signed with its host", signed(method, &format!("https://{host}{url}"), body)),
        (
            "the URL is signed with WeChat's host",
            signed(method, &format!("https://api.mch.weixin.qq.com{url}"), body),
        ),
        ("the method is signed in small letters", signed(&method.to_lowercase(), &url, body)),
        ("nonce and timestamp are swapped", lines([method, &url, nonce_str, &time])),
        ("timestamp and nonce come first", lines([&time, nonce_str, method, &url])),
        ("it is signed as an answer is", format!("{time}\n{nonce_str}\n{text}\n").into_bytes()),
        (
            "the lines end with CR LF",
            String::from_utf8_lossy(&right).replace('\n', "\r\n").into_bytes(),
        ),
        (
            "the line feeds are written out as \\n",
            String::from_utf8_lossy(&right).replace('\n', "\\n").into_bytes(),
        ),
    ];
    let plain = percent_decoded(&url);
    if plain != url {
        mistakes.push(("the URL is signed without its escapes", signed(method, &plain, body)));
    }
    let styles = [
        (
            "the body is signed without the blanks that were sent",
            restyled(&text, Style { comma: ",", colon: ":", ascii: false }),
        ),
        (
            "the body is signed with blanks that were not sent",
            restyled(&text, Style { comma: ", ", colon: ": ", ascii: false }),
        ),
        (
            "the body is signed with \\u escapes that were not sent",
            restyled(&text, Style { comma: ",", colon: ":", ascii: true }),
        ),
        (
            "the body is signed with blanks and \\u escapes that were not sent",
            restyled(&text, Style { comma: ", ", colon: ": ", ascii: true }),
        ),
    ];
    mistakes.extend(styles.map(|(why, body)| (why, signed(method, &url, body.as_bytes()))));
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) {
        let sorted = value.to_string();
        let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
        let why = "the body is serialised twice: sign exactly the bytes that are sent";
        mistakes.push((why, signed(method, &url, sorted.as_bytes())));
        mistakes.push((why, signed(method, &url, pretty.as_bytes())));
    }
    mistakes
}

fn percent_decoded(url: &str) -> String {
    let form = format!("p={}", url.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// How a JSON text is laid out.
#[derive(Clone, Copy)]
struct Style {
    comma: &'static str,
    colon: &'static str,
    /// Other characters than ASCII are escaped: `\u4e2d`.
    ascii: bool,
}

/// The same JSON, laid out otherwise; members keep their order.
fn restyled(json: &str, style: Style) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for char in json.chars() {
        let piece: Cow<'_, str> = match char {
            char if in_text && style.ascii && !char.is_ascii() => {
                let mut units = [0_u16; 2];
                let units = char.encode_utf16(&mut units).iter();
                units.map(|unit| format!("\\u{unit:04x}")).collect::<String>().into()
            }
            char if in_text => String::from(char).into(),
            ',' => style.comma.into(),
            ':' => style.colon.into(),
            char if char.is_ascii_whitespace() => "".into(),
            char => String::from(char).into(),
        };
        out.push_str(&piece);
        (in_text, escaped) = match char {
            '"' if !escaped => (!in_text, false),
            '\\' if in_text => (in_text, !escaped),
            _ => (in_text, false),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_text_is_laid_out_otherwise_with_its_members_in_order() {
        let json = r#"{"b": "x, y: \"茶\"", "a":[1, 2]}"#;
        let style = |comma, colon, ascii| restyled(json, Style { comma, colon, ascii });
        assert_eq!(style(",", ":", false), r#"{"b":"x, y: \"茶\"","a":[1,2]}"#);
        assert_eq!(style(", ", ": ", false), r#"{"b": "x, y: \"茶\"", "a": [1, 2]}"#);
        assert_eq!(style(",", ":", true), r#"{"b":"x, y: \"\u8336\"","a":[1,2]}"#);
    }
}
