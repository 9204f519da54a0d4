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
    assert_eq!(Some(after.version), migrate::MIGRATIONS.last().map(|last| last.version));
    assert_eq!(after.pending.len(), 0);
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

/// What 0003 finds: every kind of order and attempt that was there before anybody watched them.
const BEFORE_THE_WATCHES: &str = "
    INSERT INTO orders (id, reference, mchid, app, amount, currency, description, status, trade_type, created_at, expires_at) VALUES
        ('ord_unpaid', 'r1', 'm', 'a', 990, 'CNY', 'd', 'unpaid', 'JSAPI', 1000, 5000),
        ('ord_paying', 'r2', 'm', 'a', 990, 'CNY', 'd', 'paying', 'JSAPI', 2000, NULL),
        ('ord_placing', 'r3', 'm', 'a', 990, 'CNY', 'd', 'paying', 'JSAPI', 3000, NULL),
        ('ord_paid', 'r4', 'm', 'a', 990, 'CNY', 'd', 'paid', 'JSAPI', 4000, NULL),
        ('ord_closed', 'r5', 'm', 'a', 990, 'CNY', 'd', 'closed', 'JSAPI', 4000, NULL);
    INSERT INTO attempt (id, order_id, mchid, appid, out_trade_no, request, fingerprint, state, created_at) VALUES
        ('att_live', 'ord_paying', 'm', 'a', 'n1', '{}', 'f', 'prepaid', 2500),
        ('att_new', 'ord_placing', 'm', 'a', 'n2', '{}', 'f', 'created', 3500),
        ('att_old', 'ord_paying', 'm', 'a', 'n3', '{}', 'f', 'closed', 2400),
        ('att_refused', 'ord_paying', 'm', 'a', 'n4', '{}', 'f', 'failed', 2300),
        ('att_paid', 'ord_paid', 'm', 'a', 'n5', '{}', 'f', 'paid', 4000);";

#[test]
fn what_was_there_before_the_watches_is_watched_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("test.db")).unwrap();
    for migration in migrate::MIGRATIONS.iter().filter(|migration| migration.version < 3) {
        connection.execute_batch(&migration.sql.replace("{blob}", "BLOB")).unwrap();
    }
    connection.execute_batch(BEFORE_THE_WATCHES).unwrap();
    let watches = migrate::MIGRATIONS.iter().find(|migration| migration.version == 3).unwrap();
    connection.execute_batch(watches.sql).unwrap();

    let due = "SELECT id || ' ' || kind || ' ' || key || ' ' || body || ' ' || order_id || ' ' || state || ' ' || due_at
        FROM due ORDER BY kind, id";
    let mut rows = connection.prepare(due).unwrap();
    let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let rows: Vec<_> = rows.map(Result::unwrap).collect();
    let week = 604_800_000_000_i64;
    // Only what can still be paid or closed; without an end of its own it has WeChat's seven days.
    assert_eq!(
        rows,
        [
            format!(
                "due_ord_paying expire expire:ord_paying {{}} ord_paying ready {}",
                2000 + week
            ),
            format!(
                "due_ord_placing expire expire:ord_placing {{}} ord_placing ready {}",
                3000 + week
            ),
            "due_ord_unpaid expire expire:ord_unpaid {} ord_unpaid ready 5000".to_owned(),
            r#"due_att_live query query:att_live {"attempt_id":"att_live"} ord_paying ready 2500"#
                .to_owned(),
            r#"due_att_new query query:att_new {"attempt_id":"att_new"} ord_placing ready 3500"#
                .to_owned(),
        ]
    );
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
