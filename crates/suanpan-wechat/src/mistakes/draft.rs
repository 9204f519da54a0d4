//! A text on its way to a digest, with every step that somebody can do wrong.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::GBK;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

/// A change of a text that needs nothing else.
pub(super) type Edit = fn(&str) -> String;

/// What is signed, or may have been signed.
#[derive(Clone)]
pub(super) struct Draft {
    /// Names and values: fields of APIv2, lines of APIv3.
    pub(super) parts: Vec<(String, String)>,
    pub(super) shape: Shape,
    /// What was done to the whole text.
    pub(super) edits: Vec<Edit>,
    pub(super) charset: Charset,
    /// The digest of the text was signed, and not the text.
    pub(super) hashed_first: Option<Inner>,
    pub(super) digest: Digest,
    pub(super) key: Option<Arc<Zeroizing<String>>>,
    pub(super) key_edit: Option<Edit>,
    /// The key of the HMAC, where it is not the one of the text.
    pub(super) mac_key: Option<Edit>,
    /// The bytes to sign, where they are no text; then nothing is guessed.
    pub(super) exact: Option<Arc<[u8]>>,
}

/// How parts become a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// `a=1&b=2&key=…`
    Pairs { order: Order, equals: &'static str, and: &'static str, names: bool, key: KeyPlace },
    /// Each value, and something behind it.
    Lines { end: &'static str, last: bool, names: bool },
}

impl Shape {
    /// APIv3.
    pub(super) const LINES: Self = Self::Lines { end: "\n", last: true, names: false };

    /// APIv2.
    pub(super) const fn pairs() -> Self {
        let key = KeyPlace::Behind("&key=");
        Self::Pairs { order: Order::Bytes, equals: "=", and: "&", names: true, key }
    }
}

/// How fields are sorted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Bytes,
    Sent,
    NoCase,
    /// As a dictionary does: signs between letters do not count.
    Locale,
    Backwards,
}

/// Where the key stands in the text.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyPlace {
    /// Behind the fields, after this.
    Behind(&'static str),
    /// Among the fields, under this name.
    Among(&'static str),
    /// Before the fields.
    Before,
    /// Nowhere.
    Absent,
}

/// How characters become bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Charset {
    Utf8,
    Gbk,
    Utf16,
    /// Anything but ASCII becomes `?`.
    Ascii,
    /// UTF-8 that was read as Latin-1 and written as UTF-8 again.
    Mojibake,
}

/// How a digest is written before it is signed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inner {
    Raw,
    Hex,
    HexUpper,
    Base64,
}

/// What is made of the bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Digest {
    Md5,
    Sha1,
    Sha256,
    HmacSha256,
    /// HMAC-SHA256 under a key that is written as `whsec_` and base64.
    WebhookMac,
}

impl Draft {
    /// A right one, without a key.
    pub(super) fn new(
        parts: impl IntoIterator<Item = (String, String)>,
        shape: Shape,
        digest: Digest,
    ) -> Self {
        Self {
            parts: parts.into_iter().collect(),
            shape,
            edits: Vec::new(),
            charset: Charset::Utf8,
            hashed_first: None,
            digest,
            key: None,
            key_edit: None,
            mac_key: None,
            exact: None,
        }
    }

    /// The same, of lines.
    pub(super) fn of<const N: usize>(
        parts: [(&str, &str); N],
        shape: Shape,
        digest: Digest,
    ) -> Self {
        let parts = parts.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self::new(parts, shape, digest)
    }

    /// Signs these bytes where the body is no text.
    pub(super) fn exactly(mut self, body: &[u8], exact: Vec<u8>) -> Self {
        self.exact = std::str::from_utf8(body).is_err().then(|| exact.into());
        self
    }

    /// The value of a part.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.parts.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Changes the value of a part, if it is there.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        if let Some((_, old)) = self.parts.iter_mut().find(|(known, _)| known == name) {
            *old = value.into();
        }
    }

    /// Changes all values.
    pub(super) fn each(&mut self, edit: impl Fn(&str, &str) -> String) {
        for (name, value) in &mut self.parts {
            *value = edit(name, value);
        }
    }

    /// Takes a part out.
    pub(super) fn remove(&mut self, name: &str) {
        self.parts.retain(|(known, _)| known != name);
    }

    /// The text before it becomes bytes, with `key` where the key stands.
    pub(super) fn text(&self, key: &str) -> String {
        let key = self.key_edit.map_or_else(|| key.to_owned(), |edit| edit(key));
        let text = match self.shape {
            Shape::Pairs { order, equals, and, names, key: place } => {
                self.pairs(order, equals, and, names, place, &key)
            }
            Shape::Lines { end, last, names } => {
                let line = |(name, value): &(String, String)| {
                    if names { format!("{name}={value}") } else { value.clone() }
                };
                let lines: Vec<_> = self.parts.iter().map(line).collect();
                lines.join(end) + if last { end } else { "" }
            }
        };
        self.edits.iter().fold(text, |text, edit| edit(&text))
    }

    fn pairs(
        &self,
        order: Order,
        equals: &str,
        and: &str,
        names: bool,
        place: KeyPlace,
        key: &str,
    ) -> String {
        let kept = self.parts.iter().filter(|(_, value)| !value.is_empty());
        let mut parts: Vec<(&str, &str)> =
            kept.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if let KeyPlace::Among(name) = place {
            parts.push((name, key));
        }
        let plain = |name: &str| {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>()
        };
        match order {
            Order::Sent => {}
            Order::Bytes => parts.sort_unstable(),
            Order::Backwards => parts.sort_unstable_by(|one, other| other.cmp(one)),
            Order::NoCase => parts.sort_by_key(|(name, _)| name.to_ascii_lowercase()),
            Order::Locale => parts.sort_by_key(|(name, _)| plain(name)),
        }
        let value = |value: &str| if value == EMPTY { String::new() } else { value.to_owned() };
        let pair = |(name, text): &(&str, &str)| {
            if names { format!("{name}{equals}{}", value(text)) } else { value(text) }
        };
        let text = parts.iter().map(pair).collect::<Vec<_>>().join(and);
        match place {
            KeyPlace::Behind(before) => format!("{text}{before}{key}"),
            KeyPlace::Before => format!("key={key}&{text}"),
            KeyPlace::Among(_) | KeyPlace::Absent => text,
        }
    }

    /// The bytes that are digested, with `key` where the key stands.
    pub(super) fn bytes(&self, key: &str) -> Vec<u8> {
        if let Some(exact) = &self.exact {
            return exact.to_vec();
        }
        let text = self.text(key);
        match self.charset {
            Charset::Utf8 => text.into_bytes(),
            Charset::Gbk => GBK.encode(&text).0.into_owned(),
            Charset::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Charset::Ascii => {
                text.chars().map(|char| u8::try_from(char).unwrap_or(b'?')).map(ascii).collect()
            }
            Charset::Mojibake => text.bytes().map(char::from).collect::<String>().into_bytes(),
        }
    }

    /// The digest under the key that it has.
    pub(super) fn proof(&self) -> Vec<u8> {
        let key = self.key.as_ref().map(|key| key.as_str()).unwrap_or_default();
        let mut bytes = self.bytes(key);
        if let Some(inner) = self.hashed_first {
            let digest = self.digest_of(&bytes, key);
            bytes = match inner {
                Inner::Raw => digest,
                Inner::Hex => hex::encode(digest).into_bytes(),
                Inner::HexUpper => hex::encode_upper(digest).into_bytes(),
                Inner::Base64 => STANDARD.encode(digest).into_bytes(),
            };
        }
        self.digest_of(&bytes, key)
    }

    fn digest_of(&self, bytes: &[u8], key: &str) -> Vec<u8> {
        let mac = |key: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            hmac::sign(&key, bytes).as_ref().to_vec()
        };
        match self.digest {
            Digest::Md5 => Md5::digest(bytes).to_vec(),
            Digest::Sha1 => {
                digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
            }
            Digest::Sha256 => digest::digest(&digest::SHA256, bytes).as_ref().to_vec(),
            Digest::HmacSha256 => {
                let key = self.key_edit.map_or_else(|| key.to_owned(), |edit| edit(key));
                let key = self.mac_key.map_or_else(|| key.clone(), |edit| edit(&key));
                mac(key.as_bytes())
            }
            Digest::WebhookMac => {
                let text = self.key_edit.map_or_else(|| key.to_owned(), |edit| edit(key));
                match self.mac_key {
                    Some(edit) => mac(edit(&text).as_bytes()),
                    None => mac(&webhook_key(&text).unwrap_or_default()),
                }
            }
        }
    }
}

/// A value that is empty and all the same signed: `a=`.
pub(super) const EMPTY: &str = "\u{0}";

/// The bytes of `whsec_…`.
fn webhook_key(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()
}

const fn ascii(byte: u8) -> u8 {
    if byte.is_ascii() { byte } else { b'?' }
}

/// Without the key.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("text", &self.text("***")).finish_non_exhaustive()
    }
}
