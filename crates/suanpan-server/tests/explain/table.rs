//! The table against itself, and against the codes that the program can say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use suanpan_server::explain::{self, Entry, Language};

#[test]
fn every_code_of_ours_has_an_entry_and_the_other_way_round() {
    let mut said = BTreeSet::new();
    for source in sources(&crates()) {
        let text = fs::read_to_string(&source).unwrap();
        // What is in quotes as a whole: `"SP-CONFIG"`.
        for part in text.split("\"SP-").skip(1) {
            let name = part.split('"').next().unwrap();
            if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
                said.insert(format!("SP-{name}"));
            }
        }
    }
    assert!(said.contains("SP-CONFIG") && said.contains("SP-SIM-IN-USE"), "{said:?}");

    let codes = explain::entries().flat_map(|entry| &entry.codes);
    let explained: BTreeSet<_> = codes.filter(|code| code.starts_with("SP-")).cloned().collect();
    let missing: Vec<_> = said.difference(&explained).collect();
    let gone: Vec<_> = explained.difference(&said).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not explained: {missing:?}; gone: {gone:?}");
}

#[test]
fn every_code_is_there_once() {
    let mut seen = BTreeSet::new();
    for code in explain::entries().flat_map(|entry| &entry.codes) {
        assert!(seen.insert(code.to_ascii_uppercase()), "{code} twice");
        assert_eq!(code.trim(), code);
        assert!(explain::by_code(&code.to_ascii_lowercase()).is_some(), "{code}");
    }
    assert!(150 < explain::entries().count());
}

#[test]
fn every_entry_says_everything() {
    for entry in explain::entries() {
        let code = entry.code();
        assert!(!code.is_empty() && !entry.at.is_empty() && !entry.source.is_empty(), "{code}");
        for language in [Language::Chinese, Language::English] {
            let words = entry.words(language);
            let texts = [&words.meaning, &words.check, &words.fix];
            for text in texts.into_iter().chain(&words.causes) {
                assert!(!text.trim().is_empty() && !text.contains('\n'), "{code}");
            }
            assert!((1..=6).contains(&words.causes.len()), "{code}");
        }
        assert_eq!(entry.zh.causes.len(), entry.en.causes.len(), "{code}");
        assert!(has_chinese(&entry.zh.meaning) && !is_mostly_chinese(&entry.en.meaning), "{code}");
        assert!(has_chinese(&entry.zh.fix) && !is_mostly_chinese(&entry.en.fix), "{code}");
        check_source(entry);
    }
}

#[test]
fn every_phrase_leads_to_its_entry() {
    for entry in explain::entries() {
        for phrase in &entry.phrases {
            let found = explain::find(phrase);
            let codes: Vec<_> = found.entries.iter().map(|entry| entry.code()).collect();
            assert!(
                codes.contains(&entry.code()),
                "{phrase:?} of {} leads to {codes:?}",
                entry.code()
            );
        }
    }
}

/// A file of ours that is named as a source is there.
fn check_source(entry: &Entry) {
    for part in entry.source.split(['，', ' ']) {
        if ["docs/", "crates/"].iter().any(|start| part.starts_with(start)) {
            assert!(crates().parent().unwrap().join(part).is_file(), "{}: {part}", entry.code());
        }
    }
}

fn has_chinese(text: &str) -> bool {
    text.chars().any(is_chinese)
}

/// English may name a menu of WeChat's.
fn is_mostly_chinese(text: &str) -> bool {
    let chinese = text.chars().filter(|char| is_chinese(*char)).count();
    text.chars().count() < chinese.saturating_mul(2)
}

fn is_chinese(char: char) -> bool {
    matches!(char, '\u{4E00}'..='\u{9FFF}')
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The sources of all crates, without their tests.
fn sources(crates: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path().join("src")).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}
