//! What a receiver gets, and what is kept of it.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use standardwebhooks::Webhook;
use suanpan_server::flow::endpoints::{create_endpoint, delete_endpoint, rotate_secret};
use suanpan_server::outside::{Clock, SeededDice, SystemClock};
use suanpan_server::store::Once;

use crate::receiver::{Mood, Receiver};
use crate::shop::{OPEN, Shop};

#[tokio::test]
async fn a_foreign_library_verifies_what_comes() {
    // Verified with its own look at the time, so the world's clock shows the machine's.
    let now = SystemClock::new().now_micros();
    let shop = Shop::open_at(now, Arc::new(SeededDice::new(1))).await;
    let mut receiver = Receiver::open(Mood::Answers(204)).await;
    let endpoint = shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let event = shop.happens(&shop.order("tea-1").await, "order.paid").await;

    let arrival = receiver.next().await;
    let webhook = Webhook::new(&endpoint.secret).unwrap();
    webhook.verify(arrival.body.as_bytes(), &arrival.headers).unwrap();
    assert_eq!((arrival.id(), arrival.body), (event.id, event.body));
}

#[tokio::test]
async fn the_headers_are_those_of_standard_webhooks() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(200)).await;
    let endpoint = shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    shop.happens(&shop.order("tea-1").await, "order.paid").await;

    let arrival = receiver.next().await;
    arrival.check_signature(&endpoint.secret);
    let mut lines: Vec<_> = arrival.headers.keys().map(|name| name.as_str()).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "accept",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "webhook-id",
            "webhook-signature",
            "webhook-timestamp"
        ]
    );
    assert_eq!(arrival.header("content-type"), "application/json");
    assert_eq!(arrival.header("user-agent"), concat!("suanpan/", env!("CARGO_PKG_VERSION")));
    assert_eq!(arrival.header("webhook-timestamp"), "1767225600");
}

#[tokio::test]
async fn every_try_is_kept_and_told() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(503)).await;
    let mut elsewhere = Receiver::open(Mood::Answers(200)).await;
    let endpoint = shop.endpoint(&receiver.url).await;
    let worker = shop.work();
    let order = shop.order("tea-1").await;
    let event = shop.happens(&order, "order.paid").await;
    shop.quiet().await;

    for mood in [Mood::Redirects(elsewhere.url.clone()), Mood::Answers(404), Mood::Answers(200)] {
        receiver.becomes(mood);
        shop.clock.set(shop.next().await);
        shop.quiet().await;
    }
    worker.stop().await;

    assert_snapshot!(shop.story(&order).await, @r"
    2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1
    2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1: answered 503; try 2 in 5 s
    2026-01-01 08:00:05 webhook      order.paid → 127.0.0.1: answered 302; redirects are not followed; try 3 in 31 s
    2026-01-01 08:00:36 webhook      order.paid → 127.0.0.1: answered 404; try 4 in 2 min
    2026-01-01 08:02:41 webhook      order.paid → 127.0.0.1 200, 0 ms
    ");
    let tries = shop.tries(&event).await;
    let lines = tries.iter().map(|tried| {
        let problem = tried.problem.as_deref().unwrap_or("-");
        format!("{:?} in {} µs: {problem}", tried.status, tried.latency_micros)
    });
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    Some(503) in 0 µs: answered 503
    Some(302) in 0 µs: answered 302; redirects are not followed
    Some(404) in 0 µs: answered 404
    Some(200) in 0 µs: -
    ");
    assert!(tries.iter().all(|tried| tried.endpoint_id == endpoint.id));

    // The same id and bytes each time, signed anew; and nothing behind the redirect.
    let arrivals = receiver.all();
    assert_eq!(arrivals.len(), 4);
    for arrival in &arrivals {
        arrival.check_signature(&endpoint.secret);
        assert_eq!((&arrival.id(), &arrival.body), (&event.id, &event.body));
    }
    assert!(elsewhere.all().is_empty());
}

#[tokio::test]
async fn how_long_it_took_is_told() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Waits).await;
    shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let order = shop.order("tea-1").await;
    let event = shop.happens(&order, "order.paid").await;
    let arrival = receiver.next().await;
    shop.clock.advance(Duration::from_micros(4999));
    arrival.answer.send(201).unwrap();
    shop.quiet().await;
    assert_eq!(shop.tries(&event).await[0].latency_micros, 4999);
    let story = shop.story(&order).await;
    assert!(story.ends_with("webhook      order.paid → 127.0.0.1 201, 4 ms\n"), "{story}");
}

/// The one wait that is real: a socket knows no other clock.
#[tokio::test]
async fn a_receiver_that_takes_too_long_is_a_failed_try() {
    let shop = Shop::open_with(&format!("{OPEN}\ntimeout_seconds = 1")).await.unwrap();
    let mut receiver = Receiver::open(Mood::Waits).await;
    shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let event = shop.happens(&shop.order("tea-1").await, "order.paid").await;
    let _held = receiver.next().await;
    shop.quiet().await;
    let tries = shop.tries(&event).await;
    assert_eq!((tries[0].status, tries[0].problem.as_deref()), (None, Some("no answer in time")));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    // Long before the time-out.
    let shop = Shop::open_with(&format!("{OPEN}\ntimeout_seconds = 50")).await.unwrap();
    let mut receiver = Receiver::open(Mood::Babbles).await;
    shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let event = shop.happens(&shop.order("tea-1").await, "order.paid").await;
    receiver.next().await;
    shop.quiet().await;
    assert_eq!(shop.tries(&event).await[0].status, Some(200));
}

#[tokio::test]
async fn only_who_wants_an_event_gets_it() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(200)).await;
    let events = Some(vec!["order.closed".to_owned()]);
    create_endpoint(&shop.world, &receiver.url, events, &Once::default()).await.unwrap();
    let _worker = shop.work();
    let order = shop.order("tea-1").await;
    shop.happens(&order, "order.paid").await;
    let closed = shop.happens(&order, "order.closed").await;
    shop.quiet().await;
    assert_eq!(receiver.next().await.id(), closed.id);
    assert!(receiver.all().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_not_called() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(500)).await;
    let endpoint = shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let event = shop.happens(&shop.order("tea-1").await, "order.paid").await;
    shop.quiet().await;
    delete_endpoint(&shop.world, &endpoint.id, &Once::default()).await.unwrap();
    shop.clock.advance(Duration::from_secs(60));
    shop.quiet().await;

    assert_eq!((receiver.all().len(), shop.tries(&event).await.len()), (1, 1));
    assert_eq!(shop.rows("done").await, 1);
}

/// Both keys verify for a day, then only the new one; a key that leaked is cut off at once.
#[tokio::test]
async fn an_old_key_signs_beside_the_new_one_for_a_day() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(200)).await;
    let made = shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let order = shop.order("tea-1").await;
    let rotate = async |overlap| {
        rotate_secret(&shop.world, &made.id, overlap, &Once::default()).await.unwrap().secret
    };
    let second = rotate(None).await;
    assert_ne!(made.secret, second);
    shop.happens(&order, "order.paid").await;
    receiver.next().await.check_signatures(&[&second, &made.secret]);
    // A day is longer than a lease: what is not noted as done by then goes out again.
    shop.done(1).await;

    shop.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    shop.happens(&order, "order.paid").await;
    receiver.next().await.check_signatures(&[&second, &made.secret]);
    shop.done(2).await;
    shop.clock.advance(Duration::from_secs(1));
    shop.happens(&order, "order.paid").await;
    receiver.next().await.check_signatures(&[&second]);

    let third = rotate(Some(60)).await;
    shop.happens(&order, "order.paid").await;
    receiver.next().await.check_signatures(&[&third, &second]);
    let fourth = rotate(Some(0)).await;
    shop.happens(&order, "order.paid").await;
    receiver.next().await.check_signatures(&[&fourth]);

    let too_long = rotate_secret(&shop.world, &made.id, Some(604_801), &Once::default()).await;
    assert_eq!(too_long.unwrap_err().code(), "SP-REQUEST-FIELD");
}
