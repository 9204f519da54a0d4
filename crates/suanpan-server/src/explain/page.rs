//! The table as a page: `docs/errors.md` and its English twin.

use std::fmt::{Display, Formatter, Result};

use super::{Entry, Group, Language, TABLE};

/// All entries as Markdown.
pub fn page(language: Language) -> String {
    Page(language).to_string()
}

struct Page(Language);

impl Display for Page {
    fn fmt(&self, page: &mut Formatter<'_>) -> Result {
        let Self(language) = *self;
        page.write_str(language.of(HEAD_ZH, HEAD_EN))?;
        TABLE.groups.iter().try_for_each(|group| write_group(page, group, language))
    }
}

fn write_group(page: &mut Formatter<'_>, group: &Group, language: Language) -> Result {
    write!(page, "\n## {}\n", group.title(language))?;
    group.entries.iter().try_for_each(|entry| write_entry(page, entry, language))
}

fn write_entry(page: &mut Formatter<'_>, entry: &Entry, language: Language) -> Result {
    let codes: Vec<_> = entry.codes.iter().map(|code| format!("`{code}`")).collect();
    let words = entry.words(language);
    let [why, check, fix] = [
        language.of("多半是", "Likely causes"),
        language.of("区分", "Check"),
        language.of("怎么办", "Fix"),
    ];
    write!(page, "\n### {}\n\n{}\n\n", codes.join(" "), escaped(&words.meaning))?;
    writeln!(page, "*{} · {} · {}*\n", entry.at, entry.retry.words(language), entry.source)?;
    writeln!(page, "- {why}")?;
    for (position, cause) in (1..).zip(&words.causes) {
        writeln!(page, "  {position}. {}", escaped(cause))?;
    }
    writeln!(page, "- {check}{}{}", language.of("：", ": "), escaped(&words.check))?;
    writeln!(page, "- {fix}{}{}", language.of("：", ": "), escaped(&words.fix))
}

/// Outside of backquotes, Markdown would take these for marks of its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (position, part) in text.split('`').enumerate() {
        if position > 0 {
            escaped.push('`');
        }
        if position % 2 == 1 {
            escaped.push_str(part);
            continue;
        }
        for char in part.chars() {
            if matches!(char, '*' | '_' | '<' | '[' | '|') {
                escaped.push('\\');
            }
            escaped.push(char);
        }
    }
    escaped
}

const HEAD_ZH: &str = "# 错误代码\n\n[English](errors.en.md)\n\n本页由 `suanpan explain --markdown` 生成，不要手改；内容在 `crates/suanpan-server/src/explain/table/`。\n终端里查：`suanpan explain 40029`，或把整条报错、应答、日志交给它：`suanpan explain -`。\n";
const HEAD_EN: &str = "# Error codes\n\n[中文](errors.md)\n\nMade by `suanpan explain --markdown --lang en`, not by hand; what it says is in `crates/suanpan-server/src/explain/table/`.\nIn a terminal: `suanpan explain 40029 --lang en`, or hand it a whole message, answer or line of a log: `suanpan explain -`.\n";
