//! Defaults, file and variables become a configuration, or a list of all that is wrong with them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize as _;

use super::mistake::{Mistake, Mistakes, Place, dotted, may_be_shown, variable};
use super::reader::{Known, Reader, Shown, Wrong};
use super::value::{Form, Origin, Value};
use super::{Config, DEFAULTS, environment, range};
use crate::Error;
use crate::access::sha256_hex;

impl Config {
    /// Reads defaults, file and environment.
    ///
    /// # Errors
    /// [`Error::Config`] where the file cannot be read, [`Error::Settings`] with all that is wrong in it.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let (config, mistakes) = Self::look(file)?;
        whole(config, mistakes)
    }

    /// Reads defaults and this text, as if it were a file in `base`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, base: &Path) -> Result<Self, Error> {
        let source = Source { name: "suanpan.toml", text, base };
        let (config, mistakes) = source.read(std::iter::empty());
        whole(config, mistakes)
    }

    /// As [`Config::load`], and goes on after each mistake with what the default is, so that the rest can be looked at
    /// too. No configuration is there only where nothing could be made of the text.
    ///
    /// # Errors
    /// [`Error::Config`] where the file cannot be read.
    pub fn look(file: &Path) -> Result<(Option<Self>, Vec<Mistake>), Error> {
        let name = file.display().to_string();
        let wrong = |why: &str| Error::Config { place: name.clone(), why: why.to_owned() };
        if !file.is_file() {
            return Err(wrong("there is no such file"));
        }
        let bytes = std::fs::read(file).map_err(|cause| wrong(&cause.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is not written in UTF-8"))?;
        // An editor of Windows begins a file with this mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let base = file.parent().unwrap_or_else(|| Path::new("."));
        let source = Source { name: &name, text, base };
        Ok(source.read(
            std::env::vars_os().filter_map(|(name, text)| {
                Some((name.into_string().ok()?, text.into_string().ok()?))
            }),
        ))
    }
}

/// All settings that there are: the dotted name, the variable, and whether it is a secret. Lists are told by their
/// first item.
pub fn settings() -> impl Iterator<Item = (String, String, bool)> {
    let leaves = KNOWN.iter().filter(|(path, _)| {
        let mut longer = KNOWN.range((*path).clone()..).skip(1);
        longer.next().is_none_or(|(next, _)| !next.starts_with(path))
    });
    leaves.map(|(path, shown)| (dotted(path), variable(path), *shown == Shown::Secret))
}

fn whole(config: Option<Config>, mistakes: Vec<Mistake>) -> Result<Config, Error> {
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        Some(_) | None => Err(Error::Settings(Mistakes(mistakes))),
    }
}

/// A text with its name and place.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) base: &'a Path,
}

impl Source<'_> {
    /// What can be made of it, under these variables, and all that is wrong.
    pub(super) fn read(
        &self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> (Option<Config>, Vec<Mistake>) {
        let (file, broken) = Value::of_toml(self.text);
        let mut tree = Value::of_defaults(DEFAULTS);
        tree.put(file);
        let mut mistakes = environment::overlay(&mut tree, &KNOWN, variables);
        self.twins(&tree, &mut Vec::new(), &mut mistakes);

        let mut config = self.typed(&mut tree, &mut mistakes);
        if let Some(config) = &mut config {
            self.base.clone_into(&mut config.base);
            config.settings = Settings::of(&tree);
            for (path, wrong) in range::check(config).into_iter().chain(database_url(config)) {
                mistakes.push(self.mistake(&tree, &path, &wrong));
            }
        }
        if !broken.is_empty() {
            // What half a text says is no news beside where it breaks.
            mistakes = broken.iter().map(|error| self.broken(error)).collect();
        }
        mistakes.sort_by_key(|mistake| match &mistake.place {
            Place::File { line, column, .. } => (0, *line, *column),
            Place::Environment(_) | Place::Nowhere => (1, 0, 0),
        });
        (config, mistakes)
    }

    /// From the tree to the types. What is wrong is noted and replaced, until the rest can be read.
    fn typed(&self, tree: &mut Value, mistakes: &mut Vec<Mistake>) -> Option<Config> {
        let defaults = Value::of_defaults(DEFAULTS);
        // Each round takes one value out: the bound is only for a mistake of ours.
        for _ in 0..10_000 {
            let fault = match Config::deserialize(Reader::new(tree, None)) {
                Ok(config) => return Some(config),
                Err(fault) => fault,
            };
            let path = fault.path.unwrap_or_default();
            let mended = tree.at(&path).is_some_and(|value| value.origin == Origin::Mended);
            if !mended {
                mistakes.push(self.mistake(tree, &path, &fault.wrong));
            }
            if !mend(tree, &defaults, &path, &fault.wrong) {
                return None;
            }
        }
        None
    }

    /// A secret stands in the file or in a file of its own, not in both.
    fn twins(&self, here: &Value, path: &mut Vec<String>, mistakes: &mut Vec<Mistake>) {
        let below: Vec<(String, &Value)> = match &here.form {
            Form::Table(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), value)).collect()
            }
            Form::List(items) => {
                items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
            }
            Form::Text(_)
            | Form::Number(_)
            | Form::Flag(_)
            | Form::Typed(_)
            | Form::Other(_)
            | Form::Anything => return,
        };
        for (key, value) in below {
            let twin = key.strip_suffix("_file").and_then(|twin| here.at(&[twin.to_owned()]));
            path.push(key);
            if twin.is_some_and(|twin| twin.origin != Origin::Defaults) {
                let other = dotted(path);
                let other = other.strip_suffix("_file").unwrap_or(&other).to_owned();
                mistakes.push(Mistake::new(
                    path,
                    self.place(&value.origin, false, path),
                    &Wrong::Both(other),
                    &KNOWN,
                ));
            }
            self.twins(value, path, mistakes);
            path.pop();
        }
    }

    fn mistake(&self, tree: &Value, path: &[String], wrong: &Wrong) -> Mistake {
        let unknown = matches!(wrong, Wrong::Unknown(_));
        let place = match tree.origin(path) {
            Some(origin) => self.place(origin, unknown, path),
            None => Place::Nowhere,
        };
        Mistake::new(path, place, wrong, &KNOWN)
    }

    fn place(&self, origin: &Origin, at_key: bool, path: &[String]) -> Place {
        match origin {
            Origin::File { key, value } => {
                let at = if at_key { key.start } else { value.start };
                let (line, column) = self.line_and_column(at);
                let key = self.text.get(key.clone()).unwrap_or_default();
                let value = self.text.get(value.clone()).unwrap_or_default();
                let value = value.lines().next().unwrap_or_default();
                let header = at_key && self.line(line).trim_start().starts_with('[');
                let shown = if header {
                    self.line(line).trim().to_owned()
                } else if key.is_empty() || value.starts_with('[') && !may_be_shown(path, &KNOWN) {
                    String::new()
                } else if may_be_shown(path, &KNOWN) && !value.contains('{') {
                    format!("{key} = {value}")
                } else {
                    format!("{key} = …")
                };
                Place::File { file: self.name.to_owned(), line, column, shown }
            }
            Origin::Environment(name) => Place::Environment(name.clone()),
            Origin::Defaults | Origin::Mended => Place::Nowhere,
        }
    }

    /// No TOML: what the line is to say is a guess, so only a known name with a value that is no secret is shown.
    fn broken(&self, error: &toml::de::Error) -> Mistake {
        let (line, column) = self.line_and_column(error.span().map_or(0, |span| span.start));
        let text = self.line(line);
        let key = text.split_once('=').map(|(key, _)| key.trim());
        let last = key.map(|key| key.rsplit('.').next().unwrap_or(key));
        let mut like = KNOWN.iter().filter(|(path, _)| path.last().map(String::as_str) == last);
        let plain = !text.contains('{')
            && like.clone().next().is_some()
            && like.all(|(_, shown)| *shown == Shown::Plain);
        let shown = match key {
            _ if plain || text.trim_start().starts_with("[[") => text.trim().to_owned(),
            Some(key) => format!("{key} = …"),
            None => String::new(),
        };
        Mistake {
            key: String::new(),
            place: Place::File { file: self.name.to_owned(), line, column, shown },
            zh: format!("这里不是 TOML：{}", error.message()),
            en: format!("this is no TOML: {}", error.message()),
            nearest: None,
        }
    }

    fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
    }

    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        (line, column.saturating_add(1))
    }
}

/// Takes out of the tree what is wrong; answers whether anything was there to take out.
fn mend(tree: &mut Value, defaults: &Value, path: &[String], wrong: &Wrong) -> bool {
    let Some((last, group)) = path.split_last() else { return false };
    if matches!(wrong, Wrong::Unknown(_) | Wrong::Missing)
        && let Some(entries) = tree.at_mut(group).and_then(Value::table_mut)
    {
        if matches!(wrong, Wrong::Missing) {
            return entries.insert(last.clone(), Value::anything()).is_none();
        }
        return entries.remove(last).is_some();
    }
    let mut path = path;
    loop {
        if let Some(value) = tree.at_mut(path)
            && !matches!(value.origin, Origin::Defaults | Origin::Mended)
        {
            *value = defaults.at(path).cloned().unwrap_or_else(Value::anything);
            return true;
        }
        let Some((_, above)) = path.split_last() else { return false };
        path = above;
    }
}

/// The database's address may hold a password, and so have a file of its own.
fn database_url(config: &mut Config) -> Option<(Vec<String>, Wrong)> {
    let file = config.path(config.database.url_file.as_deref()?);
    match std::fs::read_to_string(&file) {
        Ok(url) => {
            url.trim().clone_into(&mut config.database.url);
            // What is in the file may change, and its name not.
            config.settings.note("database.url", &config.database.url);
            None
        }
        Err(cause) => {
            let file = file.display();
            let says = format!("读不了 {file}：{cause} / cannot read {file}: {cause}");
            Some((vec!["database".to_owned(), "url_file".to_owned()], Wrong::Says(says)))
        }
    }
}

/// What was set, by name: only to be compared, and so as hashes, for secrets are among it.
#[derive(Clone, Default, Eq, PartialEq)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    fn of(tree: &Value) -> Self {
        let mut leaves = BTreeMap::new();
        tree.leaves("", &mut leaves);
        let mut settings = Self::default();
        leaves.iter().for_each(|(name, text)| settings.note(name, text));
        settings
    }

    fn note(&mut self, name: &str, text: &str) {
        self.0.insert(name.to_owned(), sha256_hex(text.as_bytes()));
    }

    /// The names of what is not as it is in `other`.
    pub(crate) fn changed<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        let differs = |(name, text): &(&'a String, &'a String), there: &Self| {
            there.0.get(*name) != Some(*text)
        };
        let ours = self.0.iter().filter(move |entry| differs(entry, other));
        let gone = other.0.iter().filter(|(name, _)| !self.0.contains_key(*name));
        ours.chain(gone).map(|(name, _)| name.as_str())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(…)")
    }
}

/// What the types ask for when they are given whatever they ask for.
static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let notes = RefCell::new(Known::new());
    let defaults = Value::of_defaults(DEFAULTS);
    let asked = Config::deserialize(Reader::new(&defaults, Some(&notes)));
    debug_assert!(asked.is_ok(), "{asked:?}");
    let mut known = notes.into_inner();
    // A text among the types, since it is one in most places; but there may be a password in it.
    known.insert(vec!["database".to_owned(), "url".to_owned()], Shown::Secret);
    known
});
