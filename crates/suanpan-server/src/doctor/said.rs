//! What is said, in both languages.

use serde::Serialize;

use crate::explain::Language;

/// A text in both languages.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Say {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Say {
    /// In this language.
    pub fn of(&self, language: Language) -> &str {
        language.of(&self.zh, &self.en)
    }

    /// One text for both: a name, or the words of somebody else.
    pub(super) fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { zh: text.clone(), en: text }
    }
}

/// Writes a [`Say`], as `format!` does.
macro_rules! say {
    ($zh:literal, $en:literal) => {
        $crate::doctor::said::Say { zh: format!($zh), en: format!($en) }
    };
}
pub(super) use say;
