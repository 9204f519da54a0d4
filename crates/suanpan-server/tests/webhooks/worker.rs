//! The worker itself: how it stops, and that nothing stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use suanpan_ledger::AttemptState;
use suanpan_server::ids::OrderId;
use suanpan_server::order::Attempt;
use suanpan_server::outside::{Dice, SeededDice};
use suanpan_server::store::NewDue;

use crate::receiver::{Mood, Receiver};
use crate::shop::{NEW_YEAR, Shop};

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way_and_begins_nothing() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Waits).await;
    shop.endpoint(&receiver.url).await;
    let worker = shop.work();
    let order = shop.order("tea-1").await;
    let first = shop.happens(&order, "order.paid").await;
    let arrival = receiver.next().await;

    let stopping = tokio::spawn(worker.stop());
    // The signal is given before this runs: both share one thread.
    tokio::task::yield_now().await;
    let second = shop.happens(&shop.order("tea-2").await, "order.paid").await;
    arrival.answer.send(200).unwrap();
    stopping.await.unwrap();

    assert_eq!((shop.tries(&first).await.len(), shop.tries(&second).await.len()), (1, 0));
    assert_eq!((shop.rows("done").await, shop.rows("ready").await), (1, 1));
}

#[tokio::test]
async fn what_became_due_while_nobody_worked_is_done_at_the_start() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(200)).await;
    shop.endpoint(&receiver.url).await;
    let event = shop.happens(&shop.order("tea-1").await, "order.paid").await;
    shop.clock.advance(Duration::from_secs(3600));
    let _worker = shop.work();
    assert_eq!(receiver.next().await.id(), event.id);
}

/// Dice that fall off the table once, when told to.
#[derive(Debug)]
struct Clumsy {
    dice: SeededDice,
    falls: AtomicBool,
}

impl Dice for Clumsy {
    fn fill(&self, bytes: &mut [u8]) {
        self.dice.fill(bytes);
    }

    fn below(&self, limit: i64) -> i64 {
        assert!(!self.falls.swap(false, Ordering::SeqCst), "the dice fell off the table");
        self.dice.below(limit)
    }
}

#[tokio::test]
async fn a_panic_is_one_failed_try() {
    let dice = Arc::new(Clumsy { dice: SeededDice::new(1), falls: AtomicBool::new(false) });
    let shop = Shop::open_at(NEW_YEAR, dice.clone()).await;
    let mut receiver = Receiver::open(Mood::Answers(500)).await;
    shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    dice.falls.store(true, Ordering::SeqCst);
    let event = shop.happens(&shop.order("tea-1").await, "order.paid").await;
    receiver.next().await;
    shop.quiet().await;
    assert!(!dice.falls.load(Ordering::SeqCst));
    assert!(shop.tries(&event).await.is_empty(), "what it knew went with it");

    receiver.becomes(Mood::Answers(200));
    shop.clock.advance(Duration::from_secs(6));
    assert_eq!(receiver.next().await.id(), event.id);
    shop.quiet().await;
    assert_eq!(shop.rows("done").await, 1);
}

async fn put(shop: &Shop, kind: &'static str, body: String, order: Option<OrderId>) {
    let put = shop.world.store().write((body, order), move |tx, (body, order)| {
        Box::pin(async move {
            tx.due_put(&NewDue {
                id: "due_1",
                kind,
                key: "key",
                pool: kind,
                lane: None,
                body,
                order_id: order.as_ref().map(OrderId::as_str),
                due_at: NEW_YEAR,
                created_at: NEW_YEAR,
            })
            .await
        })
    });
    assert!(put.await.unwrap());
}

#[tokio::test]
async fn work_of_an_unknown_kind_is_left_to_whoever_knows_it() {
    let shop = Shop::open().await;
    let _worker = shop.work();
    put(&shop, "tea", "{}".to_owned(), None).await;
    for minute in 1..=30 {
        shop.quiet().await;
        assert_eq!(shop.next().await, NEW_YEAR + minute * 60_000_000);
        shop.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(shop.rows("ready").await, 1);
}

#[tokio::test]
async fn a_query_of_an_attempt_that_is_gone_is_done() {
    let shop = Shop::open().await;
    let _worker = shop.work();
    put(&shop, "query", r#"{"attempt_id":"att_1"}"#.to_owned(), None).await;
    shop.quiet().await;
    assert_eq!(shop.rows("done").await, 1);
}

#[tokio::test]
async fn a_query_in_doubt_is_asked_again_for_as_long_as_it_takes() {
    let shop = Shop::open().await;
    let _worker = shop.work();
    let order = shop.order("tea-1").await;
    let attempt = Attempt {
        id: "att_1".to_owned(),
        order_id: order.clone(),
        mchid: "1900000109".parse().unwrap(),
        appid: "wx2421b1c4370ec43b".parse().unwrap(),
        out_trade_no: "SP20260101000001".parse().unwrap(),
        openid: None,
        partner: None,
        fingerprint: String::new(),
        request: "<xml></xml>".to_owned(),
        state: AttemptState::Created,
        prepay_id: None,
        prepay_at: None,
        transaction_id: None,
        request_id: None,
        created_at: NEW_YEAR,
        version: 0,
    };
    let placed = shop
        .world
        .store()
        .write(attempt, |tx, attempt| Box::pin(async move { tx.attempt_put(attempt).await }));
    placed.await.unwrap();
    // Nobody answers where WeChat should be.
    put(&shop, "query", r#"{"attempt_id":"att_1"}"#.to_owned(), Some(order.clone())).await;
    shop.quiet().await;
    for _ in 0..20 {
        shop.clock.set(shop.next().await);
        shop.quiet().await;
    }
    assert_eq!((shop.rows("ready").await, shop.rows("dead").await), (1, 0));
    let week = 7 * 24 * 60 * 60 * 1_000_000;
    assert!(NEW_YEAR + week < shop.next().await, "and rarely: daily, in the end");
}
