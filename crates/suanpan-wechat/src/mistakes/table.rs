//! The words for each mistake, in both languages.

mod keys;
mod lines;
mod pairs;

/// A mistake that somebody makes when he signs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// A stable name, such as `pairs.key-missing`.
    pub id: &'static str,
    /// What it was made with: a field, a key's owner, a word. Empty where there is nothing to add.
    pub about: String,
    /// The field of `wx.requestPayment` that it is in, where it is in one.
    pub field: Option<&'static str>,
}

/// A mistake in one language.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Words {
    /// What was done.
    pub cause: String,
    /// What to do instead.
    pub fix: String,
}

impl Mistake {
    pub(super) const fn new(id: &'static str) -> Self {
        Self { id, about: String::new(), field: None }
    }

    /// With what it was made with.
    pub(super) fn about(id: &'static str, about: impl Into<String>) -> Self {
        Self { id, about: about.into(), field: None }
    }

    /// In this field of `wx.requestPayment`.
    pub(super) const fn within(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// In Chinese.
    pub fn zh(&self) -> Words {
        self.words(|row| (row.1, row.2))
    }

    /// In English.
    pub fn en(&self) -> Words {
        self.words(|row| (row.3, row.4))
    }

    fn words(&self, language: fn(&Row) -> (&'static str, &'static str)) -> Words {
        // A test sees to it that each id has a row.
        let (cause, fix) = rows().find(|row| row.0 == self.id).map_or((self.id, ""), language);
        let filled = |text: &str| text.replace("{}", &self.about);
        Words { cause: filled(cause), fix: filled(fix) }
    }
}

/// The ids of all mistakes that are known.
pub fn all() -> impl Iterator<Item = &'static str> {
    rows().map(|row| row.0)
}

fn rows() -> impl Iterator<Item = &'static Row> {
    keys::ROWS.iter().chain(pairs::ROWS).chain(lines::ROWS)
}

/// Id; cause and fix in Chinese; cause and fix in English. `{}` is what it is about.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_mistake_has_its_words_once_and_in_both_languages() {
        let ids: BTreeSet<_> = all().collect();
        assert_eq!(ids.len(), all().count());
        for row in rows() {
            let (zh, en) = (format!("{}{}", row.1, row.2), format!("{}{}", row.3, row.4));
            assert!(zh.chars().any(|char| char > '\u{4e00}') && en.is_ascii(), "{}", row.0);
            assert_eq!(row.1.contains("{}"), row.3.contains("{}"), "{}", row.0);
            assert!([row.1, row.2, row.3, row.4].iter().all(|text| !text.is_empty()), "{}", row.0);
        }
    }

    #[test]
    fn what_it_is_about_stands_in_the_words() {
        let mistake = Mistake::about("key.other", "1900000109");
        assert!(mistake.en().cause.contains("APIv2 key of 1900000109"), "{:?}", mistake.en());
        assert!(mistake.zh().cause.contains("1900000109"), "{:?}", mistake.zh());
    }
}
