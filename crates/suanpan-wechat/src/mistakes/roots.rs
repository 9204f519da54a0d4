//! Where a search begins: the right text, under each key and digest that the signature can be of.

use std::sync::Arc;

use super::draft::{Digest, Draft, Edit, Inner, KeyPlace, Shape};
use super::message::{KeyKind, Keys, Message, Public, Secret};
use super::proof::{self, Form, Hash, Opened, Reading};
use super::table::Mistake;

/// A right text, a key and a digest.
#[derive(Debug)]
pub(super) struct Root {
    /// What is wrong already: the key, the digest, how the signature is written.
    pub(super) mistakes: Vec<Mistake>,
    pub(super) draft: Draft,
    proof: Vec<u8>,
    half: bool,
}

/// All of them, and what the signature says by itself.
#[derive(Debug, Default)]
pub(super) struct Roots {
    pub(super) roots: Vec<Root>,
    /// What is wrong in any case, though nobody knows with which text.
    pub(super) known: Option<Mistake>,
    /// The right private key made the signature.
    pub(super) key_is_right: bool,
}

impl Root {
    /// Whether the signature is of this text.
    pub(super) fn fits(&self, draft: &Draft) -> bool {
        let proof = draft.proof();
        if self.half {
            return proof.get(4..12) == Some(&self.proof[..]);
        }
        proof == self.proof
    }

    /// How many mistakes it counts as. How a signature is written is seen, not guessed.
    pub(super) fn cost(&self) -> usize {
        self.mistakes.iter().filter(|mistake| !mistake.id.starts_with("form.")).count()
    }

    /// Whether its text is one of names and values.
    pub(super) const fn is_pairs(&self) -> bool {
        matches!(self.draft.shape, Shape::Pairs { .. })
    }
}

/// Where to begin.
pub(super) fn roots(message: &Message, keys: &Keys, given: &str) -> Roots {
    let kind = message.signed_by();
    let form = match kind {
        KeyKind::ApiV2 | KeyKind::ApiV3 | KeyKind::AppSecret => Form::Hex,
        KeyKind::Merchant | KeyKind::Platform => Form::Base64,
        KeyKind::Webhook => Form::Webhook,
    };
    let Some(reading) = proof::read(given, form) else { return Roots::default() };
    if reading.bytes.len() >= RSA_AT_LEAST {
        return of_rsa(message, keys, &reading);
    }
    let roots = match form {
        Form::Hex => of_digest(message.draft(), keys, &reading, &[]),
        Form::Webhook => of_webhook(message, keys, &reading),
        Form::Base64 => {
            let mut roots = hash_alone(message, &reading);
            if matches!(message, Message::Payment { .. }) {
                let way = [Mistake::new("v2.for-rsa").within("paySign")];
                roots.extend(of_digest(message.payment_pairs(Digest::Md5), keys, &reading, &way));
            }
            roots
        }
    };
    Roots { roots, known: None, key_is_right: false }
}

/// A digest over a text that ends in the key.
fn of_digest(right: Draft, keys: &Keys, reading: &Reading, known: &[Mistake]) -> Vec<Root> {
    let wanted = right.digest;
    let digests: &[Digest] = match (reading.half, reading.bytes.len()) {
        (true, _) | (_, 16) => &[Digest::Md5],
        (_, 20) => &[Digest::Sha1],
        (_, 32) => &[Digest::HmacSha256, Digest::Sha256],
        _ => &[],
    };
    let mut roots = Vec::new();
    for &digest in digests {
        let mut draft = right.clone();
        draft.digest = digest;
        let wrong = match digest {
            _ if digest == wanted || !known.is_empty() => None,
            Digest::Md5 => Some("digest.md5"),
            Digest::HmacSha256 => Some("digest.hmac"),
            Digest::Sha1 => Some("digest.sha1"),
            Digest::Sha256 | Digest::WebhookMac => Some("digest.sha256"),
        };
        let mistakes: Vec<_> = known
            .iter()
            .cloned()
            .chain(wrong.map(|id| Mistake::new(id).within("signType")))
            .collect();
        roots.extend(under_each_key(&draft, keys, reading, &mistakes));
    }
    roots
}

/// The same text under the right key, the right key spoilt, and all wrong keys.
fn under_each_key(draft: &Draft, keys: &Keys, reading: &Reading, known: &[Mistake]) -> Vec<Root> {
    let root = |draft: Draft, mistake: Option<Mistake>| Root {
        mistakes: reading.mistakes.iter().chain(known).cloned().chain(mistake).collect(),
        draft,
        proof: reading.bytes.clone(),
        half: reading.half,
    };
    let keyed = |secret: &Secret| Draft { key: Some(Arc::clone(&secret.text)), ..draft.clone() };
    let right = keys.secrets.iter().position(|secret| secret.kind == KeyKind::ApiV2);
    let mut roots = Vec::new();
    for (position, secret) in keys.secrets.iter().enumerate() {
        if Some(position) == right {
            roots.push(root(keyed(secret), None));
            continue;
        }
        let id = match secret.kind {
            KeyKind::ApiV2 => "key.other",
            KeyKind::ApiV3 => "key.api-v3",
            KeyKind::AppSecret => "key.app-secret",
            KeyKind::Merchant | KeyKind::Platform | KeyKind::Webhook => continue,
        };
        roots.push(root(keyed(secret), Some(Mistake::about(id, secret.of.clone()))));
    }
    let Some(right) = right.and_then(|right| keys.secrets.get(right)) else { return roots };
    for (id, edit) in KEY_EDITS {
        let draft = Draft { key_edit: Some(*edit), ..keyed(right) };
        roots.push(root(draft, Some(Mistake::new(id))));
    }
    if draft.digest == Digest::HmacSha256 {
        for (id, edit) in MAC_KEY_EDITS {
            let draft = Draft { mac_key: Some(*edit), ..keyed(right) };
            roots.push(root(draft, Some(Mistake::new(id))));
        }
    }
    for (how, inner) in INNER {
        let draft = Draft { hashed_first: Some(*inner), ..keyed(right) };
        roots.push(root(draft, Some(Mistake::about("digest.twice", *how))));
    }
    roots
}

/// What a private key made, as far as a public key at hand can read it.
fn of_rsa(message: &Message, keys: &Keys, reading: &Reading) -> Roots {
    let kind = message.signed_by();
    let right = keys.public.iter().position(|public| public.kind == wanted(kind));
    for (position, public) in keys.public.iter().enumerate() {
        let Some(opened) = proof::open(&public.key, &reading.bytes) else { continue };
        let is_right = right == Some(position) && kind != KeyKind::ApiV2;
        let mut mistakes = reading.mistakes.clone();
        mistakes
            .extend((!is_right).then(|| wrong_public_key(kind, public, right == Some(position))));
        return Roots {
            roots: of_opened(message, &opened, &mistakes),
            // Where the text is another one as well, the key still is what it is.
            known: mistakes.last().filter(|_| !is_right).cloned(),
            key_is_right: is_right,
        };
    }
    let Some(right) = right.and_then(|right| keys.public.get(right)) else {
        return Roots::default();
    };
    let bytes = message.draft().bytes("");
    let pss = right.key.is_pss(&bytes, &reading.bytes);
    let id = match kind {
        _ if pss => "rsa.pss",
        KeyKind::Platform => "rsa.unknown-platform",
        KeyKind::ApiV2
        | KeyKind::ApiV3
        | KeyKind::AppSecret
        | KeyKind::Merchant
        | KeyKind::Webhook => "rsa.unknown-key",
    };
    Roots { known: Some(Mistake::new(id)), key_is_right: pss, ..Roots::default() }
}

/// Whose key would be the right one, if RSA were.
const fn wanted(kind: KeyKind) -> KeyKind {
    match kind {
        KeyKind::Platform => KeyKind::Platform,
        KeyKind::ApiV2
        | KeyKind::ApiV3
        | KeyKind::AppSecret
        | KeyKind::Merchant
        | KeyKind::Webhook => KeyKind::Merchant,
    }
}

fn wrong_public_key(kind: KeyKind, public: &Public, own: bool) -> Mistake {
    let id = match (kind, public.kind) {
        (KeyKind::ApiV2, _) if own => return Mistake::new("rsa.for-v2"),
        (KeyKind::Platform, KeyKind::Platform) => "rsa.other-platform",
        (KeyKind::Platform, _) => "rsa.merchant-for-platform",
        (_, KeyKind::Platform) => "rsa.platform-for-merchant",
        (_, _) => "rsa.other-merchant",
    };
    Mistake::about(id, public.of.clone())
}

fn of_opened(message: &Message, opened: &Opened, known: &[Mistake]) -> Vec<Root> {
    let (digest, wrong, proof) = match opened {
        Opened::Digest(Hash::Sha256, proof) => (Digest::Sha256, None, proof.clone()),
        Opened::Digest(Hash::Sha1, proof) => (Digest::Sha1, Some("rsa.sha1"), proof.clone()),
        Opened::Digest(Hash::Md5, proof) => (Digest::Md5, Some("rsa.md5"), proof.clone()),
        Opened::Bare(inner) => {
            let proof = hex_inside(inner).unwrap_or_else(|| inner.clone());
            (Digest::Sha256, Some("rsa.bare"), proof)
        }
    };
    let mut draft = message.draft();
    draft.digest = digest;
    if let Shape::Pairs { key, .. } = &mut draft.shape {
        // Whoever signs with a private key has no key to append.
        *key = KeyPlace::Absent;
    }
    let mistakes: Vec<_> = known.iter().cloned().chain(wrong.map(Mistake::new)).collect();
    let root = |draft: Draft, more: Option<Mistake>| Root {
        mistakes: mistakes.iter().cloned().chain(more).collect(),
        draft,
        proof: proof.clone(),
        half: false,
    };
    let mut roots = vec![root(draft.clone(), None)];
    if matches!((message, draft.shape), (Message::Payment { .. }, Shape::Lines { .. })) {
        let mut pairs = Draft { digest, ..message.payment_pairs(digest) };
        if let Shape::Pairs { key, .. } = &mut pairs.shape {
            *key = KeyPlace::Absent;
        }
        roots.push(root(pairs, Some(Mistake::new("payment.v2-way").within("paySign"))));
    }
    roots.extend(INNER.iter().map(|(how, inner)| {
        let draft = Draft { hashed_first: Some(*inner), ..draft.clone() };
        root(draft, Some(Mistake::about("digest.twice", *how)))
    }));
    roots
}

/// A digest that was written in hex before it was encrypted.
fn hex_inside(inner: &[u8]) -> Option<Vec<u8>> {
    (inner.len() == 64).then(|| hex::decode(inner).ok()).flatten()
}

/// Whoever forgot the private key sends a digest.
fn hash_alone(message: &Message, reading: &Reading) -> Vec<Root> {
    let digest = match reading.bytes.len() {
        16 => Digest::Md5,
        32 => Digest::Sha256,
        _ => return Vec::new(),
    };
    let more = Mistake::new("rsa.only-hash");
    let mistakes = reading.mistakes.iter().cloned().chain([more]).collect();
    let draft = Draft { digest, ..message.draft() };
    vec![Root { mistakes, draft, proof: reading.bytes.clone(), half: false }]
}

/// HMAC under the secret of an endpoint.
fn of_webhook(message: &Message, keys: &Keys, reading: &Reading) -> Vec<Root> {
    let root = |secret: &Secret, edit: Option<Edit>, mistake: Option<Mistake>| Root {
        mistakes: reading.mistakes.iter().cloned().chain(mistake).collect(),
        draft: Draft { key: Some(Arc::clone(&secret.text)), mac_key: edit, ..message.draft() },
        proof: reading.bytes.clone(),
        half: false,
    };
    let mut secrets = keys.secrets.iter().filter(|secret| secret.kind == KeyKind::Webhook);
    let Some(right) = secrets.next() else { return Vec::new() };
    let mut roots = vec![root(right, None, None)];
    roots.extend(
        secrets
            .map(|other| root(other, None, Some(Mistake::about("hook.other", other.of.clone())))),
    );
    for (id, edit) in WEBHOOK_KEY_EDITS {
        roots.push(root(right, Some(*edit), Some(Mistake::new(id))));
    }
    roots
}

/// A key, spoilt on its way.
const KEY_EDITS: &[(&str, Edit)] = &[
    ("key.newline", |key| format!("{key}\n")),
    ("key.crlf", |key| format!("{key}\r\n")),
    ("key.blank", |key| format!("{key} ")),
    ("key.blank-before", |key| format!(" {key}")),
    ("key.quotes", |key| format!("\"{key}\"")),
    ("key.quotes", |key| format!("'{key}'")),
    ("key.bom", |key| format!("\u{feff}{key}")),
    ("key.lower", str::to_lowercase),
    ("key.upper", str::to_uppercase),
    ("key.empty", |_| String::new()),
    ("key.null", |_| "null".to_owned()),
    ("key.null", |_| "undefined".to_owned()),
    ("key.null", |_| "None".to_owned()),
    ("key.base64", base64),
];

/// The key of an HMAC alone.
const MAC_KEY_EDITS: &[(&str, Edit)] = &[
    ("key.mac-empty", |_| String::new()),
    ("key.mac-hashed", |key| {
        let digest = <md5::Md5 as md5::Digest>::digest(key);
        hex::encode_upper(digest)
    }),
];

/// The secret of an endpoint, taken for the key.
const WEBHOOK_KEY_EDITS: &[(&str, Edit)] = &[
    ("hook.secret-text", |key| key.trim_start_matches("whsec_").to_owned()),
    ("hook.secret-whole", str::to_owned),
];

/// How a digest is written that is digested again.
const INNER: &[(&str, Inner)] = &[
    ("hex", Inner::Hex),
    ("HEX", Inner::HexUpper),
    ("base64", Inner::Base64),
    ("bytes", Inner::Raw),
];

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Bytes of the shortest RSA signature.
const RSA_AT_LEAST: usize = 128;
