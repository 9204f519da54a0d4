//! What must hold in the end, whatever happened: the books of WeChat, of the backend and of the merchant's own system
//! are held against each other.
//!
//! It reads the backend's tables with its own questions, so that a query of ours that forgets a row is found as well.

#![expect(clippy::arithmetic_side_effects, reason = "sums of a test, which may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use suanpan_server::store::{Database, Row, Store};

use crate::database;
use crate::world::World;

/// The three books.
pub(crate) struct Books {
    orders: Vec<Row>,
    attempts: Vec<Row>,
    refunds: Vec<Row>,
    journal: Vec<Row>,
    events: Vec<Row>,
    inbox: Vec<Row>,
    wechat: Value,
    /// What was delivered: the event's id and the body, in the order of arrival.
    delivered: Vec<(String, String)>,
}

impl World {
    /// Holds the three books against each other, at any moment.
    pub(crate) async fn check(&self) {
        self.books().await.hold();
    }

    /// Lets days go by until nobody has anything left to do, and holds the books against each other.
    pub(crate) async fn check_at_the_end(&self, days: u64) {
        let store = self.look_into().await;
        for _ in 0..days * 8 {
            self.until_idle(&store).await;
            self.advance(3 * 60 * 60);
        }
        self.until_idle(&store).await;
        store.close().await;
        let books = self.books().await;
        books.hold();
        books.are_complete();
    }

    /// The backend's own file, beside the backend.
    pub(crate) async fn look_into(&self) -> Store {
        open_store(self.folder.path(), self.now()).await
    }

    /// Waits until nothing is due, neither at the backend nor at WeChat.
    async fn until_idle(&self, store: &Store) {
        let idle = async {
            loop {
                let ledger = self.control("ledger", None).await;
                let notices = ledger["notifications"].as_array().unwrap();
                let now = seconds(self.now());
                let told = notices.iter().all(|notice| {
                    notice["next_try_at"].as_str().is_none_or(|at| seconds(instant(at)) > now)
                });
                if told && due(store, self.now()).await.is_empty() {
                    return;
                }
            }
        };
        if tokio::time::timeout(crate::world::PATIENCE, idle).await.is_err() {
            panic!("never idle: {:#?}", due(store, self.now()).await);
        }
    }

    async fn books(&self) -> Books {
        // The world goes on meanwhile. What one book says only when another has it already is read first.
        let delivered =
            self.receiver.taken().into_iter().map(|sent| (sent.id, sent.body)).collect();
        let mut wechat = self.control("ledger", None).await;
        let store = self.look_into().await;
        let look = store.look((), |tx, ()| {
            Box::pin(async move {
                Ok(Books {
                    orders: tx.rows("SELECT * FROM orders", &[]).await?,
                    attempts: tx.rows("SELECT * FROM attempt", &[]).await?,
                    refunds: tx.rows("SELECT * FROM refund", &[]).await?,
                    journal: tx.rows("SELECT * FROM journal ORDER BY order_id, seq", &[]).await?,
                    events: tx.rows("SELECT * FROM event ORDER BY created_at", &[]).await?,
                    inbox: tx.rows("SELECT * FROM inbox", &[]).await?,
                    wechat: Value::Null,
                    delivered: Vec::new(),
                })
            })
        });
        let books = look.await.unwrap();
        store.close().await;
        wechat["payments"] = self.control("ledger", None).await["payments"].take();
        Books { wechat, delivered, ..books }
    }
}

/// The backend's own database, beside the backend.
async fn open_store(folder: &Path, now: i64) -> Store {
    let database = Database::parse(&database::url(folder), &folder.join("wechat")).unwrap();
    Store::open(&database, now).await.unwrap()
}

/// What is due and not done, in words.
async fn due(store: &Store, now: i64) -> Vec<String> {
    let look = store.look(now, |tx, now| {
        Box::pin(async move {
            let rows = tx.rows(DUE, &[(*now).into()]).await?;
            let word =
                |row: &Row| Ok(format!("{} {:?}", row.text("key")?, row.opt_text("last_error")?));
            rows.iter().map(word).collect::<Result<Vec<_>, _>>()
        })
    });
    look.await.unwrap()
}

impl Books {
    /// What holds at any moment.
    fn hold(&self) {
        self.nobody_paid_but_who_paid_at_wechat();
        self.no_more_goes_back_than_came();
        self.one_attempt_is_live();
        self.the_journal_runs_forward();
        self.each_change_is_an_event();
        self.nobody_hears_what_is_not_told();
        self.who_lies_moves_nothing();
    }

    /// What holds when all is said and done.
    fn are_complete(&self) {
        let paid: BTreeSet<_> = self
            .attempts
            .iter()
            .filter_map(|row| row.opt_text("transaction_id").unwrap())
            .collect();
        let held: BTreeSet<_> =
            self.of_wechat("payments").map(|payment| text(payment, "transaction_id")).collect();
        assert_eq!(paid, held, "each payment that WeChat holds is one of ours");

        for order in &self.orders {
            let status = order.text("status").unwrap();
            assert!(
                status == "paid" || status == "closed",
                "{} is {status}",
                order.text("id").unwrap()
            );
        }
        for attempt in &self.attempts {
            let state = attempt.text("state").unwrap();
            assert!(!is_live(&state), "{} is {state}", attempt.text("out_trade_no").unwrap());
        }
        let ours: BTreeMap<_, _> = self
            .refunds
            .iter()
            .map(|refund| (refund.text("out_refund_no").unwrap(), refund))
            .collect();
        for refund in self.of_wechat("refunds") {
            let our = ours[&text(refund, "out_refund_no")].text("state").unwrap();
            let end = text(refund, "status").to_lowercase().replace("success", "succeeded");
            assert_eq!(our, end, "{refund}");
        }
        let told: BTreeSet<_> = self.events.iter().map(|event| event.text("id").unwrap()).collect();
        let heard: BTreeSet<_> = self.delivered.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(told, heard, "each event came to the merchant's own system");
    }

    fn of_wechat(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.wechat[kind].as_array().unwrap().iter()
    }

    /// The payment that WeChat holds under this number.
    fn payment(&self, out_trade_no: &str) -> Option<&Value> {
        self.of_wechat("payments").find(|payment| payment["out_trade_no"] == out_trade_no)
    }

    fn nobody_paid_but_who_paid_at_wechat(&self) {
        let mut paid_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for attempt in &self.attempts {
            let Some(transaction_id) = attempt.opt_text("transaction_id").unwrap() else {
                continue;
            };
            let number = attempt.text("out_trade_no").unwrap();
            let payment =
                self.payment(&number).unwrap_or_else(|| panic!("{number} is paid here only"));
            assert_eq!(text(payment, "transaction_id"), transaction_id);
            assert_eq!(text(payment, "mchid"), attempt.text("mchid").unwrap());
            assert_eq!(text(payment, "appid"), attempt.text("appid").unwrap());
            assert_eq!(Some(text(payment, "openid")), attempt.opt_text("openid").unwrap());
            let order = attempt.text("order_id").unwrap();
            assert_eq!(payment["amount"], self.order(&order).int("amount").unwrap(), "{payment}");
            paid_by.entry(order).or_default().insert(transaction_id);
        }
        for order in &self.orders {
            let (id, by) = (order.text("id").unwrap(), order.opt_text("transaction_id").unwrap());
            assert_eq!(by.is_some(), order.text("status").unwrap() == "paid", "{id}");
            let attempts = paid_by.get(&id).cloned().unwrap_or_default();
            assert!(by.is_none_or(|by| attempts.contains(&by)), "{id}: {attempts:?}");
            assert_eq!(
                attempts.is_empty(),
                order.opt_text("transaction_id").unwrap().is_none(),
                "{id}"
            );
        }
    }

    fn order(&self, id: &str) -> &Row {
        self.orders.iter().find(|order| order.text("id").unwrap() == id).unwrap()
    }

    fn no_more_goes_back_than_came(&self) {
        let mut back: BTreeMap<String, i64> = BTreeMap::new();
        for refund in self.of_wechat("refunds").filter(|refund| refund["status"] != "CLOSED") {
            let number = text(refund, "out_refund_no");
            let ours =
                self.refunds.iter().filter(|row| row.text("out_refund_no").unwrap() == number);
            let ours: Vec<_> = ours.collect();
            assert_eq!(ours.len(), 1, "{refund}");
            assert_eq!(refund["amount"], ours[0].int("amount").unwrap());
            assert_eq!(text(refund, "transaction_id"), ours[0].text("transaction_id").unwrap());
            *back.entry(text(refund, "transaction_id")).or_default() +=
                refund["amount"].as_i64().unwrap();
        }
        for payment in self.of_wechat("payments") {
            let back = back.remove(&text(payment, "transaction_id")).unwrap_or_default();
            assert!(back <= payment["amount"].as_i64().unwrap(), "{payment}: {back} went back");
        }
        for order in &self.orders {
            let (refunded, amount) =
                (order.int("amount_refunded").unwrap(), order.int("amount").unwrap());
            assert!(refunded <= amount);
            let of = order.opt_text("transaction_id").unwrap();
            let done = self.refunds.iter().filter(|refund| {
                refund.text("state").unwrap() == "succeeded"
                    && Some(refund.text("transaction_id").unwrap()) == of
            });
            let sum: i64 = done.map(|refund| refund.int("amount").unwrap()).sum();
            assert_eq!(refunded, sum, "{}", order.text("id").unwrap());
        }
    }

    fn one_attempt_is_live(&self) {
        let mut live = BTreeSet::new();
        for attempt in
            self.attempts.iter().filter(|attempt| is_live(&attempt.text("state").unwrap()))
        {
            let order = attempt.text("order_id").unwrap();
            assert!(live.insert(order.clone()), "{order} has two");
            assert_ne!(self.order(&order).text("status").unwrap(), "closed", "{order}");
        }
    }

    fn the_journal_runs_forward(&self) {
        let mut last: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for line in &self.journal {
            let order = line.text("order_id").unwrap();
            let (seq, at) = (line.int("seq").unwrap(), line.int("at").unwrap());
            if let Some((before, earlier)) = last.insert(order.clone(), (seq, at)) {
                assert_eq!(seq, before + 1, "{order}: a line is missing");
                assert!(earlier <= at, "{order}, line {seq}: its time goes back");
            }
        }
        assert_eq!(last.len(), self.orders.len(), "each order has a story");
    }

    fn each_change_is_an_event(&self) {
        for order in &self.orders {
            let id = order.text("id").unwrap();
            let told = |kind: &str| {
                let of = |event: &&Row| event.opt_text("order_id").unwrap().as_deref() == Some(&id);
                self.events
                    .iter()
                    .filter(of)
                    .filter(|event| event.text("type").unwrap() == kind)
                    .count()
            };
            let attempts =
                self.attempts.iter().filter(|attempt| attempt.text("order_id").unwrap() == id);
            let paid =
                attempts.filter(|attempt| attempt.opt_text("transaction_id").unwrap().is_some());
            assert_eq!(told("order.paid") + told("order.overpaid"), paid.count(), "{id}");
            assert!(told("order.paid") <= 1 && told("order.closed") <= 1, "{id}");
            if order.text("status").unwrap() == "closed" {
                assert_eq!(told("order.closed"), 1, "{id}");
            }
            let refunds = self.refunds.iter().filter(|refund| {
                refund.text("order_id").unwrap() == id
                    && refund.text("state").unwrap() == "succeeded"
            });
            assert_eq!(told("refund.succeeded"), refunds.count(), "{id}");
        }
    }

    fn nobody_hears_what_is_not_told(&self) {
        let told: BTreeMap<_, _> =
            self.events.iter().map(|event| (event.text("id").unwrap(), event)).collect();
        let mut latest: BTreeMap<String, i64> = BTreeMap::new();
        let mut heard = BTreeSet::new();
        for (id, body) in &self.delivered {
            let event = told.get(id).unwrap_or_else(|| panic!("{id} was never told"));
            assert_eq!(&event.text("body").unwrap(), body, "one id, one body");
            // Repeats come late; the first of each comes in order.
            if heard.insert(id) {
                let (order, at) =
                    (event.text("order_id").unwrap(), event.int("created_at").unwrap());
                let before = latest.insert(order.clone(), at).unwrap_or_default();
                assert!(before <= at, "{order}: {id} came before what was told earlier");
            }
        }
    }

    fn who_lies_moves_nothing(&self) {
        let verdicts = ["moved", "known", "asked", "unmatched", "refused"];
        for notice in &self.inbox {
            let verdict = notice.text("verdict").unwrap();
            assert!(verdicts.contains(&verdict.as_str()), "{verdict}");
        }
        let moved =
            self.inbox.iter().filter(|notice| notice.text("verdict").unwrap() == "moved").count();
        let changes = self
            .attempts
            .iter()
            .filter(|row| row.opt_text("transaction_id").unwrap().is_some())
            .count();
        assert!(moved <= changes + self.refunds.len(), "{moved} notices moved {changes} payments");
    }
}

fn is_live(state: &str) -> bool {
    state == "created" || state == "prepaid"
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// Microseconds of WeChat's way to write a time.
fn instant(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

const fn seconds(micros: i64) -> i64 {
    micros.div_euclid(1_000_000)
}

/// What a bug would leave behind, and how to take it back.
const LIES: [(&str, &str); 9] = [
    (
        "UPDATE attempt SET transaction_id = 'x' || transaction_id",
        "UPDATE attempt SET transaction_id = substr(transaction_id, 2)",
    ),
    ("UPDATE orders SET amount = amount + 1", "UPDATE orders SET amount = amount - 1"),
    ("UPDATE orders SET status = 'closed'", "UPDATE orders SET status = 'paid'"),
    ("UPDATE orders SET amount_refunded = 1", "UPDATE orders SET amount_refunded = 990"),
    (
        "UPDATE refund SET out_refund_no = 'x' || out_refund_no",
        "UPDATE refund SET out_refund_no = substr(out_refund_no, 2)",
    ),
    ("UPDATE refund SET state = 'abnormal'", "UPDATE refund SET state = 'succeeded'"),
    (
        "UPDATE journal SET seq = seq + 100 WHERE step = 'refund'",
        "UPDATE journal SET seq = seq - 100 WHERE step = 'refund'",
    ),
    (
        "UPDATE event SET body = body || ' '",
        "UPDATE event SET body = substr(body, 1, length(body) - 1)",
    ),
    ("UPDATE event SET type = 'x' || type", "UPDATE event SET type = substr(type, 2)"),
];

#[tokio::test]
async fn a_checker_finds_each_lie() {
    let world = std::sync::Arc::new(World::open().await);
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.alice_pays(&app, &order).await;
    world.until_status(&order, "paid").await;
    world
        .merchant("POST", &format!("/v1/orders/{order}/refunds"), Some(serde_json::json!({})))
        .await;
    world.check_at_the_end(1).await;

    let store = world.look_into().await;
    let exec = async |sql: &'static str| {
        let write = store.write((), move |tx, ()| Box::pin(async move { tx.exec(sql, &[]).await }));
        assert!(write.await.unwrap() > 0, "{sql} changed nothing");
    };
    for (lie, truth) in LIES {
        exec(lie).await;
        let checked = std::sync::Arc::clone(&world);
        let found = tokio::spawn(async move { checked.check().await }).await;
        assert!(found.is_err_and(|error| error.is_panic()), "not found: {lie}");
        exec(truth).await;
        world.check().await;
    }
    store.close().await;
}

const DUE: &str =
    "SELECT key, last_error FROM due WHERE state = 'ready' AND due_at <= $1 ORDER BY due_at";
