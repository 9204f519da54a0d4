//! Receivers that are down, slow or gone, and what the others notice of it.

use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;

use crate::receiver::{Mood, Receiver};
use crate::shop::{NEW_YEAR, Shop, event};

/// Nobody listens there.
const DEAD: &str = "http://127.0.0.1:1/hook?token=hunter2";

#[tokio::test]
async fn a_receiver_that_is_down_for_a_day_misses_nothing() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(503)).await;
    let endpoint = shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let mut told = Vec::new();
    for reference in ["tea-1", "tea-2", "tea-3"] {
        let order = shop.order(reference).await;
        told.push(shop.happens(&order, "order.paid").await);
        told.push(shop.happens(&order, "order.overpaid").await);
    }

    let up_again = NEW_YEAR + 24 * 60 * 60 * 1_000_000;
    shop.quiet().await;
    while shop.next().await < up_again {
        shop.clock.set(shop.next().await);
        shop.quiet().await;
    }
    let in_vain = receiver.all();
    assert!(20 < in_vain.len(), "{}", in_vain.len());
    // What happened later to an order waits behind what happened first.
    assert!(in_vain.iter().all(|arrival| arrival.body.contains("order.paid")));

    receiver.becomes(Mood::Answers(200));
    shop.clock.set(up_again);
    while 0 < shop.next().await {
        shop.clock.set(shop.next().await);
        shop.quiet().await;
    }
    let delivered = receiver.all();
    assert_eq!((delivered.len(), shop.rows("done").await, shop.rows("dead").await), (6, 6, 0));
    let position: BTreeMap<_, _> =
        delivered.iter().enumerate().map(|(position, arrival)| (arrival.id(), position)).collect();
    for pair in told.chunks(2) {
        assert!(position[&pair[0].id] < position[&pair[1].id]);
    }
    let bytes: BTreeMap<_, _> =
        told.iter().map(|event| (event.id.clone(), event.body.clone())).collect();
    for arrival in in_vain.iter().chain(&delivered) {
        assert_eq!(bytes[&arrival.id()], arrival.body);
        arrival.check_signature(&endpoint.secret);
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up_after_more_than_a_day() {
    let shop = Shop::open().await;
    shop.endpoint(DEAD).await;
    let worker = shop.work();
    let order = shop.order("tea-1").await;
    let event = shop.happens(&order, "order.paid").await;
    shop.quiet().await;
    while 0 < shop.next().await {
        shop.clock.set(shop.next().await);
        shop.quiet().await;
    }
    worker.stop().await;

    assert_eq!((shop.tries(&event).await.len(), shop.rows("dead").await), (12, 1));
    assert_snapshot!(shop.story(&order).await, @r"
    2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1
    2026-01-01 08:00:00 webhook      order.paid → 127.0.0.1: connection refused; try 2 in 5 s
    2026-01-01 08:00:05 webhook      order.paid → 127.0.0.1: connection refused; try 3 in 31 s
    2026-01-01 08:00:36 webhook      order.paid → 127.0.0.1: connection refused; try 4 in 2 min
    2026-01-01 08:02:41 webhook      order.paid → 127.0.0.1: connection refused; try 5 in 10 min
    2026-01-01 08:13:35 webhook      order.paid → 127.0.0.1: connection refused; try 6 in 30 min
    2026-01-01 08:44:17 webhook      order.paid → 127.0.0.1: connection refused; try 7 in 1 h
    2026-01-01 09:49:22 webhook      order.paid → 127.0.0.1: connection refused; try 8 in 2 h
    2026-01-01 11:57:44 webhook      order.paid → 127.0.0.1: connection refused; try 9 in 4 h
    2026-01-01 16:03:35 webhook      order.paid → 127.0.0.1: connection refused; try 10 in 6 h
    2026-01-01 22:19:12 webhook      order.paid → 127.0.0.1: connection refused; try 11 in 8 h
    2026-01-02 06:48:00 webhook      order.paid → 127.0.0.1: connection refused; try 12 in 8 h
    2026-01-02 15:04:56 webhook      order.paid → 127.0.0.1: connection refused; given up after 12 tries
    ");
}

#[tokio::test]
async fn in_order_for_one_order_while_another_goes_on() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Waits).await;
    shop.endpoint(&receiver.url).await;
    let (first, second) = (shop.order("tea-1").await, shop.order("tea-2").await);
    let paid = shop.happens(&first, "order.paid").await;
    let overpaid = shop.happens(&first, "order.overpaid").await;
    let other = shop.happens(&second, "order.paid").await;
    let _worker = shop.work();

    let mut under_way = [receiver.next().await, receiver.next().await];
    under_way.sort_by_key(|arrival| arrival.id());
    let [held, goes_on] = under_way;
    assert_eq!((held.id(), goes_on.id()), (paid.id, other.id));
    goes_on.answer.send(200).unwrap();
    held.answer.send(500).unwrap();
    // The first one is tried again before the second one is tried at all.
    receiver.becomes(Mood::Answers(200));
    shop.quiet().await;
    assert!(receiver.all().is_empty());
    shop.clock.advance(Duration::from_secs(6));
    assert_eq!(receiver.next().await.id(), held.headers["webhook-id"]);
    assert_eq!(receiver.next().await.id(), overpaid.id);
}

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else() {
    let shop = Shop::open().await;
    let mut slow = Receiver::open(Mood::Waits).await;
    let mut quick = Receiver::open(Mood::Answers(200)).await;
    shop.endpoint(&slow.url).await;
    shop.endpoint(&quick.url).await;
    // More than a receiver has hands, and all of the slow one's are due first.
    let events = (0..100).map(|n| event(&format!("evt_{n:03}"), None, "order.paid", NEW_YEAR));
    shop.put(events.collect()).await;
    let worker = shop.work();

    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(slow.next().await);
    }
    for _ in 0..100 {
        quick.next().await;
    }
    shop.done(100).await;
    assert_eq!(shop.held().await, 64, "only so many at a time");

    // As soon as it answers, it gets the rest, and each once.
    slow.becomes(Mood::Answers(200));
    let mut ids: Vec<_> = held.iter().map(|arrival| arrival.id()).collect();
    held.into_iter().for_each(|arrival| arrival.answer.send(200).unwrap());
    for _ in 64..100 {
        ids.push(slow.next().await.id());
    }
    shop.quiet().await;
    worker.stop().await;
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), shop.rows("done").await), (100, 200));
}
