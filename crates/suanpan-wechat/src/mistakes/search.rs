//! The search: each mistake alone, then each two of them.

use super::draft::Draft;
use super::message::{KeyKind, Keys, Message};
use super::roots::{Root, roots};
use super::table::Mistake;
use super::{body, lines, pairs, payment, proof, request};

/// What was found out about a signature.
#[derive(Debug)]
pub struct Examined {
    /// What it comes to.
    pub verdict: Verdict,
    /// How many texts were digested.
    pub tried: usize,
}

/// What a signature comes to.
#[derive(Debug)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is what comes out where these mistakes are made. More than one where they give the same bytes:
    /// the first is the likeliest.
    Found(Vec<Found>),
    /// It fits nothing that is known.
    Unknown {
        /// The right private key made it, so only the text is another one. Known of RSA alone.
        key_is_right: bool,
    },
}

/// Mistakes that together give the signature.
#[derive(Debug)]
pub struct Found {
    /// One, rarely two or three.
    pub mistakes: Vec<Mistake>,
    draft: Option<Draft>,
}

impl Found {
    /// The text that was signed, with this in place of the key; `None` where another key made the signature
    /// and the text can't be known.
    pub fn signed(&self, key: &str) -> Option<Vec<u8>> {
        self.draft.as_ref().map(|draft| draft.bytes(key))
    }
}

/// The text that must be signed, with this in place of the key.
pub fn text_to_sign(message: &Message, key: &str) -> Vec<u8> {
    message.draft().bytes(key)
}

/// The right signature, where both sides hold the key and it is at hand: hex in capitals, or `v1,` and base64.
pub fn sign(message: &Message, keys: &Keys) -> Option<String> {
    let mut draft = message.draft();
    let kind = message.signed_by();
    draft.key = Some(keys.secrets.iter().find(|secret| secret.kind == kind)?.text.clone());
    Some(match kind {
        KeyKind::Webhook => proof::written_for_webhook(&draft.proof()),
        KeyKind::ApiV2
        | KeyKind::ApiV3
        | KeyKind::AppSecret
        | KeyKind::Merchant
        | KeyKind::Platform => hex::encode_upper(draft.proof()),
    })
}

/// Whether this text is what the signature is of, made by a key at hand, and with which mistakes besides.
pub fn signs(text: &[u8], message: &Message, keys: &Keys, given: &str) -> bool {
    roots(message, keys, given).roots.into_iter().any(|mut root| {
        root.draft.exact = Some(with_key(text, &root.draft).into());
        root.fits(&root.draft)
    })
}

/// Finds out what is wrong with a signature.
pub fn examine(message: &Message, keys: &Keys, given: &str) -> Examined {
    let mut found = roots(message, keys, given);
    // Where two explain the same bytes, a key that was spoilt is likelier than a text.
    found.roots.sort_by_key(|root| std::cmp::Reverse(root.cost()));
    let mut search = Search { tried: 0, found: Vec::new() };
    for most in 0..=MOST {
        for root in &found.roots {
            match most.checked_sub(root.cost()) {
                // A text that is none is not guessed about.
                Some(others) if others == 0 || root.draft.exact.is_none() => {
                    search.with(message, keys, root, others);
                }
                Some(_) | None => {}
            }
        }
        if !search.found.is_empty() {
            // Two mistakes can undo each other in many ways; the first is the plain one.
            search.found.truncate(if most == MOST { 1 } else { SHOWN });
            break;
        }
    }
    let Search { tried, found: matches } = search;
    let verdict = if matches.iter().any(|one| one.mistakes.is_empty()) {
        Verdict::Right
    } else if !matches.is_empty() {
        Verdict::Found(matches)
    } else if let Some(mistake) = found.known {
        Verdict::Found(vec![Found { mistakes: vec![mistake], draft: None }])
    } else {
        Verdict::Unknown { key_is_right: found.key_is_right }
    };
    Examined { verdict, tried }
}

/// A mistake in the text, and how it is made.
pub(super) struct Change {
    pub(super) mistake: Mistake,
    pub(super) make: Box<dyn Fn(&mut Draft)>,
    /// One of hundreds of its kind: it is not tried together with others.
    pub(super) alone: bool,
}

impl Change {
    pub(super) fn new(mistake: Mistake, make: impl Fn(&mut Draft) + 'static) -> Self {
        Self { mistake, make: Box::new(make), alone: false }
    }

    pub(super) fn alone(mistake: Mistake, make: impl Fn(&mut Draft) + 'static) -> Self {
        Self { mistake, make: Box::new(make), alone: true }
    }
}

struct Search {
    tried: usize,
    found: Vec<Found>,
}

impl Search {
    /// Tries a root with so many mistakes in its text.
    fn with(&mut self, message: &Message, keys: &Keys, root: &Root, mistakes: usize) {
        if mistakes == 0 {
            return self.try_one(root, &root.draft, &[]);
        }
        let changes = changes(message, keys, root);
        let together = changes.iter().filter(|change| !change.alone).count();
        let guesses = if mistakes == 1 { changes.len() } else { together.saturating_mul(together) };
        if MOST_BYTES < guesses.saturating_mul(root.draft.bytes("").len()) {
            return;
        }
        for (position, first) in changes.iter().enumerate() {
            let mut draft = root.draft.clone();
            (first.make)(&mut draft);
            if mistakes == 1 {
                self.try_one(root, &draft, &[&first.mistake]);
                continue;
            }
            if first.alone {
                continue;
            }
            for second in changes.iter().skip(position.saturating_add(1)) {
                if !second.alone {
                    let mut draft = draft.clone();
                    (second.make)(&mut draft);
                    self.try_one(root, &draft, &[&first.mistake, &second.mistake]);
                }
            }
        }
    }

    fn try_one(&mut self, root: &Root, draft: &Draft, mistakes: &[&Mistake]) {
        self.tried = self.tried.saturating_add(1);
        if !root.fits(draft) {
            return;
        }
        let all = root.mistakes.iter().chain(mistakes.iter().copied()).cloned().collect();
        let found = Found { mistakes: all, draft: Some(draft.clone()) };
        let ids = |found: &Found| found.mistakes.iter().map(|one| one.id).collect::<Vec<_>>();
        if !self.found.iter().any(|known| ids(known) == ids(&found)) {
            self.found.push(found);
        }
    }
}

/// The mistakes that can be made in the text of a root, the usual ones first.
fn changes(message: &Message, keys: &Keys, root: &Root) -> Vec<Change> {
    let mut changes = payment::changes(message, keys, root.is_pairs());
    changes.extend(request::changes(message));
    changes.extend(body::changes(message));
    changes.extend(if root.is_pairs() {
        pairs::changes(&root.draft)
    } else {
        lines::changes(message, &root.draft)
    });
    changes
}

/// A text that somebody signed, with the key where it says `***`.
fn with_key(text: &[u8], draft: &Draft) -> Vec<u8> {
    let Some(key) = &draft.key else { return text.to_vec() };
    let text = String::from_utf8_lossy(text);
    text.replace("***", key).into_bytes()
}

/// Three mistakes together are found by reading, not by trying.
const MOST: usize = 2;
/// How many bytes are digested for one root and number of mistakes, at most: a request of an order needs a tenth
/// of it, and nobody waits for a body of megabytes.
const MOST_BYTES: usize = 128 * 1024 * 1024;
/// How many explanations of the same bytes are told.
const SHOWN: usize = 4;
