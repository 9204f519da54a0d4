//! The configuration, as far as it can be read: one wrong setting hides none of the others.

use std::path::{Path, PathBuf};

use super::checks::{CONFIG_PARSES, CONFIG_SETTINGS};
use super::finding::Chart;
use super::said::{Say, say};
use crate::Error;
use crate::config::{Config, Mistake, Place};

/// What is looked at.
pub(super) struct Patient {
    pub(super) file: PathBuf,
    /// Without what could not be read.
    pub(super) config: Config,
}

/// Reads the file; `None` where not even its TOML can be read.
pub(super) fn read(file: &Path, chart: &mut Chart) -> Option<Patient> {
    let name = name(file);
    let (config, mistakes) = match Config::look(file) {
        Ok(looked) => looked,
        Err(error) => {
            unreadable(&name, &error, chart);
            return None;
        }
    };
    if let Some(broken) = mistakes.iter().find(|mistake| mistake.key.is_empty()) {
        let fix = say!(
            "改好这一行：文字要用英文双引号括起来，写成 key = \"value\"",
            "correct this line: a text stands in straight double quotes, key = \"value\""
        );
        chart.problem_of(&CONFIG_PARSES, name, (told(broken), fix), "SP-CONFIG");
        return None;
    }
    chart.ok(&CONFIG_PARSES, name.clone(), say!("读得懂", "it can"));

    let has_apps = |config: &Config| config.merchants.iter().all(|one| !one.apps.is_empty());
    let lacks_apps = config.as_ref().is_some_and(|config| !has_apps(config));
    for mistake in &mistakes {
        // An account without apps has a check of its own.
        if lacks_apps && mistake.key.ends_with(".apps") {
            continue;
        }
        chart.problem_of(&CONFIG_SETTINGS, &name, (told(mistake), fix(mistake)), "SP-CONFIG");
    }
    if !chart.is_bad(&CONFIG_SETTINGS, &name) {
        chart.ok(&CONFIG_SETTINGS, name, say!("每一项都认识", "each of them is known"));
    }
    config.map(|config| Patient { file: file.to_owned(), config })
}

/// The name that people know it by.
pub(super) fn name(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

fn unreadable(name: &str, error: &Error, chart: &mut Chart) {
    let why = crate::chain(error);
    let found = say!("读不了：{why}", "it cannot be read: {why}");
    let fix = say!(
        "让运行 Suanpan 的用户能读这个文件，并且用 UTF-8 保存",
        "let the user that runs Suanpan read it, and save it as UTF-8"
    );
    chart.problem_of(&CONFIG_PARSES, name, (found, fix), error.code());
}

/// Where and what; what is written there is shown only where it can be no secret.
fn told(mistake: &Mistake) -> Say {
    let Mistake { key, zh, en, .. } = mistake;
    match &mistake.place {
        Place::File { line, column, .. } => say!(
            "第 {line} 行第 {column} 列 {key}：{zh}",
            "line {line}, column {column}, {key}: {en}"
        ),
        Place::Environment(variable) => {
            say!("环境变量 {variable}：{zh}", "the variable {variable}: {en}")
        }
        Place::Nowhere => say!("{key}：{zh}", "{key}: {en}"),
    }
}

fn fix(mistake: &Mistake) -> Say {
    mistake.nearest.as_ref().map_or_else(
        || {
            say!(
                "改好它，或者删掉；config.default.toml 里有每一项的写法",
                "correct it or take it out; config.default.toml shows how each setting is written"
            )
        },
        |near| say!("改成 {near}", "write {near}"),
    )
}
