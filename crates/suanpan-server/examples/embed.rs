//! A shop with Suanpan inside: one process, one port, and a book of its own.
//!
//! ```sh
//! suanpan simulator --data sim
//! cargo run -p suanpan-server --example embed -- sim/suanpan.toml
//! curl -s http://127.0.0.1:8080/buy -H 'Content-Type: application/json' -d '{"tea":"longjing"}'
//! ```
//!
//! A mini program buys at the shop (`POST /buy`) and pays at Suanpan (`POST /miniprogram/pay`), both at one address. The
//! order is made within the process. Of the payment the shop hears as every shop does, by a signed webhook: at least
//! once, also where the process died between two lines, which a call within the process could not promise.

#![expect(clippy::print_stdout, reason = "an example talks")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path as File;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use standardwebhooks::Webhook;
use suanpan_server::client::wechat::Fen;
use suanpan_server::client::{Outside, SystemOutside};
use suanpan_server::flow::endpoints::{create_endpoint, list_endpoints};
use suanpan_server::flow::order::{self, NewOrder};
use suanpan_server::ids::OrderId;
use suanpan_server::store::Once;
use suanpan_server::{Config, Seams, Server, World};

/// `… -- <suanpan.toml>`
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = std::env::args().nth(1).ok_or("which suanpan.toml?")?;
    let server = open(Config::load(File::new(&config))?).await?;
    println!("{}", server.url());
    let interrupted = async {
        // No signal can be waited for: then it ends with its terminal.
        drop(tokio::signal::ctrl_c().await);
    };
    Ok(server.run(interrupted).await?)
}

/// Suanpan with the shop beside it, ready to run.
pub(crate) async fn open(config: Config) -> Result<Server, Box<dyn Error>> {
    let public_url = config.server.public_url.clone();
    let server = Server::open(config, Seams::default()).await?;
    let told_at = format!("{}/told", public_url.unwrap_or_else(|| server.url()));
    let secret = endpoint_secret(server.world(), &told_at).await?;
    let shop = Arc::new(Shop {
        suanpan: Arc::clone(server.world()),
        webhook: Webhook::new(&secret)?,
        sales: Mutex::default(),
    });
    let routes = Router::new()
        .route("/buy", post(buy))
        .route("/told", post(told))
        .route("/sales/{reference}", get(sale))
        .with_state(shop);
    Ok(server.beside(routes))
}

/// The key of the shop's own endpoint, which is made at its first start.
async fn endpoint_secret(world: &World, url: &str) -> Result<String, Box<dyn Error>> {
    let endpoints = list_endpoints(world, None, 100).await?;
    if let Some(endpoint) = endpoints.into_iter().find(|endpoint| endpoint.url == url) {
        return Ok(endpoint.secret);
    }
    let events = Some(vec!["order.paid".to_owned()]);
    Ok(create_endpoint(world, url, events, &Once::default()).await?.secret)
}

struct Shop {
    suanpan: Arc<World>,
    webhook: Webhook,
    /// The shop's own book, by reference. In earnest: a table of your database.
    sales: Mutex<BTreeMap<String, Sale>>,
}

/// What the shop sold.
#[derive(Clone, Serialize)]
struct Sale {
    tea: String,
    paid: bool,
}

impl Shop {
    fn book<T>(&self, write: impl FnOnce(&mut BTreeMap<String, Sale>) -> T) -> T {
        write(&mut self.sales.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Deserialize)]
struct Wish {
    tea: String,
}

/// What the mini program needs: `orderId` for `POST /miniprogram/pay`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bought {
    reference: String,
    order_id: OrderId,
}

/// Price and order are the shop's; the phone only says what it would like.
async fn buy(
    State(shop): State<Arc<Shop>>,
    Json(Wish { tea }): Json<Wish>,
) -> Result<Json<Bought>, (StatusCode, String)> {
    let (amount, description) = match tea.as_str() {
        "longjing" => (Fen::new(990), "龙井一杯"),
        "puer" => (Fen::new(1880), "普洱一壶"),
        _ => return Err((StatusCode::NOT_FOUND, "there is no such tea".to_owned())),
    };
    let amount = amount.unwrap_or(Fen::ZERO);
    let reference = SystemOutside.nonce().as_str().to_owned();
    // The shop's book first: whatever is paid later is in it.
    shop.book(|sales| sales.insert(reference.clone(), Sale { tea, paid: false }));
    let new = NewOrder::new(reference.clone(), amount, description.to_owned());
    let order = order::create(&shop.suanpan, new, &Once::default()).await;
    // Its code says more to who operates the shop than to who buys: `suanpan explain`.
    let order =
        order.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.code().to_owned()))?;
    Ok(Json(Bought { reference, order_id: order.id }))
}

#[derive(Deserialize)]
struct Event {
    data: Paid,
}

#[derive(Deserialize)]
struct Paid {
    reference: String,
}

/// The webhook. To mark a sale as paid twice does no harm; what does is to be done once for each `webhook-id`.
async fn told(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if shop.webhook.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(Event { data }) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
    shop.book(|sales| {
        if let Some(sale) = sales.get_mut(&data.reference) {
            sale.paid = true;
        }
    });
    StatusCode::NO_CONTENT
}

async fn sale(
    State(shop): State<Arc<Shop>>,
    Path(reference): Path<String>,
) -> Result<Json<Sale>, StatusCode> {
    let sale = shop.book(|sales| sales.get(&reference).cloned());
    sale.map(Json).ok_or(StatusCode::NOT_FOUND)
}
