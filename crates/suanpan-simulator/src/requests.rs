//! `GET /_sim/requests`: every call with its answer, the last thousand.
//!
//! Where a signature failed, the entry holds the text that we signed, the text
//! that you seem to have signed, and the first byte where they differ. Secrets
//! and session keys never get in here.

use std::collections::VecDeque;

use serde::Serialize;

/// How many are kept.
const KEPT: usize = 1000;
/// How much of a body is kept.
const BODY: usize = 16 * 1024;

/// A call and its answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    /// Counts up from 1.
    pub(crate) id: u64,
    /// RFC 3339, by WeChat's clock.
    pub(crate) at: String,
    /// Its name, or none where nothing is served there.
    pub(crate) operation: Option<&'static str>,
    pub(crate) method: String,
    /// Path and query, as it came; `secret` is masked.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) answer: Spoken,
    /// The fault that was played.
    pub(crate) fault: Option<String>,
    /// What is wrong with the signature of the question.
    pub(crate) signature: Option<Mismatch>,
}

/// What was answered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Spoken {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Two texts that should be one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Mismatch {
    /// What we signed, byte by byte; a key in it is masked.
    pub(crate) expected: String,
    /// What you signed, where that can be found out.
    pub(crate) yours: Option<String>,
    /// The first byte that differs, counted from 0; none where the texts are the
    /// same and the key is not.
    pub(crate) first_difference: Option<usize>,
    /// What that means.
    pub(crate) explanation: String,
}

impl Mismatch {
    /// Nothing is known of what the caller signed.
    pub(crate) fn unknown(expected: String, explanation: &str) -> Self {
        let explanation = explanation.to_owned();
        Self { expected, yours: None, first_difference: None, explanation }
    }

    /// The caller signed this.
    pub(crate) fn found(expected: String, yours: String, explanation: String) -> Self {
        let same = expected.bytes().zip(yours.bytes()).take_while(|(ours, theirs)| ours == theirs);
        let first_difference = (expected != yours).then_some(same.count());
        Self { expected, yours: Some(yours), first_difference, explanation }
    }
}

/// The last calls.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    entries: VecDeque<Entry>,
    heard: u64,
}

impl Requests {
    /// Writes a call down.
    pub(crate) fn add(&mut self, mut entry: Entry) {
        self.heard = self.heard.saturating_add(1);
        entry.id = self.heard;
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// All that are kept, oldest first.
    pub(crate) fn all(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }
}

/// A body for the log: cut, and as text.
pub(crate) fn shown(body: &[u8]) -> String {
    let cut = body.get(..BODY).unwrap_or(body);
    String::from_utf8_lossy(cut).into_owned()
}

/// A path with a query, or a form, with its `secret` masked.
pub(crate) fn without_secret(text: &str) -> String {
    let mask = |pair: &str| match pair.split_once('=') {
        Some((name @ ("secret" | "access_token"), _)) => format!("{name}=***"),
        Some(_) | None => pair.to_owned(),
    };
    let pairs = |text: &str| text.split('&').map(mask).collect::<Vec<_>>().join("&");
    match text.split_once('?') {
        Some((path, query)) => format!("{path}?{}", pairs(query)),
        None => pairs(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_and_nothing_else() {
        let masked = without_secret("/sns/jscode2session?appid=wx1&secret=abc&js_code=0b");
        assert_eq!(masked, "/sns/jscode2session?appid=wx1&secret=***&js_code=0b");
        assert_eq!(without_secret("/v3/certificates"), "/v3/certificates");
        assert_eq!(without_secret("appid=wx1&secret=abc"), "appid=wx1&secret=***");
    }

    #[test]
    fn the_first_difference_is_a_byte() {
        let difference = |ours: &str, theirs: &str| {
            Mismatch::found(ours.into(), theirs.into(), String::new()).first_difference
        };
        assert_eq!(difference("GET\n/a\n", "GET\n/b\n"), Some(5));
        assert_eq!(difference("茶", "茶\n"), Some(3));
        assert_eq!(difference("same", "same"), None);
    }
}
