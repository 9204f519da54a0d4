//! A certificate or a key: the name of its PEM file, or the PEM text itself.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::secret::{NAME, Secret};

/// A certificate or a key: the name of its PEM file, or the PEM text itself.
#[derive(Clone, Debug)]
pub enum Pem {
    /// The file.
    File(PathBuf),
    /// The text, which may be a private key.
    Text(Secret),
}

impl Pem {
    /// A text that begins with `-----BEGIN` is the thing itself, anything else names a file.
    ///
    /// A variable often holds the text in one line, with `\n` where its lines end: these become lines again.
    pub fn of(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.starts_with("-----BEGIN") {
            return Self::File(PathBuf::from(text));
        }
        let text = text.replace("\\r", "").replace("\\n", "\n");
        Self::Text(Secret::new(text))
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Text(_) => None,
        }
    }
}

impl From<&str> for Pem {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<PathBuf> for Pem {
    fn from(file: PathBuf) -> Self {
        Self::File(file)
    }
}

/// For people: never the text.
impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Text(_) => f.write_str("(PEM)"),
        }
    }
}

impl<'de> Deserialize<'de> for Pem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, Text)
    }
}

struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Pem;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Pem, D::Error> {
        inner.deserialize_str(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<Pem, E> {
        Ok(Pem::of(text))
    }
}
