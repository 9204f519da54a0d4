//! How a signature is written, and what can be read out of it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::table::Mistake;
use crate::v3::PublicKey;

/// How a signature should be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// Hex in capitals: APIv2.
    Hex,
    /// Base64: RSA.
    Base64,
    /// `v1,` and base64: Standard Webhooks.
    Webhook,
}

/// A signature as bytes, and what is wrong with how it was written.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) bytes: Vec<u8>,
    pub(super) mistakes: Vec<Mistake>,
    /// Only the middle of an MD5, 16 characters of 32.
    pub(super) half: bool,
}

/// Reads a signature, however it is written; `None` where it is none.
pub(super) fn read(given: &str, form: Form) -> Option<Reading> {
    let mut mistakes = Vec::new();
    let mut text = given.to_owned();
    let around = |char: char| char.is_whitespace() || char == '"' || char == '\'';
    let inside = given.trim_matches(around);
    if inside.lines().count() > 1 {
        text = inside.lines().map(str::trim).collect();
        mistakes.push(Mistake::new("form.lines"));
    }
    let mut step = |id: &'static str, text: &mut String, next: String| {
        if next != *text {
            mistakes.push(Mistake::new(id));
            *text = next;
        }
    };
    let trimmed = text.trim_matches(around).to_owned();
    step("form.blanks", &mut text, trimmed);
    let decoded = super::request::percent_decoded(&text);
    step("form.url", &mut text, decoded);
    let plus = text.replace(' ', "+");
    step("form.plus", &mut text, plus);
    if form == Form::Webhook {
        match text.strip_prefix("v1,").map(str::to_owned) {
            Some(bare) => text = bare,
            None => mistakes.push(Mistake::new("form.version")),
        }
    }

    if is_hex(&text) {
        return from_hex(&text, form, mistakes);
    }
    let standard = text.replace('-', "+").replace('_', "/");
    if standard != text {
        mistakes.push(Mistake::new("form.base64url"));
        text = standard;
    }
    let bytes = BASE64.decode(&text).ok()?;
    if !text.len().is_multiple_of(4) {
        mistakes.push(Mistake::new("form.padding"));
    }
    let inner = std::str::from_utf8(&bytes).ok();
    if let Some(inner) = inner.filter(|inner| is_hex(inner)) {
        mistakes.push(Mistake::new("form.base64-of-hex"));
        return Some(Reading { bytes: hex::decode(inner).ok()?, mistakes, half: false });
    }
    if let Some(bytes) = inner.and_then(|inner| BASE64.decode(inner).ok()) {
        mistakes.push(Mistake::new("form.twice"));
        return Some(Reading { bytes, mistakes, half: false });
    }
    // An RSA signature among those of APIv2 is a mistake of its own.
    if form == Form::Hex && bytes.len() <= LONGEST_DIGEST {
        mistakes.push(Mistake::new("form.base64"));
    }
    Some(Reading { bytes, mistakes, half: false })
}

fn from_hex(text: &str, form: Form, mut mistakes: Vec<Mistake>) -> Option<Reading> {
    let bytes = hex::decode(text).ok()?;
    let half = bytes.len() == 8;
    match form {
        Form::Hex if text.chars().any(|char| char.is_ascii_lowercase()) => {
            mistakes.push(Mistake::new("form.case"));
        }
        Form::Base64 if bytes.len() > LONGEST_DIGEST => mistakes.push(Mistake::new("form.hex")),
        Form::Webhook => mistakes.push(Mistake::new("form.hex")),
        Form::Hex | Form::Base64 => {}
    }
    if half {
        mistakes.push(Mistake::new("form.half"));
    }
    Some(Reading { bytes, mistakes, half })
}

/// Whether it is a digest or an RSA signature in hex. Base64 of that length has other letters too.
fn is_hex(text: &str) -> bool {
    let lengths = [16, 32, 40, 64, 512, 768, 1024];
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a private key made.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Opened {
    /// A digest that says which one it is.
    Digest(Hash, Vec<u8>),
    /// Something that does not say what it is, such as a digest alone.
    Bare(Vec<u8>),
}

/// The digests that an RSA signature can say it is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
}

/// Reads an RSA signature with the public key; `None` where another key made it.
pub(super) fn open(key: &PublicKey, signature: &[u8]) -> Option<Opened> {
    let message = key.open(signature)?;
    // `01 FF … FF 00` and what was signed; the leading zero is not among the bytes of a number.
    let [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, rest @ ..] = &message[..] else {
        return None;
    };
    let filled = rest.iter().position(|byte| *byte != 0xFF)?;
    let (_, rest) = rest.split_at_checked(filled)?;
    let inner = rest.strip_prefix(&[0])?;
    let known = PREFIXES.iter().find_map(|(hash, prefix)| {
        Some(Opened::Digest(*hash, inner.strip_prefix(*prefix)?.to_vec()))
    });
    Some(known.unwrap_or_else(|| Opened::Bare(inner.to_vec())))
}

/// A webhook's signature, as its header has it.
pub(super) fn written_for_webhook(proof: &[u8]) -> String {
    format!("v1,{}", BASE64.encode(proof))
}

/// `DigestInfo` of RFC 8017, 9.2: which digest follows.
const PREFIXES: [(Hash, &[u8]); 3] = [
    (Hash::Md5, b"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"),
    (Hash::Sha1, b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"),
    (Hash::Sha256, b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
];

/// Bytes of the longest digest, SHA-512; an RSA signature has 256 and more.
const LONGEST_DIGEST: usize = 64;

/// Takes padding or leaves it, and bits behind the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
