//! The backend is killed under load, again and again: in the end every book says the same.
//!
//! Real processes, real sockets and a real clock. SIGKILL takes the backend where it stands, at moments that are counted
//! and not timed; it starts at once on the same database and port. Callers do as the documentation tells them: what got
//! no answer is sent once more, in the same words and under the same `Idempotency-Key`.
//!
//! One thing is not waited for: the minute after which somebody else does what a dead process had begun (`pass_on`).

mod backend;
mod books;
mod hook;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::timeout;

use self::backend::{Backend, Moment};
use self::books::Books;
use self::hook::Hook;
use crate::process::{Running, text};

/// When it dies: at the n-th time that this happens. `Asked`: while the request is under way; `Heard`: before the
/// webhook is answered.
const KILLS: [(Moment, usize); 7] = [
    (Moment::Answered("create"), 4),
    (Moment::Asked("pay"), 6),
    (Moment::Heard, 5),
    (Moment::Asked("refund"), 3),
    (Moment::Asked("create"), 20),
    (Moment::Heard, 20),
    (Moment::Answered("refund"), 7),
];
const ORDERS: usize = 30;
/// How many customers there are at a time.
const CUSTOMERS: usize = 8;
/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test]
async fn what_was_killed_at_any_moment_loses_no_payment_and_makes_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let free = "127.0.0.1:0";
    // Refunds of APIv2 need a connection that shows a certificate.
    let simulator = Running::start(&[
        "simulator",
        "--listen",
        free,
        "--tls-listen",
        free,
        "--data",
        text(folder.path()),
    ]);
    let wechat = simulator.says("url");
    let written = std::fs::read_to_string(simulator.says("config")).unwrap();
    let hosts = |url: &str| format!("merchant_hosts = [{url:?}]");
    let over_tls = hosts(&simulator.says("tls_url")) + "\nca_certificates = [\"tls/ca.pem\"]";
    let config = folder.path().join("killed.toml");
    std::fs::write(&config, written.replace(&hosts(&wechat), &over_tls)).unwrap();
    let credentials = std::fs::read_to_string(simulator.says("credentials")).unwrap();
    let credentials: Value = serde_json::from_str(&credentials).unwrap();
    let app = |api: usize| credentials["merchants"][api]["apps"][0].as_str().unwrap().to_owned();

    let backend = Backend::start(&config, &KILLS).await;
    let hook = Hook::open(Arc::clone(&backend)).await;
    let street = Street { wechat, backend, hook };
    let made = json!({ "url": street.hook.url });
    let made = street.backend.ask("endpoint", "/v1/webhook-endpoints", Some("hook"), &made).await;
    street.hook.trust(made["secret"].as_str().unwrap());

    let customers = (0..ORDERS).map(|number| street.customer(number, app(number % 2)));
    let load = stream::iter(customers).buffer_unordered(CUSTOMERS).collect::<Vec<_>>();
    let told: Vec<Told> = timeout(PATIENCE, load).await.unwrap_or_else(|_| street.stuck("load"));
    assert_eq!(street.backend.kills(), KILLS.len(), "each moment came");

    let settled = street.settled(&told);
    timeout(PATIENCE, settled).await.unwrap_or_else(|_| street.stuck("settle"));
    Books::read(&street).await.agree(&told);
    street.backend.stop().await;
    assert_eq!(simulator.end("-TERM").code, Some(0));
}

/// Everybody who is there.
struct Street {
    /// The simulator's address.
    wechat: String,
    backend: Arc<Backend>,
    hook: Hook,
}

/// What a customer's order came to, as the merchant's own system was told.
#[derive(Debug)]
struct Told {
    id: String,
    reference: String,
    amount: i64,
    /// What it has to end as.
    status: &'static str,
    /// The refund's id, and how much of it.
    refund: Option<(String, i64)>,
}

impl Street {
    /// From the order to the refund, or to a change of mind.
    async fn customer(&self, number: usize, app: String) -> Told {
        let reference = format!("tea-{number}");
        let amount = i64::try_from(number).unwrap().saturating_add(990);
        let order = json!({
            "reference": reference, "amount": amount, "description": "龙井一杯", "app": app,
        });
        let order = self.backend.ask("create", "/v1/orders", Some(&reference), &order).await;
        let id = order["id"].as_str().unwrap().to_owned();
        let mut sheet = self.sheet(&reference, &app, &id).await;
        let mut told = Told { id, reference, amount, status: "paid", refund: None };
        let (changes_his_mind, sends_it_back) = (number % 7 == 5, number.is_multiple_of(3));

        sheet["user"] = json!(told.reference);
        sheet["appId"] = json!(app);
        sheet["outcome"] = json!(if changes_his_mind { "cancel" } else { "pay" });
        self.control("request-payment", Some(&sheet)).await;
        let of_order = format!("/v1/orders/{}", told.id);
        if changes_his_mind {
            let close = format!("{of_order}/close");
            let key = format!("{}-close", told.reference);
            self.backend.ask("close", &close, Some(&key), &json!({})).await;
            told.status = "closed";
        } else if sends_it_back {
            // As a merchant's system learns of it.
            self.hook.until_told("order.paid", &told.id).await;
            let back = if number.is_multiple_of(2) { 100 } else { amount };
            let key = format!("{}-refund", told.reference);
            let asked = json!({ "amount": back });
            let refunds = format!("{of_order}/refunds");
            let refund = self.backend.ask("refund", &refunds, Some(&key), &asked).await;
            told.refund = Some((refund["id"].as_str().unwrap().to_owned(), back));
        }
        told
    }

    /// A code works once: who gets no answer logs in anew.
    async fn sheet(&self, user: &str, app: &str, order: &str) -> Value {
        loop {
            let login = json!({ "appid": app, "user": user });
            let code = self.control("login", Some(&login)).await["code"].take();
            let pay = json!({ "code": code, "orderId": order });
            if let Some(sheet) = self.backend.once("pay", "/miniprogram/pay", None, &pay).await {
                return sheet;
            }
        }
    }

    /// The simulator's control: `POST` with a body, `GET` without.
    async fn control(&self, path: &str, body: Option<&Value>) -> Value {
        let url = format!("{}/_sim/{path}", self.wechat);
        let request = match body {
            Some(body) => self.backend.http.post(url).json(body),
            None => self.backend.http.get(url),
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// Waits until the merchant's own system was told of each end.
    async fn settled(&self, told: &[Told]) {
        for order in told {
            self.hook.until_told(&format!("order.{}", order.status), &order.id).await;
            if let Some((refund, _)) = &order.refund {
                self.hook.until_told("refund.succeeded", refund).await;
            }
        }
    }

    #[track_caller]
    fn stuck(&self, what: &str) -> ! {
        panic!("it never came through the {what}; told so far: {:#?}", self.hook.taken())
    }
}
