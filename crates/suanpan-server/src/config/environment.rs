//! Settings in variables: `SUANPAN_` and two underscores for each step of the way.
//!
//! ```text
//! SUANPAN_SERVER__LISTEN=0.0.0.0:8080
//! SUANPAN_MERCHANTS__0__API_V3_KEY=…            the first merchant account, or by its number:
//! SUANPAN_MERCHANTS__1900000109__API_V3_KEY_FILE=/run/secrets/api_v3
//! ```
//!
//! An empty variable counts as one that is not set. A name that nobody knows is
//! an error here as it is in the file.

use super::mistake::{Mistake, Place, general, variable};
use super::reader::{Known, Wrong};
use super::value::{Form, Origin, Path, Value};

pub(super) const PREFIX: &str = "SUANPAN_";

/// Puts the variables over what is in `tree`; answers the mistakes.
pub(super) fn overlay(
    tree: &mut Value,
    known: &Known,
    variables: impl Iterator<Item = (String, String)>,
) -> Vec<Mistake> {
    let ours = variables.filter(|(name, text)| name.starts_with(PREFIX) && !text.is_empty());
    let mut ours: Vec<_> = ours.collect();
    // The first of a list comes before the second.
    ours.sort_by_key(|(name, _)| {
        name.split("__").map(|step| format!("{step:0>8}")).collect::<Vec<_>>()
    });
    let mistakes = ours.into_iter().filter_map(|(name, text)| {
        let steps = steps(&name);
        let wrong = if steps.len() < 2 {
            one_underscore(&steps, known)?
        } else {
            match place(tree, &steps, known) {
                Ok(path) => {
                    put(tree, &path, &name, text, known);
                    return None;
                }
                Err(wrong) => wrong,
            }
        };
        Some(Mistake::new(&wrong.0, Place::Environment(name), &wrong.1, known))
    });
    mistakes.collect()
}

fn steps(name: &str) -> Path {
    let name = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
    name.split("__").map(str::to_owned).collect()
}

/// `SUANPAN_SERVER_LISTEN` would be ignored without a word; names of others, such as `SUANPAN_LOG`, are left alone.
fn one_underscore(steps: &[String], known: &Known) -> Option<(Path, Wrong)> {
    let meant =
        known.keys().find(|path| 1 < path.len() && steps.first() == Some(&path.join("_")))?;
    let name = variable(meant);
    let wrong = Wrong::Says(format!(
        "层级之间是两个下划线：{name} / two underscores go between the levels: {name}"
    ));
    Some((meant.clone(), wrong))
}

/// Where in the tree these steps lead.
fn place(tree: &Value, steps: &[String], known: &Known) -> Result<Path, (Path, Wrong)> {
    let mut path = Path::new();
    for step in steps {
        if is_list(&path, known) {
            match position(tree.at(&path), step) {
                Ok(position) => path.push(position),
                Err(wrong) => return Err((with(&path, step.clone()), wrong)),
            }
            continue;
        }
        path.push(step.clone());
        if !known.contains_key(&general(&path)) {
            return Err((path, Wrong::Unknown(&[])));
        }
    }
    Ok(path)
}

fn with(path: &[String], step: String) -> Path {
    path.iter().cloned().chain([step]).collect()
}

fn is_list(path: &[String], known: &Known) -> bool {
    known.contains_key(&general(&with(path, "0".to_owned())))
}

/// The position in a list: its number, or the one whose own number or name it is.
fn position(list: Option<&Value>, step: &str) -> Result<String, Wrong> {
    let empty = Vec::new();
    let items = match list.map(|list| &list.form) {
        Some(Form::List(items)) => items,
        Some(_) | None => &empty,
    };
    if step.parse().is_ok_and(|index: usize| index <= items.len()) {
        return Ok(step.to_owned());
    }
    let named = |item: &Value| {
        ["mchid", "appid"].into_iter().any(|name| {
            let id = item.at(&[name.to_owned()]).and_then(Value::text);
            id.is_some_and(|id| id.eq_ignore_ascii_case(step))
        })
    };
    let found = items.iter().position(named);
    found.map(|index| index.to_string()).ok_or(Wrong::Index(items.len()))
}

fn put(tree: &mut Value, path: &[String], name: &str, text: String, known: &Known) {
    let value = Value { form: Form::Typed(text), origin: Origin::Environment(name.to_owned()) };
    set(tree, &[], path, value, known);
    // A key by variable is meant in place of the key file of the configuration, and the other way round.
    let Some((last, group)) = path.split_last() else { return };
    let twin = last.strip_suffix("_file").map_or_else(|| format!("{last}_file"), str::to_owned);
    let twin_path = with(group, twin.clone());
    if !known.contains_key(&general(&twin_path)) {
        return;
    }
    let overruled =
        tree.at(&twin_path).is_some_and(|twin| !matches!(twin.origin, Origin::Environment(_)));
    if let (true, Some(group)) = (overruled, tree.at_mut(group).and_then(Value::table_mut)) {
        group.remove(&twin);
    }
}

/// Sets a value and makes the groups and lists on the way.
fn set(here: &mut Value, walked: &[String], path: &[String], value: Value, known: &Known) {
    let Some((step, rest)) = path.split_first() else {
        *here = value;
        return;
    };
    let origin = value.origin.clone();
    let none =
        || Value { form: Form::Table(std::collections::BTreeMap::new()), origin: origin.clone() };
    let below = with(walked, step.clone());
    if is_list(walked, known) {
        if !matches!(here.form, Form::List(_)) {
            *here = Value { form: Form::List(Vec::new()), origin: origin.clone() };
        }
        let Form::List(items) = &mut here.form else { return };
        let Ok(index) = step.parse::<usize>() else { return };
        if items.len() <= index {
            items.push(none());
        }
        if let Some(item) = items.get_mut(index) {
            set(item, &below, rest, value, known);
        }
        return;
    }
    if !matches!(here.form, Form::Table(_)) {
        *here = none();
    }
    if let Form::Table(entries) = &mut here.form {
        set(entries.entry(step.clone()).or_insert_with(none), &below, rest, value, known);
    }
}
