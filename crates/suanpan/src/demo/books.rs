//! The three books, and where they differ.

use serde::Serialize;
use serde_json::Value;
use suanpan_server::client::wechat::Fen;

use crate::mask;
use crate::tape::Exchange;

/// What one side holds about the payment.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(super) struct Book {
    /// Whose book, Chinese first.
    #[serde(skip)]
    pub(super) title: &'static str,
    /// Whose book, for a machine.
    pub(super) book: &'static str,
    /// Our own id of the order; WeChat does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order_id: Option<String>,
    /// The number of the attempt at WeChat; the merchant is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) out_trade_no: Option<String>,
    /// In fen.
    pub(super) amount: Option<i64>,
    /// WeChat's number of the payment.
    pub(super) transaction_id: Option<String>,
    /// How it stands, in the words of the book.
    pub(super) status: String,
}

impl Book {
    pub(super) fn text(&self) -> String {
        let amount =
            self.amount.and_then(Fen::new).map_or_else(|| "?".to_owned(), |fen| fen.to_string());
        let transaction = self.transaction_id.as_deref().unwrap_or("?");
        format!("{amount}  {transaction}  {}", self.status)
    }
}

/// WeChat's book: `GET /_sim/ledger`, the payment under this number.
pub(super) fn ledger(ledger: &Value, out_trade_no: &str) -> (Book, Vec<String>) {
    let of = |list: &str| -> Vec<Value> {
        let all = ledger.get(list).and_then(Value::as_array).into_iter().flatten();
        all.filter(|entry| text(entry, "out_trade_no").as_deref() == Some(out_trade_no))
            .cloned()
            .collect()
    };
    let payments = of("payments");
    let acknowledged = is_acknowledged(ledger, out_trade_no);
    let first = payments.first();
    let book = Book {
        title: "微信账本 WeChat's ledger",
        book: "ledger",
        out_trade_no: first.and_then(|payment| text(payment, "out_trade_no")),
        amount: first.and_then(|payment| payment.get("amount")?.as_i64()),
        transaction_id: first.and_then(|payment| text(payment, "transaction_id")),
        status: if acknowledged { "paid, notification acknowledged" } else { "notification open" }
            .to_owned(),
        ..Book::default()
    };
    let mut differences = Vec::new();
    if payments.len() != 1 {
        let count = payments.len();
        differences.push(format!("the ledger has {count} payments under {out_trade_no}, not one"));
    }
    if !acknowledged {
        differences.push("WeChat holds the notification as not acknowledged".to_owned());
    }
    (book, differences)
}

/// WeChat's book where its notification was lost: there is one payment, whoever told us of it.
pub(super) fn paid_once(payments: &[Value]) -> (Book, Vec<String>) {
    let first = payments.first();
    let book = Book {
        title: "微信账本 WeChat's ledger",
        book: "ledger",
        out_trade_no: first.and_then(|payment| text(payment, "out_trade_no")),
        amount: first.and_then(|payment| payment.get("amount")?.as_i64()),
        transaction_id: first.and_then(|payment| text(payment, "transaction_id")),
        status: first.map_or("not paid", |_| "paid, notification lost").to_owned(),
        ..Book::default()
    };
    let count = payments.len();
    let differences =
        (count != 1).then(|| format!("WeChat's ledger has {count} payments, not one"));
    (book, differences.into_iter().collect())
}

/// Whether WeChat has nothing left to tell about this number.
pub(super) fn is_acknowledged(ledger: &Value, out_trade_no: &str) -> bool {
    let all = ledger.get("notifications").and_then(Value::as_array).into_iter().flatten();
    let ours = all.filter(|entry| text(entry, "out_trade_no").as_deref() == Some(out_trade_no));
    let mut ours = ours.map(|entry| entry.get("acknowledged") == Some(&Value::Bool(true)));
    ours.next() == Some(true) && ours.all(|acknowledged| acknowledged)
}

/// How WeChat told of it: each try, with our answer. What was in it stays between WeChat and the backend.
pub(super) fn notification(ledger: &Value, out_trade_no: &str) -> Vec<Exchange> {
    let all = ledger.get("notifications").and_then(Value::as_array).into_iter().flatten();
    let ours = all.filter(|entry| text(entry, "out_trade_no").as_deref() == Some(out_trade_no));
    let tries = |entry: &Value| {
        let url = text(entry, "url").unwrap_or_default();
        let tries = entry.get("tries").and_then(Value::as_array).cloned().unwrap_or_default();
        tries.into_iter().map(move |one| {
            let status = one.get("status").and_then(Value::as_u64);
            let status = status.and_then(|status| u16::try_from(status).ok());
            Exchange {
                operation: "POST /wechat/notify/{mchid}".to_owned(),
                url: url.clone(),
                headers: Vec::new(),
                body: String::new(),
                status,
                answer_headers: Vec::new(),
                answer: mask::body(text(&one, "answer").unwrap_or_default().as_bytes()),
            }
        })
    };
    ours.flat_map(tries).collect()
}

/// An order in the backend's words: `GET /v1/orders/{id}`, and the `data` of the webhook.
pub(super) fn order(title: &'static str, book: &'static str, order: &Value) -> Book {
    Book {
        title,
        book,
        order_id: text(order, "id"),
        out_trade_no: None,
        amount: order.get("amount").and_then(Value::as_i64),
        transaction_id: text(order, "transaction_id"),
        status: text(order, "status").unwrap_or_default(),
    }
}

/// Where the books differ from each other, or from what was asked for.
pub(super) fn differences(asked: Fen, order_id: &str, books: &[Book]) -> Vec<String> {
    let mut differences = Vec::new();
    let transaction = books.iter().find_map(|book| book.transaction_id.clone());
    for book in books {
        let name = book.book;
        if book.amount != Some(asked.get()) {
            let amount = book.amount;
            differences.push(format!("{name}: the amount is {amount:?}, not {}", asked.get()));
        }
        if book.transaction_id.is_none() || book.transaction_id != transaction {
            let own = &book.transaction_id;
            differences.push(format!("{name}: the payment is {own:?}, elsewhere {transaction:?}"));
        }
        if book.order_id.as_deref().is_some_and(|id| id != order_id) {
            differences.push(format!("{name}: it is about another order"));
        }
        if !book.status.starts_with("paid") {
            differences.push(format!("{name}: it says {:?}, not paid", book.status));
        }
    }
    differences
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told() -> Value {
        json!({
            "payments": [{ "out_trade_no": "no1", "amount": 990, "transaction_id": "42" }],
            "notifications": [{ "out_trade_no": "no1", "acknowledged": true }],
        })
    }

    fn paid() -> Value {
        json!({ "id": "ord_1", "amount": 990, "transaction_id": "42", "status": "paid" })
    }

    #[track_caller]
    fn check(told: &Value, held: &Value, delivered: &Value, want: &[&str]) {
        let (ledger, mut found) = ledger(told, "no1");
        let books = [ledger, order("", "order", held), order("", "webhook", delivered)];
        found.extend(differences(Fen::new(990).unwrap(), "ord_1", &books));
        assert_eq!(found.len(), want.len(), "{found:?}");
        for (found, want) in found.iter().zip(want) {
            assert!(found.contains(want), "{found}");
        }
    }

    #[test]
    fn books_that_agree_have_no_differences() {
        check(&told(), &paid(), &paid(), &[]);
    }

    #[test]
    fn each_difference_is_named() {
        let with = |mut value: Value, path: &str, new: Value| {
            *value.pointer_mut(path).unwrap() = new;
            value
        };
        let ledger = with(told(), "/payments/0/amount", json!(99));
        check(&ledger, &paid(), &paid(), &["ledger: the amount is Some(99)"]);
        let ledger = with(told(), "/notifications/0/acknowledged", json!(false));
        check(&ledger, &paid(), &paid(), &["not acknowledged", "ledger: it says"]);
        let held = with(paid(), "/transaction_id", json!(null));
        check(&told(), &held, &paid(), &["order: the payment is None"]);
        let held = with(paid(), "/status", json!("paying"));
        check(&told(), &held, &paid(), &["order: it says \"paying\""]);
        let delivered = with(paid(), "/id", json!("ord_2"));
        check(&told(), &paid(), &delivered, &["webhook: it is about another order"]);
        let delivered = with(paid(), "/transaction_id", json!("43"));
        check(&told(), &paid(), &delivered, &["webhook: the payment is Some(\"43\")"]);
        let nothing = json!({});
        let none = ["0 payments", "not acknowledged", "amount", "payment is None", "says"];
        check(&nothing, &paid(), &paid(), &none);
    }
}
