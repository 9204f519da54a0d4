//! `suanpan explain`: what an error means, why it comes, and what to do. Needs no configuration and no network.

use std::io::Read as _;

use serde_json::json;
use suanpan_server::explain::{self, Entry, Found, Language};

use crate::Verdict;
use crate::cli::{Explain, Lang};
use crate::problem::Problem;
use crate::talk::{self, Paint};

/// Prints the likely entry and names the others. Bad where nothing is known.
pub(crate) fn run(arguments: &Explain) -> Result<Verdict, Problem> {
    let language = match arguments.lang {
        Lang::Zh => Language::Chinese,
        Lang::En => Language::English,
    };
    if arguments.markdown {
        talk::out(explain::page(language).trim_end());
        return Ok(Verdict::Good);
    }
    if arguments.list {
        list(arguments.json, language);
        return Ok(Verdict::Good);
    }

    let text = text(&arguments.text)?;
    let found = explain::find(&text);
    if arguments.json {
        talk::json(&json!({ "entries": found.entries, "near": found.near }));
    } else {
        print(&found, language);
    }
    Ok(if found.entries.is_empty() { Verdict::Bad } else { Verdict::Good })
}

/// What was typed, or what comes in.
fn text(words: &[String]) -> Result<String, Problem> {
    if !matches!(words, [word] if word == "-") {
        return Ok(words.join(" "));
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|cause| Problem::machine("standard input cannot be read", &cause))?;
    // A log may hold anything.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn list(json: bool, language: Language) {
    let entries: Vec<_> = explain::entries().collect();
    if json {
        return talk::json(&json!({ "entries": entries }));
    }
    for entry in entries {
        line(entry, language, Paint::stdout());
    }
}

fn print(found: &Found, language: Language) {
    let paint = Paint::stdout();
    let Some((first, others)) = found.entries.split_first() else {
        talk::err(language.of("没有这一条。", "nothing is known of this."));
        if !found.near.is_empty() {
            talk::err(language.of("相近的：", "near to it:"));
        }
        return found.near.iter().for_each(|entry| line(entry, language, paint));
    };
    whole(first, language, paint);
    if !others.is_empty() {
        talk::out(format_args!("\n{}", paint.dim(language.of("也提到了", "it names these, too"))));
        others.iter().for_each(|entry| line(entry, language, paint));
    }
}

/// An entry in a line.
fn line(entry: &Entry, language: Language, paint: Paint) {
    let code = paint.cyan(&talk::padded(entry.code(), 30));
    talk::out(format_args!("  {code} {}", entry.words(language).meaning));
}

/// An entry with all that it says.
fn whole(entry: &Entry, language: Language, paint: Paint) {
    let words = entry.words(language);
    let codes = paint.bold(&entry.codes.join(" "));
    let about = format!("{} · {}", entry.at, entry.retry.words(language));
    talk::out(format_args!("{codes}  {}", paint.dim(&about)));

    let said = |name: &str, text: &str| {
        talk::out(format_args!("{}{text}", paint.cyan(&talk::padded(name, 9))));
    };
    said(language.of("意思", "means"), &words.meaning);
    for (position, cause) in (1..).zip(&words.causes) {
        let name = if position == 1 { language.of("多半是", "likely") } else { "" };
        said(name, &format!("{position} {cause}"));
    }
    said(language.of("区分", "check"), &words.check);
    said(language.of("怎么办", "fix"), &words.fix);
    said(language.of("来源", "source"), &entry.source);
}

/// Bytes of a log that are read at most.
const LONGEST: u64 = 1024 * 1024;
