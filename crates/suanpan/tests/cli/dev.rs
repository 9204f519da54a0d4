//! `suanpan dev`: the shop sells, the payer pays, everybody knows, and a restart forgets nothing.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Running, run, text};
use crate::secrets;

fn dev(folder: &Path) -> Running {
    Running::start(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--simulator-listen",
        "127.0.0.1:0",
        "--data",
        text(folder),
    ])
}

/// The phone in a browser, without a browser.
struct Phone {
    http: reqwest::Client,
    simulator: String,
    backend: String,
    shop: String,
}

impl Phone {
    async fn open(dev: &Running) -> Self {
        let mut phone = Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            simulator: dev.says("simulator"),
            backend: dev.says("url"),
            shop: String::new(),
        };
        let config = phone.get(&format!("{}/phone/config.json", phone.simulator)).await;
        assert_eq!(config["shop"]["backend_url"], phone.backend);
        phone.shop = config["shop"]["url"].as_str().unwrap().to_owned();
        phone
    }

    async fn get(&self, url: &str) -> Value {
        self.answer(self.http.get(url)).await
    }

    async fn post(&self, url: String, body: &Value) -> Value {
        self.answer(self.http.post(url).body(body.to_string())).await
    }

    /// As a browser asks: with an origin, which the answer must allow.
    async fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let request = request.header("content-type", "application/json");
        let request = request.header("origin", &self.simulator).build().unwrap();
        if !request.url().as_str().starts_with(&self.simulator) {
            self.preflight(&request).await;
        }
        let reply = self.http.execute(request).await.unwrap();
        assert!(reply.status().is_success(), "{} of {}", reply.status(), reply.url());
        serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap()
    }

    /// What a browser asks first: whether it may.
    async fn preflight(&self, request: &reqwest::Request) {
        let asked = self.http.request(reqwest::Method::OPTIONS, request.url().clone());
        let asked = asked
            .header("origin", &self.simulator)
            .header("access-control-request-method", request.method().as_str())
            .header("access-control-request-headers", "content-type");
        let allowed = asked.send().await.unwrap();
        let says = |name: &str| allowed.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(says("access-control-allow-origin"), self.simulator);
        assert!(says("access-control-allow-methods").contains(request.method().as_str()));
        assert!(says("access-control-allow-headers").contains("content-type"));
    }

    /// Buys this item and pays for it; answers what the shop then tells by server-sent event.
    async fn buys(&self, item: &Value) -> Value {
        let events =
            self.http.get(format!("{}/events", self.shop)).header("origin", &self.simulator);
        let mut events = events.send().await.unwrap();
        let order =
            self.post(format!("{}/orders", self.shop), &json!({ "item": item["id"] })).await;
        assert_eq!((&order["amount"], &order["app"]), (&item["amount"], &item["app"]));
        let login = json!({ "appid": order["app"], "user": "alice" });
        let login = self.post(format!("{}/_sim/login", self.simulator), &login).await;
        let pay = json!({ "code": login["code"], "orderId": order["id"] });
        let mut sheet = self.post(format!("{}/miniprogram/pay", self.backend), &pay).await;
        let thumb = json!({ "user": "alice", "appId": order["app"], "outcome": "pay" });
        sheet.as_object_mut().unwrap().extend(thumb.as_object().unwrap().clone());
        let said = self.post(format!("{}/_sim/request-payment", self.simulator), &sheet).await;
        assert_eq!(said["errMsg"], "requestPayment:ok", "{said}");

        let told = async {
            let mut text = String::new();
            loop {
                text.push_str(
                    std::str::from_utf8(&events.chunk().await.unwrap().unwrap()).unwrap(),
                );
                if let Some(event) =
                    text.split("\n\n").find(|event| event.starts_with("event: order"))
                {
                    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
                    return serde_json::from_str(data).unwrap();
                }
            }
        };
        let told: Value = tokio::time::timeout(Duration::from_secs(30), told).await.unwrap();
        assert_eq!((&told["id"], &told["status"]), (&order["id"], &json!("paid")));
        told
    }
}

#[tokio::test]
async fn the_shop_sells_and_a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = dev(folder.path());
    assert!(first.says("api_key").starts_with("sk_"));
    assert!(first.says("console").starts_with(&first.says("url")));
    let phone = Phone::open(&first).await;
    let shop = phone.shop.clone();
    let items = phone.get(&format!("{shop}/items")).await;
    let seeded = phone.get(&format!("{}/orders", phone.shop)).await;
    assert_eq!(seeded.as_array().unwrap().len(), 3);

    let mut paid = Vec::new();
    for api in ["v3", "v2"] {
        let item = items.as_array().unwrap().iter().find(|item| item["api"] == api).unwrap();
        paid.push(phone.buys(item).await);
    }
    let key = first.says("api_key");
    // A folder is one development environment's.
    let arguments = [
        "dev",
        "--data",
        text(folder.path()),
        "--listen",
        "127.0.0.1:0",
        "--simulator-listen",
        "127.0.0.1:0",
    ];
    let other = run(&arguments);
    assert_eq!((other.code, other.stdout.as_str()), (Some(2), ""), "{other:?}");
    assert!(
        other.stderr.contains("error[SP-SIM-IN-USE]") && other.stderr.contains("--data"),
        "{other:?}"
    );

    let ended = first.end("-TERM");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    for says in ["算盘", "打开手机", "curl -s http", "login ", "prepay ", "notify ", "webhook "]
    {
        assert!(ended.stderr.contains(says), "{says} is not in:\n{}", ended.stderr);
    }

    let second = dev(folder.path());
    assert_eq!(second.says("api_key"), key);
    let phone = Phone::open(&second).await;
    let orders = phone.get(&format!("{}/orders", phone.shop)).await;
    let orders = orders.as_array().unwrap();
    assert_eq!(orders.len(), 5, "seeded once, sold twice");
    for paid in &paid {
        let kept = orders.iter().find(|order| order["id"] == paid["id"]).unwrap();
        assert_eq!(
            (&kept["status"], &kept["transaction_id"]),
            (&json!("paid"), &paid["transaction_id"])
        );
    }
    // The shop is where it was: what was still to be delivered arrives, and one event is one delivery.
    assert_eq!(phone.shop, shop);
    let endpoints = phone.http.get(format!("{}/v1/webhook-endpoints", phone.backend));
    let endpoints = endpoints.bearer_auth(&key).send().await.unwrap().bytes().await.unwrap();
    let endpoints: Value = serde_json::from_slice(&endpoints).unwrap();
    let endpoints = endpoints["data"].as_array().unwrap();
    assert_eq!(endpoints.len(), 1);
    assert!(endpoints[0]["url"].as_str().unwrap().starts_with(&phone.shop));
    let item = items.as_array().unwrap().first().unwrap();
    phone.buys(item).await;

    // A phone that is still looking is no reason to stay.
    let _events = phone.http.get(format!("{}/events", phone.shop)).send().await.unwrap();
    let again = second.end("-INT");
    assert_eq!(again.code, Some(0), "{again:?}");
    let talk = ended.stderr + &again.stderr;
    for secret in secrets::of_folder(folder.path()) {
        assert!(!talk.contains(&secret), "{secret} is in:\n{talk}");
    }
    assert!(!talk.contains(" warn "), "{talk}");
}

#[cfg(unix)]
#[test]
fn the_key_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new");
    let running = dev(&data);
    for file in ["api.key", "credentials.json", "env"] {
        let mode = std::fs::metadata(data.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(running.end("-TERM").code, Some(0));
}

#[cfg(unix)]
#[test]
fn a_shell_reads_where_everything_is_while_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    // A path that a shell would take apart.
    let data = folder.path().join("my tea");
    let running = dev(&data);
    let script = r#". "$0/env" && printf '%s\n' "$SUANPAN_URL" "$SUANPAN_SIMULATOR" "$SUANPAN_API_KEY" \
        "$SUANPAN_CREDENTIALS" "$SUANPAN_SHOP" && env | grep -c '^SUANPAN_APPID'"#;
    let mut shell = std::process::Command::new("sh");
    let shell = shell.args(["-eu", "-c", script, text(&data)]).env_clear().output().unwrap();
    let said = String::from_utf8(shell.stdout).unwrap();
    let said: Vec<_> = said.lines().collect();
    let names = ["url", "simulator", "api_key", "credentials"];
    assert_eq!(said.get(..4).unwrap(), names.map(|name| running.says(name)));
    assert!(said.get(4).unwrap().starts_with("http://127.0.0.1:"), "{said:?}");
    assert_eq!(said.get(5), Some(&"2"));
    assert_eq!(running.end("-TERM").code, Some(0));
    assert!(!data.join("env").exists());
}
