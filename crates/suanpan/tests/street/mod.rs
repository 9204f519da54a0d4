//! A street of customers before a backend that may die: what they do, and the books that must agree in the end.
//!
//! Callers do as the documentation tells them: what got no answer is sent once more, in the same words and under the
//! same `Idempotency-Key`.

mod books;
mod hook;
mod service;
mod wechat;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

pub(crate) use self::books::Books;
pub(crate) use self::hook::Hook;
pub(crate) use self::service::Service;
pub(crate) use self::wechat::Wechat;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Everybody who is there.
pub(crate) struct Street<S> {
    pub(crate) wechat: Wechat,
    pub(crate) service: S,
    pub(crate) hook: Hook,
}

/// What a customer's order came to, as the merchant's own system was told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) reference: String,
    pub(crate) amount: i64,
    /// What it has to end as.
    pub(crate) status: &'static str,
    /// The refund's id, and how much of it.
    pub(crate) refund: Option<(String, i64)>,
}

impl<S: Service> Street<S> {
    /// Opens the merchant's own system, and has it told of everything.
    pub(crate) async fn open(wechat: Wechat, service: S) -> Self {
        let hook = Hook::open(service.clone()).await;
        let made = json!({ "url": hook.url });
        let made = service.ask("endpoint", "/v1/webhook-endpoints", Some("hook"), &made).await;
        hook.trust(made["secret"].as_str().unwrap());
        Self { wechat, service, hook }
    }

    /// From the order to the refund, or to a change of mind.
    pub(crate) async fn customer(&self, number: usize) -> Told {
        let (app, reference) = (self.wechat.app(number), format!("tea-{number}"));
        let amount = i64::try_from(number).unwrap().saturating_add(990);
        let order = json!({
            "reference": reference, "amount": amount, "description": "龙井一杯", "app": app,
        });
        let order = self.service.ask("create", "/v1/orders", Some(&reference), &order).await;
        let id = order["id"].as_str().unwrap().to_owned();
        let mut sheet = self.sheet(&reference, app, &id).await;
        let mut told = Told { id, reference, amount, status: "paid", refund: None };
        let (changes_his_mind, sends_it_back) = (number % 7 == 5, number.is_multiple_of(3));

        sheet["user"] = json!(told.reference);
        sheet["appId"] = json!(app);
        sheet["outcome"] = json!(if changes_his_mind { "cancel" } else { "pay" });
        self.wechat.control("request-payment", Some(&sheet)).await;
        let of_order = format!("/v1/orders/{}", told.id);
        if changes_his_mind {
            let close = format!("{of_order}/close");
            let key = format!("{}-close", told.reference);
            self.service.ask("close", &close, Some(&key), &json!({})).await;
            told.status = "closed";
        } else if sends_it_back {
            // As a merchant's system learns of it.
            self.hook.until_told("order.paid", &told.id).await;
            let back = if number.is_multiple_of(2) { 100 } else { amount };
            let key = format!("{}-refund", told.reference);
            let asked = json!({ "amount": back });
            let refunds = format!("{of_order}/refunds");
            let refund = self.service.ask("refund", &refunds, Some(&key), &asked).await;
            told.refund = Some((refund["id"].as_str().unwrap().to_owned(), back));
        }
        told
    }

    /// A code works once: who gets no answer logs in anew.
    async fn sheet(&self, user: &str, app: &str, order: &str) -> Value {
        loop {
            let login = json!({ "appid": app, "user": user });
            let code = self.wechat.control("login", Some(&login)).await["code"].take();
            let pay = json!({ "code": code, "orderId": order });
            if let Some(sheet) = self.service.once("pay", "/miniprogram/pay", None, &pay).await {
                return sheet;
            }
        }
    }

    /// Waits until the merchant's own system was told of each end, and compares the books.
    pub(crate) async fn settle(&self, told: &[Told]) -> Books {
        let settled = async {
            for order in told {
                self.hook.until_told(&format!("order.{}", order.status), &order.id).await;
                if let Some((refund, _)) = &order.refund {
                    self.hook.until_told("refund.succeeded", refund).await;
                }
            }
        };
        timeout(PATIENCE, settled).await.unwrap_or_else(|_| self.stuck("settle"));
        let books = Books::read(self).await;
        books.agree(told);
        books
    }

    #[track_caller]
    pub(crate) fn stuck(&self, what: &str) -> ! {
        panic!("it never came through the {what}; told so far: {:#?}", self.hook.taken())
    }
}
