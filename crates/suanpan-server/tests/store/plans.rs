//! No question of the store goes through the whole of a table that grows.
//!
//! The texts are taken from the store's own files, so one that is written tomorrow is asked, too. Each engine says how it
//! would answer: SQLite by EXPLAIN QUERY PLAN; PostgreSQL with all whole-table scans made dear, so that one is left only
//! where no index helps. What a plan does not show (an index, and half of it gone through) `growth.rs` counts.

use std::path::Path;

use suanpan_server::store::{Database, Store, StoreError, Tx};

use crate::database;
use crate::units::NEW_YEAR;

/// A few rows each, however long the business runs.
const SMALL: [&str; 5] =
    ["api_key", "operator", "webhook_endpoint", "platform_certificate", "moving"];
/// Indexes that hold what is open, and forget it when it is done: these may be gone through.
const OPEN: [&str; 9] = [
    "due_open",
    "due_ready",
    "due_lane",
    "due_undelivered",
    "attempt_live",
    "shipment_open",
    "archive_file_open",
    "difference_open",
    "refund_request_waiting",
];

/// All texts of the store that read or change rows, each with its file and name.
fn questions() -> Vec<(String, &'static str)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut questions = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        // The two that ask the catalogue, and the table `migration`.
        if path.is_dir() || path.ends_with("migrate.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for constant in source.split("\nconst ").skip(1) {
            let Some((name, text)) = constant.split_once(": &str =") else { continue };
            let text = text.trim_start().strip_prefix('"').unwrap();
            let (text, _) = text.split_once("\";").unwrap();
            let verb = text.split_whitespace().next().unwrap();
            if ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&verb) {
                let file = path.file_name().unwrap().to_string_lossy();
                questions.push((format!("{file} {name}"), &*text.to_owned().leak()));
            }
        }
    }
    questions
}

/// How the engine would answer, a line for each step.
async fn plan(tx: &mut Tx, question: &str) -> Result<Vec<String>, StoreError> {
    let of_sqlite = matches!(tx, Tx::Lite(_));
    if of_sqlite {
        let parameters = (1..).take_while(|number| question.contains(&format!("${number}")));
        let unknown = vec![suanpan_server::store::Val::Null; parameters.count()];
        let explain = format!("EXPLAIN QUERY PLAN {question}").leak();
        let rows = tx.rows(explain, &unknown).await?;
        return rows.iter().map(|row| row.text("detail")).collect();
    }
    // Prepared, and without a look at the arguments: as it is answered on a connection that has answered it before.
    tx.exec("SET LOCAL enable_seqscan = off", &[]).await?;
    tx.exec("SET LOCAL plan_cache_mode = force_generic_plan", &[]).await?;
    let text = question.replace("{skip}", "FOR UPDATE SKIP LOCKED");
    tx.exec(format!("PREPARE question AS {text}").leak(), &[]).await?;
    let parameters = (1..).take_while(|number| question.contains(&format!("${number}"))).count();
    let unknown = vec!["NULL"; parameters].join(", ");
    let given = if parameters == 0 { String::new() } else { format!("({unknown})") };
    let rows = tx.rows(format!("EXPLAIN (COSTS OFF) EXECUTE question{given}").leak(), &[]).await?;
    tx.exec("DEALLOCATE question", &[]).await?;
    rows.iter().map(|row| row.text("QUERY PLAN")).collect()
}

/// The steps of a plan that go through the whole of a table that grows.
fn whole_tables(plan: &[String], of_sqlite: bool) -> Vec<String> {
    let words = |step: &str, names: &[&str]| step.split(' ').any(|word| names.contains(&word));
    let whole = plan.iter().enumerate().filter(|(at, step)| {
        let step = step.trim().trim_start_matches("->").trim_start();
        let through = if of_sqlite {
            // What a question has made itself is no table.
            step.starts_with("SCAN ")
                && !["SCAN pools", "SCAN picked", "SCAN last", "SCAN looked"].contains(&step)
        } else {
            let looked_up =
                plan.get(at.saturating_add(1)).is_some_and(|next| next.contains("Index Cond"));
            let by_index = step.contains(" using ") || step.starts_with("Bitmap Index Scan");
            step.starts_with("Seq Scan") || (by_index && !looked_up)
        };
        through && !words(step, &SMALL) && !words(step, &OPEN)
    });
    whole.map(|(_, step)| step.trim().to_owned()).collect()
}

#[tokio::test]
async fn no_question_goes_through_the_whole_of_a_table_that_grows() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::parse(&database::url(folder.path()), folder.path()).unwrap();
    let of_sqlite = matches!(database, Database::Lite(_));
    let store = Store::open(&database, NEW_YEAR).await.unwrap();
    let questions = questions();
    assert!(100 < questions.len(), "the store's texts are no longer found: {}", questions.len());

    let asked = store.write((questions, of_sqlite), |tx, (questions, of_sqlite)| {
        Box::pin(async move {
            let mut wrong = Vec::new();
            for (name, question) in questions {
                for step in whole_tables(&plan(tx, question).await?, *of_sqlite) {
                    wrong.push(format!("{name}: {step}"));
                }
            }
            Ok(wrong)
        })
    });
    let wrong = asked.await.unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The test itself: it finds a question that has no index.
#[tokio::test]
async fn a_question_without_an_index_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::parse(&database::url(folder.path()), folder.path()).unwrap();
    let store = Store::open(&database, NEW_YEAR).await.unwrap();
    let found = store.write((), |tx, ()| {
        Box::pin(async move {
            let mut found = Vec::new();
            for question in [
                "SELECT id FROM orders WHERE description = $1",
                "SELECT id FROM orders WHERE created_at + 1 < $1 ORDER BY created_at",
                "SELECT id FROM orders WHERE id = $1",
            ] {
                let of_sqlite = matches!(tx, Tx::Lite(_));
                found.push(whole_tables(&plan(tx, question).await?, of_sqlite).len());
            }
            Ok(found)
        })
    });
    assert_eq!(found.await.unwrap(), [1, 1, 0]);
}

/// A connection reads and plans a text once, and not at each payment.
#[tokio::test]
async fn a_text_is_prepared_once_for_a_connection() {
    // SQLite's connections keep 384 of them, so none is ever thrown out.
    assert!(questions().len() < 360);
    let folder = tempfile::tempdir().unwrap();
    let url = database::url(folder.path()).replace("connections=8", "connections=1");
    let database = Database::parse(&url, folder.path()).unwrap();
    if matches!(database, Database::Lite(_)) {
        return;
    }
    let store = Store::open(&database, NEW_YEAR).await.unwrap();
    for _ in 0..20 {
        let asked = store.look((), |tx, ()| {
            Box::pin(async move { tx.rows("SELECT name FROM setting", &[]).await })
        });
        asked.await.unwrap();
    }
    let prepared = store.look((), |tx, ()| {
        Box::pin(async move {
            let count = "SELECT COUNT(*) AS n FROM pg_prepared_statements WHERE statement = 'SELECT name FROM setting'";
            tx.row(count, &[]).await?.unwrap().int("n")
        })
    });
    assert_eq!(prepared.await.unwrap(), 1);
}
