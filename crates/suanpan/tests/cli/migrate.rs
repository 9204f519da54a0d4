//! `suanpan migrate`: what is pending, what ran, and that it runs once.

use serde_json::json;

use crate::process::{run, text};

#[test]
fn a_new_database_is_brought_up_to_date_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suanpan.toml");
    std::fs::write(&file, "").unwrap();
    let migrate = ["migrate", "--config", text(&file), "--json"];
    let check = ["migrate", "--config", text(&file), "--json", "--check"];

    let pending = run(&check);
    assert_eq!((pending.code, &pending.json()["version"]), (Some(1), &json!(0)));
    assert!(!folder.path().join("suanpan.db").exists(), "--check changes nothing");

    let ran = run(&migrate);
    assert_eq!((ran.code, &ran.json()["ran"]), (Some(0), &pending.json()["pending"]));
    assert!(folder.path().join("suanpan.db").exists());

    let again = run(&migrate);
    assert_eq!((again.code, &again.json()["ran"]), (Some(0), &json!([])));
    let nothing = run(&check);
    assert_eq!((nothing.code, &nothing.json()["pending"]), (Some(0), &json!([])));
    assert_eq!(nothing.json()["version"], ran.json()["version"]);
}

#[test]
fn people_are_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suanpan.toml");
    std::fs::write(&file, "").unwrap();
    let url = format!("sqlite:{}", text(&folder.path().join("elsewhere.db")));
    let migrate = ["migrate", "--config", text(&file), "--database", &url];

    let ended = run(&migrate);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("ran: first_light") && ended.stdout.contains("up to date"));
    assert!(folder.path().join("elsewhere.db").exists());
    assert!(!folder.path().join("suanpan.db").exists());
}
