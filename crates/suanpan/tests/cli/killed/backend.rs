//! `suanpan serve` as a process that dies at counted moments, and its callers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::store::{Database, Store};
use tokio::sync::{Mutex, oneshot, watch};

use crate::process::{Running, text};
use crate::street::Service;

/// Something that can be counted from outside.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Moment {
    /// A request of this kind goes out.
    Asked(&'static str),
    /// A request of this kind was answered as wanted.
    Answered(&'static str),
    /// A webhook came in, and is not answered yet.
    Heard,
}

/// The backend, and the way to it.
pub(super) struct Backend {
    http: reqwest::Client,
    url: String,
    key: String,
    config: PathBuf,
    kills: &'static [(Moment, usize)],
    counts: std::sync::Mutex<HashMap<Moment, usize>>,
    killed: AtomicUsize,
    process: Mutex<Option<Running>>,
    up: watch::Sender<bool>,
}

impl Backend {
    pub(super) async fn start(config: &Path, kills: &'static [(Moment, usize)]) -> Arc<Self> {
        let process = serve(config.to_owned(), "127.0.0.1:0".to_owned()).await;
        Arc::new(Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: process.says("url"),
            key: process.says("api_key"),
            config: config.to_owned(),
            kills,
            counts: std::sync::Mutex::default(),
            killed: AtomicUsize::new(0),
            process: Mutex::new(Some(process)),
            up: watch::Sender::new(true),
        })
    }

    /// Counts this moment. Where the backend is to die at it, it is dead when this returns, and on its way back.
    pub(super) async fn happens(self: &Arc<Self>, moment: Moment) {
        let count = {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry(moment).or_default();
            *count = count.saturating_add(1);
            *count
        };
        if !self.kills.contains(&(moment, count)) {
            return;
        }
        // A task of its own: the one that asks may be a handler, which goes with its connection.
        let (dead, died) = oneshot::channel();
        tokio::spawn(Arc::clone(self).die(dead));
        died.await.unwrap();
    }

    /// Dies, says so, and comes back.
    async fn die(self: Arc<Self>, dead: oneshot::Sender<()>) {
        let mut process = self.process.lock().await;
        self.up.send_replace(false);
        let running = process.take().unwrap();
        let ended = tokio::task::spawn_blocking(move || running.end("-KILL")).await.unwrap();
        assert_eq!(ended.code, None, "a signal ended it: {ended:?}");
        self.killed.fetch_add(1, Ordering::SeqCst);
        // A handler is gone with its connection by now.
        let _ = dead.send(());

        let listen = self.url.strip_prefix("http://").unwrap().to_owned();
        let began = SystemClock::new().now_micros();
        *process = Some(serve(self.config.clone(), listen).await);
        pass_on(self.config.parent().unwrap(), began).await;
        self.up.send_replace(true);
    }

    /// How often it died.
    pub(super) fn kills(&self) -> usize {
        self.killed.load(Ordering::SeqCst)
    }

    async fn up(&self) {
        let mut up = self.up.subscribe();
        drop(up.wait_for(|up| *up).await.unwrap());
    }

    /// Ends it as an operator does.
    pub(super) async fn stop(&self) {
        let running = self.process.lock().await.take().unwrap();
        let ended = tokio::task::spawn_blocking(move || running.end("-TERM")).await.unwrap();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

impl Service for Arc<Backend> {
    async fn once(
        &self,
        kind: &'static str,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Option<Value> {
        self.up().await;
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let sent = async { answer(request.json(body)).await };
        let (answered, ()) = tokio::join!(sent, self.happens(Moment::Asked(kind)));
        let (status, json) = answered?;
        match (status, json["code"].as_str()) {
            (200 | 201, _) => {
                self.happens(Moment::Answered(kind)).await;
                Some(json)
            }
            // It says itself that it is to be repeated unchanged.
            (503, _) | (409, Some("SP-IDEMPOTENCY-RUNNING")) => None,
            _ => panic!("{kind}: {status} {json}"),
        }
    }

    // Nobody dies of it.
    async fn look(&self, path: &str) -> Value {
        self.up().await;
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let (status, json) = answer(request).await.unwrap();
        assert_eq!(status, 200, "{path}: {json}");
        json
    }

    async fn heard(&self) {
        self.happens(Moment::Heard).await;
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    let response = request.send().await.ok()?;
    Some((response.status().as_u16(), response.json().await.ok()?))
}

async fn serve(config: PathBuf, listen: String) -> Running {
    let start = move || Running::start(&["serve", "--config", text(&config), "--listen", &listen]);
    tokio::task::spawn_blocking(start).await.unwrap()
}

/// Lets the minute be over for which a dead process holds what it had in its hands, and after which somebody looks at a
/// refund that it had stored and not asked for. `began` is when its successor was started, whose own end later than that.
async fn pass_on(folder: &Path, began: i64) {
    let database = Database::parse("sqlite:suanpan.db", folder).unwrap();
    let store = Store::open(&database, began).await.unwrap();
    let write = store.write(began.saturating_add(A_MINUTE), |tx, until| {
        Box::pin(async move {
            for held in HELD {
                tx.exec(held, &[(*until).into()]).await?;
            }
            Ok(())
        })
    });
    write.await.unwrap();
    store.close().await;
}

const HELD: [&str; 3] = [
    "UPDATE due SET lease_until = 0 WHERE state = 'ready' AND lease_until < $1",
    "UPDATE idempotency SET lease_until = 0 WHERE status IS NULL AND lease_until < $1",
    "UPDATE due SET due_at = 0 WHERE state = 'ready' AND kind = 'refund' AND due_at < $1",
];
/// A minute in microseconds.
const A_MINUTE: i64 = 60_000_000;
