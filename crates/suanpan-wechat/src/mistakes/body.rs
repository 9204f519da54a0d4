//! Mistakes with a body: what was signed and what is in hand are two texts of one JSON.

use aws_lc_rs::digest;

use super::json::{self, Style};
use super::message::Message;
use super::search::Change;
use super::table::Mistake;

/// For a message with a body. Where WeChat or we signed it, it is the one in hand that was changed.
pub(super) fn changes(message: &Message) -> Vec<Change> {
    let (body, kept) = match message {
        Message::Request { body, .. } => (body, false),
        Message::Answer { body, .. } | Message::Webhook { body, .. } => (body, true),
        Message::Fields { .. } | Message::Payment { .. } => return Vec::new(),
    };
    let Ok(body) = std::str::from_utf8(body) else { return Vec::new() };
    let other = |id, kept_id, text: String| {
        let mistake = Mistake::new(if kept { kept_id } else { id });
        Change::new(mistake, move |draft| draft.set("body", text.clone()))
    };
    if body.is_empty() {
        return ["{}", "null", "[]", "\"\"", "undefined"]
            .map(|text| {
                Change::new(Mistake::about("body.other", text), move |draft| {
                    draft.set("body", text)
                })
            })
            .into();
    }

    let mut changes = Vec::new();
    changes.push(other("body.trimmed", "kept.feed", body.trim().to_owned()));
    changes.push(other("body.feed", "kept.trimmed", format!("{body}\n")));
    changes.push(other("body.feed", "kept.trimmed", format!("{body}\r\n")));
    changes.push(other("body.crlf", "kept.crlf", body.replace('\n', "\r\n")));
    changes.push(other("body.crlf", "kept.crlf", body.replace("\r\n", "\n")));
    let (texts, sorted) = (layouts(body), json::sorted(body));
    changes.extend(texts.into_iter().map(|(id, text)| other(id, "kept.rewritten", text)));
    if let Some(sorted) = sorted {
        let again = layouts(&sorted).into_iter();
        changes.extend(again.map(|(id, text)| {
            let id = if id == "body.pretty" { id } else { "body.sorted" };
            other(id, "kept.rewritten", text)
        }));
        changes.extend(
            json::without_empty(body).map(|text| other("body.no-null", "kept.rewritten", text)),
        );
        let form = as_form(body);
        changes.extend(form.map(|text| other("body.form", "kept.rewritten", text)));
    }
    if !kept {
        let sha256 = digest::digest(&digest::SHA256, body.as_bytes());
        let md5 = <md5::Md5 as md5::Digest>::digest(body);
        for hash in [hex::encode(sha256), hex::encode(md5), hex::encode_upper(md5)] {
            changes.push(other("body.hash", "body.hash", hash));
        }
    }
    changes
}

/// The same JSON as other serialisers write it, members in order.
fn layouts(body: &str) -> Vec<(&'static str, String)> {
    let plain = Style::default();
    let spaced = Style { spaced: true, ..plain };
    let pretty = |indent| Style { indent: Some(indent), ..plain };
    let compact_id = if body.contains("\\u") { "body.unescaped" } else { "body.compact" };
    let styles = [
        (compact_id, plain),
        ("body.spaced", spaced),
        ("body.escaped", Style { ascii: true, ..plain }),
        ("body.escaped", Style { ascii: true, ..spaced }),
        ("body.slashes", Style { slashes: true, ..plain }),
        ("body.slashes", Style { slashes: true, ascii: true, ..plain }),
        ("body.html", Style { html: true, ..plain }),
        ("body.pretty", pretty("  ")),
        ("body.pretty", pretty("    ")),
        ("body.pretty", pretty("\t")),
        ("body.pretty", Style { ascii: true, ..pretty("    ") }),
        ("body.pretty", Style { slashes: true, ascii: true, ..pretty("    ") }),
    ];
    styles.map(|(id, style)| (id, json::restyled(body, style))).into()
}

/// `a=1&b=2`, of an object whose members are no objects.
fn as_form(body: &str) -> Option<String> {
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).ok()?;
    let pair = |(name, value): (&String, &serde_json::Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={text}")
    };
    Some(members.iter().map(pair).collect::<Vec<_>>().join("&"))
}
