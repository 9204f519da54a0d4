//! A business that moves: all of it, unchanged, and from then on in one place alone.

mod odd;
mod writers;

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use suanpan_server::moving::{self, MoveError, Moved, Progress};
use suanpan_server::outside::{SeededDice, SystemClock, SystemDice};
use suanpan_server::store::{Database, Store, StoreError, TABLES};
use tokio::sync::Notify;

use self::odd::{Odd, Schema, schema};
use crate::database;
use crate::units::NEW_YEAR;

/// Three databases: a file, whatever the suite runs on, and another file.
struct Route {
    folder: tempfile::TempDir,
    there: Database,
}

impl Route {
    /// With nothing in any of them but the tables in the first.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let there = Database::parse(&database::url(folder.path()), folder.path()).unwrap();
        let route = Self { folder, there };
        Store::open(&route.home(), NEW_YEAR).await.unwrap().close().await;
        route
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn home(&self) -> Database {
        Database::parse("sqlite:home.db", self.folder.path()).unwrap()
    }

    fn back(&self) -> Database {
        Database::parse("sqlite:back.db", self.folder.path()).unwrap()
    }

    fn sql(&self, text: &str) -> usize {
        let connection = Connection::open(self.file("home.db")).unwrap();
        connection.execute(text, []).unwrap()
    }

    async fn go(&self) -> Result<Moved, MoveError> {
        go(&self.home(), &self.there, |_| {}).await
    }
}

async fn go(from: &Database, to: &Database, tell: impl Fn(Progress)) -> Result<Moved, MoveError> {
    moving::run(from, to, &SystemClock::new(), &SystemDice, tell).await
}

/// All that is in a file, table by table, in the order of the keys; read by nothing of ours.
fn all(file: &Path, schema: &Schema) -> BTreeMap<String, Vec<Vec<Value>>> {
    let connection = Connection::open(file).unwrap();
    let tables = schema.tables.iter().filter(|(name, _)| name.as_str() != "migration");
    let read = tables.map(|(name, columns)| {
        let keys: Vec<_> = columns.iter().filter(|column| column.key).map(|it| &*it.name).collect();
        let sql = format!("SELECT * FROM {name} ORDER BY {}", keys.join(", "));
        let mut statement = connection.prepare(&sql).unwrap();
        let rows =
            statement.query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect());
        (name.clone(), rows.unwrap().map(Result::unwrap).collect())
    });
    read.filter(|(name, _)| name != "moving").collect()
}

/// Whoever adds a table or a column has to say that it moves.
#[tokio::test]
async fn every_table_and_column_of_this_engine_is_moved() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::units::open(&folder).await;
    let sql =
        if database::url(folder.path()).starts_with("sqlite:") { IN_SQLITE } else { IN_POSTGRES };
    let rows = store.look(sql, |tx, sql| Box::pin(async move { tx.rows(sql, &[]).await }));
    let mut found: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in rows.await.unwrap() {
        let table = found.entry(row.text("t").unwrap()).or_default();
        table.insert(row.text("c").unwrap(), row.int("pk").unwrap());
    }
    for of_the_database in ["migration", "migration_lease", "moving"] {
        found.remove(of_the_database);
    }
    let moved = TABLES.iter().map(|table| {
        let columns = table.columns.iter().enumerate().map(|(at, column)| {
            let place = if at < table.keys { i64::try_from(at + 1).unwrap() } else { 0 };
            ((*column).to_owned(), place)
        });
        (table.name.to_owned(), columns.collect())
    });
    assert_eq!(found, moved.collect());
}

const IN_SQLITE: &str = "SELECT m.name AS t, p.name AS c, p.pk AS pk
    FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p WHERE m.type = 'table'";
const IN_POSTGRES: &str = "SELECT CAST(c.table_name AS TEXT) AS t, CAST(c.column_name AS TEXT) AS c,
        COALESCE((SELECT CAST(k.ordinal_position AS BIGINT) FROM information_schema.key_column_usage AS k
            JOIN information_schema.table_constraints AS p ON p.constraint_name = k.constraint_name
                AND p.table_name = k.table_name AND p.table_schema = k.table_schema
            WHERE p.constraint_type = 'PRIMARY KEY' AND k.table_schema = c.table_schema
                AND k.table_name = c.table_name AND k.column_name = c.column_name), 0) AS pk
    FROM information_schema.columns AS c WHERE c.table_schema = current_schema()";

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 0, ..ProptestConfig::default() })]

    /// There and back: every value of every row is the same, however odd.
    #[test]
    fn what_moves_there_and_back_is_what_it_was(seed in any::<u64>()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let route = Route::new().await;
            let schema = schema(&route.file("home.db"));
            let dice = SeededDice::new(seed);
            Odd { schema: &schema, dice: &dice }.fill(&route.file("home.db"), 40);
            let before = all(&route.file("home.db"), &schema);
            for (table, rows) in &before {
                assert!(!rows.is_empty(), "{table} is not tried");
            }

            let there = route.go().await.unwrap();
            assert!(there.is_good(), "{there:?}");
            let rows: usize = before.values().map(Vec::len).sum();
            assert_eq!(there.rows, u64::try_from(rows).unwrap());
            let back = go(&route.there, &route.back(), |_| {}).await.unwrap();
            assert!(back.is_good(), "{back:?}");
            assert_eq!(there.tables, back.tables);
            assert_eq!(all(&route.file("back.db"), &schema), before);
        });
    }
}

#[tokio::test]
async fn where_a_business_has_gone_from_nobody_writes() {
    let route = Route::new().await;
    route.sql("INSERT INTO setting VALUES ('tea', 'green')");
    // A node that was up before and knows nothing of the move.
    let node = Store::open(&route.home(), NEW_YEAR).await.unwrap();
    put(&node).await.unwrap();
    assert!(route.go().await.unwrap().is_good());

    let refused = put(&node).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Moved { place } if *place == route.there.to_string()));
    let refused = Store::open(&route.home(), NEW_YEAR).await.unwrap_err();
    assert_eq!((refused.code(), refused.is_retryable()), ("SP-STORE-MOVED", true));
    // Many at once share a transaction on SQLite.
    let crowd = (0..20).map(|_| put(&node));
    let crowd = futures_util::future::join_all(crowd).await;
    assert!(crowd.iter().all(|put| matches!(put, Err(StoreError::Moved { .. }))));
    node.close().await;

    let target = Store::open(&route.there, NEW_YEAR).await.unwrap();
    put(&target).await.unwrap();
    target.close().await;
    // The target has changed since, so nothing is compared and nothing is said to differ.
    let again = route.go().await.unwrap();
    assert!(again.tables.is_empty() && again.is_good() && again.rows == 0);
    let abandoned = moving::abandon(&route.home(), &route.there, &SystemClock::new()).await;
    assert_eq!(abandoned.unwrap_err().code(), "SP-MOVE-AT-ITS-END");
}

async fn put(store: &Store) -> Result<u64, StoreError> {
    let sql = "INSERT INTO setting (name, value) VALUES ('put', 'x')
        ON CONFLICT (name) DO UPDATE SET value = 'y'";
    store.write(sql, |tx, sql| Box::pin(async move { tx.exec(sql, &[]).await })).await
}

#[tokio::test]
async fn a_move_that_was_cut_off_goes_on_where_it_was() {
    let route = Route::new().await;
    let schema = schema(&route.file("home.db"));
    Odd { schema: &schema, dice: &SeededDice::new(7) }.fill(&route.file("home.db"), 700);
    let before = all(&route.file("home.db"), &schema);
    // Cut off behind each table in turn: what was under way then is dropped where it stands.
    for cut in TABLES.iter() {
        let (home, there) = (route.home(), route.there.clone());
        let reached = Notify::new();
        let run = go(&home, &there, |progress| {
            if let Progress::Copied(table, _) = progress
                && table == cut.name
            {
                reached.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = reached.notified() => {}
            ended = run => panic!("{ended:?} before {}", cut.name),
        }
        let refused = Store::open(&route.there, NEW_YEAR).await.unwrap_err();
        assert_eq!(refused.code(), "SP-STORE-COMING");
        assert_eq!(
            Store::open(&route.home(), NEW_YEAR).await.unwrap_err().code(),
            "SP-STORE-MOVED"
        );
    }
    let moved = route.go().await.unwrap();
    assert!(moved.is_good(), "{moved:?}");
    // What was copied by those before is not copied again.
    assert!(moved.rows < 700, "{moved:?}");
    let home = all(&route.file("home.db"), &schema);
    assert_eq!(home, before);
    assert!(go(&route.there, &route.back(), |_| {}).await.unwrap().is_good());
    assert_eq!(all(&route.file("back.db"), &schema), before);
}

#[tokio::test]
async fn a_row_that_changes_meanwhile_is_noticed_and_the_target_stays_closed() {
    for change in [
        "UPDATE orders SET amount = amount + 1 WHERE id = 'ord_1'",
        "UPDATE orders SET description = 'Tea' WHERE id = 'ord_1'",
        "DELETE FROM setting",
        "INSERT INTO setting VALUES ('a', 'behind the copy')",
    ] {
        let route = Route::new().await;
        route.sql("INSERT INTO setting VALUES ('tea', 'green')");
        route.sql(ORDER);
        // Somebody with a shell, for whom no door is closed.
        let home = route.home();
        let changed = go(&home, &route.there, |progress| {
            if let Progress::Comparing("api_key") = progress {
                assert_eq!(route.sql(change), 1, "{change}");
            }
        });
        let changed = changed.await.unwrap();
        let differs: Vec<_> = changed.tables.iter().filter(|table| !table.is_same()).collect();
        assert_eq!(differs.len(), 1, "{change}: {differs:?}");
        assert!(!changed.is_good());
        let refused = Store::open(&route.there, NEW_YEAR).await.unwrap_err();
        assert_eq!(refused.code(), "SP-STORE-COMING", "{change}");

        // The way out: back to the source, and perhaps into a new target.
        moving::abandon(&route.home(), &route.there, &SystemClock::new()).await.unwrap();
        let node = Store::open(&route.home(), NEW_YEAR).await.unwrap();
        put(&node).await.unwrap();
        node.close().await;
        assert_eq!(route.go().await.unwrap_err().code(), "SP-MOVE-IN-USE");
        assert!(go(&route.home(), &route.back(), |_| {}).await.unwrap().is_good());
    }
}

const ORDER: &str =
    "INSERT INTO orders (id, reference, mchid, app, amount, currency, description, status,
        trade_type, created_at)
    VALUES ('ord_1', 'tea-1', '1900000109', 'wx1', 990, 'CNY', 'tea', 'unpaid', 'JSAPI', 0)";

#[tokio::test]
async fn what_cannot_move_is_refused_and_nothing_is_closed() {
    let route = Route::new().await;
    let none = Database::parse("sqlite:none.db", route.folder.path()).unwrap();
    assert_eq!(go(&none, &route.there, |_| {}).await.unwrap_err().code(), "SP-MOVE-NO-SOURCE");
    assert!(!route.file("none.db").exists());
    let same = go(&route.home(), &route.home(), |_| {}).await;
    assert_eq!(same.unwrap_err().code(), "SP-MOVE-SAME");

    let other = Store::open(&route.there, NEW_YEAR).await.unwrap();
    put(&other).await.unwrap();
    let refused = route.go().await.unwrap_err();
    assert!(matches!(refused, MoveError::InUse { table: "setting", .. }), "{refused}");
    put(&other).await.unwrap();
    other.close().await;
    Store::open(&route.home(), NEW_YEAR).await.unwrap().close().await;
    let none = moving::abandon(&route.home(), &route.there, &SystemClock::new()).await;
    assert_eq!(none.unwrap_err().code(), "SP-MOVE-NOT-MOVING");

    // Two ways at once, or in a circle.
    assert!(go(&route.home(), &route.back(), |_| {}).await.unwrap().is_good());
    assert_eq!(route.go().await.unwrap_err().code(), "SP-MOVE-ELSEWHERE");
    let elsewhere = moving::abandon(&route.home(), &route.there, &SystemClock::new()).await;
    assert_eq!(elsewhere.unwrap_err().code(), "SP-MOVE-ELSEWHERE");
    let circle = go(&route.back(), &route.home(), |_| {}).await.unwrap_err();
    assert_eq!(circle.code(), "SP-MOVE-IN-USE");
}

/// PostgreSQL has no text with a NUL. It is not left out: the move stops and says where.
#[tokio::test]
async fn a_text_that_the_target_cannot_hold_stops_the_move() {
    let route = Route::new().await;
    route.sql("INSERT INTO setting VALUES ('tea', 'green' || char(0) || 'black')");
    match route.go().await {
        Ok(moved) => {
            assert!(matches!(route.there, Database::Lite(_)) && moved.is_good(), "{moved:?}");
        }
        Err(error) => {
            assert!(matches!(error, MoveError::Interrupted { table: "setting", .. }), "{error:?}");
            assert!(matches!(route.there, Database::Pg(_)) && error.is_midway());
            // Mended at the source, it goes on.
            route.sql("UPDATE setting SET value = 'green' WHERE name = 'tea'");
            assert!(route.go().await.unwrap().is_good());
        }
    }
}
