//! The database, where it is a file.

use std::os::unix::fs::FileExt as _;

use suanpan_server::doctor::Mark;

use crate::clinic::{Clinic, V3, marks, on_postgres, wanted};

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_made_later() {
    let mut clinic = Clinic::open(&[V3]).await;
    let file = clinic.folder.path().join("new.db");
    clinic.set("database.url", format!("sqlite:{}", file.display()));
    let before = std::fs::read_dir(clinic.folder.path()).unwrap().count();
    let wish = suanpan_server::doctor::Wish { offline: true, ..Default::default() };
    let config = clinic.write();
    let report = suanpan_server::doctor::examine(&config, &wish, &clinic.seams).await.unwrap();
    clinic.check("new", &report, &wanted(&[], "", ""));
    assert_eq!(marks(&report, "store.migrations")[0].1, Mark::Skipped);
    assert!(!file.exists(), "the doctor made it");
    assert!(std::fs::read_dir(clinic.folder.path()).unwrap().count() <= before + 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    const REACH: &[&str] = &["problem store.reach"];
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.set("database.url", "sqlite:/nowhere/at/all/tea.db");
    clinic.check(
        "folder",
        &clinic.examine(true).await,
        &wanted(REACH, "/nowhere/at/all", "/nowhere/at/all"),
    );
    let other = clinic.file(
        "other.db",
        "this is a letter and no database, as long as one page of it may be".repeat(80),
    );
    clinic.set("database.url", format!("sqlite:{}", other.display()));
    clinic.check("letter", &clinic.examine(true).await, &wanted(REACH, "别的程序", "ours"));
}

#[tokio::test]
async fn a_database_that_may_lose_what_it_acknowledged_is_told() {
    let clinic = Clinic::open(&[V3]).await;
    let new = clinic.examine(true).await;
    assert_eq!(marks(&new, "store.durable")[0].1, Mark::Skipped, "it is made after the look");
    let report = clinic.examine(true).await;
    let durable = report.checks.iter().find(|one| one.check.id == "store.durable").unwrap();
    if on_postgres() {
        assert_eq!(durable.result, Mark::Problem, "start it with fsync=off, as scripts/check does");
        assert!(durable.found.en.contains("fsync = off"), "{durable:?}");
    } else {
        assert_eq!(durable.result, Mark::Ok, "{durable:?}");
    }
}

#[tokio::test]
async fn what_has_not_run_is_told() {
    let mut clinic = Clinic::open(&[V3]).await;
    let empty = clinic.file("empty.db", "");
    clinic.set("database.url", format!("sqlite:{}", empty.display()));
    let report = clinic.examine(true).await;
    clinic.check(
        "empty",
        &report,
        &wanted(&["warn store.migrations"], "suanpan migrate", "suanpan migrate"),
    );
}

#[tokio::test]
async fn damage_is_found() {
    let mut clinic = Clinic::open(&[V3]).await;
    let path = clinic.folder.path().join("tea.db");
    clinic.set("database.url", format!("sqlite:{}", path.display()));
    // Made, and closed.
    clinic.check("whole", &clinic.examine(true).await, &wanted(&[], "", ""));
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    assert!(20 < pages, "{pages}");
    // Every tree but the first, which holds the schema and what has run.
    for page in 10..pages {
        file.write_all_at(&[0xA5; 512], page * 4096).unwrap();
    }
    let report = clinic.examine(true).await;
    clinic.check("damaged", &report, &wanted(&["problem store.integrity"], "备份", "backup"));
}
