//! A server that runs: its public name, its endpoints, and what waits in its database.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use suanpan_server::doctor::Mark;
use suanpan_server::{Config, Seams, Server};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::clinic::{Clinic, V3, Wanted, marks, wanted};

/// A server of the configuration.
struct Running {
    url: String,
    key: String,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Starts it, and has the configuration say where.
    async fn start(clinic: &mut Clinic) -> Self {
        let config = Config::load(&clinic.write()).unwrap();
        let server = Server::open(config, Seams::default()).await.unwrap();
        let (url, key) = (server.url(), server.first_api_key().unwrap().to_owned());
        clinic.set("server.listen", url.strip_prefix("http://").unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            server.run(async { drop(stopped.await) }).await.unwrap();
        });
        Self { url, key, stop, ended }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap();
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let sent =
            http.post(format!("{}{path}", self.url)).bearer_auth(&self.key).json(&body).send();
        sent.await.unwrap().json().await.unwrap()
    }
}

/// What stands somewhere and answers, given the headers of what it was asked.
type Answers = fn(HeaderMap) -> Response;

/// Serves this on a port of its own.
async fn stand(answers: Answers) -> SocketAddr {
    let router = Router::new().fallback(async move |headers: HeaderMap| answers(headers));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// As a proxy in front of the server: this one hands the request id on.
fn faithful(asked: HeaderMap) -> Response {
    let id = asked.get("x-request-id").cloned().unwrap();
    ([("x-request-id", id)], ALIVE).into_response()
}

const ALIVE: &str = "{\"status\":\"ok\"}";

/// Puts this before the public name, and looks.
async fn before(clinic: &mut Clinic, answers: Answers, wanted: Wanted<'_>) {
    clinic.set("server.public_url", format!("http://{}", stand(answers).await));
    clinic.check("public name", &clinic.examine(false).await, &wanted);
}

#[tokio::test]
async fn what_stands_before_the_public_name_is_told_apart() {
    const REACH: &[&str] = &["problem public.reach"];
    let mut clinic = Clinic::open(&[V3]).await;
    let server = Running::start(&mut clinic).await;
    before(&mut clinic, faithful, wanted(&[], "", "")).await;
    let place = "https://www.example.com";
    let moved = |_| {
        (StatusCode::FOUND, [(header::LOCATION, "https://www.example.com/x?y")]).into_response()
    };
    before(&mut clinic, moved, wanted(REACH, place, place)).await;
    let page = |_| ([(header::CONTENT_TYPE, "text/html")], "<form>").into_response();
    before(&mut clinic, page, wanted(REACH, "登录页", "sign-in page")).await;
    let forbidden = |_| StatusCode::FORBIDDEN.into_response();
    before(&mut clinic, forbidden, wanted(REACH, "防火墙", "firewall")).await;
    let down = |_| StatusCode::BAD_GATEWAY.into_response();
    before(&mut clinic, down, wanted(REACH, "server.listen", "server.listen")).await;
    let other = |_| StatusCode::NOT_FOUND.into_response();
    before(&mut clinic, other, wanted(REACH, "不是 Suanpan", "not Suanpan")).await;
    let forgetful = |_| ALIVE.into_response();
    before(&mut clinic, forgetful, wanted(REACH, "Wechatpay-*", "Wechatpay-*")).await;
    // By itself, without anybody in between.
    clinic.set("server.public_url", server.url.clone());
    let report = clinic.examine(false).await;
    assert_eq!(marks(&report, "public.reach")[0].1, Mark::Ok);
    // Whoever does not run cannot be reached, which says nothing of the name.
    server.stop().await;
    let report = clinic.examine(false).await;
    assert_eq!(marks(&report, "public.reach")[0].1, Mark::Skipped);
}

#[tokio::test]
async fn endpoints_are_knocked_at_and_told_nothing() {
    const GONE: &[&str] = &["problem webhook.reach"];
    let up = stand(|_| StatusCode::METHOD_NOT_ALLOWED.into_response()).await;
    knock(up, wanted(&[], "", "")).await;
    let moved = stand(|_| StatusCode::FOUND.into_response()).await;
    knock(moved, wanted(GONE, "跳转", "redirects")).await;
    let down = stand(|_| StatusCode::BAD_GATEWAY.into_response()).await;
    knock(down, wanted(&["warn webhook.reach"], "启动", "start")).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    knock(free, wanted(GONE, "连不上", "not reached")).await;
}

/// Has an endpoint here, and looks.
async fn knock(address: SocketAddr, wanted: Wanted<'_>) {
    let mut clinic = Clinic::open(&[V3]).await;
    let mut endpoint = toml::Table::new();
    endpoint.insert("url".to_owned(), format!("http://{address}/hook").into());
    let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    endpoint.insert("secret".to_owned(), secret.into());
    clinic.set("webhooks.endpoints", vec![toml::Value::Table(endpoint)]);
    clinic.check("endpoint", &clinic.examine(false).await, &wanted);
}

/// A payment whose notification was lost is found by asking; the doctor says that none has come.
#[tokio::test]
async fn what_waits_in_the_database_is_told() {
    let mut clinic = Clinic::open(&[V3]).await;
    let server = Running::start(&mut clinic).await;
    clinic.set("server.public_url", server.url.clone());
    let app = clinic.get("merchants.0.apps.0.appid");
    let order = server
        .post(
            "/v1/orders",
            json!({ "reference": "tea-1", "amount": 990, "description": "龙井", "app": app }),
        )
        .await;
    let id = order["id"].as_str().unwrap().to_owned();
    clinic.control("faults", json!({ "on": "notify", "fault": "lose" })).await;
    let login = clinic.control("login", json!({ "appid": app, "user": "alice" })).await;
    let sheet =
        server.post("/miniprogram/pay", json!({ "code": login["code"], "orderId": id })).await;
    let mut paid = sheet.clone();
    (paid["user"], paid["appId"], paid["outcome"]) = (json!("alice"), json!(app), json!("pay"));
    assert_eq!(clinic.control("request-payment", paid).await["errMsg"], "requestPayment:ok");
    let confirmed = server.post(&format!("/miniprogram/orders/{id}/confirm"), json!({})).await;
    assert_eq!(confirmed["status"], "paid", "{confirmed}");
    let report = clinic.examine(false).await;
    clinic.check("lost", &report, &wanted(&["warn work.notified"], "查单", "by asking"));
    server.stop().await;
    // Nobody works for a day.
    clinic.clock_off(86_400);
    let report = clinic.examine(true).await;
    let both = &["warn work.overdue", "warn work.notified"];
    clinic.check("late", &report, &wanted(both, "serve", "serve"));
}

#[tokio::test]
async fn quality_is_wechats_own_list() {
    let mut clinic = Clinic::open(&[V3]).await;
    let wish = suanpan_server::doctor::Wish { quality: true, ..Default::default() };
    let text = toml::to_string(&clinic.toml).unwrap();
    let report = clinic.examine_text(&text, &wish).await;
    clinic.check("quality", &report, &wanted(&[], "", ""));
    let lines: Vec<_> =
        report.checks.iter().filter(|one| one.check.id.starts_with("quality.")).collect();
    assert_eq!(lines.len(), 10);
    assert_eq!(marks(&report, "quality.verify")[0].1, Mark::Ok);
    // Offline nothing of it was proven just now.
    clinic.set("reconciliation.enabled", false);
    let wish = suanpan_server::doctor::Wish { offline: true, ..wish };
    let report = clinic.examine_text(&toml::to_string(&clinic.toml).unwrap(), &wish).await;
    assert_eq!(marks(&report, "quality.verify")[0].1, Mark::Skipped);
    let off = &["warn quality.bills", "warn work.reconciled"];
    clinic.check("off", &report, &wanted(off, "reconciliation.enabled", "reconciliation.enabled"));
}
