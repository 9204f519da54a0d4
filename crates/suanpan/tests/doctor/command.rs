//! The command: its exit codes, its words, and the pages that are made of it.

use std::process::{Command, Output};

use crate::clinic::{Clinic, V2, V3};

fn doctor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_suanpan")).arg("doctor").args(arguments).output().unwrap()
}

/// Waits beside the simulator, which lives in this process.
async fn doctor_beside(arguments: Vec<String>) -> (Option<i32>, String) {
    let run = tokio::task::spawn_blocking(move || {
        doctor(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let output = run.await.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_0_where_all_is_well_and_with_1_where_it_is_not() {
    let mut clinic = Clinic::open(&[V3, V2]).await;
    let file = clinic.write().to_str().unwrap().to_owned();
    let (code, said) = doctor_beside(vec!["--config".to_owned(), file.clone()]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("✓ wechat.v3_sign") && said.contains("一共"), "{said}");

    let key = clinic.get("merchants.0.api_v3_key");
    clinic.set("merchants.0.api_v3_key", key[..30].to_owned());
    clinic.write();
    let (code, said) = doctor_beside(vec!["--config".to_owned(), file.clone()]).await;
    assert_eq!(code, Some(1), "{said}");
    for word in ["✗ key.v3", "30 个字符", "怎么办", "--only key.v3"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let english = vec![
        "--config".to_owned(),
        file.clone(),
        "--lang".to_owned(),
        "en".to_owned(),
        "--offline".to_owned(),
    ];
    let (_, said) = doctor_beside(english).await;
    assert!(said.contains("30 characters instead of 32") && said.contains("fix"), "{said}");

    let json = vec![
        "--config".to_owned(),
        file,
        "--json".to_owned(),
        "--only".to_owned(),
        "key.v3,net".to_owned(),
    ];
    let (code, said) = doctor_beside(json).await;
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &report["summary"]["problem"]), (Some(1), &serde_json::json!(1)), "{said}");
    let checks = report["checks"].as_array().unwrap();
    let bad = checks.iter().find(|one| one["result"] == "problem").unwrap();
    assert_eq!(bad["id"], "key.v3");
    assert!(
        bad["fix"]["zh"].is_string()
            && bad["found"]["en"].is_string()
            && bad["why"]["zh"].is_string()
    );
    assert!(
        checks
            .iter()
            .all(|one| ["key.v3", "net.reach", "net.clock"].contains(&one["id"].as_str().unwrap()))
    );
}

#[test]
fn bad_usage_ends_with_2() {
    assert_eq!(doctor(&[]).status.code(), Some(2));
    assert_eq!(doctor(&["--config", "/nowhere/suanpan.toml"]).status.code(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suanpan.toml");
    std::fs::write(&file, "").unwrap();
    let stranger = doctor(&["--config", file.to_str().unwrap(), "--only", "tea", "--json"]);
    assert_eq!(stranger.status.code(), Some(2));
    assert!(String::from_utf8(stranger.stdout).unwrap().contains("tea"));
}

#[test]
fn a_level_of_the_log_that_is_none_is_found_as_at_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suanpan.toml");
    std::fs::write(&file, "[log]\nlevel = \"suanpan==\"\n").unwrap();
    let output =
        doctor(&["--config", file.to_str().unwrap(), "--offline", "--only", "config.start"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("log.level"));
}

#[test]
fn the_pages_are_committed_as_they_are_made() {
    let page = |lang| String::from_utf8(doctor(&["--markdown", "--lang", lang]).stdout).unwrap();
    let (zh, en) = (page("zh"), page("en"));
    assert!(
        zh == include_str!("../../../../docs/operations/doctor.md"),
        "make docs/operations/doctor.md anew"
    );
    assert!(
        en == include_str!("../../../../docs/operations/doctor.en.md"),
        "make docs/operations/doctor.en.md anew"
    );
}
