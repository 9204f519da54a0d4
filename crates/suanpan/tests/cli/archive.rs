//! `suanpan archive`: killed while it removes, and finished by the next run.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use suanpan_server::store::{Database, Store};

use crate::database;
use crate::process::{Running, run, suanpan, text};

/// So many that nobody removes them in the time that a signal takes.
const ORDERS: i64 = 2000;

#[tokio::test]
async fn a_run_that_is_killed_loses_no_order_and_archives_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("suanpan.toml");
    let url = database::url(folder.path());
    let settings = format!("[database]\nurl = \"{url}\"\n[retention]\norders_days = 400\n");
    std::fs::write(&config, settings).unwrap();
    let database = Database::parse(&url, folder.path()).unwrap();
    let store = fill(&database).await;

    let to = text(folder.path()).to_owned();
    let archive = ["archive", "--config", text(&config), "--to", &to, "--json"];
    let dry = run(&[&archive[..], &["--dry-run"]].concat());
    assert_eq!((dry.code, &dry.json()["orders"]), (Some(0), &json!(ORDERS)), "{dry:?}");

    let process = Running::silent(suanpan(&archive));
    process.hear("written");
    let killed = process.end("-KILL");
    assert_eq!(killed.code, None, "a signal ended it: {killed:?}");
    let (here, gone) = (count(&store, IN_THE_DATABASE).await, count(&store, ARCHIVED).await);
    assert_eq!(here + gone, ORDERS, "none is at both places, and none at neither");
    assert!(0 < here, "it was killed midway: {here}");

    let ended = run(&archive);
    assert_eq!((ended.code, &ended.json()["orders"]), (Some(0), &json!(ORDERS)), "{ended:?}");
    assert_eq!(ended.json()["changed"], 0);
    let files = ended.json()["files"].as_array().unwrap().clone();
    assert_eq!(files.len(), 1, "one file, though it took two runs: {files:?}");
    assert_eq!(count(&store, IN_THE_DATABASE).await, 0);
    assert_eq!(count(&store, ARCHIVED).await, ORDERS);

    // As an operator checks it and reads it.
    let check = |program: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new(program);
        let done = command.args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success(), "{program}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let name = files[0]["name"].as_str().unwrap();
    check("sha256sum", &["--check", &format!("{name}.sha256")]);
    let lines = check("gzip", &["--decompress", "--stdout", name]);
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ids = lines.filter_map(|line| line["order_id"].as_str().map(str::to_owned));
    let ids: Vec<_> = ids.collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (2000, 2000));
    store.close().await;
}

#[test]
fn what_is_not_to_be_archived_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("suanpan.toml");
    std::fs::write(&config, "").unwrap();
    let to = ["archive", "--config", text(&config), "--json", "--to", text(folder.path())];
    let check = |more: &[&str], code: &str| {
        let ended = run(&[&to[..], more].concat());
        assert_eq!((ended.code, &ended.json()["code"]), (Some(2), &json!(code)), "{ended:?}");
    };
    check(&[], "SP-USAGE");
    check(&["--before", "yesterday"], "SP-USAGE");
    check(&["--before", "2999-01-01"], "SP-ARCHIVE-TOO-YOUNG");
    let nothing = run(&[&to[..], &["--before", "2020-01-01"]].concat());
    assert_eq!((nothing.code, &nothing.json()["orders"]), (Some(0), &json!(0)), "{nothing:?}");
}

/// Closed orders of 2020.
async fn fill(database: &Database) -> Store {
    let store = Store::open(database, 0).await.unwrap();
    let numbers =
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 2000)";
    let orders = "INSERT INTO orders (id, reference, mchid, app, amount, currency, description, status, trade_type,
            created_at)
        SELECT 'ord_' || CAST(100000000000 + n AS TEXT), 'tea-' || CAST(n AS TEXT), '1900000109',
            'wx2421b1c4370ec43b', 990, 'CNY', 'tea', 'closed', 'JSAPI', 1577836800000000 + n FROM number";
    let lines = "INSERT INTO journal (order_id, seq, at, step, change)
        SELECT 'ord_' || CAST(100000000000 + n AS TEXT), 1, 1577836800000000, 'order', 'closed' FROM number";
    for rows in [orders, lines] {
        let sql: &'static str = format!("{numbers} {rows}").leak();
        let put = store.write((), move |tx, ()| Box::pin(async move { tx.exec(sql, &[]).await }));
        assert_eq!(put.await.unwrap(), 2000);
    }
    store
}

async fn count(store: &Store, sql: &'static str) -> i64 {
    let row = store.look((), move |tx, ()| Box::pin(async move { tx.row(sql, &[]).await }));
    row.await.unwrap().unwrap().int("n").unwrap()
}

const IN_THE_DATABASE: &str = "SELECT COUNT(*) AS n FROM orders";
const ARCHIVED: &str = "SELECT COUNT(*) AS n FROM archived_order";
