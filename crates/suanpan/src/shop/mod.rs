//! The demo shop: a merchant like any other.
//!
//! It knows the backend only as a merchant can (docs/decisions/0004): it creates
//! orders with an API key, and hears of payments by a webhook that it verifies
//! with somebody else's implementation of Standard Webhooks. The phone learns
//! from the shop. Nothing here reaches into the server.

mod backend;
mod http;
mod menu;
mod webhook;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use suanpan_server::outside::{Clock as _, Dice as _, SystemClock, SystemDice};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

pub(crate) use backend::{Backend, NewOrder};
pub(crate) use menu::{Item, Stall, menu, stalls};
pub(crate) use webhook::Heard;

use crate::private_file;
use crate::problem::Problem;
use crate::stop::Stop;
use webhook::Ear;

/// What the payer reads over the door.
pub(crate) const NAME: &str = "算盘茶铺";

/// A shop with its door: what is behind it is shared with [`Shop::serve`].
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    /// Where the phone finds it.
    pub(crate) url: String,
    counter: Arc<Counter>,
    before: Option<Settled>,
}

/// What the shop keeps from one start to the next.
#[derive(Clone, Deserialize, Serialize)]
struct Settled {
    port: u16,
    endpoint: String,
    secret: String,
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settled").field("port", &self.port).finish_non_exhaustive()
    }
}

/// What the shop works with.
#[derive(Debug)]
struct Counter {
    menu: Vec<Item>,
    backend: Backend,
    ear: Ear,
    clock: SystemClock,
}

impl Shop {
    /// Finds a port on loopback, where nobody else comes in: that of the last start, where it is free, so that what the
    /// backend has still to deliver arrives.
    pub(crate) async fn open(
        menu: Vec<Item>,
        backend: Backend,
        state: &Path,
    ) -> Result<(Self, TcpListener), Problem> {
        let nowhere = |cause| Problem::machine("the shop finds no port", &cause);
        let before = private_file::read(state)?.map(|text| serde_json::from_str(&text));
        let before: Option<Settled> = before.transpose().unwrap_or_default();
        let port = before.as_ref().map_or(0, |before| before.port);
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(nowhere)?,
        };
        let url = format!("http://{}", listener.local_addr().map_err(nowhere)?);
        let counter = Counter { menu, backend, ear: Ear::new(), clock: SystemClock::new() };
        Ok((Self { url, counter: Arc::new(counter), before }, listener))
    }

    /// Serves the phone of these origins, and the backend's webhooks, until told to stop.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        origins: Vec<String>,
        stop: Stop,
    ) -> Result<(), Problem> {
        let router = http::router(self.counter, &origins, &stop);
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.wait()).await;
        served.map_err(|cause| Problem::machine("the shop lost its port", &cause))
    }

    /// Lets the backend know where to deliver, unless it knows from the last start. A shop that is new gets its first
    /// orders.
    pub(crate) async fn settle(&self, state: &Path) -> Result<(), Problem> {
        let backend = &self.counter.backend;
        let url = format!("{}{}", self.url, http::WEBHOOK);
        if let Some(before) = &self.before {
            if backend.delivers_to(&before.endpoint).await?.as_deref() == Some(&url) {
                return self.counter.ear.trust(&before.secret);
            }
            backend.forget_endpoint(&before.endpoint).await?;
        }
        let (endpoint, secret) = backend.add_endpoint(&url).await?;
        self.counter.ear.trust(&secret)?;
        let port = self.url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0);
        private_file::write(state, &json!(Settled { port, endpoint, secret }).to_string())?;

        if self.before.is_none() {
            for (item, number) in self.counter.menu.iter().zip(1..=SEEDED) {
                self.counter.order(item, &format!("seed-{number}")).await?;
            }
        }
        Ok(())
    }

    /// What the shop hears from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Heard> {
        self.counter.ear.listen()
    }
}

impl Counter {
    /// A new order for this item; the amount is the menu's, whatever the phone thinks.
    async fn order(&self, item: &Item, reference: &str) -> Result<Value, Problem> {
        let order = NewOrder {
            reference: reference.to_owned(),
            amount: item.amount,
            description: item.name.to_owned(),
            app: item.app.clone(),
        };
        self.backend.create_order(&order).await
    }

    fn reference(&self) -> String {
        SystemDice.id("tea-", self.clock.now_micros())
    }
}

/// How many orders a new shop has.
const SEEDED: usize = 3;
