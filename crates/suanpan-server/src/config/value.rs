//! Settings before they have a type: a tree whose every leaf knows where it was set.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The way to a setting: `["merchants", "0", "mchid"]`.
pub(super) type Path = Vec<String>;

/// A setting, or a group of them.
#[derive(Clone)]
pub(super) struct Value {
    pub(super) form: Form,
    pub(super) origin: Origin,
}

/// What a value is.
#[derive(Clone)]
pub(super) enum Form {
    Table(BTreeMap<String, Value>),
    List(Vec<Value>),
    Text(String),
    Number(i64),
    Flag(bool),
    /// From the environment, where all is text: the setting says what it means.
    Typed(String),
    /// What no setting takes, by name.
    Other(&'static str),
    /// In place of what is wrong: whatever is asked for, so that the rest can be looked at.
    Anything,
}

/// Where a value was set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    Defaults,
    /// The bytes of the file that hold the key, and those that hold the value.
    File {
        key: Range<usize>,
        value: Range<usize>,
    },
    /// The name of the variable.
    Environment(String),
    /// Nowhere: it stands for a mistake that was noted already.
    Mended,
}

impl Value {
    /// The tree of this text, with all that is wrong with its syntax.
    pub(super) fn of_toml(text: &str) -> (Self, Vec<toml::de::Error>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let origin = Origin::File { key: 0..0, value: table.span() };
        (Self { form: Form::Table(entries(table.get_ref())), origin }, errors)
    }

    /// The default values.
    pub(super) fn of_defaults(text: &str) -> Self {
        let (mut tree, _) = Self::of_toml(text);
        tree.be_default();
        tree
    }

    pub(super) const fn anything() -> Self {
        Self { form: Form::Anything, origin: Origin::Mended }
    }

    fn be_default(&mut self) {
        self.origin = Origin::Defaults;
        match &mut self.form {
            Form::Table(entries) => entries.values_mut().for_each(Self::be_default),
            Form::List(items) => items.iter_mut().for_each(Self::be_default),
            Form::Text(_)
            | Form::Number(_)
            | Form::Flag(_)
            | Form::Typed(_)
            | Form::Other(_)
            | Form::Anything => {}
        }
    }

    /// Puts what stands in `over` in place of what is here; tables are merged, lists are not.
    pub(super) fn put(&mut self, over: Self) {
        match (&mut self.form, over.form) {
            (Form::Table(here), Form::Table(entries)) => {
                self.origin = over.origin;
                for (key, value) in entries {
                    match here.get_mut(&key) {
                        Some(old) => old.put(value),
                        None => drop(here.insert(key, value)),
                    }
                }
            }
            (_, form) => *self = Self { form, origin: over.origin },
        }
    }

    pub(super) fn at(&self, path: &[String]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let next = if let Form::Table(entries) = &self.form {
            entries.get(first)
        } else if let Form::List(items) = &self.form {
            first.parse().ok().and_then(|index: usize| items.get(index))
        } else {
            None
        };
        next.and_then(|next| next.at(rest))
    }

    pub(super) fn at_mut(&mut self, path: &[String]) -> Option<&mut Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let next = match &mut self.form {
            Form::Table(entries) => entries.get_mut(first),
            Form::List(items) => first.parse().ok().and_then(|index: usize| items.get_mut(index)),
            Form::Text(_)
            | Form::Number(_)
            | Form::Flag(_)
            | Form::Typed(_)
            | Form::Other(_)
            | Form::Anything => None,
        };
        next.and_then(|next| next.at_mut(rest))
    }

    /// Where the setting was set, or the group that it should be in.
    pub(super) fn origin(&self, path: &[String]) -> Option<&Origin> {
        let mut path = path;
        loop {
            if let Some(value) = self.at(path) {
                return Some(&value.origin);
            }
            path = path.split_last()?.1;
        }
    }

    /// The entries of a table; of what is none, nothing.
    pub(super) const fn table_mut(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        if let Form::Table(entries) = &mut self.form { Some(entries) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Form::Text(text) | Form::Typed(text) = &self.form { Some(text) } else { None }
    }

    /// All leaves as texts, by their dotted names, to compare with those of another tree.
    pub(super) fn leaves(&self, name: &str, into: &mut BTreeMap<String, String>) {
        let below =
            |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
        match &self.form {
            Form::Table(entries) => {
                entries.iter().for_each(|(key, value)| value.leaves(&below(key), into));
            }
            Form::List(items) => {
                into.insert(name.to_owned(), items.len().to_string());
                for (index, item) in items.iter().enumerate() {
                    item.leaves(&format!("{name}[{index}]"), into);
                }
            }
            Form::Text(text) | Form::Typed(text) => {
                drop(into.insert(name.to_owned(), text.clone()))
            }
            Form::Number(number) => drop(into.insert(name.to_owned(), number.to_string())),
            Form::Flag(flag) => drop(into.insert(name.to_owned(), flag.to_string())),
            Form::Other(_) | Form::Anything => {}
        }
    }
}

fn entries(table: &DeTable<'_>) -> BTreeMap<String, Value> {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (name.clone().into_owned(), of(&key.span(), value))
    };
    table.iter().map(entry).collect()
}

fn of(key: &Range<usize>, value: &Spanned<DeValue<'_>>) -> Value {
    let form = match value.get_ref() {
        DeValue::String(text) => Form::Text(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Form::Other("a number that is far too large"), Form::Number),
        DeValue::Boolean(flag) => Form::Flag(*flag),
        DeValue::Float(_) => Form::Other("a number that is not whole"),
        DeValue::Datetime(_) => Form::Other("a date"),
        DeValue::Array(items) => Form::List(items.iter().map(|item| of(key, item)).collect()),
        DeValue::Table(table) => Form::Table(entries(table)),
    };
    Value { form, origin: Origin::File { key: key.clone(), value: value.span() } }
}
