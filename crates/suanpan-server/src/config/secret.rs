//! A setting that nobody may read in a print.

use std::fmt;

use serde::Deserialize;

/// A text that is never printed.
// Not `transparent`: by its name whoever reads the settings knows which of them may be shown.
#[derive(Clone, Deserialize)]
#[serde(rename = "Secret")]
pub struct Secret(String);

/// The name of what is secret, among the types.
pub(super) const NAME: &str = "Secret";

impl Secret {
    /// A text that was read elsewhere.
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
