//! A mistake in the configuration: which setting, where it stands, what is wrong, and what was perhaps meant.
//!
//! A value is shown only where it is one of a setting that is known and no
//! secret: a misspelt name may stand before a key.

use std::fmt;

use super::reader::{Known, Shown, Wrong};

/// A mistake in the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The setting, such as `merchants[0].api`; empty where the text is no TOML.
    pub key: String,
    /// Where it was set.
    pub place: Place,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// What was perhaps meant.
    pub nearest: Option<String>,
}

/// Where a setting was set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In the file.
    File {
        /// Its path.
        file: String,
        /// Counted from one.
        line: usize,
        /// Counted from one, in characters.
        column: usize,
        /// The line as it may be shown.
        shown: String,
    },
    /// In this variable.
    Environment(String),
    /// Nowhere, or it is a default.
    Nowhere,
}

/// All mistakes of a configuration; one at least.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistake {
    pub(super) fn new(path: &[String], place: Place, wrong: &Wrong, known: &Known) -> Self {
        let (mut zh, mut en) = wrong.said();
        let nearest = match wrong {
            Wrong::Unknown(_) => nearest(path, known),
            Wrong::Missing
            | Wrong::Kind { .. }
            | Wrong::Value { .. }
            | Wrong::Word(_)
            | Wrong::Range(_, _)
            | Wrong::Index(_)
            | Wrong::Both(_)
            | Wrong::Says(_) => None,
        };
        let nearest = nearest.map(|near| match &place {
            // The first step that is wrong is named; those behind it may be right.
            Place::Environment(name) => {
                let rest = name.split("__").skip(path.len()).map(|step| format!("__{step}"));
                format!("{}{}", variable(&near), rest.collect::<String>())
            }
            Place::File { .. } | Place::Nowhere => dotted(&near),
        });
        if let Some(nearest) = &nearest {
            zh.push_str(&format!("，是不是 {nearest}？"));
            en.push_str(&format!("; did you mean {nearest}?"));
        }
        Self { key: dotted(path), place, zh, en, nearest }
    }
}

impl Mistake {
    /// What is wrong with an account, whose words are English only.
    pub(crate) fn of_account(key: &str, why: &str) -> Self {
        let (key, why) = (key.to_owned(), why.to_owned());
        Self { key, place: Place::Nowhere, zh: why.clone(), en: why, nearest: None }
    }
}

/// One line, without what is shown of the file.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.key.is_empty() { "" } else { ", " };
        match &self.place {
            Place::File { file, line, column, .. } => {
                write!(f, "{file}:{line}:{column}{separator}{}", self.key)?;
            }
            Place::Environment(name) => write!(f, "{name}{separator}{}", self.key)?,
            Place::Nowhere => f.write_str(&self.key)?,
        }
        if self.zh == self.en {
            return write!(f, ": {}", self.en);
        }
        write!(f, ": {} / {}", self.zh, self.en)
    }
}

/// All of them, each with its line of the file.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alone = self.0.len() == 1;
        if !alone {
            write!(f, "{} places", self.0.len())?;
        }
        for mistake in &self.0 {
            write!(f, "{}{mistake}", if alone { "" } else { "\n  " })?;
            if let Place::File { line, shown, .. } = &mistake.place
                && !shown.is_empty()
            {
                write!(f, "\n    {line:>4} | {shown}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

impl Wrong {
    /// In Chinese and in English.
    fn said(&self) -> (String, String) {
        let both = |zh: String, en: String| (zh, en);
        match self {
            Self::Unknown(_) => {
                both("没有这个设置".to_owned(), "there is no such setting".to_owned())
            }
            Self::Missing => both("缺少这一项".to_owned(), "it is missing".to_owned()),
            Self::Kind { found, wanted } => {
                let (zh, en) = in_words(wanted);
                both(
                    format!("写的是{}，应该是{zh}", found_zh(found)),
                    format!("it is {found}, and should be {en}"),
                )
            }
            Self::Value { wanted } => {
                let (zh, en) = in_words(wanted);
                both(format!("应该是{zh}"), format!("it should be {en}"))
            }
            Self::Word(words) => both(
                format!("只能是 {}", words.join("、")),
                format!("it is one of {}", words.join(", ")),
            ),
            Self::Range(least, most) => both(
                format!("应在 {least} 到 {most} 之间"),
                format!("it must be {least} to {most}"),
            ),
            Self::Index(0) => both(
                "这里还没有，序号从 0 开始".to_owned(),
                "there is none yet: the first one is 0".to_owned(),
            ),
            Self::Index(count) => both(
                format!("这里只有 {count} 个，新的一个是 {count}"),
                format!("there are {count} of them: a new one is {count}"),
            ),
            Self::Both(other) => {
                both(format!("和 {other} 只能写一个"), format!("write it or {other}, not both"))
            }
            Self::Says(says) => match says.as_str() {
                "invalid socket address syntax" => {
                    let (zh, en) = in_words("socket address");
                    both(format!("应该是{zh}"), format!("it should be {en}"))
                }
                other => {
                    let (zh, en) = other.split_once(" / ").unwrap_or((other, other));
                    both(zh.to_owned(), en.to_owned())
                }
            },
        }
    }
}

/// What serde calls a type, as people do.
fn in_words(wanted: &str) -> (String, String) {
    let (zh, en) = match wanted {
        "a string" | "path string" => ("文字，要加引号", "a text in quotes"),
        "a boolean" | "true or false" => (" true 或 false", "true or false"),
        "a sequence" => ("列表 […]", "a list […]"),
        "socket address" => {
            ("“地址:端口”，例如 127.0.0.1:8080", "an address and a port, such as 127.0.0.1:8080")
        }
        number if is_number(number) => ("整数", "a whole number"),
        nonzero if nonzero.contains("nonzero") => ("大于 0 的整数", "a whole number above 0"),
        table if table.starts_with("struct ") => ("一组设置（表）", "a table of settings"),
        other => return (format!(" {other}"), other.to_owned()),
    };
    (zh.to_owned(), en.to_owned())
}

fn is_number(wanted: &str) -> bool {
    let digits = wanted.strip_prefix(['u', 'i']).unwrap_or_default();
    wanted == "a whole number" || matches!(digits, "8" | "16" | "32" | "64" | "size")
}

fn found_zh(found: &str) -> &'static str {
    match found {
        "a text" => "文字",
        "a number" => "数字",
        "true or false" => " true 或 false",
        "a table" => "一组设置（表）",
        "a list" => "列表",
        "a date" => "日期",
        "a number that is not whole" => "小数",
        "a number that is far too large" => "太大的数",
        _ => "别的东西",
    }
}

/// The setting that was perhaps meant: a like name in the same group, or the same name in another.
fn nearest(path: &[String], known: &Known) -> Option<Vec<String>> {
    let (name, group) = path.split_last()?;
    let general = general(path);
    let beside = known.keys().filter(|key| {
        key.len() == path.len()
            && key.split_last().map(|(_, rest)| rest) == general.split_last().map(|(_, rest)| rest)
    });
    let like = beside
        .filter_map(|key| {
            let other = key.last()?;
            let distance = strsim::damerau_levenshtein(name, other);
            let long = name.chars().count().max(other.chars().count());
            let close = distance.saturating_mul(5) <= long.saturating_mul(2)
                || name.starts_with(other.as_str());
            close.then_some((distance, other))
        })
        .min();
    if let Some((_, other)) = like {
        return Some(group.iter().cloned().chain([other.clone()]).collect());
    }
    let elsewhere = known.keys().find(|key| key.last() == Some(name));
    elsewhere.cloned()
}

/// The path with `0` for every position in a list.
pub(super) fn general(path: &[String]) -> Vec<String> {
    let step = |step: &String| {
        if step.bytes().all(|byte| byte.is_ascii_digit()) { "0".to_owned() } else { step.clone() }
    };
    path.iter().map(step).collect()
}

/// Whether the value of this setting may be shown.
pub(super) fn may_be_shown(path: &[String], known: &Known) -> bool {
    known.get(&general(path)) == Some(&Shown::Plain)
}

/// `merchants[0].apps[1].secret`
pub(super) fn dotted(path: &[String]) -> String {
    let mut name = String::new();
    for step in path {
        let position = step.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty();
        match (position, name.is_empty()) {
            (true, _) => name.push_str(&format!("[{step}]")),
            (false, true) => name.push_str(step),
            (false, false) => name.push_str(&format!(".{step}")),
        }
    }
    name
}

/// `SUANPAN_MERCHANTS__0__API_V3_KEY`
pub(super) fn variable(path: &[String]) -> String {
    format!("{}{}", super::environment::PREFIX, path.join("__").to_uppercase())
}
