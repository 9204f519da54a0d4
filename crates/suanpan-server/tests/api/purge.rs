//! What is of no use any more is deleted, and nothing else.

use std::time::Duration;

use serde_json::json;

use crate::backend::Backend;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The rows of all tables that are purged: keys, links, sessions, secrets, notifications.
const ROWS: &str = "SELECT (SELECT COUNT(*) FROM idempotency) * 10000
    + (SELECT COUNT(*) FROM console_link) * 1000 + (SELECT COUNT(*) FROM console_session) * 100
    + (SELECT COUNT(*) FROM webhook_old_secret) * 10 + (SELECT COUNT(*) FROM inbox) AS n";

#[tokio::test]
async fn what_is_of_no_use_any_more_is_deleted() {
    let backend = Backend::start_with("[webhooks]\nallow_private_networks = true").await;
    let tea = json!({ "reference": "tea-1", "amount": 990, "description": "tea" }).to_string();
    backend.post_once("/v1/orders", "key-1", &tea).await;
    let hook = json!({ "url": "http://127.0.0.1:9/hook" }).to_string();
    let made = backend.post("/v1/webhook-endpoints", &hook).await;
    let rotate =
        format!("/v1/webhook-endpoints/{}/rotate-secret", made.json["id"].as_str().unwrap());
    backend.post(&rotate, "").await;
    // Both end an hour after the new year.
    backend.sql(LINK).await;
    backend.sql(SESSION).await;
    for _ in 0..3 {
        let notice = "<xml><return_code>SUCCESS</return_code></xml>";
        backend.post("/wechat/notify/1900000109", notice).await;
    }
    // One stays refused.
    backend.sql("UPDATE inbox SET verdict = 'known' WHERE id = (SELECT MIN(id) FROM inbox)").await;
    backend
        .sql("UPDATE inbox SET verdict = 'unmatched' WHERE id = (SELECT MAX(id) FROM inbox)")
        .await;
    assert_eq!(backend.count(ROWS).await, 11_113);

    backend.clock.advance(DAY);
    backend.until(PURGED_AGAIN, 0).await;
    assert_eq!(backend.count(ROWS).await, 11_113, "a day is not over until it is over");
    backend.clock.advance(2 * HOUR);
    backend.until(ROWS, 13).await;
    // The replaced secret signed for a day, and can be asked for by its key for another.
    backend.clock.advance(DAY);
    backend.until(ROWS, 3).await;
    // Anybody can have posted what was refused.
    backend.clock.advance(6 * DAY);
    backend.until(ROWS, 2).await;
    backend.clock.advance(400 * DAY);
    backend.until(ROWS, 1).await;
    assert_eq!(
        backend.count("SELECT COUNT(*) AS n FROM inbox WHERE verdict = 'unmatched'").await,
        1
    );
    assert_eq!(backend.count("SELECT COUNT(*) AS n FROM orders").await, 1);
}

const LINK: &str =
    "INSERT INTO console_link (hash, created_at, expires_at) VALUES ('a', 0, 1767229200000000)";
const SESSION: &str =
    "INSERT INTO console_session (hash, created_at, expires_at) VALUES ('b', 0, 1767229200000000)";

/// Whether the purge of the second day still has to be done.
const PURGED_AGAIN: &str = "SELECT CASE WHEN due_at <= 1767312000000000 THEN 1 ELSE 0 END AS n
    FROM due WHERE kind = 'purge'";

/// Deliveries to an endpoint in each state, with a try each; other work that is done; and a try of long ago.
const WORK: &str = "INSERT INTO due (id, kind, key, pool, body, state, due_at, created_at)
    VALUES ('due_1', 'webhook', 'webhook:evt_1:whe_1', 'webhook:whe_1', '{}', 'done', 0, 1767225600000000),
        ('due_2', 'webhook', 'webhook:evt_2:whe_1', 'webhook:whe_1', '{}', 'dead', 0, 1767225600000000),
        ('due_3', 'webhook', 'webhook:evt_3:whe_1', 'webhook:whe_1', '{}', 'ready', 9000000000000000, 1767225600000000),
        ('due_4', 'query', 'query:att_1', 'query', '{}', 'done', 0, 1767225600000000)";
const TRIES: &str =
    "INSERT INTO delivery_attempt (id, event_id, endpoint_id, at, latency_micros, due_id)
    VALUES ('dlv_1', 'evt_1', 'whe_1', 0, 1, 'due_1'), ('dlv_2', 'evt_2', 'whe_1', 0, 1, 'due_2'),
        ('dlv_3', 'evt_3', 'whe_1', 0, 1, 'due_3'), ('dlv_4', 'evt_1', 'whe_1', 0, 1, 'due_1')";
const LEFT: &str = "SELECT (SELECT COUNT(*) FROM delivery_attempt) * 10
    + (SELECT COUNT(*) FROM due WHERE kind <> 'purge') AS n";

#[tokio::test]
async fn work_that_is_done_is_deleted_with_its_tries_and_the_rest_stays() {
    let backend = Backend::start().await;
    backend.sql(WORK).await;
    backend.sql(TRIES).await;
    backend.clock.advance(90 * DAY);
    backend.until(PURGED_LATE, 0).await;
    assert_eq!(backend.count(LEFT).await, 44, "90 days are not over until they are over");
    backend.clock.advance(2 * HOUR);
    backend.until(LEFT, 22).await;
    let left = "SELECT COUNT(*) AS n FROM due WHERE id IN ('due_2', 'due_3') AND state <> 'done'";
    assert_eq!(backend.count(left).await, 2);
}

/// Whether the purge of the ninetieth day still has to be done.
const PURGED_LATE: &str = "SELECT CASE WHEN due_at <= 1775001600000000 THEN 1 ELSE 0 END AS n
    FROM due WHERE kind = 'purge'";
