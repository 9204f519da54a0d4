//! What an error means, why it comes and what to do: ours and WeChat's, in one table.
//!
//! The table is data, `explain/table/*.toml`, one file a subject. `suanpan explain`
//! prints an entry, [`page`] makes `docs/errors.md` of all of them, and the tests
//! compare it with the codes that the program can say.
//!
//! ```
//! use suanpan_server::explain;
//!
//! let found = explain::find("<err_code><![CDATA[ORDERPAID]]></err_code>");
//! assert_eq!(found.entries[0].code(), "ORDERPAID");
//! assert_eq!(found.entries[0].retry, explain::Retry::Query);
//! ```

mod find;
mod page;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use find::{Found, find};
pub use page::page;

/// An error, or several that mean the same.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its codes as they are written, the usual one first. What has no code of WeChat's has a name of ours in small letters.
    pub codes: Vec<String>,
    /// Words by which it is known, too.
    #[serde(skip_serializing)]
    pub phrases: Vec<String>,
    /// It says little by itself: whatever else a text names comes first.
    #[serde(skip_serializing)]
    pub broad: bool,
    /// Where it comes from: an interface or a part of the program.
    pub at: String,
    /// What becomes of the request.
    pub retry: Retry,
    /// Where it is documented: a chapter of WeChat's documentation, or a file of ours.
    pub source: String,
    /// In Chinese.
    pub zh: Words,
    /// In English.
    pub en: Words,
}

/// An entry in one language.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// What it means.
    pub meaning: String,
    /// Why it comes, the likely cause first.
    pub causes: Vec<String>,
    /// How to see which cause it is.
    pub check: String,
    /// What to do.
    pub fix: String,
}

/// What becomes of the request that got this error.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// Correct something first, then ask again.
    Fix,
    /// Ask again with something new: a code, a number, a link.
    New,
    /// Ask again unchanged, under the same number.
    Same,
    /// Ask again later.
    Later,
    /// Query the state before anything else.
    Query,
    /// Nothing is to be asked again.
    None,
}

/// A language of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    /// 中文
    Chinese,
    /// English
    English,
}

impl Entry {
    /// The code that it is listed under.
    pub fn code(&self) -> &str {
        self.codes.first().map_or("", String::as_str)
    }

    /// Its words in this language.
    pub const fn words(&self, language: Language) -> &Words {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }
}

impl Retry {
    /// In a few words.
    pub const fn words(self, language: Language) -> &'static str {
        let (chinese, english) = match self {
            Self::Fix => ("改好再试", "correct it, then repeat"),
            Self::New => ("换新的再试", "repeat with a new one"),
            Self::Same => ("原样重试", "repeat unchanged"),
            Self::Later => ("稍后再试", "repeat later"),
            Self::Query => ("先查状态", "query first"),
            Self::None => ("不要重试", "don't repeat"),
        };
        language.of(chinese, english)
    }
}

impl Language {
    /// One of both.
    pub const fn of<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// All entries, in the order of the table.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    TABLE.groups.iter().flat_map(|group| &group.entries)
}

/// The same by subject.
pub(crate) fn groups() -> &'static [Group] {
    TABLE.groups
}

/// The entry with this code, in letters of any case.
pub fn by_code(code: &str) -> Option<&'static Entry> {
    TABLE.by_code.get(&code.trim().to_ascii_uppercase()).copied()
}

/// The table, and what finds its entries.
struct Table {
    groups: &'static [Group],
    /// By code in capitals.
    by_code: HashMap<String, &'static Entry>,
}

/// A file of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    title: Title,
    #[serde(rename = "entry")]
    pub(crate) entries: Vec<Entry>,
}

impl Group {
    /// What the file is about.
    pub(crate) fn title(&self, language: Language) -> &str {
        language.of(&self.title.zh, &self.title.en)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    zh: String,
    en: String,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let groups: &[Group] = FILES.iter().map(|file| read(file)).collect::<Vec<_>>().leak();
    let entries = groups.iter().flat_map(|group| &group.entries);
    let codes = entries.flat_map(|entry| entry.codes.iter().map(move |code| (code, entry)));
    let by_code = codes.map(|(code, entry)| (code.to_ascii_uppercase(), entry)).collect();
    Table { groups, by_code }
});

#[expect(clippy::expect_used, reason = "the files are in the program, and the tests read them")]
fn read(file: &str) -> Group {
    toml::from_str(file).expect("a file of the table")
}

const FILES: [&str; 17] = [
    include_str!("explain/table/ours_request.toml"),
    include_str!("explain/table/ours_order.toml"),
    include_str!("explain/table/ours_people.toml"),
    include_str!("explain/table/ours_wire.toml"),
    include_str!("explain/table/ours_store.toml"),
    include_str!("explain/table/ours_tools.toml"),
    include_str!("explain/table/sign.toml"),
    include_str!("explain/table/pay.toml"),
    include_str!("explain/table/pay_v2.toml"),
    include_str!("explain/table/bills.toml"),
    include_str!("explain/table/products.toml"),
    include_str!("explain/table/platform_login.toml"),
    include_str!("explain/table/platform.toml"),
    include_str!("explain/table/shipping.toml"),
    include_str!("explain/table/front_end.toml"),
    include_str!("explain/table/virtual.toml"),
    include_str!("explain/table/symptoms.toml"),
];
