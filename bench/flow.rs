//! How many whole payments a machine carries: `cargo bench -p suanpan --bench flow`.
//!
//! Backend, simulator, payers and receiver share the cores, so this is a lower
//! bound for the backend alone. Each flow is what a customer causes: order,
//! login, prepay, second sign, payment, notification, webhook; it counts when
//! the receiver has the webhook. Beside it stand the two limits that no code
//! can beat here: RSA signatures and durable writes, measured in the same run.
//!
//! `-- [--flows N] [--concurrency N] [--json]`; results are kept in `bench/results/`.

#![expect(clippy::print_stdout, reason = "a bench talks")]
#![expect(clippy::indexing_slicing, reason = "a member that JSON does not have is null")]

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::{Config, Seams, Server};
use suanpan_simulator::{Options, Simulator};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

#[path = "common/disk.rs"]
mod disk;
#[path = "common/floor.rs"]
mod floor;

use floor::{durable_writes_per_second, rsa_signs_per_second};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name)?.checked_add(1)?;
        arguments.get(at)?.parse().ok().or(Some(default))
    };
    let flows = number("--flows", 400).unwrap_or(400);
    let concurrency = number("--concurrency", 16).unwrap_or(16);

    let world = World::open().await?;
    let cores = std::thread::available_parallelism()?.get();
    let signs = rsa_signs_per_second(&world.private_key)?;
    let syncs = durable_writes_per_second(world.folder.path())?;
    let mut results = vec![json!({
        "cores": cores, "rsa_signs_per_second_and_core": signs, "fdatasync_per_second": syncs,
    })];
    for (api, app) in ["v3", "v2"].into_iter().zip(&world.apps) {
        // Once to open connections and prepare statements.
        world.run(app, &format!("warm-{api}"), concurrency, concurrency).await?;
        let micros = world.run(app, api, flows, concurrency).await?;
        results.push(report(api, flows, concurrency, &micros, signs, cores));
    }
    for result in &results {
        println!("{result}");
    }
    Ok(())
}

/// What one series shows. `times` is the whole time and then each flow's own, in microseconds.
fn report(
    api: &str,
    flows: usize,
    concurrency: usize,
    times: &Times,
    signs: u64,
    cores: usize,
) -> Value {
    let mut each = times.each.clone();
    each.sort_unstable();
    let at = |part: usize| {
        let position = each.len().saturating_mul(part).checked_div(1000).unwrap_or(0);
        each.get(position.min(each.len().saturating_sub(1))).copied().unwrap_or(0)
    };
    let flows = u64::try_from(flows).unwrap_or(u64::MAX);
    let per_second = flows.saturating_mul(1_000_000).checked_div(times.whole).unwrap_or(0);
    // APIv3: our order, our paySign, WeChat's answer, WeChat's notification.
    let limit = u64::try_from(cores).unwrap_or(1).saturating_mul(signs).checked_div(4);
    let share = limit.filter(|_| api == "v3");
    let share = share.and_then(|limit| per_second.saturating_mul(100).checked_div(limit));
    json!({
        "api": api, "flows": flows, "concurrency": concurrency, "flows_per_second": per_second,
        "p50_micros": at(500), "p99_micros": at(990), "percent_of_the_signing_limit": share,
    })
}

struct Times {
    whole: u64,
    each: Vec<u64>,
}

struct World {
    folder: tempfile::TempDir,
    http: reqwest::Client,
    url: String,
    key: String,
    simulator: String,
    apps: Vec<String>,
    private_key: String,
    delivered: broadcast::Sender<String>,
    clock: SystemClock,
}

impl World {
    async fn open() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let options = Options::new(folder.path().join("wechat"), "127.0.0.1:0".parse()?);
        let simulator = Simulator::open(options).await?;
        let base_url = simulator.base_url().to_owned();
        let credentials: Value =
            serde_json::from_str(&std::fs::read_to_string(simulator.credentials_path())?)?;
        let mut config = Config::load(simulator.config_path())?;
        tokio::spawn(simulator.serve(std::future::pending()));

        config.server.listen = "127.0.0.1:0".parse()?;
        let server = Server::open(config, Seams::default()).await?;
        let (url, key) = (server.url(), server.first_api_key().unwrap_or_default().to_owned());
        tokio::spawn(server.run(std::future::pending()));

        let text = |value: &Value, path: &str| {
            value.pointer(path).and_then(Value::as_str).map(str::to_owned).ok_or("credentials")
        };
        let world = Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            apps: vec![
                text(&credentials, "/merchants/0/apps/0")?,
                text(&credentials, "/merchants/1/apps/0")?,
            ],
            private_key: text(&credentials, "/merchants/0/merchant_private_key")?,
            folder,
            url,
            key,
            simulator: base_url,
            delivered: broadcast::Sender::new(65_536),
            clock: SystemClock::new(),
        };
        let hook = receiver(world.delivered.clone()).await?;
        world.call(&format!("{}/v1/webhook-endpoints", world.url), json!({ "url": hook })).await?;
        Ok(world)
    }

    /// Runs flows, so many at a time.
    async fn run(
        &self,
        app: &str,
        name: &str,
        flows: usize,
        concurrency: usize,
    ) -> Result<Times, Failure> {
        let began = self.clock.monotonic_micros();
        let all = stream::iter(0..flows).map(|number| async move {
            let began = self.clock.monotonic_micros();
            self.flow(app, &format!("{name}-{number}")).await?;
            let took = self.clock.monotonic_micros().saturating_sub(began);
            Ok::<_, Failure>(u64::try_from(took).unwrap_or(0))
        });
        let each: Vec<Result<u64, Failure>> = all.buffer_unordered(concurrency).collect().await;
        let each = each.into_iter().collect::<Result<Vec<_>, _>>()?;
        let whole = self.clock.monotonic_micros().saturating_sub(began);
        Ok(Times { whole: u64::try_from(whole).unwrap_or(1), each })
    }

    /// One customer, from the order to the webhook.
    async fn flow(&self, app: &str, reference: &str) -> Result<(), Failure> {
        let mut delivered = self.delivered.subscribe();
        let order =
            json!({ "reference": reference, "amount": 990, "description": "tea", "app": app });
        let order = self.call(&format!("{}/v1/orders", self.url), order).await?;
        let id = order["id"].as_str().ok_or("no order")?.to_owned();

        // A payer of its own: WeChat limits the logins of one.
        let login = json!({ "appid": app, "user": reference });
        let code = self.call(&format!("{}/_sim/login", self.simulator), login).await?;
        let pay = json!({ "code": code["code"], "orderId": id });
        let mut sheet = self.call(&format!("{}/miniprogram/pay", self.url), pay).await?;
        sheet["user"] = json!(reference);
        sheet["appId"] = json!(app);
        sheet["outcome"] = json!("pay");
        self.call(&format!("{}/_sim/request-payment", self.simulator), sheet).await?;
        tokio::time::timeout(Duration::from_secs(60), async {
            while delivered.recv().await? != id {}
            Ok::<_, Failure>(())
        })
        .await?
    }

    async fn call(&self, url: &str, body: Value) -> Result<Value, Failure> {
        let request = self.http.post(url).bearer_auth(&self.key).json(&body);
        let response = request.send().await?;
        let status = response.status();
        let answer: Value = response.json().await?;
        if status.is_success() { Ok(answer) } else { Err(format!("{url}: {answer}").into()) }
    }
}

/// The merchant's receiver: says which order a webhook is about.
async fn receiver(delivered: broadcast::Sender<String>) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    let take = move |body: Bytes| async move {
        let event: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(id) = event["data"]["id"].as_str() {
            drop(delivered.send(id.to_owned()));
        }
    };
    let router = Router::new().route("/hook", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}
