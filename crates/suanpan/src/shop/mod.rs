//! The demo shop: a merchant's own system, as small as it can be.
//!
//! It uses the backend only as a merchant can (docs/decisions/0004): it creates
//! orders with its API key and hears of payments by webhook, whose signature it
//! checks with somebody else's implementation of Standard Webhooks. Its mini
//! program lives on the simulator's phone and talks to the routes below.

mod backend;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

pub(crate) use self::backend::Backend;
use crate::credentials::Cast;
use crate::error::Error;

/// What is on sale.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    id: &'static str,
    name: &'static str,
    /// Fen.
    amount: i64,
    /// The mini program that sells it; its merchant account speaks `api`.
    app: String,
    api: &'static str,
}

/// A webhook that came and was genuine.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// `webhook-id`.
    pub(crate) id: String,
    /// `{"type","timestamp","data"}`, as it came.
    pub(crate) body: Value,
}

impl Delivery {
    /// What happened, such as `order.paid`.
    pub(crate) fn event_type(&self) -> &str {
        self.body.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// The order or refund that it happened to.
    pub(crate) fn data(&self) -> &Value {
        self.body.get("data").unwrap_or(&Value::Null)
    }
}

/// The shop.
#[derive(Clone)]
pub(crate) struct Shop(Arc<Inner>);

struct Inner {
    items: Vec<Item>,
    backend: Backend,
    webhook: Webhook,
    deliveries: broadcast::Sender<Delivery>,
}

impl Shop {
    /// Opens the shop: registers its webhook address at the backend.
    pub(crate) async fn open(
        backend: Backend,
        cast: &Cast,
        address: SocketAddr,
    ) -> Result<Self, Error> {
        let secret = backend.register_webhook(&format!("http://{address}{WEBHOOK_PATH}")).await?;
        let webhook = Webhook::new(&secret).map_err(|cause| {
            Error::found("SP-WEBHOOK-SECRET", "the backend gave no usable secret", "report this")
                .because(&cause)
        })?;
        let (deliveries, _) = broadcast::channel(256);
        Ok(Self(Arc::new(Inner { items: items(cast), backend, webhook, deliveries })))
    }

    /// Serves the mini program and the webhook until `stop`.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(listener, routes::routes(self)).with_graceful_shutdown(stop).await
    }

    /// Every genuine webhook from now on.
    pub(crate) fn deliveries(&self) -> broadcast::Receiver<Delivery> {
        self.0.deliveries.subscribe()
    }

    /// Creates an order of one item, as a merchant's system does at check-out.
    pub(crate) async fn order(&self, item: &str) -> Result<Value, Error> {
        let item = self.0.items.iter().find(|known| known.id == item).ok_or_else(|| {
            Error::usage("SP-SHOP-ITEM", format!("the shop sells no {item:?}"), "see GET /items")
        })?;
        let order = serde_json::json!({
            "reference": format!("shop-{}", uuid::Uuid::new_v4().simple()),
            "amount": item.amount,
            "description": item.name,
            "app": item.app,
        });
        self.0.backend.create_order(&order).await
    }

    /// An order book that is not empty when the phone is opened for the first time.
    pub(crate) async fn seed(&self) -> Result<(), Error> {
        let orders = self.0.backend.orders(1).await?;
        let empty = orders.get("data").and_then(Value::as_array).is_none_or(Vec::is_empty);
        if empty {
            for item in &self.0.items {
                self.order(item.id).await?;
            }
        }
        Ok(())
    }
}

/// Where the shop hears of payments. The name tells a left-over of an earlier run.
pub(super) const WEBHOOK_PATH: &str = "/demo-shop/webhook";

fn items(cast: &Cast) -> Vec<Item> {
    let tea = |id, name, amount, seller: &crate::credentials::Seller, api| Item {
        id,
        name,
        amount,
        app: seller.app.clone(),
        api,
    };
    vec![
        tea("longjing", "明前龙井一杯", 990, &cast.v3, "v3"),
        tea("puer", "陈年普洱一壶", 2800, &cast.v3, "v3"),
        tea("jasmine", "茉莉花茶一杯", 660, &cast.v2, "v2"),
    ]
}
