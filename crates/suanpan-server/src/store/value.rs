//! What goes into a statement and what comes back: [`Val`] and [`Row`].
//!
//! Four kinds of value are all that every engine stores alike, so there is no
//! fifth: a time is an integer of unix microseconds, an amount an integer of
//! fen, a JSON document a text.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use suanpan_wechat::Fen;

use super::StoreError;

/// A value as the database knows it.
#[derive(Clone, Eq, PartialEq)]
pub enum Val {
    /// Nothing there.
    Null,
    /// A whole number: a count, fen, or unix microseconds.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes, as they came.
    Blob(Vec<u8>),
}

/// The arguments of a statement, in the order of `$1`, `$2`, …
///
/// ```
/// use suanpan_server::store::Val;
/// use suanpan_server::vals;
///
/// let args = vals!["ord_1", 990, None::<String>];
/// assert_eq!(args, [Val::Text("ord_1".to_owned()), Val::Int(990), Val::Null]);
/// ```
#[macro_export]
macro_rules! vals {
    ($($value:expr),* $(,)?) => { [$($crate::store::Val::from($value)),*] };
}

/// One row of an answer, read by column name.
#[derive(Clone, Debug)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Val>,
}

impl Row {
    pub(super) const fn new(columns: Arc<[String]>, values: Vec<Val>) -> Self {
        Self { columns, values }
    }

    /// The integer of this column.
    pub fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| self.unreadable(column, "a number was expected"))
    }

    /// The integer of this column, or `None` where it is NULL.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            Val::Null => Ok(None),
            Val::Int(value) => Ok(Some(*value)),
            Val::Text(_) | Val::Blob(_) => Err(self.unreadable(column, "a number was expected")),
        }
    }

    /// The amount of this column.
    pub fn fen(&self, column: &str) -> Result<Fen, StoreError> {
        Fen::new(self.int(column)?)
            .ok_or_else(|| self.unreadable(column, "an amount is never negative"))
    }

    /// The text of this column.
    pub fn text(&self, column: &str) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| self.unreadable(column, "a text was expected"))
    }

    /// The text of this column, or `None` where it is NULL.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.opt_str(column).map(|text| text.map(str::to_owned))
    }

    /// The bytes of this column.
    pub fn blob(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        match self.value(column)? {
            Val::Blob(bytes) => Ok(bytes.clone()),
            Val::Null | Val::Int(_) | Val::Text(_) => {
                Err(self.unreadable(column, "bytes were expected"))
            }
        }
    }

    /// The text of this column, parsed: ids and states become their types here.
    pub fn parse<T: FromStr>(&self, column: &str) -> Result<T, StoreError>
    where
        T::Err: fmt::Display,
    {
        self.opt_parse(column)?.ok_or_else(|| self.unreadable(column, "a text was expected"))
    }

    /// The text of this column, parsed, or `None` where it is NULL.
    pub fn opt_parse<T: FromStr>(&self, column: &str) -> Result<Option<T>, StoreError>
    where
        T::Err: fmt::Display,
    {
        let text = self.opt_str(column)?;
        text.map(|text| {
            text.parse().map_err(|why: T::Err| self.unreadable(column, &why.to_string()))
        })
        .transpose()
    }

    /// The value of this column as it is.
    pub fn value(&self, column: &str) -> Result<&Val, StoreError> {
        let position = self.columns.iter().position(|name| name == column);
        let value = position.and_then(|position| self.values.get(position));
        value.ok_or_else(|| self.unreadable(column, "there is no such column"))
    }

    /// All values, in the order of the columns.
    pub(super) fn into_values(self) -> Vec<Val> {
        self.values
    }

    fn opt_str(&self, column: &str) -> Result<Option<&str>, StoreError> {
        match self.value(column)? {
            Val::Null => Ok(None),
            Val::Text(text) => Ok(Some(text)),
            Val::Int(_) | Val::Blob(_) => Err(self.unreadable(column, "a text was expected")),
        }
    }

    fn unreadable(&self, column: &str, why: &str) -> StoreError {
        StoreError::Unreadable { column: column.to_owned(), why: why.to_owned() }
    }
}

/// Shows the kind and the size only: a row may hold an openid or a secret.
impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Int(value) => write!(f, "Int({value})"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Blob(bytes) => write!(f, "Blob({} bytes)", bytes.len()),
        }
    }
}

impl From<i64> for Val {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Fen> for Val {
    fn from(amount: Fen) -> Self {
        Self::Int(amount.get())
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Val {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&[u8]> for Val {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Val {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Val {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
