//! What a payment and each call cost with ten thousand stored orders, and with ten million:
//! `cargo bench -p suanpan --bench growth -- --folder DIR`.
//!
//! The history is made of real orders (see `fill.rs`), once for a folder. Then a release server runs on each of the two
//! databases, in a process of its own, and the same calls are made to both, in turns. Printed is the processor time of
//! the server (and of its connections at PostgreSQL), and how long the caller waited; medians of the passes.
//!
//! `-- --folder DIR [--server postgres://USER@HOST:PORT] [--few N] [--many N] [--calls N] [--flows N] [--passes N]
//! [--whole N] [--days N] [--only fill|looks]`; `--whole 8`: one hundred orders of eight hundred have all their rows, the others
//! only their own; `--days`: over how many days they were made, ten years if nothing is said.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench talks")]
#![expect(clippy::arithmetic_side_effects, reason = "a bench counts, and nobody's money")]
#![expect(clippy::indexing_slicing, reason = "as many answers as there were calls")]

mod calls;
#[path = "../common/mod.rs"]
mod common;
mod fill;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::store::Database;
use suanpan_server::{Config, Seams, Server};

use common::node::Node;
use common::shop::{Shop, text};
use common::{Failure, floor, number, option};

/// One of the two databases.
#[derive(Debug)]
pub(crate) struct Side {
    /// `few` or `many`.
    pub(crate) name: &'static str,
    /// What is in it.
    pub(crate) filled: Filled,
    /// An API key of it.
    pub(crate) key: String,
    /// A session of the console.
    pub(crate) cookie: String,
    /// The server on it.
    pub(crate) node: Node,
    /// The name of the database on its server; of a file: nothing.
    pub(crate) database: String,
}

impl Filled {
    /// From one order to the next, in microseconds.
    pub(crate) const fn step(&self) -> i64 {
        (self.days * fill::DAY).div_euclid(self.count)
    }
}

/// What was written into a database.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Filled {
    /// How many orders.
    pub(crate) count: i64,
    /// Of so many hundreds one has all its rows.
    pub(crate) whole: i64,
    /// Over how many days they were made.
    pub(crate) days: i64,
    /// The first API key.
    pub(crate) key: String,
    /// The order that most were made of, and when it was made, in unix microseconds.
    pub(crate) order: (String, i64),
    /// The event that tells of it.
    pub(crate) event: (String, i64),
    /// The endpoint that all webhooks went to.
    pub(crate) endpoint: String,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder: PathBuf = option("--folder").ok_or("--folder: where the databases are")?.into();
    fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let shop = Shop::open(&folder).await?;
    let mut sides = Vec::new();
    for (name, count) in [("few", number("--few", 10_000)), ("many", number("--many", 10_000_000))]
    {
        let (database, url) = address(&folder, name);
        let filled = filled(&folder, name, &shop, &url, count).await?;
        if option("--only").is_some_and(|only| only == "fill") {
            continue;
        }
        let cookie = sign_in(&shop, &url).await?;
        let node = Node::start(&shop.config, &url, &[])?;
        sides.push(Side { name, key: filled.key.clone(), filled, cookie, node, database });
    }
    if sides.is_empty() {
        return Ok(());
    }
    let signs = floor::rsa_signs_per_second(&shop.private_key)?;
    let writes = floor::durable_writes_per_second(&folder)?;
    println!("floor: {signs} RSA signatures a second and core, {writes} durable writes a second");
    calls::compare(&shop, &sides).await?;
    for side in sides {
        println!("{}: peak memory {} MiB", side.name, side.node.peak_kib().div_euclid(1024));
        side.node.stop()?;
    }
    Ok(())
}

/// The name of a database on its server, and its address.
fn address(folder: &Path, name: &str) -> (String, String) {
    match option("--server") {
        Some(server) => (format!("growth_{name}"), format!("{server}/growth_{name}")),
        None => (String::new(), format!("sqlite:{}", folder.join(format!("{name}.db")).display())),
    }
}

/// Fills a database, unless that was done before.
async fn filled(
    folder: &Path,
    name: &str,
    shop: &Shop,
    url: &str,
    count: i64,
) -> Result<Filled, Failure> {
    let engine = if url.starts_with("sqlite:") { "sqlite" } else { "postgres" };
    let note = folder.join(format!("{engine}-{name}.json"));
    if let Ok(text) = fs::read_to_string(&note) {
        return Ok(serde_json::from_str(&text)?);
    }
    let mut config = Config::load(&shop.config)?;
    config.server.listen = "127.0.0.1:0".parse()?;
    config.database.url = url.to_owned();
    // As in `Node`: whoever only opens the database for a moment cleans nothing away.
    (config.retention.inbox_days, config.retention.deliveries_days) = (36_500, 36_500);
    config.reconciliation.enabled = false;
    let server = Server::open(config, Seams::default()).await?;
    let (at, key) = (server.url(), server.first_api_key().ok_or("not new")?.to_owned());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    let filled = real_orders(shop, &at, &key).await;
    drop(stop);
    running.await??;
    let (orders, mut filled) = filled?;
    filled.count = count;
    filled.whole = number("--whole", 1);
    filled.days = number("--days", 3_650);

    // The history is written as fast as it goes: it is no loss if the machine stops.
    let bulk = "options=-c%20session_replication_role%3Dreplica%20-c%20synchronous_commit%3Doff";
    let url = if engine == "sqlite" { url.to_owned() } else { format!("{url}?{bulk}") };
    let database = Database::parse(&url, folder)?;
    let clock = SystemClock::new();
    fill::fill(&database, &orders, &filled, clock.now_micros(), |done| {
        if done % 500_000 == 0 || done == count {
            eprintln!(
                "{name}: {done} orders after {} s",
                clock.monotonic_micros().div_euclid(1_000_000)
            );
        }
    })
    .await?;
    fs::write(note, serde_json::to_string(&filled)?)?;
    Ok(filled)
}

/// Four orders, each with how many of a hundred are to be like it: paid (APIv3, APIv2), refunded in part, closed.
async fn real_orders(
    shop: &Shop,
    url: &str,
    key: &str,
) -> Result<(Vec<(String, i64)>, Filled), Failure> {
    let post = reqwest::Method::POST;
    let hook = serde_json::json!({ "url": shop.hook });
    let endpoint =
        shop.call(post.clone(), &format!("{url}/v1/webhook-endpoints"), key, Some(hook)).await?;
    let [v3, v2] = &shop.apps;
    let server = (url, key);
    let paid = shop.flow(server, v3, "growth-paid-by-v3").await?;
    let paid_by_v2 = shop.flow(server, v2, "growth-paid-by-v2").await?;
    let refunded = shop.flow(server, v3, "growth-refunded").await?;
    let refund =
        serde_json::json!({ "amount": 90, "reference": "growth-refund", "reason": "cold" });
    let refund = shop
        .call(post.clone(), &format!("{url}/v1/orders/{refunded}/refunds"), key, Some(refund))
        .await?;
    let get = async |path: &str| {
        shop.call(reqwest::Method::GET, &format!("{url}{path}"), key, None).await
    };
    let refund = format!("/v1/refunds/{}", text(&refund, "id")?);
    while text(&get(&refund).await?, "status")? != "succeeded" {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let closed = shop.order(server, v3, "growth-closed").await?;
    let close = format!("{url}/v1/orders/{closed}/close");
    shop.call(post, &close, key, None).await?;

    let events = get("/v1/events?limit=100").await?;
    let events = events.pointer("/data").and_then(serde_json::Value::as_array).cloned();
    let events = events.unwrap_or_default();
    let event = events
        .iter()
        .find(|event| event.pointer("/data/id").and_then(serde_json::Value::as_str) == Some(&paid));
    let event = text(event.ok_or("no event of a paid order")?, "id")?;
    let filled = Filled {
        count: 0,
        whole: 1,
        days: 1,
        key: key.to_owned(),
        order: (paid.clone(), made(&paid)?),
        event: (event.clone(), made(&event)?),
        endpoint: text(&endpoint, "id")?,
    };
    Ok((vec![(paid, 60), (paid_by_v2, 32), (refunded, 3), (closed, 5)], filled))
}

/// When something was made: its id says so to the millisecond.
fn made(id: &str) -> Result<i64, Failure> {
    let millis =
        id.split('_').next_back().and_then(|tail| tail.get(..12)).ok_or("an id without a time")?;
    Ok(i64::from_str_radix(millis, 16)? * 1000)
}

/// A session of the console of this database; the server on it is not yet up.
async fn sign_in(shop: &Shop, url: &str) -> Result<String, Failure> {
    let mut config = Config::load(&shop.config)?;
    config.server.listen = "127.0.0.1:0".parse()?;
    config.database.url = url.to_owned();
    // As in `Node`: whoever only opens the database for a moment cleans nothing away.
    (config.retention.inbox_days, config.retention.deliveries_days) = (36_500, 36_500);
    config.reconciliation.enabled = false;
    let server = Server::open(config, Seams::default()).await?;
    let link = server.console_link().await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let answer = http.build()?.get(link).send().await?;
    let cookie = answer.headers().get(reqwest::header::SET_COOKIE).ok_or("no session")?;
    let cookie = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
    drop(stop);
    running.await??;
    Ok(cookie)
}
