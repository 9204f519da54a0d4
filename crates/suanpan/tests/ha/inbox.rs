//! What WeChat was told SUCCESS for has to be in the inbox: the query schedule would hide that it is not.

use std::collections::BTreeMap;

use serde_json::Value;
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::store::{Database, Store};

/// Notifications that were acknowledged, and how many of these nobody has kept.
pub(crate) struct Notifications {
    pub(crate) acknowledged: usize,
    pub(crate) lost: usize,
}

impl Notifications {
    /// `ledger` is WeChat's, `orders` are those of the backend.
    pub(crate) async fn read(database: &str, ledger: &Value, orders: &[Value]) -> Self {
        let mut told: BTreeMap<&str, usize> = BTreeMap::new();
        for notification in ledger["notifications"].as_array().unwrap() {
            let tries = notification["tries"].as_array().unwrap();
            let heard = tries.iter().filter(|each| each["acknowledged"] == true).count();
            let sum = told.entry(notification["transaction_id"].as_str().unwrap()).or_default();
            *sum = sum.saturating_add(heard);
        }
        let kept = kept(database).await;
        let lost = told.iter().map(|(transaction, told)| {
            let order = orders.iter().find(|order| order["transaction_id"] == *transaction);
            let kept = order.and_then(|order| kept.get(order["id"].as_str()?));
            told.saturating_sub(kept.copied().unwrap_or_default())
        });
        Self { acknowledged: told.values().sum(), lost: lost.sum() }
    }
}

/// How many notifications the inbox has about each order.
async fn kept(database: &str) -> BTreeMap<String, usize> {
    let database = Database::parse(database, std::path::Path::new(".")).unwrap();
    let store = Store::open(&database, SystemClock::new().now_micros()).await.unwrap();
    let rows = store.look((), |tx, ()| Box::pin(async move { tx.rows(KEPT, &[]).await }));
    let rows = rows.await.unwrap();
    store.close().await;
    let read = |row: &suanpan_server::store::Row| {
        (row.text("order_id").unwrap(), usize::try_from(row.int("many").unwrap()).unwrap())
    };
    rows.iter().map(read).collect()
}

const KEPT: &str = "SELECT order_id, COUNT(*) AS many FROM inbox
    WHERE order_id IS NOT NULL AND verdict <> 'refused' GROUP BY order_id";
