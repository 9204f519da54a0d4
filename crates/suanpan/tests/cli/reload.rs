//! SIGHUP while customers pay: keys change, a bad file changes nothing, and what must wait for a restart is named.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::process::{Running, text};
use crate::secrets;
use crate::street::{PATIENCE, Service, Street, Told, Wechat};

const ORDERS: usize = 28;
const CUSTOMERS: usize = 6;

/// WeChat moves from its platform certificate to the public key, and the backend is given that key in time. Whoever pays
/// meanwhile notices nothing; each answer other than the wanted one ends the test.
#[tokio::test]
async fn keys_change_under_load_and_no_payment_fails() {
    let folder = tempfile::tempdir().unwrap();
    let wechat = Wechat::open(folder.path());
    let with_key = before_the_migration(&wechat, folder.path()).await;
    let backend = Backend::start(wechat.config.clone()).await;
    let street = Street::open(wechat, backend.clone()).await;

    let customers = (0..ORDERS).map(|number| street.customer(number));
    let load = stream::iter(customers).buffer_unordered(CUSTOMERS).collect::<Vec<_>>();
    let changes = change(&street, &backend, &with_key);
    let (told, ()): (Vec<Told>, ()) = timeout(PATIENCE, async { tokio::join!(load, changes) })
        .await
        .unwrap_or_else(|_| street.stuck("load"));
    street.settle(&told).await;

    // The public key alone verifies from here on: the old certificate is worth nothing to WeChat.
    let endpoints = backend.look("/v1/webhook-endpoints").await;
    assert!(endpoints.to_string().contains("http://127.0.0.1:1/of-the-file"), "{endpoints}");

    let said = backend.stop().await;
    street.wechat.close();
    for secret in secrets::of_folder(folder.path()) {
        assert!(!said.contains(&secret), "{secret} is in:\n{said}");
    }
}

/// The first merchant as it was before WeChat had a public key for it. Answers the configuration with that key.
async fn before_the_migration(wechat: &Wechat, folder: &Path) -> String {
    let with_key = std::fs::read_to_string(&wechat.config).unwrap();
    let back = json!({ "mchid": mchid(folder), "mode": "platform_certificate" });
    let keys = wechat.control("keys", Some(&back)).await;
    let without = with_key.lines().filter(|line| !line.starts_with("wechatpay_public_key"));
    let without: String = without.flat_map(|line| [line, "\n"]).collect();
    let api = "api = \"v3\"\n";
    let certificate =
        format!("{api}platform_certificates = [{}]\n", keys["platform_certificates"][0]["path"]);
    assert!(without.contains(api) && without.len() < with_key.len(), "{with_key}");
    std::fs::write(&wechat.config, without.replacen(api, &certificate, 1)).unwrap();
    with_key
}

fn mchid(folder: &Path) -> String {
    let credentials = std::fs::read_to_string(folder.join("credentials.json")).unwrap();
    let credentials: Value = serde_json::from_str(&credentials).unwrap();
    credentials["merchants"][0]["mchid"].as_str().unwrap().to_owned()
}

/// What an operator does while the customers come.
async fn change(street: &Street<Backend>, backend: &Backend, with_key: &str) {
    let mchid = mchid(street.wechat.config.parent().unwrap());
    let write = |text: &str| std::fs::write(&street.wechat.config, text).unwrap();

    backend.until_paid(4).await;
    write(with_key);
    let said = backend.hangs_up("the configuration was read again").await;
    assert!(said.contains("merchants[0].wechatpay_public_key_id"), "{said}");
    let moved = json!({ "mchid": mchid, "mode": "public_key" });
    street.wechat.control("keys", Some(&moved)).await;

    // Neither half a file nor a key that is none is taken, and everybody goes on paying.
    backend.until_paid(10).await;
    write(&with_key.replace("[server]", "[sever]"));
    let said = backend.hangs_up("was not taken").await;
    assert!(said.contains("did you mean server?") && said.contains("SP-CONFIG"), "{said}");
    write(&with_key.replacen("apiclient_key.pem", "pub_key.pem", 1));
    let said = backend.hangs_up("was not taken").await;
    assert!(said.contains(&format!("merchants[{mchid}].merchant_private_key")), "{said}");

    backend.until_paid(16).await;
    let endpoint = "[[webhooks.endpoints]]\nurl = \"http://127.0.0.1:1/of-the-file\"\n\
                    secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\nevents = [\"reconciliation.difference\"]\n";
    write(
        &format!("{endpoint}{with_key}").replace("[server]\n", "[server]\nmax_connections = 77\n"),
    );
    let said = backend.hangs_up("wait for a restart").await;
    assert!(said.contains("server.max_connections"), "{said}");
}

/// `suanpan serve`, which answers each question as it was wanted.
#[derive(Clone)]
struct Backend(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    url: String,
    key: String,
    process: Mutex<Option<Running>>,
    paid: watch::Sender<usize>,
}

impl Backend {
    async fn start(config: PathBuf) -> Self {
        let serve = move || {
            Running::start(&["serve", "--config", text(&config), "--listen", "127.0.0.1:0"])
        };
        let process = tokio::task::spawn_blocking(serve).await.unwrap();
        Self(Arc::new(Inner {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: process.says("url"),
            key: process.says("api_key"),
            process: Mutex::new(Some(process)),
            paid: watch::Sender::new(0),
        }))
    }

    /// Waits until so many payers have what `wx.requestPayment` takes.
    async fn until_paid(&self, count: usize) {
        drop(self.0.paid.subscribe().wait_for(|paid| count <= *paid).await.unwrap());
    }

    /// Sends a SIGHUP, and answers the line with what came of it.
    async fn hangs_up(&self, text: &'static str) -> String {
        let own = self.clone();
        let heard = tokio::task::spawn_blocking(move || {
            let process = own.0.process.lock().unwrap();
            let process = process.as_ref().unwrap();
            process.signal("-HUP");
            process.hear(text)
        });
        heard.await.unwrap()
    }

    /// Ends it as an operator does; answers what it said since it was last listened to.
    async fn stop(&self) -> String {
        let running = self.0.process.lock().unwrap().take().unwrap();
        let ended = tokio::task::spawn_blocking(move || running.end("-TERM")).await.unwrap();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stderr
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let response = request.bearer_auth(&self.0.key).send().await.unwrap();
        let (status, path) = (response.status(), response.url().path().to_owned());
        let json: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {json}");
        json
    }
}

impl Service for Backend {
    async fn once(
        &self,
        kind: &'static str,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Option<Value> {
        let request = self.0.http.post(format!("{}{path}", self.0.url)).json(body);
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let json = self.answer(request).await;
        if kind == "pay" {
            self.0.paid.send_modify(|paid| *paid = paid.saturating_add(1));
        }
        Some(json)
    }

    async fn look(&self, path: &str) -> Value {
        self.answer(self.0.http.get(format!("{}{path}", self.0.url))).await
    }

    async fn heard(&self) {}
}
