//! From the tree to the types, by serde; a fault knows its setting.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer as _, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::value::{Form, Origin, Path, Value};

/// What is wrong with a setting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Wrong {
    /// There is no such setting; these are there.
    Unknown(&'static [&'static str]),
    /// It is missing.
    Missing,
    /// It is of another kind.
    Kind { found: &'static str, wanted: String },
    /// It is of the kind, and out of its range.
    Value { wanted: String },
    /// It is none of these words.
    Word(&'static [&'static str]),
    /// It is a number, and not one of these.
    Range(u64, u64),
    /// There are only so many in the list.
    Index(usize),
    /// This other one is written too.
    Both(String),
    /// What the type says, without the value; in both languages around ` / `, where it is ours.
    Says(String),
}

/// What is wrong, and with which setting.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: Option<Path>,
    pub(super) wrong: Wrong,
}

impl Fault {
    const fn new(wrong: Wrong) -> Self {
        Self { path: None, wrong }
    }

    fn at(mut self, path: impl FnOnce() -> Path) -> Self {
        self.path.get_or_insert_with(path);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.wrong)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(says: T) -> Self {
        Self::new(Wrong::Says(says.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(Wrong::Kind { found: kind(&found), wanted: wanted.to_string() })
    }

    fn invalid_value(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::new(Wrong::Value { wanted: wanted.to_string() })
    }

    fn unknown_variant(_: &str, words: &'static [&'static str]) -> Self {
        Self::new(Wrong::Word(words))
    }

    fn unknown_field(_: &str, fields: &'static [&'static str]) -> Self {
        Self::new(Wrong::Unknown(fields))
    }

    fn missing_field(field: &'static str) -> Self {
        // Its group is known to whoever read the group.
        Self { path: Some(vec![field.to_owned()]), wrong: Wrong::Missing }
    }
}

/// What the settings are: by path, whether each may be shown. Lists are told by an item `0`.
pub(super) type Known = BTreeMap<Path, Shown>;

/// Whether a value may be shown to people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    Plain,
    Secret,
}

/// Reads one value.
pub(super) struct Reader<'a> {
    value: &'a Value,
    path: Path,
    /// Where all settings are noted that are asked for, also those that nobody set.
    notes: Option<&'a RefCell<Known>>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(value: &'a Value, notes: Option<&'a RefCell<Known>>) -> Self {
        Self { value, path: Vec::new(), notes }
    }

    fn below(&self, value: &'a Value, key: &str) -> Self {
        let path = self.path.iter().map(String::as_str).chain([key]).map(str::to_owned).collect();
        Self { value, path, notes: self.notes }
    }

    fn note(&self, path: Path, shown: Shown) {
        if let Some(notes) = self.notes {
            notes.borrow_mut().insert(path, shown);
        }
    }

    fn wanted<T>(&self, found: &'static str, wanted: &str) -> Result<T, Fault> {
        let wrong = Wrong::Kind { found, wanted: wanted.to_owned() };
        Err(Fault { path: Some(self.path.clone()), wrong })
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let number = match &self.value.form {
                Form::Typed(text) => match text.trim().parse() {
                    Ok(number) => number,
                    Err(_) => return self.wanted("a text", "a whole number"),
                },
                Form::Anything => 1,
                Form::Number(number) => *number,
                Form::Table(_) | Form::List(_) | Form::Text(_) | Form::Flag(_) | Form::Other(_) => {
                    return self.deserialize_any(visitor);
                }
            };
            visitor.visit_i64(number).map_err(|fault: Fault| fault.at(|| self.path))
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            if matches!(self.value.form, Form::Anything) {
                return visitor.visit_str("").map_err(|fault: Fault| fault.at(|| self.path));
            }
            self.deserialize_any(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match &self.value.form {
            Form::Table(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.as_str(), value)).collect();
                visitor.visit_map(Group { reader: &self, entries, value: None })
            }
            Form::List(items) => visitor.visit_seq(Items { reader: &self, items, next: 0 }),
            Form::Text(text) | Form::Typed(text) => visitor.visit_str(text),
            Form::Number(number) => visitor.visit_i64(*number),
            Form::Flag(flag) => visitor.visit_bool(*flag),
            Form::Other(name) => {
                let wanted: &dyn Expected = &visitor;
                self.wanted(name, &wanted.to_string())
            }
            Form::Anything => visitor.visit_unit(),
        };
        read.map_err(|fault| fault.at(|| self.path))
    }

    numbers! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
    deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }

    texts! { deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
    deserialize_char deserialize_identifier }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let flag = if let Form::Typed(text) = &self.value.form {
            match text.trim().parse() {
                Ok(flag) => flag,
                Err(_) => return self.wanted("a text", "true or false"),
            }
        } else if matches!(self.value.form, Form::Anything) {
            false
        } else {
            return self.deserialize_any(visitor);
        };
        visitor.visit_bool(flag)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // What is left out is no mistake; what the settings are is asked to the end.
        if matches!(self.value.form, Form::Anything) && self.notes.is_none() {
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == super::secret::NAME {
            self.note(self.path.clone(), Shown::Secret);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let item = self.path.iter().cloned().chain(["0".to_owned()]).collect();
        self.note(item, Shown::Plain);
        let items = match &self.value.form {
            Form::Typed(text) => listed(text, &self.value.origin),
            Form::Anything if self.notes.is_some() => {
                let items = Items { reader: &self, items: &ONE_OF_ANYTHING, next: 0 };
                return visitor.visit_seq(items);
            }
            Form::Anything => Vec::new(),
            Form::Table(_)
            | Form::List(_)
            | Form::Text(_)
            | Form::Number(_)
            | Form::Flag(_)
            | Form::Other(_) => return self.deserialize_any(visitor),
        };
        let read = visitor.visit_seq(Owned(items.into_iter(), &self.path));
        read.map_err(|fault| fault.at(|| self.path.clone()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        for field in fields {
            let path = self.path.iter().cloned().chain([(*field).to_owned()]).collect();
            self.note(path, Shown::Plain);
        }
        let anything = &ANYTHING;
        let mut all: BTreeMap<&str, &Value> = BTreeMap::new();
        if matches!(self.value.form, Form::Anything) || self.notes.is_some() {
            all.extend(fields.iter().map(|field| (*field, anything)));
        }
        match &self.value.form {
            Form::Table(entries) => {
                all.extend(entries.iter().map(|(key, value)| (key.as_str(), value)));
            }
            Form::Anything => {}
            Form::List(_)
            | Form::Text(_)
            | Form::Number(_)
            | Form::Flag(_)
            | Form::Typed(_)
            | Form::Other(_) => return self.deserialize_any(visitor),
        }
        let entries = all.into_iter().collect();
        let read = visitor.visit_map(Group { reader: &self, entries, value: None });
        read.map_err(|fault| {
            // Only its last name is there: see `missing_field`.
            let ours = fault.wrong == Wrong::Missing
                && fault.path.as_ref().is_some_and(|path| path.len() == 1);
            if !ours {
                return fault.at(|| self.path.clone());
            }
            let path = self.path.iter().cloned().chain(fault.path.into_iter().flatten());
            Fault { path: Some(path.collect()), wrong: Wrong::Missing }
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let word = match &self.value.form {
            Form::Text(text) | Form::Typed(text) => text.as_str(),
            Form::Anything => words.first().copied().unwrap_or_default(),
            Form::Table(_) | Form::List(_) | Form::Number(_) | Form::Flag(_) | Form::Other(_) => {
                return self.wanted("something else", &format!("one of {}", words.join(", ")));
            }
        };
        let word: StrDeserializer<'_, Fault> = word.into_deserializer();
        word.deserialize_enum(name, words, visitor).map_err(|fault| fault.at(|| self.path))
    }

    forward_to_deserialize_any! { f32 f64 unit unit_struct tuple tuple_struct map ignored_any }
}

/// A list, as one writes it in a variable: with commas, brackets and quotes if one likes.
fn listed(text: &str, origin: &Origin) -> Vec<Value> {
    let text = text.trim();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let items = inner.split(',').map(|item| item.trim().trim_matches(['"', '\'']));
    let items = items.filter(|item| !item.is_empty());
    items.map(|item| Value { form: Form::Typed(item.to_owned()), origin: origin.clone() }).collect()
}

/// The settings of a group, one after the other.
struct Group<'a, 'r> {
    reader: &'r Reader<'a>,
    /// In reverse order of reading.
    entries: Vec<(&'a str, &'a Value)>,
    value: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Group<'de, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.entries.pop() else { return Ok(None) };
        self.value = Some((key, value));
        let name: StrDeserializer<'_, Fault> = key.into_deserializer();
        let read = seed.deserialize(name);
        read.map(Some).map_err(|fault| fault.at(|| self.reader.below(value, key).path))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) =
            self.value.take().ok_or_else(|| Fault::custom("a value was asked for twice"))?;
        let below = self.reader.below(value, key);
        let path = below.path.clone();
        seed.deserialize(below).map_err(|fault| fault.at(|| path))
    }
}

/// The items of a list, one after the other.
struct Items<'a, 'r> {
    reader: &'r Reader<'a>,
    items: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let below = self.reader.below(item, &self.next.to_string());
        self.next = self.next.saturating_add(1);
        let path = below.path.clone();
        seed.deserialize(below).map(Some).map_err(|fault| fault.at(|| path))
    }
}

/// The items of a list that stood in one variable: a fault is one of the variable.
struct Owned<'r>(std::vec::IntoIter<Value>, &'r Path);

impl<'de> SeqAccess<'de> for Owned<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.0.next() else { return Ok(None) };
        let text: serde::de::value::StringDeserializer<Fault> =
            item.text().unwrap_or_default().to_owned().into_deserializer();
        seed.deserialize(text).map(Some).map_err(|fault| fault.at(|| self.1.clone()))
    }
}

/// The kind of a value, without the value.
const fn kind(found: &Unexpected<'_>) -> &'static str {
    if matches!(found, Unexpected::Str(_) | Unexpected::Char(_)) {
        "a text"
    } else if matches!(found, Unexpected::Unsigned(_) | Unexpected::Signed(_)) {
        "a number"
    } else if matches!(found, Unexpected::Bool(_)) {
        "true or false"
    } else if matches!(found, Unexpected::Map) {
        "a table"
    } else if matches!(found, Unexpected::Seq) {
        "a list"
    } else {
        "something else"
    }
}

static ANYTHING: Value = Value::anything();
static ONE_OF_ANYTHING: [Value; 1] = [Value::anything()];
