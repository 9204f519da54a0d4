//! A backend without a network, and browsers that visit its console.

use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use axum::{Extension, Router};
use serde_json::{Value, json};
use suanpan_server::http::console::Stopping;
use suanpan_server::http::routes;
use suanpan_server::outside::{ManualClock, SeededDice};
use suanpan_server::people::Role;
use suanpan_server::store::{Database, Link, Row, Store, Tx, Work};
use suanpan_server::{Config, Seams, Server, World, access};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::database;

/// 2026-01-01T00:00:00Z, which is eight in the morning in Beijing.
pub(crate) const NEW_YEAR: i64 = 1_767_225_600_000_000;
pub(crate) const MCHID: &str = "1900000109";
pub(crate) const APP: &str = "wx2421b1c4370ec43b";

/// The backend.
pub(crate) struct Desk {
    pub(crate) clock: ManualClock,
    pub(crate) stop: watch::Sender<bool>,
    router: Router,
    server: Server,
    key: String,
    /// The same database once more, as another process has it.
    store: Store,
    _folder: tempfile::TempDir,
}

/// A browser with its cookies.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    cookies: Vec<(String, String)>,
    headers: Vec<(&'static str, &'static str)>,
}

/// What a browser was answered.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with("").await
    }

    /// With more settings, as TOML.
    pub(crate) async fn open_with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../suanpan-wechat/tests/vectors");
        for name in ["merchant-1.cert.pem", "merchant-1.key.pem"] {
            std::fs::copy(keys.join(name), folder.path().join(name)).unwrap();
        }
        let mut config = Config::parse(&format!("{more}\n{MERCHANT}"), folder.path()).unwrap();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.database.url = database::url(folder.path());
        let clock = ManualClock::at(NEW_YEAR);
        let seams = Seams {
            clock: Arc::new(clock.clone()),
            dice: Arc::new(SeededDice::new(1)),
            wire: None,
        };
        let database = Database::parse(&config.database.url, folder.path()).unwrap();
        let server = Server::open(config.clone(), seams).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let router =
            routes::router(Arc::clone(server.world()), &config).layer(Extension(Stopping(stopped)));
        let store = Store::open(&database, NEW_YEAR).await.unwrap();
        let key = server.first_api_key().unwrap().to_owned();
        Self { clock, stop, router, server, key, store, _folder: folder }
    }

    /// A new sign-in link: its path.
    pub(crate) async fn link(&self) -> String {
        let token = access::new_console_link(self.server.world()).await.unwrap();
        format!("/console?setup={token}")
    }

    /// A browser that is signed in.
    pub(crate) async fn operator(&self) -> Browser {
        let mut browser = Browser::default();
        let page = browser.get(self, &self.link().await).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    /// A browser that is signed in as somebody of this role, whose name is his role's. He has no password.
    pub(crate) async fn person(&self, role: Role) -> Browser {
        let id = format!("op_{role}");
        self.write((id, role), |tx, (id, role)| {
            Box::pin(async move {
                tx.operator_put(id, role.as_str(), *role, NEW_YEAR).await?;
                let hash = hex_sha256(role.as_str());
                let link = Link::Enter(id.clone());
                tx.console_link_put(&hash, &link, NEW_YEAR, i64::MAX).await
            })
        })
        .await;
        let mut browser = Browser::default();
        let page = browser.get(self, &format!("/console?setup={role}")).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    /// Creates an order through the API.
    pub(crate) async fn order(&self, order: &Value) -> String {
        let request = Request::post("/v1/orders")
            .header("authorization", format!("Bearer {}", self.key))
            .body(Body::from(order.to_string()))
            .unwrap();
        let page = Page::read(self.send(request).await).await;
        assert_eq!(page.status, StatusCode::CREATED, "{}", page.text);
        let order: Value = serde_json::from_str(&page.text).unwrap();
        order["id"].as_str().unwrap().to_owned()
    }

    /// Some order of this reference, over 9.90.
    pub(crate) async fn tea(&self, reference: &str) -> String {
        self.order(&json!({ "reference": reference, "amount": 990, "description": "龙井一杯" }))
            .await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Writes into the database, past the API.
    pub(crate) async fn write<I, F>(&self, input: I, work: F)
    where
        I: Send + Sync + 'static,
        F: for<'a> Fn(&'a mut Tx, &'a I) -> Work<'a, ()> + Send + Sync + 'static,
    {
        self.store.write(input, work).await.unwrap();
    }

    /// A link that makes the first operator.
    pub(crate) async fn set_up_link(&self) -> Option<String> {
        self.server.set_up_link().await.unwrap()
    }

    pub(crate) const fn world(&self) -> &Arc<World> {
        self.server.world()
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// The texts of one column.
    pub(crate) async fn column(&self, sql: &'static str) -> Vec<String> {
        let rows = self.store.look(sql, |tx, sql| Box::pin(async move { tx.rows(sql, &[]).await }));
        rows.await.unwrap().iter().map(|row: &Row| row.text("value").unwrap()).collect()
    }
}

impl Browser {
    /// One that sends this header, too.
    pub(crate) fn saying(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// One that has the same cookies.
    pub(crate) fn twin(&self) -> Self {
        Self { cookies: self.cookies.clone(), headers: Vec::new() }
    }

    pub(crate) async fn get(&mut self, desk: &Desk, path: &str) -> Page {
        self.ask(desk, "GET", path).await
    }

    pub(crate) async fn post(&mut self, desk: &Desk, path: &str) -> Page {
        self.ask(desk, "POST", path).await
    }

    /// Posts a form as a page of the console does.
    pub(crate) async fn submit(
        &mut self,
        desk: &Desk,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let mut request = self.request("POST", path);
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        headers.entry("origin").or_insert("http://pay.test".parse().unwrap());
        *request.body_mut() = Body::from(urlencoded(fields));
        self.keep(Page::read(desk.send(request).await).await)
    }

    pub(crate) async fn ask(&mut self, desk: &Desk, method: &str, path: &str) -> Page {
        self.keep(Page::read(desk.send(self.request(method, path)).await).await)
    }

    fn keep(&mut self, page: Page) -> Page {
        for cookie in page.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = text.split_once('=').unwrap();
            self.cookies.retain(|(kept, _)| kept != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        page
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request<Body> {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(path).header("host", "pay.test");
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }
}

impl Page {
    async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Self { status: parts.status, headers: parts.headers, text }
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// A page for people, of this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8");
        self
    }

    #[track_caller]
    pub(crate) fn leads_to(&self, path: &str) -> &Self {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        assert_eq!(self.header("location"), path);
        self
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text:?} is not in {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn hides(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} is in {}", self.text);
        self
    }
}

fn urlencoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn hex_sha256(text: &str) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()))
}

/// WeChat is not there: nothing listens on the discard port.
const MERCHANT: &str = r#"
[wechat]
merchant_hosts = ["http://127.0.0.1:9"]
platform_host = "http://127.0.0.1:9"
[reconciliation]
enabled = false

[[merchants]]
mchid = "1900000109"
name = "湖心亭茶馆"
api = "v2"
api_v2_key = "8934e7d15453e97507ef794cf7b0519d"
merchant_certificate = "merchant-1.cert.pem"
merchant_private_key = "merchant-1.key.pem"
[[merchants.apps]]
appid = "wx2421b1c4370ec43b"
secret = "0123456789abcdef0123456789abcdef"
"#;
