//! Mistakes with a body: what was signed and what is in hand are two texts of one JSON.

use std::collections::HashSet;

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
    if body.is_empty() {
        return ["{}", "null", "[]", "\"\"", "undefined"]
            .map(|text| {
                Change::new(Mistake::about("body.other", text), move |draft| {
                    draft.set("body", text)
                })
            })
            .into();
    }

    let mut texts = vec![
        ("body.trimmed", "kept.feed", body.trim().to_owned()),
        ("body.feed", "kept.trimmed", format!("{body}\n")),
        ("body.feed", "kept.trimmed", format!("{body}\r\n")),
        ("body.crlf", "kept.crlf", body.replace('\n', "\r\n")),
        ("body.crlf", "kept.crlf", body.replace("\r\n", "\n")),
    ];
    texts.extend(layouts(body).into_iter().map(|(id, text)| (id, REWRITTEN, text)));
    if let Some(sorted) = json::sorted(body) {
        texts.extend(layouts(&sorted).into_iter().map(|(id, text)| {
            let id = if id == "body.pretty" { id } else { "body.sorted" };
            (id, REWRITTEN, text)
        }));
        texts.extend(json::without_empty(body).map(|text| ("body.no-null", REWRITTEN, text)));
        texts.extend(as_form(body).map(|text| ("body.form", REWRITTEN, text)));
    }
    if !kept {
        let sha256 = digest::digest(&digest::SHA256, body.as_bytes());
        let md5 = <md5::Md5 as md5::Digest>::digest(body);
        let hashes = [hex::encode(sha256), hex::encode(md5), hex::encode_upper(md5)];
        texts.extend(hashes.map(|hash| ("body.hash", "body.hash", hash)));
    }
    // What does nothing to this body is no mistake, and of two that do the same the first is the likelier.
    let mut seen = HashSet::from([body.to_owned()]);
    texts.retain(|(_, _, text)| seen.insert(text.clone()));
    let change = |(id, kept_id, text): (&'static str, &'static str, String)| {
        let mistake = Mistake::new(if kept { kept_id } else { id });
        Change::new(mistake, move |draft| draft.set("body", text.clone()))
    };
    texts.into_iter().map(change).collect()
}

const REWRITTEN: &str = "kept.rewritten";

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
