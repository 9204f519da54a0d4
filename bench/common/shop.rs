//! A shop with its customers: a simulated WeChat, a receiver of webhooks, and payments from end to end.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use reqwest::Method;
use reqwest::header::COOKIE;
use serde_json::{Value, json};
use suanpan_simulator::{Options, Simulator};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use super::Failure;

/// What stands around the servers that are measured.
#[derive(Debug)]
pub(crate) struct Shop {
    http: reqwest::Client,
    simulator: String,
    /// The configuration of a server that talks to this WeChat.
    pub(crate) config: PathBuf,
    /// An app whose merchant speaks APIv3, and one of APIv2.
    pub(crate) apps: [String; 2],
    /// The private key of the first merchant, a PEM file.
    pub(crate) private_key: String,
    /// Where webhooks go; the same in each run on one folder.
    pub(crate) hook: String,
    delivered: broadcast::Sender<String>,
}

impl Shop {
    /// Opens it in a folder, which keeps WeChat's keys and the port of the receiver.
    pub(crate) async fn open(folder: &Path) -> Result<Self, Failure> {
        let options = Options::new(folder.join("wechat"), "127.0.0.1:0".parse()?);
        let simulator = Simulator::open(options).await?;
        let base_url = simulator.base_url().to_owned();
        let credentials: Value =
            serde_json::from_str(&fs::read_to_string(simulator.credentials_path())?)?;
        let config = simulator.config_path().to_owned();
        tokio::spawn(simulator.serve(std::future::pending()));
        let text = |path: &str| {
            credentials
                .pointer(path)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or("credentials")
        };
        let delivered = broadcast::Sender::new(65_536);
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            simulator: base_url,
            config,
            apps: [text("/merchants/0/apps/0")?, text("/merchants/1/apps/0")?],
            private_key: text("/merchants/0/merchant_private_key")?,
            hook: receiver(&folder.join("receiver.port"), delivered.clone()).await?,
            delivered,
        })
    }

    /// Calls; an answer that is no success is an error.
    pub(crate) async fn call(
        &self,
        method: Method,
        url: &str,
        key: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        self.call_with(method, url, key, "", body).await
    }

    /// The same, with the cookie of a session.
    pub(crate) async fn call_with(
        &self,
        method: Method,
        url: &str,
        key: &str,
        cookie: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        let request = self.http.request(method, url).bearer_auth(key).header(COOKIE, cookie);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        if status.is_success() {
            Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
        } else {
            Err(format!("{url}: {status}: {text}").into())
        }
    }

    /// The merchant makes an order; answers its id.
    pub(crate) async fn order(
        &self,
        (url, key): (&str, &str),
        app: &str,
        reference: &str,
    ) -> Result<String, Failure> {
        let order =
            json!({ "reference": reference, "amount": 990, "description": "tea", "app": app });
        let order = self.call(Method::POST, &format!("{url}/v1/orders"), key, Some(order)).await?;
        text(&order, "id")
    }

    /// The payer taps the button; answers what the phone needs.
    pub(crate) async fn pay(&self, url: &str, app: &str, order: &str) -> Result<Value, Failure> {
        // A payer of its own: WeChat limits the logins of one.
        let login = json!({ "appid": app, "user": order });
        let code = self
            .call(Method::POST, &format!("{}/_sim/login", self.simulator), "", Some(login))
            .await?;
        let pay = json!({ "code": text(&code, "code")?, "orderId": order });
        self.call(Method::POST, &format!("{url}/miniprogram/pay"), "", Some(pay)).await
    }

    /// The payer pays; done when the merchant's system has the webhook.
    pub(crate) async fn settle(&self, app: &str, order: &str, sheet: Value) -> Result<(), Failure> {
        let mut delivered = self.delivered.subscribe();
        let mut body = sheet;
        let more = json!({ "user": order, "appId": app, "outcome": "pay" });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let phone = format!("{}/_sim/request-payment", self.simulator);
        self.call(Method::POST, &phone, "", Some(body)).await?;
        tokio::time::timeout(Duration::from_secs(120), async {
            while delivered.recv().await? != order {}
            Ok::<_, Failure>(())
        })
        .await?
    }

    /// One customer, from the order to the webhook; answers the order's id.
    pub(crate) async fn flow(
        &self,
        server: (&str, &str),
        app: &str,
        reference: &str,
    ) -> Result<String, Failure> {
        let order = self.order(server, app, reference).await?;
        let sheet = self.pay(server.0, app, &order).await?;
        self.settle(app, &order, sheet).await?;
        Ok(order)
    }
}

/// A text of an answer.
pub(crate) fn text(answer: &Value, name: &str) -> Result<String, Failure> {
    let found = answer.get(name).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| format!("no {name} in {answer}").into())
}

/// The merchant's receiver: says which order a webhook is about.
async fn receiver(port: &Path, delivered: broadcast::Sender<String>) -> Result<String, Failure> {
    let before = fs::read_to_string(port).unwrap_or_else(|_| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{before}")).await?;
    let address = listener.local_addr()?;
    fs::write(port, address.port().to_string())?;
    let take = move |body: Bytes| async move {
        let event: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(id) = event.pointer("/data/id").and_then(Value::as_str) {
            drop(delivered.send(id.to_owned()));
        }
    };
    let router = Router::new().route("/hook", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}/hook"))
}
