//! The XML of APIv2: one element, flat children, texts. No DTD, ever.
//!
//! A DTD is how the official Java SDK of 2018 leaked files (XXE) and how a
//! kilobyte becomes a gigabyte (entity bombs), so a message that has one is
//! refused before anything else is looked at. A field that stands there twice
//! is refused too: signer and reader could each take another one.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesDecl, BytesRef, Event};

use crate::Error;

/// The largest message that is read, in bytes. WeChat's own stay below 10 KiB.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most fields that a message may have.
pub const MAX_FIELDS: usize = 256;

/// Reads `<xml><a>1</a>…</xml>` (any name of the root), in the order in which it stands.
pub(super) fn read(body: &[u8]) -> Result<Vec<(String, String)>, Error> {
    if body.len() > MAX_BYTES {
        return Err(bad(format!("{} bytes, {MAX_BYTES} are allowed", body.len())));
    }
    let text = std::str::from_utf8(body).map_err(|_| bad("it is not UTF-8"))?;
    if let Some(char) = text.chars().find(|char| !is_xml_char(*char)) {
        return Err(bad(format!("it holds {char:?}")));
    }
    // The reader would skip it, and the next one might not.
    if text.starts_with('\u{feff}') {
        return Err(bad("it begins with a byte order mark"));
    }

    let mut reader = Reader::from_str(text);
    let mut fields = Vec::new();
    let mut place = Place::BeforeRoot;
    loop {
        let event = reader.read_event().map_err(|error| bad(error.to_string()))?;
        place = match (place, event) {
            (_, Event::DocType(_)) => return Err(bad("it has a DTD")),
            (Place::AfterRoot, Event::Eof) => return Ok(fields),
            (place, Event::Comment(_)) => place,
            (Place::BeforeRoot, Event::Decl(decl)) if is_utf8(&decl) => Place::BeforeRoot,

            (Place::BeforeRoot, Event::Start(tag)) if plain(&tag) => Place::InRoot,
            (Place::BeforeRoot, Event::Empty(tag)) if plain(&tag) => Place::AfterRoot,
            (Place::InRoot, Event::Start(tag)) if plain(&tag) => {
                Place::InField { name: tag.name().as_ref().to_owned(), value: String::new() }
            }
            (Place::InRoot, Event::Empty(tag)) if plain(&tag) => {
                insert(&mut fields, tag.name().as_ref().to_owned(), String::new())?;
                Place::InRoot
            }
            (Place::InRoot, Event::End(_)) => Place::AfterRoot,

            (Place::InField { name, mut value }, Event::Text(text)) => {
                value.push_str(&text);
                Place::InField { name, value }
            }
            (Place::InField { name, mut value }, Event::CData(text)) => {
                value.push_str(&text);
                Place::InField { name, value }
            }
            (Place::InField { name, mut value }, Event::GeneralRef(entity)) => {
                value.push_str(&resolve(&entity)?);
                Place::InField { name, value }
            }
            (Place::InField { name, value }, Event::End(_)) => {
                insert(&mut fields, name, value)?;
                Place::InRoot
            }

            (place @ (Place::BeforeRoot | Place::InRoot | Place::AfterRoot), Event::Text(text))
                if is_blank(&text) =>
            {
                place
            }
            (_, Event::Eof) => return Err(bad("it ends too early")),
            (_, Event::Start(_) | Event::Empty(_)) => {
                return Err(bad("it is not one element with flat children without attributes"));
            }
            (_, _) => return Err(bad("it holds something that WeChat never sends")),
        };
    }
}

/// Writes the map, each value in CDATA where that is possible.
///
/// A carriage return is written as `&#13;`: every XML reader turns a bare one
/// into a line feed, and the signature would no longer match.
pub(super) fn write(fields: &BTreeMap<String, String>) -> String {
    let mut xml = String::from("<xml>");
    for (name, value) in fields {
        let plain = !value.contains("]]>") && !value.contains('\r');
        let value = if plain {
            format!("<![CDATA[{value}]]>")
        } else {
            escape(value.as_str()).replace('\r', "&#13;")
        };
        xml.push_str(&format!("<{name}>{value}</{name}>"));
    }
    xml.push_str("</xml>");
    xml
}

/// Whether XML 1.0 can hold this character at all, in any spelling.
pub(super) const fn is_xml_char(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether a field may have this name. With `=` or `&` in a name, one signature
/// would fit two messages: `<a=1&b>` is signed as the fields `a` and `b` are.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && name.bytes().all(plain)
}

/// Where in the message the reader stands.
enum Place {
    BeforeRoot,
    InRoot,
    InField { name: String, value: String },
    AfterRoot,
}

fn insert(fields: &mut Vec<(String, String)>, name: String, value: String) -> Result<(), Error> {
    if fields.len() >= MAX_FIELDS {
        return Err(bad(format!("more than {MAX_FIELDS} fields")));
    }
    if !is_name(&name) {
        return Err(bad("a field has a name of other than letters, digits, `_`, `-` and `.`"));
    }
    if fields.iter().any(|(known, _)| *known == name) {
        return Err(bad(format!("field `{name}` stands there twice")));
    }
    fields.push((name, value));
    Ok(())
}

/// The five entities of XML and characters by number; nothing else is known.
fn resolve(entity: &BytesRef<'_>) -> Result<String, Error> {
    let char = entity.resolve_char_ref().map_err(|error| bad(error.to_string()))?;
    if let Some(char) = char {
        return if is_xml_char(char) {
            Ok(char.to_string())
        } else {
            Err(bad(format!("it holds {char:?}")))
        };
    }
    let name: &str = entity;
    let known = resolve_predefined_entity(name);
    known.map(str::to_owned).ok_or_else(|| bad(format!("unknown entity `{name}`")))
}

fn plain(tag: &quick_xml::events::BytesStart<'_>) -> bool {
    is_blank(tag.attributes_raw())
}

/// Whether the declaration names no encoding but the one that was just checked.
fn is_utf8(decl: &BytesDecl<'_>) -> bool {
    match decl.encoding() {
        None => true,
        Some(Ok(encoding)) => encoding.eq_ignore_ascii_case("utf-8"),
        Some(Err(_)) => false,
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|char| char.is_ascii_whitespace())
}

fn bad(why: impl Into<String>) -> Error {
    Error::Xml { why: why.into() }
}
