//! What must hold in the end: the books of WeChat, of the backend and of the merchant's own system.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::hook::{Delivery, Taken};
use super::{PATIENCE, Service, Street, Told};

/// The three books.
pub(crate) struct Books {
    wechat: Value,
    orders: Vec<Value>,
    /// Those that the merchant's own system knows of.
    refunds: Vec<Value>,
    events: Vec<Value>,
    delivered: Vec<Delivery>,
}

impl Books {
    /// Reads them, when each event was delivered.
    pub(crate) async fn read<S: Service>(street: &Street<S>) -> Self {
        let events = street.service.list("/v1/events").await;
        let everything =
            |taken: &Taken| events.iter().all(|event| taken.has(event["id"].as_str().unwrap()));
        if tokio::time::timeout(PATIENCE, street.hook.until(everything)).await.is_err() {
            street.stuck("events");
        }
        let mut refunds = Vec::new();
        for event in &events {
            if event["type"].as_str().unwrap().starts_with("refund.") {
                let path = format!("/v1/refunds/{}", text(&event["data"], "id"));
                refunds.push(street.service.look(&path).await);
            }
        }
        Self {
            wechat: street.wechat.control("ledger", None).await,
            orders: street.service.list("/v1/orders").await,
            refunds,
            events,
            delivered: street.hook.taken(),
        }
    }

    pub(crate) fn agree(&self, told: &[Told]) {
        self.each_reference_is_one_order(told);
        self.who_paid_at_wechat_has_paid_here();
        self.what_goes_back_is_what_was_asked_for(told);
        self.each_end_is_one_event(told);
        self.each_event_came_with_one_body();
    }

    fn each_reference_is_one_order(&self, told: &[Told]) {
        let word = |id: &str, reference: &str, amount: i64, status: &str, back: i64| {
            format!("{id} {reference} {amount} {status} {back}")
        };
        let here = self.orders.iter().map(|order| {
            let (amount, back) = (fen(order, "amount"), fen(order, "amount_refunded"));
            word(
                &text(order, "id"),
                &text(order, "reference"),
                amount,
                &text(order, "status"),
                back,
            )
        });
        let theirs = told.iter().map(|told| {
            let back = told.refund.as_ref().map_or(0, |(_, back)| *back);
            word(&told.id, &told.reference, told.amount, told.status, back)
        });
        assert_eq!(sorted(here), sorted(theirs));
    }

    fn who_paid_at_wechat_has_paid_here(&self) {
        let paid = |by: &Value| (text(by, "transaction_id"), fen(by, "amount"));
        let here = self.orders.iter().filter(|order| order["status"] == "paid").map(paid);
        assert_eq!(sorted(list(&self.wechat, "payments").iter().map(paid)), sorted(here));
        for order in self.orders.iter().filter(|order| order["status"] != "paid") {
            assert_eq!(order["transaction_id"], Value::Null, "{order}");
        }
        // An attempt that nobody paid is none that somebody still can.
        let open = |order: &&Value| {
            !matches!(text(order, "trade_state").as_str(), "SUCCESS" | "REFUND" | "CLOSED")
        };
        let open: Vec<_> = list(&self.wechat, "orders").iter().filter(open).collect();
        assert!(open.is_empty(), "{open:#?}");
    }

    fn what_goes_back_is_what_was_asked_for(&self, told: &[Told]) {
        let refund = |refund: &Value| {
            let number = text(refund, "out_refund_no");
            (
                number,
                text(refund, "refund_id"),
                text(refund, "transaction_id"),
                fen(refund, "amount"),
            )
        };
        let at_wechat = list(&self.wechat, "refunds");
        assert_eq!(sorted(at_wechat.iter().map(refund)), sorted(self.refunds.iter().map(refund)));
        for refund in at_wechat {
            assert_eq!(refund["status"], "SUCCESS", "{refund}");
        }
        let here = self.refunds.iter().map(|refund| {
            assert_eq!(refund["status"], "succeeded", "{refund}");
            (text(refund, "id"), text(refund, "order_id"), fen(refund, "amount"))
        });
        let asked = told.iter().filter_map(|told| {
            told.refund.as_ref().map(|(id, back)| (id.clone(), told.id.clone(), *back))
        });
        assert_eq!(sorted(here), sorted(asked));
    }

    fn each_end_is_one_event(&self, told: &[Told]) {
        let here =
            self.events.iter().map(|event| (text(event, "type"), text(&event["data"], "id")));
        let ends = told.iter().flat_map(|told| {
            let end = (format!("order.{}", told.status), told.id.clone());
            let back =
                told.refund.as_ref().map(|(id, _)| ("refund.succeeded".to_owned(), id.clone()));
            [Some(end), back].into_iter().flatten()
        });
        assert_eq!(sorted(here), sorted(ends));
    }

    fn each_event_came_with_one_body(&self) {
        let mut bodies: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for delivery in &self.delivered {
            bodies.entry(&delivery.id).or_default().insert(&delivery.body);
        }
        let ids: BTreeSet<_> =
            self.events.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(bodies.keys().copied().collect::<BTreeSet<_>>(), ids);
        for (id, bodies) in &bodies {
            assert_eq!(bodies.len(), 1, "{id}: {bodies:#?}");
        }
        for event in &self.events {
            let body = bodies[event["id"].as_str().unwrap()].first().unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            for name in ["type", "timestamp", "data"] {
                assert_eq!(body[name], event[name], "{event}");
            }
        }
    }

    /// Whether something was delivered more than once.
    pub(crate) fn repeats_a_delivery(&self) -> bool {
        self.events.len() < self.delivered.len()
    }
}

fn sorted<T: Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.into_iter().collect();
    all.sort();
    all
}

fn list<'a>(book: &'a Value, name: &str) -> &'a [Value] {
    book[name].as_array().unwrap()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

fn fen(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_else(|| panic!("no {name} in {value}"))
}
