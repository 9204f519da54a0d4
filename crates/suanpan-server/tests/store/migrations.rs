//! Migrations: once each, in order, and never on a database that went another way.

use rusqlite::Connection;
use suanpan_server::store::{Database, StoreError, migrate};

use crate::units::NEW_YEAR;

fn database(folder: &tempfile::TempDir) -> Database {
    Database::parse("sqlite:test.db", folder.path()).unwrap()
}

fn change(folder: &tempfile::TempDir, sql: &str) {
    let connection = Connection::open(folder.path().join("test.db")).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
}

#[test]
fn a_new_database_gets_all_of_them_and_then_none() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder);
    let all: Vec<_> = migrate::MIGRATIONS.iter().map(|migration| migration.name).collect();
    let before = migrate::check(&database).unwrap();
    assert_eq!((before.version, before.pending), (0, all.clone()));
    assert!(!folder.path().join("test.db").exists(), "a look makes no file");

    assert_eq!(migrate::apply(&database, NEW_YEAR).unwrap(), all);
    assert!(migrate::apply(&database, NEW_YEAR).unwrap().is_empty());
    let after = migrate::check(&database).unwrap();
    // Numbers may have gaps: what was in work at the same time has landed in another order.
    let newest = migrate::MIGRATIONS.last().unwrap().version;
    assert_eq!((after.version, after.pending.len()), (newest, 0));
}

#[test]
fn many_that_start_at_once_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder);
    let ran: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..8).map(|_| scope.spawn(|| migrate::apply(&database, NEW_YEAR).unwrap())).collect();
        starts.into_iter().flat_map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(ran.len(), migrate::MIGRATIONS.len());
}

#[test]
fn a_database_that_went_another_way_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder);
    migrate::apply(&database, NEW_YEAR).unwrap();
    change(&folder, "UPDATE migration SET sha256 = 'other' WHERE version = 1");
    let refused = migrate::apply(&database, NEW_YEAR).unwrap_err();
    assert!(matches!(refused, StoreError::MigrationChanged { version: 1, .. }), "{refused}");
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder);
    migrate::apply(&database, NEW_YEAR).unwrap();
    change(&folder, "INSERT INTO migration VALUES (99, 'the_future', 'x', 0)");
    let refused = migrate::check(&database).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");
}

#[track_caller]
fn check(url: &str, says: &str) {
    let error = Database::parse(url, "/data".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), says);
}

#[test]
fn an_address_of_another_engine_is_refused_without_its_password() {
    check(
        "postgres://me:secret@db/pay",
        r#""postgres://…@db/pay" is not the address of a database"#,
    );
    check("sqlite:", r#""sqlite:" is not the address of a database"#);
    check("sqlite::memory:", r#""sqlite::memory:" is not the address of a database"#);
}
