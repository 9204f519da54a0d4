//! A backend on a free port, with a database of its own and a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use suanpan_server::outside::{ManualClock, SeededDice};
use suanpan_server::{Config, Error, Seams, Server, World};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::database;

/// 2026-01-01T00:00:00Z, which is eight in the morning in Beijing.
pub(crate) const NEW_YEAR: i64 = 1_767_225_600_000_000;

pub(crate) const APP: &str = "wx2421b1c4370ec43b";
pub(crate) const OTHER_APP: &str = "wx8888888888888888";

pub(crate) struct Backend {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) clock: ManualClock,
    pub(crate) world: Arc<World>,
    http: reqwest::Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), Error>>,
    _folder: tempfile::TempDir,
}

/// An answer: status, content type, and the body as JSON where it is some.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) replayed: bool,
    pub(crate) retry_after: Option<String>,
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more settings, as TOML.
    pub(crate) async fn start_with(more: &str) -> Self {
        Self::start_changed(more, |_| {}).await
    }

    /// With more settings, and some of them changed.
    pub(crate) async fn start_changed(more: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::open(more, change).await.unwrap()
    }

    /// The same, where it may be that it does not start.
    pub(crate) async fn open(more: &str, change: impl FnOnce(&mut Config)) -> Result<Self, Error> {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::parse(&format!("{more}\n{MERCHANTS}"), folder.path()).unwrap();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.database.url = database::url(folder.path());
        change(&mut config);
        let clock = ManualClock::at(NEW_YEAR);
        let seams = Seams {
            clock: Arc::new(clock.clone()),
            dice: Arc::new(SeededDice::new(1)),
            wire: None,
        };
        let server = Server::open(config, seams).await?;
        let (url, key) = (server.url(), server.first_api_key().unwrap().to_owned());
        let world = Arc::clone(server.world());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async move {
            drop(stopped.await);
        }));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Ok(Self { url, key, clock, world, http, stop, running, _folder: folder })
    }

    /// Stops it as a signal does, and waits until it has ended.
    pub(crate) async fn stop(self) {
        let Self { stop, running, .. } = self;
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .timeout(Duration::from_secs(30))
            .header("authorization", format!("Bearer {}", self.key))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        send(self.request(Method::POST, path).body(body.to_owned())).await
    }

    pub(crate) async fn post_once(&self, path: &str, key: &str, body: &str) -> Answer {
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        send(request.body(body.to_owned())).await
    }

    /// Changes the database behind the backend's back.
    pub(crate) async fn sql(&self, sql: &'static str) {
        let done = self
            .world
            .store()
            .write((), move |tx, ()| Box::pin(async move { tx.exec(sql, &[]).await }));
        done.await.unwrap();
    }

    /// The first number of the first row.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let found = self.world.store().look((), move |tx, ()| {
            Box::pin(async move { tx.row(sql, &[]).await?.unwrap().int("n") })
        });
        found.await.unwrap()
    }

    /// Looks at every commit, until the first number of the first row is this.
    pub(crate) async fn until(&self, sql: &'static str, wanted: i64) {
        let mut commits = self.world.store().commits();
        let wait = async {
            loop {
                commits.mark_unchanged();
                if self.count(sql).await == wanted {
                    return;
                }
                commits.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it comes to that");
    }

    /// An order over this many fen.
    pub(crate) async fn order(&self, reference: &str, amount: i64) -> Value {
        let body = serde_json::json!({ "reference": reference, "amount": amount, "description": "龙井一杯" });
        let answer = self.post("/v1/orders", &body.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header("content-type").unwrap_or_default().to_owned();
    let replayed = header("idempotency-replayed") == Some("true");
    let retry_after = header("retry-after").map(str::to_owned);
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, content_type, replayed, retry_after, json, text }
}

impl Answer {
    /// A problem of this status and code, with something to do about it.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) -> &Self {
        assert_eq!(
            (self.status, self.json["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(self.json["status"], status);
        for member in ["title", "detail", "remedy", "request_id"] {
            assert!(self.json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
        }
        self
    }
}

/// WeChat is not there: nothing listens on the discard port.
pub(crate) const MERCHANTS: &str = r#"
[wechat]
merchant_hosts = ["http://127.0.0.1:9"]
platform_host = "http://127.0.0.1:9"
[reconciliation]
enabled = false

[[merchants]]
mchid = "1900000109"
api = "v2"
api_v2_key = "8934e7d15453e97507ef794cf7b0519d"
[[merchants.apps]]
appid = "wx2421b1c4370ec43b"
secret = "0123456789abcdef0123456789abcdef"
[[merchants]]
mchid = "1900000110"
api = "v2"
api_v2_key = "8934e7d15453e97507ef794cf7b0519e"
[[merchants.apps]]
appid = "wx8888888888888888"
secret = "0123456789abcdef0123456789abcdee"
"#;
