//! `suanpan migrate --from … --to …`: a business moves under the feet of its nodes, and the mover is killed on its way.
//!
//! From a file to whatever database the suite runs on, and back into a file.

use std::path::Path;

use serde_json::{Value, json};
use suanpan_server::store::{Database, Store};

use crate::database;
use crate::process::{Ended, Running, finish, run, suanpan, text};

/// Lines of one order's journal: enough of them that nobody copies them in the time that a signal takes.
const LINES: i64 = 40_000;

#[tokio::test]
async fn a_business_moves_there_and_back_though_the_mover_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let simulator =
        Running::start(&["simulator", "--listen", "127.0.0.1:0", "--data", text(folder.path())]);
    let config = simulator.says("config");
    let home = format!("sqlite:{}", text(&folder.path().join("suanpan.db")));
    let back = format!("sqlite:{}", text(&folder.path().join("back.db")));
    let there = address(folder.path());
    let serve = |url: &str| {
        let serve = ["serve", "--config", &config, "--listen", "127.0.0.1:0", "--database", url];
        suanpan(&serve)
    };

    // A node that is never told of the move.
    let node = Running::start_command(serve(&home));
    let (url, key) = (node.says("url"), node.says("api_key"));
    let (status, order) = create(&url, &key, "tea-1").await;
    assert_eq!(status, 201, "{order}");
    let id = order["id"].as_str().unwrap();
    fill(&home, id).await;

    let migrate = ["migrate", "--from", &home, "--to", &there, "--json"];
    // What it says when it dies: early, in the middle of the longest table, and while it compares.
    for last_words in ["copied   orders", "copied   refund_key", "comparing  attempt"] {
        let mover = Running::silent(suanpan(&migrate));
        mover.hear(last_words);
        let ended = mover.end("-KILL");
        assert_eq!(ended.code, None, "a signal ended it: {ended:?}");

        // Neither place takes anything meanwhile, and both say where the business is.
        let (status, refused) = create(&url, &key, "tea-2").await;
        assert_eq!((status, &refused["code"]), (503, &json!("SP-STORE-MOVED")), "{refused}");
        assert_eq!(ready(&url).await, 503);
        refuses(&finish(serve(&home)), "SP-STORE-MOVED");
        refuses(&finish(serve(&there)), "SP-STORE-COMING");
    }
    let moved = run(&migrate);
    assert_eq!(moved.code, Some(0), "{moved:?}");
    let report = moved.json();
    assert_eq!((&report["same"], &report["already"]), (&json!(true), &json!(false)), "{report}");
    let table = |name: &str| {
        let tables = report["tables"].as_array().unwrap();
        tables.iter().find(|table| table["table"] == name).unwrap()["target"].clone()
    };
    assert_eq!((&table("orders")["rows"], &table("orders")["amount"]), (&json!(1), &json!(990)));
    assert!(LINES < table("journal")["rows"].as_i64().unwrap());
    // Killed three times, it did not begin again each time.
    assert!(report["rows"].as_i64().unwrap() < LINES, "{report}");
    assert!(!moved.stderr.contains("suanpan@"), "no user and no password: {moved:?}");
    assert_eq!(node.end("-TERM").code, Some(0));

    // The same keys, the same orders.
    let node = Running::start_command(serve(&there));
    assert_eq!(node.ready["api_key"], Value::Null, "it is the same business");
    let (status, taken) = create(&node.says("url"), &key, "tea-1").await;
    assert_eq!((status, taken["order_id"].as_str()), (409, Some(id)), "{taken}");
    let (status, order) = create(&node.says("url"), &key, "tea-2").await;
    assert_eq!(status, 201, "{order}");
    assert_eq!(node.end("-TERM").code, Some(0));

    let already = run(&migrate);
    assert_eq!((already.code, &already.json()["already"]), (Some(0), &json!(true)));
    let told = run(&["migrate", "--from", &there, "--to", &back]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.contains("orders") && told.stdout.contains("1980"), "{told:?}");
    let node = Running::start_command(serve(&back));
    let (status, taken) = create(&node.says("url"), &key, "tea-2").await;
    assert_eq!((status, &taken["order_id"]), (409, &order["id"]), "{taken}");
    assert_eq!(node.end("-TERM").code, Some(0));
    assert_eq!(simulator.end("-TERM").code, Some(0));
}

#[test]
fn what_cannot_move_is_refused_in_words_and_as_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", text(&folder.path().join(name)));
    let refused = run(&["migrate", "--from", &file("a.db"), "--to", &file("b.db")]);
    refuses(&refused, "SP-MOVE-NO-SOURCE");
    let refused = run(&["migrate", "--from", &file("a.db"), "--to", &file("a.db"), "--json"]);
    assert_eq!((refused.code, &refused.json()["code"]), (Some(2), &json!("SP-MOVE-SAME")));
    for half in [vec!["--from", "sqlite:a.db"], vec!["--abandon"], vec![]] {
        let ended = run(&[vec!["migrate", "--json"], half].concat());
        assert_eq!((ended.code, &ended.json()["code"]), (Some(2), &json!("SP-USAGE")), "{ended:?}");
    }

    let config = folder.path().join("suanpan.toml");
    std::fs::write(&config, "").unwrap();
    assert_eq!(run(&["migrate", "--config", text(&config)]).code, Some(0));
    let home = file("suanpan.db");
    let nothing = run(&["migrate", "--from", &home, "--to", &file("b.db"), "--abandon"]);
    refuses(&nothing, "SP-MOVE-NOT-MOVING");
}

#[track_caller]
fn refuses(ended: &Ended, code: &str) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains(&format!("error[{code}]")), "{ended:?}");
}

/// The database of this suite, as it is typed.
fn address(folder: &Path) -> String {
    let url = database::url(folder);
    match url.strip_prefix("sqlite:") {
        Some(_) => format!("sqlite:{}", text(&folder.join("there.db"))),
        None => url,
    }
}

async fn create(url: &str, key: &str, reference: &str) -> (u16, Value) {
    let order = json!({ "reference": reference, "amount": 990, "description": "龙井一杯" });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{url}/v1/orders")).bearer_auth(key).body(order.to_string());
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap())
}

/// What a load balancer is told.
async fn ready(url: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("{url}/readyz")).send().await.unwrap().status().as_u16()
}

/// A long story of this order.
async fn fill(url: &str, order: &str) {
    let database = Database::parse(url, Path::new("")).unwrap();
    let store = Store::open(&database, 0).await.unwrap();
    let sql =
        "WITH RECURSIVE line (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM line WHERE n < $2)
        INSERT INTO journal (order_id, seq, at, step, change, detail)
        SELECT $1, n, n, 'order', 'test', '龙井' FROM line";
    let args = [order.into(), LINES.saturating_add(100).into()];
    let fill = store.write(args, move |tx, args| Box::pin(async move { tx.exec(sql, args).await }));
    fill.await.unwrap();
    store.close().await;
}
