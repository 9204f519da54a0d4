//! Two workers, a worker that dies, a worker that is too slow: each event counts once.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::receiver::{Mood, Receiver};
use crate::shop::{NEW_YEAR, OPEN, Shop, event};

#[tokio::test]
async fn two_nodes_on_one_database_deliver_each_event_once() {
    let one = Shop::open().await;
    let two = one.node(OPEN, 2).await.unwrap();
    let mut receiver = Receiver::open(Mood::Answers(200)).await;
    one.endpoint(&receiver.url).await;
    let workers = [one.work(), two.work()];
    for round in 0..5 {
        let id = |n| format!("evt_{round}_{n:02}");
        let events = (0..20).map(|n| event(&id(n), None, "order.paid", NEW_YEAR));
        if round % 2 == 0 { &one } else { &two }.put(events.collect()).await;
        // The other one has not seen the commit, but looks once a second.
        one.clock.advance(Duration::from_secs(1));
    }
    // Whoever stores the last one sees that it was the last.
    tokio::select! { () = one.quiet() => {}, () = two.quiet() => {} }
    for worker in workers {
        worker.stop().await;
    }

    let ids: Vec<_> = receiver.all().iter().map(|arrival| arrival.id()).collect();
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (100, 100));
    assert_eq!(one.rows("done").await, 100);
}

#[tokio::test]
async fn a_worker_that_dies_is_replaced_when_its_lease_ends() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Waits).await;
    shop.endpoint(&receiver.url).await;
    let order = shop.order("tea-1").await;
    let event = shop.happens(&order, "order.paid").await;
    let worker = shop.work();
    let lost = receiver.next().await;
    worker.kill().await;

    let worker = shop.work();
    receiver.becomes(Mood::Answers(200));
    shop.clock.advance(Duration::from_secs(59));
    // Whatever else is due is done meanwhile; the row of the dead is not taken before its time.
    let other = shop.happens(&shop.order("tea-2").await, "order.paid").await;
    assert_eq!(receiver.next().await.id(), other.id);
    shop.clock.advance(Duration::from_secs(1));
    let again = receiver.next().await;
    shop.quiet().await;
    worker.stop().await;

    assert_eq!((again.id(), &again.body), (lost.id(), &lost.body));
    assert_eq!(shop.tries(&event).await.len(), 1, "the dead tell nothing");
}

#[tokio::test]
async fn who_lost_the_lease_writes_nothing() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Waits).await;
    shop.endpoint(&receiver.url).await;
    let order = shop.order("tea-1").await;
    let event = shop.happens(&order, "order.paid").await;
    let worker = shop.work();
    let late = receiver.next().await;
    shop.clock.advance(Duration::from_secs(60));
    let second = receiver.next().await;

    // Both end, the late one with bad news that nobody wants any more.
    second.answer.send(200).unwrap();
    shop.quiet().await;
    late.answer.send(500).unwrap();
    worker.stop().await;

    let tries = shop.tries(&event).await;
    assert_eq!(tries.iter().map(|tried| tried.status).collect::<Vec<_>>(), [Some(200)]);
    assert_eq!(shop.story(&order).await.matches("webhook").count(), 1);
    assert_eq!((shop.rows("done").await, shop.rows("ready").await), (1, 0));
}
