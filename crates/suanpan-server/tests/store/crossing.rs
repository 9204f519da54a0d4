//! Units that cross each other: whatever the engine does about it, each one sees the world as if it were alone.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use suanpan_server::store::{Database, Store, StoreError, Tx, Unit};
use suanpan_server::vals;

use crate::cable::Cable;
use crate::database;
use crate::units::{NEW_YEAR, open, settings};

/// Puts a setting in unless it is there; answers whether it did.
struct PutOnce(&'static str);

impl Unit for PutOnce {
    type Out = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        if tx.row("SELECT name FROM setting WHERE name = $1", &vals![self.0]).await?.is_some() {
            return Ok(false);
        }
        tx.exec("INSERT INTO setting (name, value) VALUES ($1, 'x')", &vals![self.0]).await?;
        Ok(true)
    }
}

/// Adds one to the number that a setting holds, which is read first.
struct Count;

impl Unit for Count {
    type Out = i64;

    async fn run(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        let row = tx.row("SELECT value FROM setting WHERE name = 'count'", &[]).await?.unwrap();
        let next = row.parse::<i64>("value")?.checked_add(1).unwrap();
        tx.exec("UPDATE setting SET value = $1 WHERE name = 'count'", &vals![next.to_string()])
            .await?;
        Ok(next)
    }
}

/// Writes one more line about an order, with nothing else in common.
struct Line;

impl Unit for Line {
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let line = "INSERT INTO journal (order_id, seq, at, step, change)
            SELECT 'ord_1', COALESCE(MAX(seq), 0) + 1, 0, 'order', 'test' FROM journal";
        tx.exec(line, &[]).await.map(drop)
    }
}

async fn exec(store: &Store, sql: &'static str) {
    let done = store.write(sql, |tx, sql| Box::pin(async move { tx.exec(sql, &[]).await }));
    done.await.unwrap();
}

#[tokio::test]
async fn who_comes_second_sees_what_the_first_has_put() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(&folder).await, open(&folder).await);
    let puts = (0..60).map(|number| {
        let store = if number % 2 == 0 { &one } else { &two };
        store.run(PutOnce("same"))
    });
    let put = join_all(puts).await.into_iter().map(Result::unwrap);
    assert_eq!(put.filter(|put| *put).count(), 1);
}

#[tokio::test]
async fn what_is_read_and_written_is_lost_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(&folder).await, open(&folder).await);
    exec(&one, "INSERT INTO setting (name, value) VALUES ('count', '0')").await;
    // Eight at a time: a row that hundreds want at the same moment is not what a payment does.
    for round in 0..10 {
        let counts =
            (0..8).map(|number| if number % 2 == 0 { one.run(Count) } else { two.run(Count) });
        let counts: BTreeSet<_> = join_all(counts).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(counts, (round * 8 + 1..=round * 8 + 8).collect());
    }
}

#[tokio::test]
async fn lines_about_one_order_have_numbers_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(&folder).await, open(&folder).await);
    let order = "INSERT INTO orders (id, reference, mchid, app, amount, currency, description,
            status, trade_type, created_at)
        VALUES ('ord_1', 'r', 'm', 'a', 1, 'CNY', 'd', 'unpaid', 'JSAPI', 0)";
    exec(&one, order).await;
    for _ in 0..10 {
        let lines =
            (0..8).map(|number| if number % 2 == 0 { one.run(Line) } else { two.run(Line) });
        assert!(join_all(lines).await.iter().all(Result::is_ok));
    }
    let found = one.look((), |tx, ()| {
        Box::pin(
            async move { tx.row("SELECT COUNT(*) AS n, MAX(seq) AS last FROM journal", &[]).await },
        )
    });
    let row = found.await.unwrap().unwrap();
    assert_eq!((row.int("n").unwrap(), row.int("last").unwrap()), (80, 80));
}

#[tokio::test]
async fn keys_stand_in_the_order_of_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let put = "INSERT INTO setting (name, value)
        VALUES ('a;', ''), ('a:b', ''), ('B', ''), ('a_b', ''), ('b', ''), ('a:', '')";
    exec(&store, put).await;
    assert_eq!(settings(&store).await, ["B", "a:", "a:b", "a;", "a_b", "b"]);
}

#[tokio::test]
async fn a_column_that_a_newer_node_adds_disturbs_no_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (open(&folder).await, open(&folder).await);
    exec(&old, "INSERT INTO setting (name, value) VALUES ('a', 'x')").await;
    let all = |store: &Store| {
        let store = store.clone();
        async move {
            let rows = store.look((), |tx, ()| {
                Box::pin(async move { tx.rows("SELECT * FROM setting", &[]).await })
            });
            rows.await.unwrap().len()
        }
    };
    assert_eq!(all(&old).await, 1);
    exec(&new, "ALTER TABLE setting ADD COLUMN more TEXT").await;
    assert_eq!((all(&old).await, all(&new).await), (1, 1));
}

#[tokio::test]
async fn connections_that_the_server_has_cut_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    if database::url(folder.path()).starts_with("sqlite:") {
        // It has no connection that could be cut.
        return;
    }
    let (store, other) = (open(&folder).await, open(&folder).await);
    let puts = |store: &Store, names: &'static [&'static str]| {
        let store = store.clone();
        async move { join_all(names.iter().map(|name| store.run(PutOnce(name)))).await }
    };
    assert!(puts(&store, &["a", "b", "c"]).await.iter().all(Result::is_ok));
    let cut = "SELECT CASE WHEN pg_terminate_backend(pid) THEN 1 ELSE 0 END AS n
        FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let cut = other.look(cut, |tx, sql| Box::pin(async move { tx.rows(sql, &[]).await }));
    assert!(!cut.await.unwrap().is_empty());
    assert!(puts(&store, &["d", "e", "f"]).await.iter().all(Result::is_ok));
    assert_eq!(settings(&store).await, ["a", "b", "c", "d", "e", "f"]);
}

#[tokio::test]
async fn nobody_knows_what_became_of_a_commit_whose_answer_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let Some(cable) = Cable::lay().await else { return };
    let url = cable.through(&database::url(folder.path()));
    let store =
        Store::open(&Database::parse(&url, folder.path()).unwrap(), NEW_YEAR).await.unwrap();
    cable.wear();
    let said = store.run(PutOnce("a")).await;
    assert!(matches!(said, Err(StoreError::Unknown { .. })), "{said:?}");
    let away = store.run(PutOnce("b")).await;
    assert!(matches!(away, Err(StoreError::Unreachable { .. })), "{away:?}");

    cable.mend();
    assert!(!store.run(PutOnce("a")).await.unwrap(), "it was done");
    assert!(store.run(PutOnce("b")).await.unwrap());
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::url(folder.path());
    if url.starts_with("sqlite:") {
        return;
    }
    // The system takes the connections; nobody will ever answer.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = url.find('@').unwrap().checked_add(1).unwrap();
    let (user, place) = url.split_at(at);
    let url = format!("{user}{},{place}&connect_timeout=1", silent.local_addr().unwrap());
    let store =
        Store::open(&Database::parse(&url, folder.path()).unwrap(), NEW_YEAR).await.unwrap();
    assert!(store.run(PutOnce("a")).await.unwrap());
}
