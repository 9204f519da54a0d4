//! `Idempotency-Key`: the same again is done once and answered the same.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::backend::Backend;

fn tea(amount: i64) -> String {
    json!({ "reference": "tea-1", "amount": amount, "description": "tea" }).to_string()
}

#[tokio::test]
async fn the_same_again_is_answered_the_same() {
    let backend = Backend::start().await;
    let first = backend.post_once("/v1/orders", "key-1", &tea(990)).await;
    let again = backend.post_once("/v1/orders", "key-1", &tea(990)).await;
    assert_eq!((first.status, first.replayed), (201, false));
    assert_eq!((again.status, again.replayed, &again.text), (201, true, &first.text));

    backend
        .post_once("/v1/orders", "key-1", &tea(991))
        .await
        .is_problem(409, "SP-IDEMPOTENCY-REUSED");
    let id = first.json["id"].as_str().unwrap();
    let path = format!("/v1/orders/{id}/close");
    backend.post_once(&path, "key-1", &tea(990)).await.is_problem(409, "SP-IDEMPOTENCY-REUSED");
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let backend = Backend::start().await;
    backend.post_once("/v1/orders", "key-1", &tea(0)).await.is_problem(422, "SP-REQUEST-FIELD");
    assert_eq!(backend.post_once("/v1/orders", "key-1", &tea(990)).await.status, 201);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let backend = Backend::start().await;
    assert_eq!(backend.post_once("/v1/orders", "key-1", &tea(990)).await.status, 201);
    backend.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    backend.post_once("/v1/orders", "key-1", &tea(990)).await.is_problem(409, "SP-REFERENCE-TAKEN");
}

#[tokio::test]
async fn many_at_the_same_time_make_one_order() {
    let backend = Backend::start().await;
    let (path, body) = ("/v1/orders", tea(990));
    let answers = join_all((0..20).map(|_| backend.post_once(path, "key-1", &body))).await;
    let made = answers.iter().filter(|answer| answer.status == 201 && !answer.replayed).count();
    assert_eq!(made, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.is_problem(409, "SP-IDEMPOTENCY-RUNNING");
    }
    let orders = backend.get("/v1/orders").await.json["data"].clone();
    assert_eq!(orders.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_is_a_short_visible_text() {
    let backend = Backend::start().await;
    for bad in ["", "with space", &"k".repeat(256)] {
        let answer = backend.post_once("/v1/orders", bad, &tea(990)).await;
        answer.is_problem(422, "SP-REQUEST-FIELD");
    }
}
