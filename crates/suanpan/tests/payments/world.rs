//! The world of a payment.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use suanpan_server::outside::{Clock, Dice, ManualClock, SeededDice};
use suanpan_server::{Config, Seams, Server};
use suanpan_simulator::{Options, Outside, Simulator};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::database;
use crate::receiver::Receiver;
use crate::seeded;

/// 2026-01-01T00:00:00Z, which is eight in the morning in Beijing.
pub(crate) const NEW_YEAR: i64 = 1_767_225_600_000_000;

/// How long a test waits for what must happen, in real time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) simulator: String,
    pub(crate) credentials: Value,
    pub(crate) receiver: Receiver,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) folder: tempfile::TempDir,
    /// Changes what the server is configured with, from its next start on.
    pub(crate) configure: Configure,
    http: reqwest::Client,
    server: Option<Running>,
    /// Further nodes on the same database.
    nodes: Vec<Running>,
    /// How many nodes were started: each has dice of its own.
    starts: u64,
    _simulator: Running,
}

/// Changes the configuration that the simulator wrote; it is given `credentials.json`.
pub(crate) type Configure = fn(&mut Config, &Value);

struct Running {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap();
    }
}

/// An answer: the status, and the body as JSON where it is some.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) json: Value,
    pub(crate) retry_after: Option<String>,
    /// Of `confirm`: whether it is what WeChat says now.
    pub(crate) wechat_asked: Option<String>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.json["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.json
        );
        assert!(self.json["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()));
    }
}

/// The simulator's clock is ours.
#[derive(Debug)]
struct SharedOutside {
    clock: ManualClock,
    dice: SeededDice,
}

impl Outside for SharedOutside {
    fn now_micros(&self) -> i64 {
        self.clock.now_micros()
    }

    fn sleep_until(&self, at: i64) -> BoxFuture<'static, ()> {
        self.clock.sleep_until(at)
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.dice.fill(bytes);
    }
}

impl World {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_, _| {}).await
    }

    /// Its backend waits for WeChat two seconds of real time, for tests in which WeChat never answers.
    pub(crate) async fn open_impatient() -> Self {
        Self::open_with(|config, _| config.wechat.timeout_seconds = 2).await
    }

    pub(crate) async fn open_with(configure: Configure) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(NEW_YEAR);
        let mut options =
            Options::new(folder.path().join("wechat"), "127.0.0.1:0".parse().unwrap());
        options.tls_listen = Some("127.0.0.1:0".parse().unwrap());
        let outside = || SharedOutside { clock: clock.clone(), dice: SeededDice::new(2) };
        options.outside = Arc::new(outside());
        seeded::lay(&options, include_str!("world.rs")).await;
        options.outside = Arc::new(outside());
        let simulator = Simulator::open(options).await.unwrap();
        let base_url = simulator.base_url().to_owned();
        let credentials = read_json(simulator.credentials_path());
        let running = run(|stopped| async move { simulator.serve(stopped).await.unwrap() });

        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let mut world = Self {
            clock,
            simulator: base_url,
            credentials,
            receiver: Receiver::open().await,
            url: String::new(),
            key: String::new(),
            folder,
            configure,
            http,
            server: None,
            nodes: Vec::new(),
            starts: 0,
            _simulator: running,
        };
        world.start_server().await;
        let hook = json!({ "url": world.receiver.url });
        let made = world.merchant("POST", "/v1/webhook-endpoints", Some(hook)).await;
        assert_eq!(made.status, 201, "{}", made.json);
        world.receiver.expect_signed_with(made.json["secret"].as_str().unwrap());
        world
    }

    /// Starts the backend over the same database and at the same address as before.
    pub(crate) async fn start_server(&mut self) {
        let mut config = self.config();
        let address = self.url.strip_prefix("http://").unwrap_or("127.0.0.1:0");
        config.server.listen = address.parse().unwrap();
        let server = Server::open(config, self.seams()).await.unwrap();
        self.url = server.url();
        if let Some(key) = server.first_api_key() {
            key.clone_into(&mut self.key);
        }
        self.server = Some(run(|stopped| async move { server.run(stopped).await.unwrap() }));
    }

    /// Starts one more node over the same database, and answers its address. WeChat tells it nothing, unless `change`
    /// says so.
    pub(crate) async fn start_node(&mut self, change: impl FnOnce(&mut Config)) -> String {
        let mut config = self.config();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.server.public_url = Some(self.url.clone());
        change(&mut config);
        let server = Server::open(config, self.seams()).await.unwrap();
        let url = server.url();
        self.nodes.push(run(|stopped| async move { server.run(stopped).await.unwrap() }));
        url
    }

    /// A node over the same database that serves nothing and works at nothing, to be asked from here.
    pub(crate) async fn idle_node(&mut self) -> Server {
        let mut config = self.config();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        // What WeChat tells goes to the one that serves.
        config.server.public_url = Some(self.url.clone());
        Server::open(config, self.seams()).await.unwrap()
    }

    /// What the simulator wrote, as this world changes it.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::load(&self.folder.path().join("wechat/suanpan.toml")).unwrap();
        // Only what is lost on purpose is lost: a machine whose disk stalls answers late, and time stands still meanwhile.
        config.wechat.timeout_seconds = 25;
        config.webhooks.timeout_seconds = 50;
        config.server.request_timeout_seconds = 60;
        config.database.url = database::url(self.folder.path());
        // Only where a test is about it: a day that goes by would ask WeChat for bills.
        config.reconciliation.enabled = false;
        (self.configure)(&mut config, &self.credentials);
        config
    }

    pub(crate) fn seams(&mut self) -> Seams {
        self.starts = self.starts.checked_add(1).unwrap();
        let dice = Arc::new(SeededDice::new(self.starts));
        Seams { clock: Arc::new(self.clock.clone()), dice, wire: None }
    }

    /// Starts the backend in a runtime of its own, in which it can die: when the runtime goes, every task of it goes
    /// where it stands, and nothing that it had begun is finished.
    pub(crate) async fn start_mortal_server(&mut self) -> Runtime {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut config = self.config();
        config.server.listen = self.url.strip_prefix("http://").unwrap().parse().unwrap();
        let seams = self.seams();
        let server = runtime.spawn(async { Server::open(config, seams).await.unwrap() });
        let server = server.await.unwrap();
        assert_eq!(server.url(), self.url);
        runtime.spawn(server.run(std::future::pending()));
        runtime
    }

    /// Stops the backend as a signal does.
    pub(crate) async fn stop_server(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Unix microseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now_micros()
    }

    /// The n-th merchant's first app: 0 speaks APIv3, 1 speaks APIv2.
    pub(crate) fn app(&self, nth: usize) -> String {
        self.credentials["merchants"][nth]["apps"][0].as_str().unwrap().to_owned()
    }

    pub(crate) fn mchid(&self, nth: usize) -> String {
        self.credentials["merchants"][nth]["mchid"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn call(&self, method: &str, url: String, body: Option<Value>) -> Answer {
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    pub(crate) async fn merchant(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.merchant_at(&self.url, method, path, body).await
    }

    /// What the merchant's own system asks this node.
    pub(crate) async fn merchant_at(
        &self,
        node: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = self.http.request(method.parse().unwrap(), format!("{node}{path}"));
        let request = request.header("authorization", format!("Bearer {}", self.key));
        answer(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// The same `POST` under an `Idempotency-Key`.
    pub(crate) async fn merchant_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let request = request.header("authorization", format!("Bearer {}", self.key));
        answer(request.header("idempotency-key", key)).await
    }

    /// The simulator's control: `POST` with a body, `GET` without.
    pub(crate) async fn control(&self, path: &str, body: Option<Value>) -> Value {
        let method = if body.is_some() { "POST" } else { "GET" };
        let answer = self.call(method, format!("{}/_sim/{path}", self.simulator), body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.json);
        answer.json
    }

    pub(crate) async fn fault(&self, on: &str, fault: &str, more: Value) {
        let mut rule = json!({ "on": on, "fault": fault });
        for (name, value) in more.as_object().into_iter().flatten() {
            rule[name] = value.clone();
        }
        self.control("faults", Some(rule)).await;
    }

    pub(crate) async fn no_more_faults(&self) {
        let url = format!("{}/_sim/faults", self.simulator);
        assert_eq!(self.call("DELETE", url, None).await.status, 200);
    }

    pub(crate) async fn order(&self, reference: &str, app: &str) -> String {
        let body =
            json!({ "reference": reference, "amount": 990, "description": "龙井一杯", "app": app });
        let made = self.merchant("POST", "/v1/orders", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.json);
        made.json["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn order_until(&self, reference: &str, app: &str, expires_at: &str) -> String {
        let body = json!({
            "reference": reference, "amount": 990, "description": "龙井一杯", "app": app,
            "expires_at": expires_at,
        });
        let made = self.merchant("POST", "/v1/orders", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.json);
        made.json["id"].as_str().unwrap().to_owned()
    }

    /// `wx.login` on a user's phone.
    pub(crate) async fn login(&self, user: &str, app: &str) -> String {
        let said = self.control("login", Some(json!({ "appid": app, "user": user }))).await;
        said["code"].as_str().unwrap().to_owned()
    }

    /// What the mini program of this user asks our backend.
    pub(crate) async fn pay(&self, user: &str, app: &str, order: &str) -> Answer {
        let code = self.login(user, app).await;
        self.pay_with(&code, order).await
    }

    /// The same, of this node.
    pub(crate) async fn pay_at(&self, node: &str, user: &str, app: &str, order: &str) -> Answer {
        let code = self.login(user, app).await;
        let body = json!({ "code": code, "orderId": order });
        self.call("POST", format!("{node}/miniprogram/pay"), Some(body)).await
    }

    pub(crate) async fn pay_with(&self, code: &str, order: &str) -> Answer {
        let body = json!({ "code": code, "orderId": order });
        self.call("POST", format!("{}/miniprogram/pay", self.url), Some(body)).await
    }

    /// `wx.requestPayment`, and what the payer does on the sheet.
    pub(crate) async fn sheet(
        &self,
        user: &str,
        app: &str,
        params: &Value,
        outcome: &str,
    ) -> Value {
        let mut body = params.clone();
        body["user"] = json!(user);
        body["appId"] = json!(app);
        body["outcome"] = json!(outcome);
        self.control("request-payment", Some(body)).await
    }

    /// Alice logs in, gets the sheet and pays.
    pub(crate) async fn alice_pays(&self, app: &str, order: &str) -> Value {
        let params = self.pay("alice", app, order).await;
        assert_eq!(params.status, 200, "{}", params.json);
        let said = self.sheet("alice", app, &params.json, "pay").await;
        assert_eq!(said["errMsg"], "requestPayment:ok", "{said}");
        params.json
    }

    pub(crate) async fn status(&self, order: &str) -> String {
        let order = self.merchant("GET", &format!("/v1/orders/{order}"), None).await;
        order.json["status"].as_str().unwrap().to_owned()
    }

    /// Posts a notification as anybody can.
    pub(crate) async fn notice(
        &self,
        mchid: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let mut request = self.http.post(format!("{}/wechat/notify/{mchid}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }

    pub(crate) async fn ready(&self) -> Value {
        self.call("GET", format!("{}/readyz", self.url), None).await.json
    }

    /// The page of a monitor.
    pub(crate) async fn metrics(&self) -> String {
        let page = self.call("GET", format!("{}/metrics", self.url), None).await.json;
        page.as_str().unwrap().to_owned()
    }

    /// Waits until this is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let reached = async { while !is_so().await {} };
        let waited = tokio::time::timeout(PATIENCE, reached).await;
        assert!(waited.is_ok(), "never {what}: {}", self.ready().await);
    }

    /// Waits until the order stands so.
    pub(crate) async fn until_status(&self, order: &str, wanted: &str) {
        let reached = async { while self.status(order).await != wanted {} };
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            panic!("never {wanted}:\n{}", self.timeline(order).await);
        }
    }

    /// Waits until the order's timeline has this text in it.
    pub(crate) async fn until_told(&self, order: &str, text: &str) {
        let reached = async { while !self.timeline(order).await.contains(text) {} };
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            panic!("never {text:?}:\n{}", self.timeline(order).await);
        }
    }

    /// Waits until the simulator's ledger has what is wanted.
    pub(crate) async fn until_ledger(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let reached = async { while !wanted(&self.control("ledger", None).await) {} };
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            panic!("never {what}: {:#}", self.control("ledger", None).await);
        }
    }

    pub(crate) async fn confirm(&self, order: &str) -> Answer {
        let url = format!("{}/miniprogram/orders/{order}/confirm", self.url);
        self.call("POST", url, None).await
    }

    pub(crate) async fn timeline(&self, order: &str) -> String {
        let path = format!("/v1/orders/{order}/timeline");
        self.merchant("GET", &path, None).await.json["text"].as_str().unwrap().to_owned()
    }

    /// How often the simulator was asked this.
    pub(crate) async fn asked(&self, path: &str) -> usize {
        let requests = self.control("requests", None).await;
        let requests = requests["requests"].as_array().unwrap();
        requests
            .iter()
            .filter(|request| request["path"].as_str().is_some_and(|asked| asked.starts_with(path)))
            .count()
    }

    /// The kinds of the events so far, oldest first.
    pub(crate) async fn events(&self) -> Vec<String> {
        let events = self.merchant("GET", "/v1/events", None).await.json;
        let events = events["data"].as_array().unwrap().iter().rev();
        events.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

fn run<F, T>(start: F) -> Running
where
    F: FnOnce(BoxFuture<'static, ()>) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = Box::pin(async move { drop(stopped.await) });
    Running { stop, ended: tokio::spawn(start(stopped)) }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).map(|text| text.to_str().unwrap().to_owned());
    let (retry_after, wechat_asked) = (header("retry-after"), header("wechat-asked"));
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, json, retry_after, wechat_asked }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
