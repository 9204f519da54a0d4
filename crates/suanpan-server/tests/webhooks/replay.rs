//! Events once more: by hand, after an outage, and after an endpoint said that it was gone.

use std::time::Duration;

use suanpan_server::flow::endpoints::{enable_endpoint, find_endpoint};
use suanpan_server::flow::replay::{Replayed, find_event, replay_event, replay_failed, test};
use suanpan_server::store::{DeliveryStanding, Event, Once};
use suanpan_server::vals;

use crate::receiver::{Mood, Receiver};
use crate::shop::{NEW_YEAR, Shop, event};

const HOUR: Duration = Duration::from_secs(60 * 60);

impl Shop {
    async fn replays(&self, event: &Event, endpoint: Option<&str>) -> (i64, i64) {
        let replayed = replay_event(&self.world, &event.id, endpoint, &Once::default()).await;
        numbers(replayed.unwrap())
    }

    /// How the deliveries of an event stand.
    async fn standings(&self, event: &Event) -> Vec<&'static str> {
        let (_, deliveries) = find_event(&self.world, &event.id).await.unwrap();
        let word = |standing| match standing {
            DeliveryStanding::Pending(_) => "pending",
            DeliveryStanding::Delivered => "delivered",
            DeliveryStanding::Failed => "failed",
        };
        deliveries.into_iter().map(|delivery| word(delivery.standing)).collect()
    }

    /// Goes from try to try until nothing is left to do.
    async fn plays_out(&self) {
        self.quiet().await;
        while 0 < self.next().await {
            self.clock.set(self.next().await);
            self.quiet().await;
        }
    }
}

const fn numbers(replayed: Replayed) -> (i64, i64) {
    (replayed.deliveries, replayed.hastened)
}

#[tokio::test]
async fn an_event_is_delivered_once_more_with_the_same_id_and_bytes() {
    let shop = Shop::open().await;
    let mut first = Receiver::open(Mood::Answers(200)).await;
    let mut second = Receiver::open(Mood::Answers(200)).await;
    shop.endpoint(&first.url).await;
    let to_second = shop.endpoint(&second.url).await;
    let _worker = shop.work();
    let event = shop.happens(&shop.order("tea-1").await, "order.paid").await;
    let was = [first.next().await, second.next().await];
    shop.quiet().await;

    shop.clock.advance(HOUR);
    assert_eq!(shop.replays(&event, None).await, (2, 0));
    for (arrival, before) in [first.next().await, second.next().await].iter().zip(&was) {
        assert_eq!((arrival.id(), &arrival.body), (event.id.clone(), &before.body));
        // Only the time of the try is new, and with it the signature.
        assert_ne!(arrival.header("webhook-timestamp"), before.header("webhook-timestamp"));
    }
    shop.quiet().await;
    assert_eq!(shop.replays(&event, Some(&to_second.id)).await, (1, 0));
    second.next().await;
    shop.quiet().await;
    assert!(first.all().is_empty());
    assert_eq!(shop.standings(&event).await, ["delivered"; 5]);
    assert_eq!(shop.tries(&event).await.len(), 5);
}

#[tokio::test]
async fn what_was_given_up_is_delivered_in_order_when_the_receiver_is_back() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(500)).await;
    let endpoint = shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let order = shop.order("tea-1").await;
    let paid = shop.happens(&order, "order.paid").await;
    shop.plays_out().await;
    let refunded = shop.happens(&order, "refund.succeeded").await;
    shop.plays_out().await;
    assert_eq!(shop.rows("dead").await, 2);
    let waits = shop.happens(&order, "refund.closed").await;
    shop.quiet().await;
    receiver.all();

    receiver.becomes(Mood::Answers(200));
    let since = paid.created_at + 1;
    let replayed = replay_failed(&shop.world, &endpoint.id, since, &Once::default()).await.unwrap();
    assert_eq!((numbers(replayed), replayed.more), ((1, 1), false));
    for event in [&refunded, &waits] {
        let arrival = receiver.next().await;
        assert_eq!((&arrival.id(), &arrival.body), (&event.id, &event.body));
    }
    shop.quiet().await;
    assert_eq!((shop.rows("dead").await, shop.rows("ready").await), (1, 0));
    assert_eq!(shop.standings(&refunded).await, ["failed", "delivered"]);

    // Nobody has taken the first one yet; and then nothing is left.
    for left in [(1, 0), (0, 0)] {
        let replayed = replay_failed(&shop.world, &endpoint.id, NEW_YEAR, &Once::default()).await;
        assert_eq!(numbers(replayed.unwrap()), left);
        shop.quiet().await;
    }
    assert_eq!(receiver.next().await.id(), paid.id);
}

#[tokio::test]
async fn what_waits_for_its_next_try_is_tried_at_once() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(500)).await;
    shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let order = shop.order("tea-1").await;
    let paid = shop.happens(&order, "order.paid").await;
    let later = shop.happens(&order, "refund.succeeded").await;
    shop.quiet().await;
    assert_eq!(receiver.all().len(), 1);

    receiver.becomes(Mood::Answers(200));
    // The later one waits behind the first, so that one goes out before it.
    assert_eq!(shop.replays(&later, None).await, (0, 1));
    assert_eq!(receiver.next().await.id(), paid.id);
    assert_eq!(receiver.next().await.id(), later.id);
    shop.quiet().await;
    assert_eq!((shop.rows("done").await, shop.next().await), (2, 0));
}

/// More than one call takes: each goes on behind the one before, also where all of it only waits for its next try, and
/// nothing that fails once more is tried in a circle.
#[tokio::test]
async fn a_replay_in_several_calls_goes_through_all_of_it_once() {
    let shop = Shop::open().await;
    let endpoint = shop.endpoint("https://shop.example.com/").await;
    // Of the last ones of the first call, three happened at the same time.
    let at =
        |number: i64| NEW_YEAR + number - i64::from(number == 500) - 2 * i64::from(number == 501);
    let events =
        (0..1_101).map(|number| event(&format!("evt_{number:04}"), None, "order.paid", at(number)));
    shop.put(events.collect()).await;
    shop.clock.set(NEW_YEAR + 10_000);
    let wait = |dead: &'static str| {
        shop.world.store().write(dead, |tx, dead| {
            Box::pin(async move {
                let later = "UPDATE due SET due_at = $1, state = CASE WHEN id LIKE $2 THEN 'dead' ELSE state END WHERE kind = 'webhook'";
                tx.exec(later, &vals![NEW_YEAR + 1_000_000_000, *dead]).await
            })
        })
    };

    for (dead, calls) in [
        ("none", [(0, 502), (0, 500), (0, 99)]),
        ("due_webhook:evt_0_0_:%", [(52, 450), (48, 452), (0, 99)]),
    ] {
        wait(dead).await.unwrap();
        let mut since = NEW_YEAR;
        for (nth, call) in calls.into_iter().enumerate() {
            let replayed = replay_failed(&shop.world, &endpoint.id, since, &Once::default()).await;
            let replayed = replayed.unwrap();
            assert_eq!((numbers(replayed), replayed.more), (call, nth < 2), "{dead} {nth}");
            assert_eq!(replayed.next_since.is_some(), replayed.more);
            since = replayed.next_since.map_or(since, |next| next.as_microsecond());
            // All of it has failed once more, and waits.
            wait("none").await.unwrap();
        }
    }
}

/// The cost of an outage: of each order only the first event is looked at, and only when its time has come.
#[tokio::test]
async fn what_waits_behind_a_failed_delivery_is_not_looked_at() {
    let shop = Shop::open().await;
    let receiver = Receiver::open(Mood::Answers(500)).await;
    shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let order = shop.order("tea-1").await;
    for kind in ["order.paid", "refund.succeeded", "refund.closed"] {
        shop.happens(&order, kind).await;
        shop.quiet().await;
    }
    let looked_at =
        "SELECT COUNT(*) AS n FROM due WHERE kind = 'webhook' AND state = 'ready' AND due_at <= $1";
    let now = suanpan_server::outside::Clock::now_micros(&shop.clock);
    assert_eq!(shop.number(looked_at, vals![now].into()).await, 0);
    assert_eq!(shop.rows("ready").await, 3);
}

#[tokio::test]
async fn an_endpoint_that_says_it_is_gone_is_disabled_and_misses_nothing() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(410)).await;
    let endpoint = shop.endpoint(&receiver.url).await;
    let _worker = shop.work();
    let order = shop.order("tea-1").await;
    let paid = shop.happens(&order, "order.paid").await;
    shop.quiet().await;
    let later = shop.happens(&order, "refund.succeeded").await;
    shop.quiet().await;
    assert_eq!(receiver.all().len(), 1, "the second is not even tried");
    let disabled = find_endpoint(&shop.world, &endpoint.id).await.unwrap().disabled;
    assert_eq!(disabled, Some((paid.created_at, "answered 410 Gone".to_owned())));
    assert!(shop.story(&order).await.contains("answered 410 Gone; the endpoint is disabled"));

    for error in [
        replay_failed(&shop.world, &endpoint.id, NEW_YEAR, &Once::default()).await.unwrap_err(),
        replay_event(&shop.world, &paid.id, Some(&endpoint.id), &Once::default())
            .await
            .unwrap_err(),
        test(&shop.world, &endpoint.id, &Once::default()).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), "SP-WEBHOOK-DISABLED");
    }
    assert_eq!(shop.replays(&paid, None).await, (0, 0));

    receiver.becomes(Mood::Answers(200));
    assert!(
        enable_endpoint(&shop.world, &endpoint.id, &Once::default())
            .await
            .unwrap()
            .disabled
            .is_none()
    );
    replay_failed(&shop.world, &endpoint.id, NEW_YEAR, &Once::default()).await.unwrap();
    assert_eq!(receiver.next().await.id(), paid.id);
    assert_eq!(receiver.next().await.id(), later.id);
}

#[tokio::test]
async fn a_receiver_may_ask_for_an_hour_and_no_more() {
    for (asks, waits) in [("1", 5), ("600", 600), ("86400", 3600), ("soon", 5)] {
        let shop = Shop::open().await;
        let receiver = Receiver::open(Mood::Later(asks)).await;
        shop.endpoint(&receiver.url).await;
        let _worker = shop.work();
        let event = shop.happens(&shop.order("tea-1").await, "order.paid").await;
        shop.quiet().await;
        // The schedule's own waits are longer by up to a tenth, so that not all come back together.
        let seconds = (shop.next().await - event.created_at).div_euclid(1_000_000);
        assert_eq!(seconds, waits, "{asks}");
    }
}

#[tokio::test]
async fn a_test_event_goes_to_one_endpoint_whatever_it_wants() {
    let shop = Shop::open().await;
    let mut receiver = Receiver::open(Mood::Answers(204)).await;
    let mut other = Receiver::open(Mood::Answers(204)).await;
    let endpoint = shop.endpoint(&receiver.url).await;
    shop.endpoint(&other.url).await;
    let _worker = shop.work();
    let event = test(&shop.world, &endpoint.id, &Once::default()).await.unwrap();
    let arrival = receiver.next().await;
    assert_eq!((&arrival.id(), &arrival.body), (&event.id, &event.body));
    assert!(arrival.body.contains("webhook.test") && arrival.body.contains(&endpoint.id));
    arrival.check_signature(&endpoint.secret);
    shop.quiet().await;
    assert_eq!(shop.standings(&event).await, ["delivered"]);
    assert!(other.all().is_empty());
}
