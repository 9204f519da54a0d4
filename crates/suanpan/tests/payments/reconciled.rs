//! Each day beside WeChat's bills: what agrees says nothing, and each thing that does not is found, in both APIs.

use std::sync::Arc;

use serde_json::{Value, json};
use suanpan_server::World as Backend;
use suanpan_server::client::wechat::MchId;
use suanpan_server::client::wechat::bill::{BillDate, TradeBill};
use suanpan_server::reconciliation::{
    Day, DayState, Difference, DifferenceKind, DifferenceState, unpacked,
};
use suanpan_server::repair::reconcile::{Reconciled, differences, kept, reconcile};
use suanpan_server::store::BillKind;
use suanpan_server::vals;

use crate::receiver::Delivery;
use crate::world::World;

/// The day on which the clock starts, at eight in the morning.
const DAY: &str = "2026-01-01";
const HOUR: u64 = 3600;

fn day() -> BillDate {
    DAY.parse().unwrap()
}

/// Compares each day by itself.
async fn open() -> World {
    World::open_with(|config, _| config.reconciliation.enabled = true).await
}

impl World {
    /// The backend's own store and WeChat, asked from here.
    async fn backend(&mut self) -> Arc<Backend> {
        let (config, seams) = (self.config(), self.seams());
        Backend::open(&config, seams).await.unwrap()
    }

    fn merchant_id(&self, nth: usize) -> MchId {
        MchId::parse(&self.mchid(nth)).unwrap()
    }

    /// The order's number at WeChat.
    async fn number(&self, order: &str) -> String {
        let shown = self.merchant("GET", &format!("/v1/orders/{order}"), None).await.json;
        let ledger = self.control("ledger", None).await;
        let payments = ledger["payments"].as_array().unwrap();
        let paid = payments.iter().find(|one| one["transaction_id"] == shown["transaction_id"]);
        paid.unwrap()["out_trade_no"].as_str().unwrap().to_owned()
    }

    async fn plant(&self, nth: usize, plant: Value) {
        let mut body = json!({ "mchid": self.mchid(nth), "bill_date": DAY });
        body.as_object_mut().unwrap().extend(plant.as_object().unwrap().clone());
        self.control("bills", Some(body)).await;
    }

    /// A few orders that were paid, the last of them partly refunded; and the refund's number at WeChat.
    async fn a_day_of_trade(&self, nth: usize) -> (Vec<String>, String) {
        let mut orders = Vec::new();
        for one in 0..4 {
            orders.push(self.paid(&format!("tea-{nth}-{one}"), &self.app(nth)).await);
            self.advance(60);
        }
        let made = self.refund(&orders[3], json!({ "amount": 300 })).await;
        assert_eq!(made.status, 201, "{}", made.json);
        self.advance(60);
        self.until_told(&orders[3], "succeeded").await;
        let number = self.refund_number(&made.json).await;
        (orders, number)
    }

    /// The refund's number at WeChat.
    async fn refund_number(&self, refund: &Value) -> String {
        let path = format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
        let shown = self.merchant("GET", &path, None).await;
        shown.json["out_refund_no"].as_str().unwrap().to_owned()
    }

    /// It is past ten the next day.
    fn next_day(&self) {
        self.advance(26 * HOUR + 1800);
    }
}

/// The kinds and subjects of the differences with how they stand, in short.
async fn found(backend: &Backend, mchid: &MchId) -> Vec<String> {
    let all = differences(backend, mchid, day()).await.unwrap();
    let short =
        |one: &Difference| format!("{} {} {}", one.found.kind, one.found.subject, one.state);
    all.iter().map(short).collect()
}

async fn compared(backend: &Backend, mchid: &MchId) -> Box<Day> {
    match reconcile(backend, mchid, day()).await.unwrap() {
        Reconciled::Done(day) => day,
        Reconciled::NotYet(why) => panic!("{why}"),
    }
}

async fn stands(backend: &Backend, mchid: &MchId) -> Option<Day> {
    let found = backend.store().look(mchid.clone(), |tx, mchid| {
        Box::pin(async move { tx.reconciliation(mchid, DAY.parse().unwrap()).await })
    });
    found.await.unwrap()
}

async fn until_done(world: &World, backend: &Backend, mchid: &MchId) -> Day {
    let done = async || stands(backend, mchid).await.is_some_and(|day| day.state == DayState::Done);
    world.until("compared", done).await;
    stands(backend, mchid).await.unwrap()
}

#[tokio::test]
async fn a_day_that_agrees_is_balanced_by_itself_in_both_apis() {
    let mut world = open().await;
    let backend = world.backend().await;
    for nth in [0, 1] {
        world.a_day_of_trade(nth).await;
    }
    world.next_day();
    for nth in [0, 1] {
        let mchid = world.merchant_id(nth);
        let day = until_done(&world, &backend, &mchid).await;
        assert_eq!(found(&backend, &mchid).await, Vec::<String>::new());
        assert_eq!((day.ours.payments, day.ours.paid, day.ours.refunded), (4, 3_960, 300));
        assert_eq!((day.theirs.payments, day.theirs.paid, day.theirs.refunded), (4, 3_960, 300));
        // Four fees of 0.06, and 0.02 that come back; the purse has what is left.
        assert_eq!((day.theirs.fee, day.problem), (22_000, None));
        assert_eq!(day.theirs.came_in - day.theirs.went_out, 3_960 - 300 - 22);
        assert!(day.trade_bill.is_some() && day.fund_bill.is_some());
    }
    assert!(!world.events().await.contains(&"reconciliation.difference".to_owned()));
}

/// What the simulator plants in the bill of one merchant's day.
async fn planted(nth: usize) {
    let mut world = World::open().await;
    let backend = world.backend().await;
    let (orders, refund) = world.a_day_of_trade(nth).await;
    let again = world.refund(&orders[2], json!({ "amount": 100 })).await.json;
    world.advance(60);
    world.until_told(&orders[2], "succeeded").await;
    let lost = world.refund_number(&again).await;
    let mut numbers = Vec::new();
    for order in &orders {
        numbers.push(world.number(order).await);
    }
    let [first, second, third, _] = &numbers[..] else { panic!("{numbers:?}") };
    for plant in [
        json!({ "plant": "missing_payment", "out_trade_no": first }),
        json!({ "plant": "payment_amount", "out_trade_no": second, "amount": 991 }),
        json!({ "plant": "fee", "out_trade_no": third, "fee": 12_345 }),
        json!({ "plant": "unknown_payment", "out_trade_no": "nobody_0001", "amount": 100 }),
        json!({ "plant": "missing_refund", "out_refund_no": lost }),
        json!({ "plant": "refund_amount", "out_refund_no": refund, "amount": 301 }),
        json!({ "plant": "unknown_refund", "out_refund_no": "R-nobody", "out_trade_no": "nobody_0001", "amount": 7 }),
        json!({ "plant": "unknown_refund", "out_refund_no": "R-by-hand", "out_trade_no": third, "amount": 8 }),
    ] {
        world.plant(nth, plant).await;
    }
    world.next_day();
    let mchid = world.merchant_id(nth);
    let day = compared(&backend, &mchid).await;
    let mut want = [
        format!("missing_there {first} open"),
        format!("amount {second} open"),
        format!("fee {third} open"),
        "unknown_payment nobody_0001 open".to_owned(),
        format!("refund_missing_there {lost} open"),
        format!("refund_amount {refund} open"),
        "unknown_refund R-nobody open".to_owned(),
        "refund_missing_here R-by-hand open".to_owned(),
        // Nothing was planted in the purse: it has what was really paid.
        "fund_flow fund_flow open".to_owned(),
    ];
    want.sort();
    assert_eq!(found(&backend, &mchid).await, want);
    assert_eq!((day.run, day.more, day.problem), (1, 0, None));
    // Of the other merchant nothing is said.
    let other = world.merchant_id(usize::from(nth == 0));
    compared(&backend, &other).await;
    assert_eq!(found(&backend, &other).await, Vec::<String>::new());

    // Each of them knows the order that it is about, and says both amounts.
    let all = differences(&backend, &mchid, day.day).await.unwrap();
    let one = |kind: &str| all.iter().find(|one| one.found.kind.as_str() == kind).unwrap();
    let amount = one("amount");
    assert_eq!(amount.found.order_id.as_ref(), Some(&orders[1]));
    assert_eq!((amount.found.ours, amount.found.theirs), (Some(990), Some(991)));
    assert_eq!(one("missing_there").found.order_id.as_ref(), Some(&orders[0]));
    assert_eq!(one("refund_missing_there").found.refund_id.as_deref(), again["id"].as_str());
    assert_eq!((one("fee").found.ours, one("fee").found.theirs), (Some(6_000), Some(12_345)));

    // The merchant's system is told once, by one event of this day.
    world.until("told", async || world.events().await.contains(&EVENT.to_owned())).await;
    compared(&backend, &mchid).await;
    let told = world.events().await.into_iter().filter(|kind| kind == EVENT).count();
    assert_eq!(told, 1);
    // What another process has put in is looked for once a second.
    world.advance(2);
    let is_it = |body: &Value| body["type"] == EVENT;
    let delivered = async || {
        tokio::task::yield_now().await;
        world.receiver.taken().iter().any(|one| is_it(&one.json()))
    };
    world.until("delivered", delivered).await;
    let body = world.receiver.taken().iter().map(Delivery::json).find(is_it).unwrap();
    let data = &body["data"];
    assert_eq!((&data["mchid"], &data["date"]), (&json!(mchid), &json!(DAY)));
    assert_eq!((&data["differences"], &data["repaired"]), (&json!(9), &json!(0)));
    assert_eq!(data["by_kind"]["amount"], 1);
}

#[tokio::test]
async fn each_plant_is_found_and_nothing_else_by_v3() {
    planted(0).await;
}

#[tokio::test]
async fn each_plant_is_found_and_nothing_else_by_v2() {
    planted(1).await;
}

/// Everything that could have told of the payment is lost, but the bill is not.
async fn repaired(nth: usize, query: &str, close: &str) {
    let mut world = open().await;
    let backend = world.backend().await;
    let order = world.order("tea-1", &world.app(nth)).await;
    world.fault("notify", "lose", json!({ "probability": 1.0 })).await;
    for on in [query, close] {
        world.fault(on, "http_500", json!({ "probability": 1.0 })).await;
    }
    world.alice_pays(&world.app(nth), &order).await;
    world.advance(12 * HOUR);
    assert_eq!(world.status(&order).await, "paying");
    world.advance(14 * HOUR + 1800);
    world.until_status(&order, "paid").await;
    world.until_told(&order, "by the bill of 2026-01-01: 9.90 by").await;
    world.until_told(&order, "order.paid →").await;
    let mchid = world.merchant_id(nth);
    let day = until_done(&world, &backend, &mchid).await;
    let [one] = &differences(&backend, &mchid, day.day).await.unwrap()[..] else { panic!() };
    assert_eq!((one.found.kind, one.state), (DifferenceKind::OpenHere, DifferenceState::Repaired));
    assert_eq!(one.found.order_id.as_ref(), Some(&order));
    // Once more finds nothing to repair, and forgets nothing.
    let day = compared(&backend, &mchid).await;
    assert_eq!((day.run, day.ours.paid, day.theirs.paid), (2, 990, 990));
    let [one] = &differences(&backend, &mchid, day.day).await.unwrap()[..] else { panic!() };
    assert_eq!((one.state, one.gone_at.is_some()), (DifferenceState::Repaired, true));
    let paid = world.events().await.into_iter().filter(|kind| kind == "order.paid").count();
    assert_eq!(paid, 1);
}

#[tokio::test]
async fn a_payment_that_only_the_bill_tells_of_is_booked_by_v3() {
    let close = "POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close";
    repaired(0, "GET /v3/pay/transactions/out-trade-no/{out_trade_no}", close).await;
}

#[tokio::test]
async fn a_payment_that_only_the_bill_tells_of_is_booked_by_v2() {
    repaired(1, "POST /pay/orderquery", "POST /pay/closeorder").await;
}

/// A line of the bill is no less suspicious than a notification.
#[tokio::test]
async fn a_payment_of_another_amount_books_nothing() {
    let mut world = World::open().await;
    let backend = world.backend().await;
    let order = world.order("tea-1", &world.app(0)).await;
    let params = world.pay("alice", &world.app(0), &order).await;
    assert_eq!(params.status, 200);
    let orders = world.control("ledger", None).await["orders"].clone();
    let number = orders[0]["out_trade_no"].as_str().unwrap();
    world
        .plant(0, json!({ "plant": "unknown_payment", "out_trade_no": number, "amount": 991 }))
        .await;
    world.next_day();
    let mchid = world.merchant_id(0);
    compared(&backend, &mchid).await;
    let all = found(&backend, &mchid).await;
    assert_eq!(all[0], format!("amount {number} open"));
    world.until_told(&order, "ALARM: the bill of 2026-01-01").await;
    assert_ne!(world.status(&order).await, "paid");
}

#[tokio::test]
async fn what_people_made_of_a_difference_stays_and_what_is_gone_is_closed() {
    let mut world = World::open().await;
    let backend = world.backend().await;
    world
        .plant(
            0,
            json!({ "plant": "unknown_payment", "out_trade_no": "nobody_0001", "amount": 100 }),
        )
        .await;
    world
        .plant(
            0,
            json!({ "plant": "unknown_payment", "out_trade_no": "nobody_0002", "amount": 100 }),
        )
        .await;
    world.next_day();
    let mchid = world.merchant_id(0);
    compared(&backend, &mchid).await;
    let all = differences(&backend, &mchid, day()).await.unwrap();
    assert_eq!(all.len(), 2, "{all:?}");
    let moved = backend.store().write(all[0].clone(), |tx, one| {
        Box::pin(async move {
            tx.difference_move(one, DifferenceState::Explained, "another system", "lin", 1).await
        })
    });
    moved.await.unwrap();
    let stale = backend.store().write(all[0].clone(), |tx, one| {
        Box::pin(
            async move { tx.difference_move(one, DifferenceState::Open, "no", "wang", 2).await },
        )
    });
    stale.await.unwrap_err();

    world.plant(0, json!({ "plant": "missing_payment", "out_trade_no": "nobody_0002" })).await;
    compared(&backend, &mchid).await;
    let all = differences(&backend, &mchid, day()).await.unwrap();
    let notes = |one: &Difference| (one.state.as_str(), one.note.clone(), one.gone_at.is_some());
    assert_eq!(notes(&all[0]), ("explained", Some("another system".to_owned()), false));
    assert_eq!(notes(&all[1]), ("repaired", None, true));

    // It is there again: open, and told as nothing new.
    world
        .plant(
            0,
            json!({ "plant": "unknown_payment", "out_trade_no": "nobody_0002", "amount": 100 }),
        )
        .await;
    compared(&backend, &mchid).await;
    let all = differences(&backend, &mchid, day()).await.unwrap();
    assert_eq!(notes(&all[1]), ("open", None, false));
}

#[tokio::test]
async fn while_there_is_no_bill_it_is_asked_for_again() {
    let mut world = open().await;
    let backend = world.backend().await;
    world.paid("tea-1", &world.app(0)).await;
    let mchid = world.merchant_id(0);
    // Two in the morning of the next day.
    world.advance(18 * HOUR);
    let Reconciled::NotYet(why) = reconcile(&backend, &mchid, day()).await.unwrap() else {
        panic!()
    };
    assert_eq!(why, "WeChat is still making the bill");
    let day = stands(&backend, &mchid).await.unwrap();
    assert_eq!((day.state, day.problem), (DayState::Waiting, Some(why)));
    // At ten the file is cut, half an hour later it is whole.
    world.fault("GET /v3/billdownload/file", "cut", json!({ "times": 1 })).await;
    world.advance(8 * HOUR + 1800);
    let waits = async || {
        let key = format!("reconcile:{mchid}:{DAY}");
        let put_back = backend.store().look(key, |tx, key| {
            Box::pin(async move {
                let sql = "SELECT id FROM due WHERE key = $1 AND last_error IS NOT NULL AND lease_by IS NULL";
                tx.rows(sql, &vals![key.as_str()]).await
            })
        });
        !put_back.await.unwrap().is_empty()
    };
    world.until("put back", waits).await;
    assert!(stands(&backend, &mchid).await.unwrap().problem.unwrap().contains("broke"));
    world.advance(HOUR);
    until_done(&world, &backend, &mchid).await;
    let day = stands(&backend, &mchid).await.unwrap();
    assert_eq!((day.theirs.paid, day.problem), (990, None));
    assert_eq!(found(&backend, &mchid).await, Vec::<String>::new());
    assert!(
        reconcile(&backend, &mchid, "2026-01-02".parse().unwrap()).await.is_err(),
        "it is not over"
    );
}

/// WeChat, but what its file says is not what its hash says.
#[tokio::test]
async fn a_file_with_another_hash_is_no_bill() {
    let mut world = World::open().await;
    world.paid("tea-1", &world.app(0)).await;
    world.next_day();
    let mut config = world.config();
    config.wechat.merchant_hosts = vec![another_file(&world.simulator).await];
    let seams = world.seams();
    let backend = Backend::open(&config, seams).await.unwrap();
    let mchid = world.merchant_id(0);
    let Reconciled::NotYet(why) = reconcile(&backend, &mchid, day()).await.unwrap() else {
        panic!()
    };
    assert!(why.starts_with("the file has the hash "), "{why}");
    assert_eq!(stands(&backend, &mchid).await.unwrap().state, DayState::Waiting);
    let kept = backend.store().look(mchid, |tx, mchid| {
        Box::pin(async move { tx.bill_of(mchid, DAY.parse().unwrap(), BillKind::Trade).await })
    });
    assert_eq!(kept.await.unwrap(), None, "what is not a bill is not kept");
}

/// Passes everything on to the simulator, and answers another file.
async fn another_file(simulator: &str) -> String {
    let (simulator, http) =
        (simulator.to_owned(), reqwest::Client::builder().no_proxy().build().unwrap());
    let pass = move |request: axum::extract::Request| async move {
        let (parts, _) = request.into_parts();
        if parts.uri.path() == "/v3/billdownload/file" {
            return axum::response::Response::new(axum::body::Body::from("交易时间\r\n"));
        }
        let url = format!("{simulator}{}", parts.uri);
        let answer = http.request(parts.method, url).headers(parts.headers).send().await.unwrap();
        let mut response = axum::response::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        response.body(axum::body::Body::from(answer.bytes().await.unwrap())).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(pass)).await });
    url
}

#[tokio::test]
async fn a_day_without_trade_is_balanced_and_the_next_ones_follow_by_themselves() {
    let mut world = open().await;
    let backend = world.backend().await;
    let mchid = world.merchant_id(0);
    // Nobody ran for three days.
    world.stop_server().await;
    world.advance(3 * 24 * HOUR);
    world.start_server().await;
    world.advance(3 * HOUR);
    for day in ["2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03"] {
        let unit = (mchid.clone(), day.parse::<BillDate>().unwrap());
        let done = async || {
            let looked = backend.store().look(unit.clone(), |tx, (mchid, day)| {
                Box::pin(async move { tx.reconciliation(mchid, *day).await })
            });
            looked
                .await
                .unwrap()
                .is_some_and(|day| day.state == DayState::Done && day.trade_bill.is_none())
        };
        world.until(day, done).await;
    }
    assert!(!world.events().await.contains(&EVENT.to_owned()));
}

/// The bytes that WeChat sent are the bytes that are kept, in as many parts as it takes.
#[tokio::test]
async fn a_bill_is_kept_as_it_came() {
    let mut world = World::open().await;
    let backend = world.backend().await;
    world.a_day_of_trade(0).await;
    world.next_day();
    let mchid = world.merchant_id(0);
    let day = compared(&backend, &mchid).await;
    let (bill, bytes) = kept(&backend, &mchid, day.day, BillKind::Trade).await.unwrap().unwrap();
    assert_eq!(Some(bill.id), day.trade_bill);
    let mut rows = TradeBill::open(unpacked(&bytes)).unwrap();
    while rows.next_row().unwrap().is_some() {}
    assert_eq!(rows.totals().unwrap().count, 5);
    // Compared again, it is the same bill.
    let again = compared(&backend, &mchid).await;
    assert_eq!(again.trade_bill, day.trade_bill);
}

const EVENT: &str = "reconciliation.difference";
