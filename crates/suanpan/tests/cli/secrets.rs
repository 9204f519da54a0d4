//! Every secret that a data folder holds, to look for where none may be.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The secrets of this folder: API keys, secrets of apps, our own key, private keys line by line, full openids.
pub(crate) fn of_folder(folder: &Path) -> Vec<String> {
    let mut secrets = Vec::new();
    let credentials: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("credentials.json")).unwrap())
            .unwrap();
    for merchant in credentials["merchants"].as_array().unwrap() {
        for name in ["api_v2_key", "api_v3_key"] {
            secrets.push(merchant[name].as_str().unwrap().to_owned());
        }
        let file = PathBuf::from(merchant["merchant_private_key"].as_str().unwrap());
        secrets.extend(lines(&file));
    }
    for app in credentials["apps"].as_array().unwrap() {
        secrets.push(app["secret"].as_str().unwrap().to_owned());
    }
    for file in fs::read_dir(folder.join("wechat")).unwrap() {
        secrets.extend(lines(&file.unwrap().path()));
    }
    if let Ok(key) = fs::read_to_string(folder.join("api.key")) {
        secrets.push(key.trim().to_owned());
    }
    if let Ok(ledger) = fs::read_to_string(folder.join("ledger.jsonl")) {
        secrets.extend(openids(&ledger));
    }
    assert!(20 < secrets.len(), "{secrets:?}");
    secrets
}

/// The lines of a PEM file that are long enough to be nowhere by chance.
fn lines(pem: &Path) -> Vec<String> {
    let text = fs::read_to_string(pem).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("-----") && 20 < line.len());
    lines.map(str::to_owned).collect()
}

fn openids(ledger: &str) -> Vec<String> {
    let of = |line: &str| {
        let (_, rest) = line.split_once("\"openid\":\"")?;
        rest.split_once('"').map(|(openid, _)| openid.to_owned())
    };
    ledger.lines().filter_map(of).collect()
}
