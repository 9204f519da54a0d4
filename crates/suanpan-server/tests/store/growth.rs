//! What each question costs is the same however much is stored: counted in the steps of SQLite's machine, not in time.
//!
//! Asked of a shop with a few hundred orders and of one with ten times as many, all of them long done; what is open is
//! the same in both.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use suanpan_server::ids::OrderId;
use suanpan_server::store::{
    Asked, Database, Horizon, OrderFilter, ShipmentFilter, Tx, Work, migrate,
};
use suanpan_server::timeline::{Entry, Step};

use crate::units::NEW_YEAR;

const FEW: i64 = 300;
const MANY: i64 = 3_000;
/// What is still open, in both.
const OPEN: i64 = 20;

/// Order number `n` of both shops; the last ones are open.
fn id(n: i64) -> OrderId {
    format!("ord_{n:08}").parse().unwrap()
}

/// A database with so many orders, and a count of its steps.
struct Shop {
    _folder: tempfile::TempDir,
    tx: Tx,
    steps: Arc<AtomicU64>,
    orders: i64,
}

impl Shop {
    async fn open(orders: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("suanpan.db");
        migrate::apply(&Database::Lite(path.clone()), NEW_YEAR).await.unwrap();
        let mut connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA foreign_keys=ON; BEGIN").unwrap();
        for filling in FILLINGS {
            let text = filling.replace("{open}", &(orders - OPEN).to_string());
            let numbers = format!(
                "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {orders})"
            );
            connection.execute_batch(&text.replace("{numbers}", &numbers)).unwrap();
        }
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.progress_handler(1, Some(count)).unwrap();
        Self { _folder: folder, tx: Tx::lite(connection), steps, orders }
    }

    /// How many rows a question finds or changes, and in how many steps.
    async fn ask(&mut self, question: Question) -> (usize, u64) {
        let before = self.steps.load(Ordering::Relaxed);
        let found = question(&mut self.tx, self.orders).await.unwrap();
        (found, self.steps.load(Ordering::Relaxed) - before)
    }
}

type Question = for<'a> fn(&'a mut Tx, i64) -> Work<'a, usize>;

/// Asks both shops the same: as much must be found, by as much work.
async fn check(shops: &mut (Shop, Shop), name: &str, question: Question) {
    let (few, of_few) = shops.0.ask(question).await;
    let (many, of_many) = shops.1.ask(question).await;
    assert!(0 < few && few == many, "{name}: found {few} and {many}");
    // A little more: pages of an index are wider apart.
    assert!(of_many <= of_few + of_few / 10 + 20, "{name}: {of_few} steps, and {of_many} of many");
}

async fn shops() -> (Shop, Shop) {
    (Shop::open(FEW).await, Shop::open(MANY).await)
}

/// A question of the list of orders.
fn orders<'a>(
    tx: &'a mut Tx,
    change: impl FnOnce(&mut OrderFilter) + Send + 'a,
) -> Work<'a, usize> {
    Box::pin(async move {
        let mut filter = OrderFilter { limit: 10, ..OrderFilter::default() };
        change(&mut filter);
        Ok(tx.orders(&filter).await?.len())
    })
}

#[tokio::test]
async fn a_page_of_orders_costs_the_same_wherever_it_begins() {
    let mut shops = shops().await;
    let shops = &mut shops;
    check(shops, "newest", |tx, _| orders(tx, |_| {})).await;
    check(shops, "from the middle", |tx, n| {
        orders(tx, move |filter| filter.before = Some((n / 2, id(n / 2).to_string())))
    })
    .await;
    check(shops, "before a time", |tx, n| {
        orders(tx, move |filter| filter.created_before = Some(n / 2))
    })
    .await;
    check(shops, "a page before a time", |tx, n| {
        orders(tx, move |filter| {
            filter.created_before = Some(n - 30);
            filter.before = Some((n / 2, id(n / 2).to_string()));
        })
    })
    .await;
    check(shops, "after a time, from behind", |tx, n| {
        orders(tx, move |filter| {
            filter.created_after = Some(n / 2 - 5);
            filter.before = Some((n / 2, id(n / 2).to_string()));
        })
    })
    .await;
    check(shops, "paid", |tx, n| {
        orders(tx, move |filter| {
            filter.status = "paid".parse().ok();
            filter.before = Some((n / 2, id(n / 2).to_string()));
        })
    })
    .await;
    check(shops, "unpaid", |tx, _| orders(tx, |filter| filter.status = "unpaid".parse().ok()))
        .await;
    check(shops, "by reference", |tx, _| {
        orders(tx, |filter| filter.reference = Some("tea-7".to_owned()))
    })
    .await;
    check(shops, "paid, by reference", |tx, _| {
        orders(tx, |filter| {
            filter.reference = Some("tea-7".to_owned());
            filter.status = "paid".parse().ok();
        })
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_about_one_order_costs_the_same() {
    let mut shops = shops().await;
    let shops = &mut shops;
    check(shops, "order", |tx, _| Box::pin(async { Ok(tx.order(&id(7)).await?.iter().len()) }))
        .await;
    check(shops, "by the merchant's name", |tx, _| {
        Box::pin(async {
            Ok(tx.order_by_reference(&"1900000109".parse().unwrap(), "tea-7").await?.iter().len())
        })
    })
    .await;
    check(shops, "attempts", |tx, _| Box::pin(async { Ok(tx.attempts(&id(7)).await?.len()) }))
        .await;
    check(shops, "attempt by number", |tx, _| {
        Box::pin(async {
            let found = tx
                .attempt_by_number(&"1900000109".parse().unwrap(), &"number-7".parse().unwrap())
                .await?;
            Ok(found.iter().len())
        })
    })
    .await;
    check(shops, "journal", |tx, _| Box::pin(async { Ok(tx.journal(&id(7)).await?.len()) })).await;
    check(shops, "notifications", |tx, _| Box::pin(async { Ok(tx.inbox_of(&id(7)).await?.len()) }))
        .await;
    check(shops, "refunds", |tx, _| Box::pin(async { Ok(tx.refunds(&id(7)).await?.len()) })).await;
    check(shops, "shipment", |tx, _| {
        Box::pin(async { Ok(tx.shipment(&id(7)).await?.iter().len()) })
    })
    .await;
    check(shops, "events with their deliveries", |tx, _| {
        Box::pin(async { Ok(tx.events_of(&id(7)).await?.len()) })
    })
    .await;
    // Its delivery waits, and so do those of others.
    check(shops, "events of an open one", |tx, n| {
        Box::pin(async move {
            let events = tx.events_of(&id(n - 1)).await?;
            Ok(events.iter().map(|event| event.waiting.len()).sum())
        })
    })
    .await;
    check(shops, "another line of the journal", |tx, _| {
        Box::pin(async {
            tx.journal_put(&id(7), NEW_YEAR, &Entry::new(Step::Order, "once more")).await?;
            Ok(1)
        })
    })
    .await;
}

#[tokio::test]
async fn a_page_of_anything_else_costs_the_same() {
    let mut shops = shops().await;
    let shops = &mut shops;
    check(shops, "events", |tx, _| Box::pin(async { Ok(tx.events(None, 10).await?.len()) })).await;
    check(shops, "events from the middle", |tx, n| {
        Box::pin(async move {
            Ok(tx.events(Some(&(n / 2, format!("evt_{:08}", n / 2))), 10).await?.len())
        })
    })
    .await;
    check(shops, "deliveries", |tx, n| {
        Box::pin(async move {
            let from = (n / 2, format!("due_webhook:{:08}", n / 2));
            Ok(tx.deliveries_to("whe_1", Some(&from), 10).await?.len())
        })
    })
    .await;
    check(shops, "deliveries of an event", |tx, _| {
        Box::pin(async { Ok(tx.deliveries_of("evt_00000007").await?.len()) })
    })
    .await;
    check(shops, "shipments that WeChat waits for", |tx, _| {
        Box::pin(async {
            let filter = ShipmentFilter { limit: 10, ..ShipmentFilter::default() };
            Ok(tx.shipments(&filter).await?.len())
        })
    })
    .await;
    check(shops, "shipments of a state, from the middle", |tx, n| {
        Box::pin(async move {
            let filter = ShipmentFilter {
                state: "settled".parse().ok(),
                after: Some((n / 2, id(n / 2).to_string())),
                limit: 10,
                ..ShipmentFilter::default()
            };
            Ok(tx.shipments(&filter).await?.len())
        })
    })
    .await;
    check(shops, "waiting shipments", |tx, _| {
        Box::pin(async {
            let filter = ShipmentFilter {
                state: "waiting".parse().ok(),
                limit: 10,
                ..ShipmentFilter::default()
            };
            Ok(tx.shipments(&filter).await?.len())
        })
    })
    .await;
}

#[tokio::test]
async fn work_that_time_starts_costs_the_same_however_much_is_done() {
    let mut shops = shops().await;
    let shops = &mut shops;
    check(shops, "backlog", |tx, _| Box::pin(async { Ok(tx.due_backlog().await?.len()) })).await;
    check(shops, "pools", |tx, n| Box::pin(async move { Ok(tx.due_pools(n).await?.len()) })).await;
    check(shops, "a replay of what failed", |tx, n| {
        Box::pin(async move {
            let replay = tx.replay_failed("whe_1", 0, "again", n).await?;
            Ok(usize::try_from(replay.begun + replay.hastened).unwrap())
        })
    })
    .await;
    check(shops, "a claim", |tx, n| {
        Box::pin(async move {
            let claims = tx.due_claim("wrk_1", "webhook:whe_1", n * 2, n * 3, 5).await?;
            for claim in &claims {
                assert!(tx.due_done(claim).await?);
            }
            Ok(claims.len())
        })
    })
    .await;
}

#[tokio::test]
async fn what_is_put_in_and_thrown_away_costs_the_same() {
    let mut shops = shops().await;
    let shops = &mut shops;
    check(shops, "a key", |tx, n| {
        Box::pin(async move {
            let asked = Asked {
                api_key_id: "key_1".to_owned(),
                key: "new".to_owned(),
                fingerprint: "f".to_owned(),
                owner: "me".to_owned(),
                now: n,
                lease_until: n + 1,
                forgotten: 0,
            };
            tx.idempotency_take(&asked).await?;
            Ok(1)
        })
    })
    .await;
    check(shops, "a purge", |tx, _| {
        Box::pin(async {
            let horizon = Horizon {
                now: 10,
                keys: 10,
                expired: 10,
                inbox: 10,
                done: 10,
                refused: 10,
                bills: 10,
            };
            let (gone, more) = tx.purge(&horizon).await?;
            assert!(!more);
            Ok(usize::try_from(gone).unwrap())
        })
    })
    .await;
    check(shops, "a purge of what is left", |tx, _| {
        Box::pin(async {
            let horizon = Horizon {
                now: 11,
                keys: 11,
                expired: 11,
                inbox: 11,
                done: 11,
                refused: 11,
                bills: 11,
            };
            let (gone, _) = tx.purge(&horizon).await?;
            Ok(usize::try_from(gone).unwrap())
        })
    })
    .await;
}

/// What is done to the orders from 0 to `{open}`; those behind it are open.
const FILLINGS: [&str; 10] = [
    "INSERT INTO webhook_endpoint (id, url, secret, created_at, source)
        VALUES ('whe_1', 'https://shop.example.com', 'whsec_1', 0, 'api')",
    "INSERT INTO orders (id, reference, mchid, app, amount, currency, description, status, trade_type, created_at)
        {numbers} SELECT printf('ord_%08d', n), 'tea-' || n, '1900000109', 'wx2421b1c4370ec43b', 990, 'CNY', 'tea',
            CASE WHEN n < {open} THEN 'paid' ELSE 'unpaid' END, 'JSAPI', n FROM n",
    "INSERT INTO attempt (id, order_id, mchid, appid, out_trade_no, fingerprint, request, state, created_at)
        {numbers} SELECT printf('att_%08d', n), printf('ord_%08d', n), '1900000109', 'wx2421b1c4370ec43b',
            'number-' || n, 'f', '{}', CASE WHEN n < {open} THEN 'paid' ELSE 'created' END, n FROM n",
    "INSERT INTO journal (order_id, seq, at, step, change)
        {numbers} SELECT printf('ord_%08d', n), line.column1, n, 'order', 'x' FROM n, (VALUES (1), (2), (3)) AS line",
    "INSERT INTO inbox (id, mchid, received_at, dedupe_key, headers, body, verdict, order_id)
        {numbers} SELECT printf('ntf_%08d', n), '1900000109', n, 'k' || n, '{}', x'00', 'moved',
            printf('ord_%08d', n) FROM n WHERE n < {open}",
    "INSERT INTO event (id, order_id, type, body, created_at)
        {numbers} SELECT printf('evt_%08d', n), printf('ord_%08d', n), 'order.paid', '{}', n FROM n",
    "INSERT INTO due (id, kind, key, pool, lane, body, order_id, state, due_at, created_at)
        {numbers} SELECT printf('due_webhook:%08d', n), 'webhook', printf('webhook:evt_%08d:whe_1', n),
            'webhook:whe_1', printf('webhook:whe_1:ord_%08d', n), '{}', printf('ord_%08d', n),
            CASE WHEN n < {open} THEN 'done' WHEN n % 2 = 0 THEN 'dead' ELSE 'ready' END, n * 2, n FROM n",
    "INSERT INTO refund (id, order_id, attempt_id, mchid, appid, out_trade_no, transaction_id, out_refund_no,
            reference, amount, total, currency, request, state, created_at)
        {numbers} SELECT printf('ref_%08d', n), printf('ord_%08d', n), printf('att_%08d', n), '1900000109',
            'wx2421b1c4370ec43b', 'number-' || n, '4200000000202601010000000001', 'refund-' || n, 'r' || n, 1, 990,
            'CNY', '{}', 'succeeded', n FROM n WHERE n < {open}",
    "INSERT INTO shipment (order_id, attempt_id, policy, automatic, state, parcels, paid_at, deadline, created_at)
        {numbers} SELECT printf('ord_%08d', n), printf('att_%08d', n), 'express', 0,
            CASE WHEN n < {open} THEN 'settled' ELSE 'waiting' END, '[]', n, n, n FROM n",
    "INSERT INTO idempotency (api_key_id, key, fingerprint, status, body, created_at)
        {numbers} SELECT 'key_1', 'k' || n, 'f', 201, '{}', n FROM n",
];
