//! The fields of an APIv2 message: names and texts, sorted by name.

use std::collections::BTreeMap;
use std::fmt;

use super::xml;
use crate::text::mask;
use crate::{Error, Fen};

/// A flat message. Fields that we do not know stay in it: they are signed over.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// No fields.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Reads a message as it came: flat XML in UTF-8, at most 64 KiB.
    ///
    /// # Errors
    /// [`Error::Xml`] for a DTD, an unknown entity, a repeated field, nesting,
    /// an attribute, or anything else that WeChat never sends.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        Ok(Self(xml::read(body)?.into_iter().collect()))
    }

    /// Reads a message as [`Fields::parse`] does, and keeps the order and the empty fields: for whoever
    /// looks for what was signed in another way.
    ///
    /// # Errors
    /// As [`Fields::parse`].
    pub fn in_order(body: &[u8]) -> Result<Vec<(String, String)>, Error> {
        xml::read(body)
    }

    /// The message as XML. What [`Fields::check`] refuses is refused by whoever reads it.
    pub fn to_xml(&self) -> String {
        xml::write(&self.0)
    }

    /// Sets a field. An empty value takes it away: WeChat signs over no empty fields.
    pub fn set(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Sets a field that may be absent.
    pub fn set_optional(&mut self, name: &str, value: Option<&str>) {
        self.set(name, value.unwrap_or_default());
    }

    /// The value of a field; `None` where it is absent or empty, which APIv2 does not tell apart.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// All fields, sorted by name, byte by byte.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether XML can carry all of it, as it is: to be asked before it is signed and sent.
    ///
    /// # Errors
    /// [`Error::Xml`] for a value with a character that XML 1.0 has no spelling for
    /// (most control characters), and for a name that is none.
    pub fn check(&self) -> Result<(), Error> {
        for (name, value) in &self.0 {
            if !xml::is_name(name) {
                return Err(Error::Xml { why: format!("{name:?} is no name of a field") });
            }
            if let Some(char) = value.chars().find(|char| !xml::is_xml_char(*char)) {
                let why = format!("field `{name}` holds {char:?}, which XML forbids");
                return Err(Error::Xml { why });
            }
        }
        Ok(())
    }

    /// Takes out what has no value: it is not signed, and means the same as absent.
    pub(super) fn drop_empty(&mut self) {
        self.0.retain(|_, value| !value.is_empty());
    }

    /// A field that must be there.
    pub(super) fn required(&self, what: &'static str, name: &'static str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::missing(what, name))
    }

    /// A text of its own kind that must be there.
    pub(super) fn parsed<T: std::str::FromStr<Err = crate::TextError>>(
        &self,
        what: &'static str,
        name: &'static str,
    ) -> Result<T, Error> {
        Ok(self.required(what, name)?.parse()?)
    }

    /// An amount in fen that may be absent.
    pub(super) fn fen(&self, what: &'static str, name: &'static str) -> Result<Option<Fen>, Error> {
        self.get(name)
            .map(|text| Fen::parse_count(text).ok_or_else(|| Error::holds(what, name, text)))
            .transpose()
    }

    /// A text that may be absent.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }
}

/// Payers and papers are masked: messages end up in logs.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.iter().map(|(name, value)| match name {
            "openid" | "sub_openid" | "user_creid" | "user_truename" => (name, mask(value)),
            _ => (name, value.to_owned()),
        });
        f.debug_map().entries(shown).finish()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
