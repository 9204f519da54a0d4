//! `Idempotency-Key`: the same again is done once and answered the same.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use suanpan_server::store::{Asked, Once, Taken};

use crate::backend::{Backend, NEW_YEAR};
use crate::cable::Cable;

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

/// The seam between effect and answer: the effect is durable, and then nothing more is written, as when the process
/// is killed there.
async fn cut(backend: &Backend) {
    // One answer may be stored, and is: both engines refuse the second one.
    let the_one = "INSERT INTO idempotency (api_key_id, key, fingerprint, status, created_at)
        VALUES ('cut', 'cut', 'cut', 0, 9000000000000000)";
    backend.sql(the_one).await;
    let no_other = "CREATE UNIQUE INDEX cut ON idempotency ((status IS NOT NULL))
        WHERE status IS NOT NULL";
    backend.sql(no_other).await;
}

async fn mend(backend: &Backend) {
    backend.sql("DROP INDEX cut").await;
    backend.sql("DELETE FROM idempotency WHERE key = 'cut'").await;
}

#[tokio::test]
async fn who_dies_before_the_answer_leaves_one_order() {
    let backend = Backend::start().await;
    cut(&backend).await;
    assert_eq!(backend.post_once("/v1/orders", "key-1", &tea(990)).await.status, 500);
    mend(&backend).await;
    // Nobody knows yet that it died.
    let early = backend.post_once("/v1/orders", "key-1", &tea(990)).await;
    early.is_problem(409, "SP-IDEMPOTENCY-RUNNING");

    backend.clock.advance(Duration::from_secs(60));
    let again = backend.post_once("/v1/orders", "key-1", &tea(990)).await;
    assert_eq!(again.status, 201, "{}", again.text);
    let orders = backend.get("/v1/orders").await.json["data"].clone();
    assert_eq!(orders, json!([again.json]));
    let third = backend.post_once("/v1/orders", "key-1", &tea(990)).await;
    assert_eq!((third.replayed, third.text), (true, again.text));
}

#[tokio::test]
async fn a_key_is_free_as_soon_as_a_database_that_went_away_is_back() {
    let Some(cable) = Cable::lay().await else { return };
    let change = |config: &mut suanpan_server::Config| {
        config.database.url = cable.through(&config.database.url);
    };
    let backend = Backend::start_changed("", change).await;
    let other = json!({ "reference": "tea-0", "amount": 990, "description": "tea" });
    assert_eq!(backend.post_once("/v1/orders", "key-0", &other.to_string()).await.status, 201);

    cable.wear();
    let away = backend.post_once("/v1/orders", "key-1", &tea(990)).await;
    assert_eq!(away.status, 503, "{}", away.text);
    cable.mend();
    // Not for the minute that the key of a dead process is held.
    for _ in 0..30 {
        backend.clock.advance(Duration::from_secs(1));
        let again = backend.post_once("/v1/orders", "key-1", &tea(990)).await;
        if again.status == 201 {
            let orders = backend.get("/v1/orders").await.json["data"].clone();
            assert_eq!(orders.as_array().unwrap().len(), 2);
            return;
        }
        assert!(matches!(again.status, 409 | 503), "{}", again.text);
    }
    panic!("the key is still held");
}

const LOCAL: &str = "[webhooks]\nallow_private_networks = true";

#[tokio::test]
async fn a_secret_is_answered_again_and_kept_nowhere_under_its_key() {
    let backend = Backend::start_with(LOCAL).await;
    let (path, body) = ("/v1/webhook-endpoints", json!({ "url": "http://127.0.0.1:9/a" }));
    let first = backend.post_once(path, "key-1", &body.to_string()).await;
    let rotate = format!("{path}/{}/rotate-secret", first.json["id"].as_str().unwrap());
    let second = backend.post_once(&rotate, "key-2", "").await;
    let third = backend.post_once(&rotate, "key-3", "").await;
    assert_ne!(second.json["secret"], third.json["secret"]);

    for (path, key, body, made) in [
        (path, "key-1", body.to_string(), &first),
        (&rotate, "key-2", String::new(), &second),
        (&rotate, "key-3", String::new(), &third),
    ] {
        let again = backend.post_once(path, key, &body).await;
        assert_eq!((again.status, again.replayed, &again.text), (made.status, true, &made.text));
    }
    let kept =
        "SELECT COUNT(*) AS n FROM idempotency WHERE body IS NOT NULL OR effect LIKE '%whsec%'";
    assert_eq!(backend.count(kept).await, 0);
}

#[tokio::test]
async fn who_dies_before_the_answer_leaves_one_endpoint_and_one_rotation() {
    let backend = Backend::start_with(LOCAL).await;
    let (path, body) = ("/v1/webhook-endpoints", json!({ "url": "http://127.0.0.1:9/a" }));
    cut(&backend).await;
    assert_eq!(backend.post_once(path, "key-1", &body.to_string()).await.status, 500);
    let made = backend.get(path).await.json["data"][0].clone();
    let rotate = format!("{path}/{}/rotate-secret", made["id"].as_str().unwrap());
    assert_eq!(backend.post_once(&rotate, "key-2", "").await.status, 500);
    mend(&backend).await;

    backend.clock.advance(Duration::from_secs(60));
    let rotated = backend.post_once(&rotate, "key-2", "").await;
    assert_eq!((rotated.status, &rotated.json["id"]), (200, &made["id"]));
    let again = backend.post_once(path, "key-1", &body.to_string()).await;
    assert_eq!((again.status, &again.json["id"]), (201, &made["id"]));
    assert_ne!(again.json["secret"], rotated.json["secret"]);
    assert_eq!(backend.count("SELECT COUNT(*) AS n FROM webhook_endpoint").await, 1);
    assert_eq!(backend.count("SELECT COUNT(*) AS n FROM webhook_old_secret").await, 1);
}

/// A request that hangs past its lease wakes up after another one has taken its key.
#[tokio::test]
async fn who_has_lost_the_key_makes_nothing_and_answers_nothing() {
    let backend = Backend::start().await;
    let store = backend.world.store();
    let asked = |owner: &str, now: i64| Asked {
        api_key_id: "key_1".to_owned(),
        key: "key-1".to_owned(),
        fingerprint: "f".to_owned(),
        owner: owner.to_owned(),
        now: NEW_YEAR + now,
        lease_until: NEW_YEAR + now + 60,
        forgotten: 0,
    };
    let take = async |asked| {
        let taken = store.write(asked, |tx, asked| Box::pin(tx.idempotency_take(asked)));
        taken.await.unwrap()
    };
    let Taken::Ours(slow) = take(asked("slow", 0)).await else { panic!("a free key") };
    assert!(matches!(take(asked("early", 59)).await, Taken::Running));
    let Taken::Ours(next) = take(asked("next", 60)).await else {
        panic!("a key that is free again")
    };

    let makes = async |once: &Once, effect: &'static str| {
        let made = store.write(once.clone(), move |tx, once| Box::pin(tx.made(once, effect)));
        made.await.map_err(|error| error.code())
    };
    let answers = async |once: &Once, body: &'static str| {
        let kept = store.write(once.clone(), move |tx, once| {
            Box::pin(tx.idempotency_answer(once, 201, Some(body)))
        });
        kept.await.unwrap();
    };
    assert_eq!(makes(&slow, "ord_slow").await, Err("SP-STORE-STALE"));
    answers(&slow, "slow").await;
    assert_eq!(makes(&next, "ord_next").await, Ok(()));
    answers(&next, "next").await;
    let Taken::Answered(201, body) = take(asked("third", 61)).await else { panic!("an answer") };
    assert_eq!(body, "next");
}
