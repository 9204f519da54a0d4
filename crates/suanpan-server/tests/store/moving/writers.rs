//! Nodes that nobody stopped write on while the business moves.

use std::collections::BTreeSet;
use std::time::Duration;

use suanpan_server::store::{Database, Store, StoreError};
use suanpan_server::vals;
use tokio::time::timeout;

use super::{Route, go};
use crate::database;
use crate::units::NEW_YEAR;

/// Writes settings under names of its own until the business has gone; answers those that it was told are written.
async fn write_on(node: Store, writer: usize) -> Vec<String> {
    let mut written = Vec::new();
    loop {
        let name = format!("writer-{writer:02}-{:06}", written.len());
        let put = node.write(name.clone(), |tx, name| {
            Box::pin(async move {
                tx.exec("INSERT INTO setting (name, value) VALUES ($1, 'x')", &vals![name]).await
            })
        });
        match put.await {
            Ok(_) => written.push(name),
            Err(StoreError::Moved { .. }) => return written,
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_was_told_is_written_goes_along_and_nothing_after_it() {
    let route = Route::new().await;
    let nodes = [
        Store::open(&route.there, NEW_YEAR).await.unwrap(),
        Store::open(&route.there, NEW_YEAR).await.unwrap(),
    ];
    let writers: Vec<_> =
        (0..16).map(|writer| tokio::spawn(write_on(nodes[writer % 2].clone(), writer))).collect();
    for node in &nodes {
        node.commits().wait_for(|commits| *commits >= 20).await.unwrap();
    }

    let moved = go(&route.there, &route.back(), |_| {}).await.unwrap();
    assert!(moved.is_good(), "{:?}", moved.tables);
    let mut written = BTreeSet::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    let there = Store::open(&route.back(), NEW_YEAR).await.unwrap();
    let names = there.look((), |tx, ()| {
        Box::pin(async move {
            let sql = "SELECT name FROM setting WHERE name LIKE 'writer-%'";
            tx.rows(sql, &[]).await?.iter().map(|row| row.text("name")).collect::<Result<_, _>>()
        })
    });
    let names: BTreeSet<String> = names.await.unwrap();
    assert_eq!(names, written);
    assert!(written.len() >= 40, "{}", written.len());
    for store in nodes.iter().chain([&there]) {
        store.close().await;
    }
}

/// On a file one writes at a time, and there is nobody to wait for.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_begun_to_write_on_a_server_is_waited_for() {
    let route = Route::new().await;
    if matches!(route.there, Database::Lite(_)) {
        return;
    }
    Store::open(&route.there, NEW_YEAR).await.unwrap().close().await;
    let url = database::url(route.folder.path());
    let (url, _) = url.split_once('?').unwrap();
    let (slow, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let begun = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT state FROM moving;
        INSERT INTO setting (name, value) VALUES ('slow', 'x')";
    slow.batch_execute(begun).await.unwrap();

    let back = route.back();
    let mut gone = Box::pin(go(&route.there, &back, |_| {}));
    // Far longer than the whole move takes if it does not wait.
    assert!(timeout(Duration::from_secs(5), &mut gone).await.is_err(), "it does not wait");
    slow.batch_execute("COMMIT").await.unwrap();

    let moved = gone.await.unwrap();
    assert!(moved.is_good(), "{:?}", moved.tables);
    let setting = moved.tables.iter().find(|compared| compared.table == "setting").unwrap();
    assert_eq!(setting.target.rows, 1, "what it wrote went along");
}
