//! Which entries a text is about: a code, a message, a whole answer, a line of a log.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use super::{Entry, by_code, entries};

/// What a text is about.
#[derive(Debug)]
pub struct Found {
    /// The entries that it names, the likely one first; at most five.
    pub entries: Vec<&'static Entry>,
    /// Where it names none: the three nearest at most.
    pub near: Vec<&'static Entry>,
}

/// Finds the entries that a text names by codes or words. Without any, it finds those whose codes or words are near.
pub fn find(text: &str) -> Found {
    if let Some(entry) = by_code(text) {
        return Found { entries: vec![entry], near: Vec::new() };
    }
    let said = Said::of(text);
    let weighed = LISTED.iter().map(|listed| (said.weight_of(listed), listed.entry));
    let mut named: Vec<_> = weighed.filter(|(weight, _)| 0 < *weight).collect();
    named.sort_by_key(|(weight, _)| Reverse(*weight));
    let entries: Vec<_> = named.into_iter().map(|(_, entry)| entry).take(5).collect();
    let near = if entries.is_empty() { nearest(&said) } else { Vec::new() };
    Found { entries, near }
}

/// A text, as it is searched.
struct Said<'a> {
    /// See [`compact`].
    compact: String,
    /// Its words of ASCII, as they stand.
    words: HashSet<&'a str>,
    /// In small letters.
    small_words: BTreeSet<String>,
}

impl<'a> Said<'a> {
    fn of(text: &'a str) -> Self {
        let in_word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
        let parts = text.split(|char| !in_word(char)).filter(|part| !part.is_empty());
        // A dash can belong to the code, as in -15005, or to the sentence.
        let words: HashSet<_> = parts.flat_map(|part| [part, part.trim_matches('-')]).collect();
        let small_words = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        Self { compact: compact(text), words, small_words }
    }

    /// How much of the entry the text names; 0 is nothing.
    fn weight_of(&self, listed: &Listed) -> usize {
        let phrases = listed.phrases.iter().filter(|phrase| self.has_phrase(phrase));
        let codes = listed.entry.codes.iter().filter(|code| self.has_code(code));
        // A code says more than as many letters of a sentence.
        let weight = phrases.map(String::len).sum::<usize>();
        let weight =
            codes.fold(weight, |weight, code| weight.saturating_add(code.len()).saturating_add(20));
        if listed.entry.broad { weight.div_ceil(4) } else { weight }
    }

    fn has_phrase(&self, phrase: &str) -> bool {
        // A few letters are found in any number.
        if phrase.is_ascii() && phrase.len() < 6 {
            return self.small_words.contains(phrase);
        }
        self.compact.contains(phrase)
    }

    fn has_code(&self, code: &str) -> bool {
        let is_word = code.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !self.words.contains(code) {
            return false;
        }
        match (is_word, code.len()) {
            (true, 8..) | (false, 5..) => true,
            // Words such as CLOSED and CHANGE are codes where they are a value: `"status":"CLOSED"`.
            (true, 6 | 7) => [':', '=', '>']
                .iter()
                .any(|sign| self.compact.contains(&format!("{sign}{}", code.to_ascii_lowercase()))),
            // Such as -1 and ERROR: only alone.
            _ => false,
        }
    }
}

/// In small letters, without blanks, quotes and CDATA marks, and with the punctuation of ASCII: so `"errcode": -1` is
/// `errcode:-1`, and a sentence is found whichever way it was written.
fn compact(text: &str) -> String {
    let text = text.to_lowercase().replace("<![cdata[", "").replace("]]>", "");
    let kept = |char: &char| {
        !char.is_whitespace() && !matches!(char, '"' | '\'' | '`' | '“' | '”' | '‘' | '’')
    };
    let plain = |char| match char {
        '，' => ',',
        '：' => ':',
        '；' => ';',
        '（' => '(',
        '）' => ')',
        '。' => '.',
        '！' => '!',
        '？' => '?',
        other => other,
    };
    text.chars().filter(kept).map(plain).collect()
}

/// The entries whose codes or phrases look like the text.
fn nearest(said: &Said<'_>) -> Vec<&'static Entry> {
    // Of a long text only its codes can be near.
    let whole = (said.compact.len() < 200).then_some(said.compact.as_str());
    let words: Vec<_> = said.small_words.iter().filter(|word| 4 <= word.len()).take(200).collect();
    let best = |listed: &Listed| {
        let codes = listed.entry.codes.iter().map(|code| code.to_ascii_lowercase());
        let codes = codes.flat_map(|code| words.iter().map(move |word| likeness(word, &code)));
        let phrases = listed.phrases.iter();
        let phrases = phrases.filter_map(|phrase| Some(likeness(whole?, phrase)));
        codes.chain(phrases).max().unwrap_or_default()
    };
    let mut near: Vec<_> = LISTED.iter().map(|listed| (best(listed), listed.entry)).collect();
    near.retain(|(likeness, _)| NEAR <= *likeness);
    near.sort_by_key(|(likeness, _)| Reverse(*likeness));
    near.into_iter().map(|(_, entry)| entry).take(3).collect()
}

/// In percent, of characters of whatever alphabet.
fn likeness(said: &str, known: &str) -> usize {
    // What was not typed to its end.
    if 4 <= said.len() && known.starts_with(said) {
        return 95;
    }
    let distance = strsim::damerau_levenshtein(said, known);
    let longest = said.chars().count().max(known.chars().count()).max(1);
    100_usize.saturating_sub(distance.saturating_mul(100).div_ceil(longest))
}

/// An entry, with its phrases as they are searched.
struct Listed {
    entry: &'static Entry,
    phrases: Vec<String>,
}

static LISTED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let phrases = |entry: &Entry| entry.phrases.iter().map(|phrase| compact(phrase)).collect();
    entries().map(|entry| Listed { entry, phrases: phrases(entry) }).collect()
});

/// In percent: what looks like it at least that much is told.
const NEAR: usize = 60;
