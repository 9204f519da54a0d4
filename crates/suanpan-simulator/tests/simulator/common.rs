//! A simulator with a clock that stands still, and the way to talk to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use suanpan_simulator::{Options, Outside, Simulator};
use suanpan_wechat::{Call, Error, Moment, Nonce, OpenId, Reply};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::merchant::Merchant;

/// 2026-01-01T00:00:00Z, in seconds.
pub(crate) const NEW_YEAR: i64 = 1_767_225_600;

/// A machine whose clock moves when told, and whose dice roll the same each time.
#[derive(Debug)]
pub(crate) struct Machine {
    now: watch::Sender<i64>,
    rolls: AtomicU64,
}

impl Machine {
    fn new() -> Arc<Self> {
        Arc::new(Self { now: watch::Sender::new(NEW_YEAR * 1_000_000), rolls: AtomicU64::new(1) })
    }

    /// Time passes.
    pub(crate) fn pass(&self, seconds: i64) {
        let micros = seconds.checked_mul(1_000_000).unwrap();
        self.now.send_modify(|now| *now = now.checked_add(micros).unwrap());
    }
}

impl Outside for Machine {
    fn now_micros(&self) -> i64 {
        *self.now.borrow()
    }

    fn sleep_until(&self, at_micros: i64) -> BoxFuture<'static, ()> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            if now.wait_for(|now| at_micros <= *now).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // splitmix64
            let roll = self.rolls.fetch_add(1, Ordering::Relaxed);
            let mut mixed = roll.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let mixed = (mixed ^ (mixed >> 31)).to_le_bytes();
            chunk.iter_mut().zip(mixed).for_each(|(byte, rolled)| *byte = rolled);
        }
    }
}

/// A simulator that is served.
pub(crate) struct Sim {
    pub(crate) url: String,
    pub(crate) machine: Arc<Machine>,
    pub(crate) credentials: Value,
    folder: TempDir,
    http: reqwest::Client,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), suanpan_simulator::Error>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Said {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|cause| panic!("{cause}: {self:?}"))
    }

    /// `code` of APIv3 and its status.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap().to_owned())
    }
}

impl Sim {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        crate::credentials::seed(folder.path()).await;
        Self::open(folder, Machine::new()).await
    }

    async fn open(folder: TempDir, machine: Arc<Machine>) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let outside: Arc<dyn Outside> = machine.clone();
        let options =
            Options { outside, tls_listen: Some(listen), ..Options::new(folder.path(), listen) };
        let simulator = Simulator::open(options).await.unwrap();
        let url = simulator.base_url().to_owned();
        let text = std::fs::read_to_string(simulator.credentials_path()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(simulator.serve(async {
            let _ = stopped.await;
        }));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let credentials = serde_json::from_str(&text).unwrap();
        Self { url, machine, credentials, folder, http, stop, served }
    }

    /// Stops it; its folder is left.
    pub(crate) async fn stop(self) -> (TempDir, Arc<Machine>) {
        let Self { folder, machine, http, stop, served, .. } = self;
        // A connection that is kept open would have to be waited for.
        drop(http);
        stop.send(()).unwrap();
        served.await.unwrap().unwrap();
        (folder, machine)
    }

    /// Stops it while a caller is kept waiting; the machine's clock goes on.
    pub(crate) async fn stop_in_spite(self) {
        self.stop.send(()).unwrap();
        while !self.served.is_finished() {
            self.machine.pass(1);
            tokio::task::yield_now().await;
        }
        self.served.await.unwrap().unwrap();
    }

    /// Another one over the same folder.
    pub(crate) async fn restart(self) -> Self {
        let (folder, machine) = self.stop().await;
        Self::open(folder, machine).await
    }

    /// By its place in `credentials.json`.
    pub(crate) fn merchant(&self, nth: usize) -> Merchant {
        Merchant::read(&self.credentials, nth)
    }

    /// The machine's clock, which a backend goes by.
    pub(crate) fn now(&self) -> i64 {
        self.machine.now_micros() / 1_000_000
    }

    pub(crate) fn nonce(&self) -> Nonce {
        let mut random = [0; 16];
        self.machine.fill(&mut random);
        Nonce::parse(&random.map(|byte| format!("{byte:02x}")).concat()).unwrap()
    }

    /// Sends a question as it is.
    pub(crate) async fn send(&self, question: Request<Vec<u8>>) -> Said {
        self.try_send(question).await.unwrap()
    }

    pub(crate) async fn try_send(&self, question: Request<Vec<u8>>) -> reqwest::Result<Said> {
        self.sending(question).await
    }

    /// A question on its way, which may outlive us.
    pub(crate) fn sending(
        &self,
        question: Request<Vec<u8>>,
    ) -> impl Future<Output = reqwest::Result<Said>> + Send + use<> {
        let (parts, body) = question.into_parts();
        let url = format!("{}{}", self.url, parts.uri);
        let request = self.http.request(parts.method, url).headers(parts.headers).body(body);
        async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Said { status, headers, body: response.bytes().await?.to_vec() })
        }
    }

    /// Asks as a client does: signs, sends, verifies, reads.
    pub(crate) async fn ask<C: Call>(&self, call: &C) -> Result<C::Answer, Error> {
        let said = self.send(self.question(call)).await;
        self.heard(call, &said)
    }

    /// The signed question.
    pub(crate) fn question<C: Call>(&self, call: &C) -> Request<Vec<u8>> {
        call.request(Moment { now: self.now(), nonce: &self.nonce() }).unwrap()
    }

    /// What a client makes of an answer.
    pub(crate) fn heard<C: Call>(&self, call: &C, said: &Said) -> Result<C::Answer, Error> {
        let Said { status, headers, body } = said;
        call.answer(Reply { status: *status, headers, body }, self.now())
    }

    pub(crate) async fn get(&self, path: &str) -> Said {
        self.send(Request::get(path).body(Vec::new()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl ToString) -> Said {
        self.send(Request::post(path).body(body.to_string().into_bytes()).unwrap()).await
    }

    /// A call of the control API that is granted.
    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let said = self.post(&format!("/_sim/{path}"), body).await;
        assert_eq!(said.status, 200, "{said:?}");
        said.json()
    }

    pub(crate) async fn ledger(&self) -> Value {
        self.get("/_sim/ledger").await.json()
    }

    /// The last call in the log.
    pub(crate) async fn last_request(&self) -> Value {
        self.get("/_sim/requests").await.json()["requests"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    }

    pub(crate) async fn fault(&self, fault: Value) {
        self.control("faults", fault).await;
    }

    pub(crate) async fn switch(&self, name: &str, value: Value) {
        self.control("switches", json!({ name: value })).await;
    }

    /// Advances WeChat's clock; comes back when what became due has gone out.
    pub(crate) async fn advance(&self, seconds: u32) {
        self.control("clock", json!({ "advance_seconds": seconds, "wait": true })).await;
    }

    pub(crate) async fn code(&self, appid: &str, user: &str) -> String {
        let login = self.control("login", json!({ "appid": appid, "user": user })).await;
        login["code"].as_str().unwrap().to_owned()
    }

    /// Who the user is to this merchant's app, asked as a backend does.
    pub(crate) async fn openid(&self, merchant: &Merchant, user: &str) -> OpenId {
        let code = self.code(merchant.appid.as_str(), user).await;
        let session = self.get(&merchant.session_path(&code)).await.json();
        OpenId::parse(session["openid"].as_str().unwrap()).unwrap()
    }
}
