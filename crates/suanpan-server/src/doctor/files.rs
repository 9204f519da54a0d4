//! The files that hold secrets: who may read them, and whether git knows them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::checks::{FILES_RIGHTS, FILES_TRACKED};
use super::finding::Chart;
use super::patient::{self, Patient};
use super::said::say;
use crate::config::{Config, Pem};
use crate::store::without_password;

/// Looks at each file that holds a secret and is there; one that is not is named by whoever needs it.
pub(super) fn all(patient: &Patient, chart: &mut Chart) {
    let mut files = named(&patient.config);
    if has_secrets(&patient.config) {
        files.insert(0, (patient::name(&patient.file), patient.file.clone()));
    }
    files.retain(|(_, path)| path.is_file());
    for (name, path) in &files {
        rights(name, path, chart);
        tracked(name, path, chart);
    }
    if files.is_empty() {
        let none = || say!("没有密钥文件", "there is no file of secrets");
        chart.skip(&FILES_RIGHTS, "", none());
        chart.skip(&FILES_TRACKED, "", none());
    }
}

/// Files that hold nothing but a secret, as they are named and where they are.
fn named(config: &Config) -> Vec<(String, PathBuf)> {
    let of_merchants = config.merchants.iter().flat_map(|merchant| {
        let own = [
            merchant.api_v2_key_file.as_deref(),
            merchant.api_v3_key_file.as_deref(),
            merchant.merchant_private_key.as_ref().and_then(Pem::file),
            merchant.merchant_p12.as_deref(),
            merchant.merchant_p12_password_file.as_deref(),
        ];
        own.into_iter().chain(merchant.apps.iter().map(|app| app.secret_file.as_deref()))
    });
    let endpoints = config.webhooks.endpoints.iter();
    let of_endpoints = endpoints.map(|endpoint| endpoint.secret_file.as_deref());
    let mut files: Vec<_> = of_merchants
        .chain(of_endpoints)
        .chain([config.database.url_file.as_deref()])
        .flatten()
        .map(|file| (file.display().to_string(), config.path(file)))
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Whether the configuration itself holds one. An environment variable may have set it; then the file is its company.
fn has_secrets(config: &Config) -> bool {
    let of_merchant = config.merchants.iter().any(|merchant| {
        let own = [&merchant.api_v2_key, &merchant.api_v3_key, &merchant.merchant_p12_password];
        let is_text = |pem: &Pem| pem.file().is_none();
        own.into_iter().any(Option::is_some)
            || merchant.merchant_private_key.as_ref().is_some_and(is_text)
            || merchant.apps.iter().any(|app| app.secret.is_some())
    });
    let of_endpoint = config.webhooks.endpoints.iter().any(|endpoint| endpoint.secret.is_some());
    let url = config.database.url.as_str();
    let of_database = config.database.url_file.is_none() && without_password(url) != url;
    of_merchant || of_endpoint || of_database
}

#[cfg(unix)]
fn rights(name: &str, path: &Path, chart: &mut Chart) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(meta) = path.metadata() else { return };
    let mode = meta.permissions().mode() & 0o777;
    let fix = say!("chmod 600 {name}", "chmod 600 {name}");
    if mode & 0o007 != 0 {
        let found =
            say!("权限是 {mode:o}，谁都能读", "its mode is {mode:o}: everybody may read it");
        chart.problem(&FILES_RIGHTS, name, (found, fix));
    } else if mode & 0o020 != 0 {
        let found =
            say!("权限是 {mode:o}，同组的人能改", "its mode is {mode:o}: its group may change it");
        chart.warn(&FILES_RIGHTS, name, (found, fix));
    } else {
        chart.ok(&FILES_RIGHTS, name, say!("权限 {mode:o}", "mode {mode:o}"));
    }
}

#[cfg(not(unix))]
fn rights(name: &str, _: &Path, chart: &mut Chart) {
    chart.skip(&FILES_RIGHTS, name, say!("这个系统上看不了", "not looked at on this system"));
}

fn tracked(name: &str, path: &Path, chart: &mut Chart) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(&path);
    if !folder.ancestors().any(|folder| folder.join(".git").exists()) {
        return chart.ok(
            &FILES_TRACKED,
            name,
            say!("不在 git 仓库里", "not in a repository of git"),
        );
    }
    let asked = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["ls-files", "--error-unmatch", "--"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match asked.ok().and_then(|status| status.code()) {
        Some(0) => {
            let found = say!("git 管着这个文件", "git tracks it");
            let fix = say!(
                "把这里面的密钥都换掉（进过历史就不算秘密了），再 git rm --cached {name} 并写进 .gitignore",
                "replace the keys in it, since the history keeps them; then git rm --cached {name}, and name it in .gitignore"
            );
            chart.problem(&FILES_TRACKED, name, (found, fix));
        }
        Some(1) => chart.ok(&FILES_TRACKED, name, say!("git 没有管它", "git does not track it")),
        // No git here, or a repository that is somebody else's.
        Some(_) | None => {
            let why = say!(
                "在 git 仓库里，但这里问不了 git",
                "it is in a repository, and git cannot be asked here"
            );
            chart.skip(&FILES_TRACKED, name, why);
        }
    }
}
