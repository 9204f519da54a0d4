//! Migrations: once each, in order, and never on a database that went another way.

use futures_util::future::join_all;
use rusqlite::Connection;
use suanpan_server::store::{Database, StoreError, migrate};

use crate::database;
use crate::units::{NEW_YEAR, open};

fn database(folder: &tempfile::TempDir) -> Database {
    Database::parse(&database::url(folder.path()), folder.path()).unwrap()
}

async fn change(folder: &tempfile::TempDir, sql: &'static str) {
    let store = open(folder).await;
    let changed =
        store.write(sql, |tx, sql| Box::pin(async move { tx.exec(sql, &[]).await })).await;
    assert_eq!(changed.unwrap(), 1);
    store.close().await;
}

#[tokio::test]
async fn a_new_database_gets_all_of_them_and_then_none() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder);
    let all: Vec<_> = migrate::MIGRATIONS.iter().map(|migration| migration.name).collect();
    let before = migrate::check(&database).await.unwrap();
    assert_eq!((before.version, before.pending), (0, all.clone()));
    assert!(!folder.path().join("suanpan.db").exists(), "a look makes no file");

    assert_eq!(migrate::apply(&database, NEW_YEAR).await.unwrap(), all);
    assert!(migrate::apply(&database, NEW_YEAR).await.unwrap().is_empty());
    let after = migrate::check(&database).await.unwrap();
    assert_eq!(Some(after.version), migrate::MIGRATIONS.last().map(|last| last.version));
    assert_eq!(after.pending.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_start_at_once_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder);
    let starts = (0..8).map(|_| {
        let database = database.clone();
        tokio::spawn(async move { migrate::apply(&database, NEW_YEAR).await.unwrap() })
    });
    let ran = join_all(starts.collect::<Vec<_>>()).await;
    let ran: Vec<_> = ran.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(ran.len(), migrate::MIGRATIONS.len());
}

#[tokio::test]
async fn a_database_that_went_another_way_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder);
    migrate::apply(&database, NEW_YEAR).await.unwrap();
    change(&folder, "UPDATE migration SET sha256 = 'other' WHERE version = 1").await;
    let refused = migrate::apply(&database, NEW_YEAR).await.unwrap_err();
    assert!(matches!(refused, StoreError::MigrationChanged { version: 1, .. }), "{refused}");
}

/// On SQLite alone: the text is the same for both engines.
///
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

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder);
    migrate::apply(&database, NEW_YEAR).await.unwrap();
    change(&folder, "INSERT INTO migration VALUES (99, 'the_future', 'x', 0)").await;
    let refused = migrate::check(&database).await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");
}

#[track_caller]
fn check(url: &str, says: &str) {
    let error = Database::parse(url, "/data".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), says);
}

#[test]
fn an_address_that_is_none_is_refused_without_its_password() {
    check("mysql://me:secret@db/pay", r#""mysql://…@db/pay" is not the address of a database"#);
    check(
        "postgres://me:secret@db/pay?sslmode=maybe&password=secret",
        r#""postgres://…@db/pay" is not the address of a database"#,
    );
    check("host=db password=secret", r#""…" is not the address of a database"#);
    check("sqlite:", r#""sqlite:" is not the address of a database"#);
    check("sqlite::memory:", r#""sqlite::memory:" is not the address of a database"#);
}

#[test]
fn an_address_shows_itself_without_its_password() {
    for url in [
        "postgres://me:secret@db/pay",
        "postgresql://me:secret@db-1:5432,db-2:5433/pay?target_session_attrs=read-write&sslmode=verify-full",
        "postgres:///pay?host=db&password=secret&connections=4",
    ] {
        let database = Database::parse(url, "/data".as_ref()).unwrap();
        let shown = format!("{database:?}");
        assert!(shown.contains("pay") && !shown.contains("secret"), "{shown}");
    }
}
