//! Nodes that nobody stopped write on while the business moves.

use std::collections::BTreeSet;

use suanpan_server::store::{Store, StoreError};
use suanpan_server::vals;

use super::{Route, go};
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
