//! Two nodes of the backend behind one address, and callers that do as the documentation tells them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::entrance;
use crate::process::{Running, suanpan, text};
use crate::street::Service;

/// The nodes, and the way to them.
pub(crate) struct Nodes {
    http: reqwest::Client,
    url: String,
    key: String,
    config: PathBuf,
    database: String,
    places: [SocketAddr; 2],
    running: [Mutex<Option<Running>>; 2],
    /// How many requests of each kind were answered as wanted.
    acknowledged: watch::Sender<BTreeMap<&'static str, usize>>,
}

impl Nodes {
    pub(crate) async fn start(config: PathBuf, database: String) -> Arc<Self> {
        let places = [free_place(), free_place()];
        let url = entrance::open(places).await;
        let first = serve(&config, &database, &url, places[0]).await;
        let second = serve(&config, &database, &url, places[1]).await;
        // A connection for each request: each may go to another node.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        Arc::new(Self {
            http: http.timeout(ANSWER).build().unwrap(),
            url,
            key: first.says("api_key"),
            config,
            database,
            places,
            running: [Mutex::new(Some(first)), Mutex::new(Some(second))],
            acknowledged: watch::Sender::default(),
        })
    }

    /// How many requests were answered as wanted, by kind.
    pub(crate) fn acknowledged(&self) -> BTreeMap<&'static str, usize> {
        self.acknowledged.borrow().clone()
    }

    /// Waits until so many more orders were made.
    pub(crate) async fn flow(&self, orders: usize) {
        let made = |by: &BTreeMap<&str, usize>| by.get("create").copied().unwrap_or_default();
        let enough = made(&self.acknowledged.borrow()).saturating_add(orders);
        let mut acknowledged = self.acknowledged.subscribe();
        drop(acknowledged.wait_for(|by| enough <= made(by)).await.unwrap());
    }

    /// A node's machine dies.
    pub(crate) async fn kill(&self, node: usize) {
        let running = self.running[node].lock().await.take().unwrap();
        running.signal("-KILL");
        let ended = spawn_blocking(move || running.end("-KILL")).await.unwrap();
        assert_eq!(ended.code, None, "a signal ended it: {ended:?}");
    }

    /// It is started again, as whoever runs it would.
    pub(crate) async fn revive(&self, node: usize) {
        let running = serve(&self.config, &self.database, &self.url, self.places[node]).await;
        *self.running[node].lock().await = Some(running);
    }

    /// Ends both as an operator does; answers what they said.
    pub(crate) async fn stop(&self) -> Vec<String> {
        let mut said = Vec::new();
        for running in &self.running {
            let running = running.lock().await.take().unwrap();
            let ended = spawn_blocking(move || running.end("-TERM")).await.unwrap();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            said.push(ended.stderr);
        }
        said
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        let Ok(response) = request.bearer_auth(&self.key).send().await else {
            sleep(UNANSWERED).await;
            return None;
        };
        let status = response.status().as_u16();
        let later = response.headers().get("retry-after").map(|header| header.to_str().unwrap());
        let later = later.map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
        let json = response.json().await.ok()?;
        match later {
            // It says itself that it is to be repeated unchanged.
            Some(later) => {
                sleep(later).await;
                None
            }
            None => Some((status, json)),
        }
    }
}

impl Service for Arc<Nodes> {
    async fn once(
        &self,
        kind: &'static str,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Option<Value> {
        let mut request = self.http.post(format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let (status, json) = self.answer(request.json(body)).await?;
        assert!(matches!(status, 200 | 201), "{kind}: {status} {json}");
        self.acknowledged.send_modify(|by| {
            let count = by.entry(kind).or_default();
            *count = count.saturating_add(1);
        });
        Some(json)
    }

    async fn look(&self, path: &str) -> Value {
        loop {
            let request = self.http.get(format!("{}{path}", self.url));
            if let Some((status, json)) = self.answer(request).await {
                assert_eq!(status, 200, "{path}: {json}");
                return json;
            }
        }
    }

    async fn heard(&self) {}
}

async fn serve(config: &Path, database: &str, url: &str, place: SocketAddr) -> Running {
    let listen = place.to_string();
    let mut command = suanpan(&["serve", "--config", text(config), "--listen", &listen]);
    // All nodes are one address to the world.
    command.env("SUANPAN_DATABASE__URL", database).env("SUANPAN_SERVER__PUBLIC_URL", url);
    spawn_blocking(move || Running::start_command(command)).await.unwrap()
}

/// A port that nobody has now: a node that is started again wants the same one.
fn free_place() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Longer than the server lets a request take.
const ANSWER: Duration = Duration::from_secs(35);
/// Before who got no answer tries again.
const UNANSWERED: Duration = Duration::from_millis(250);
