//! The simulator as a process, with one merchant of each API.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{Running, text};

/// WeChat on this machine.
pub(crate) struct Wechat {
    simulator: Running,
    url: String,
    /// Of a backend that is set up against it.
    pub(crate) config: PathBuf,
    apps: [String; 2],
    http: reqwest::Client,
}

impl Wechat {
    /// Starts it. It keeps what it has in this folder.
    pub(crate) fn open(folder: &Path) -> Self {
        let free = "127.0.0.1:0";
        // Refunds of APIv2 need a connection that shows a certificate.
        let simulator = Running::start(&[
            "simulator",
            "--listen",
            free,
            "--tls-listen",
            free,
            "--data",
            text(folder),
        ]);
        let url = simulator.says("url");
        let written = std::fs::read_to_string(simulator.says("config")).unwrap();
        let hosts = |url: &str| format!("merchant_hosts = [{url:?}]");
        let over_tls = hosts(&simulator.says("tls_url")) + "\nca_certificates = [\"tls/ca.pem\"]";
        let config = folder.join("street.toml");
        std::fs::write(&config, written.replace(&hosts(&url), &over_tls)).unwrap();
        let credentials = std::fs::read_to_string(simulator.says("credentials")).unwrap();
        let credentials: Value = serde_json::from_str(&credentials).unwrap();
        let app = |merchant: usize| {
            credentials["merchants"][merchant]["apps"][0].as_str().unwrap().to_owned()
        };
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { simulator, url, config, apps: [app(0), app(1)], http }
    }

    /// The app by which a customer of this number comes: APIv3 and APIv2 in turn.
    pub(crate) fn app(&self, number: usize) -> &str {
        &self.apps[number % 2]
    }

    /// Its control: `POST` with a body, `GET` without.
    pub(crate) async fn control(&self, path: &str, body: Option<&Value>) -> Value {
        let url = format!("{}/_sim/{path}", self.url);
        let request = match body {
            Some(body) => self.http.post(url).json(body),
            None => self.http.get(url),
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// Ends it as an operator does.
    pub(crate) fn close(self) {
        assert_eq!(self.simulator.end("-TERM").code, Some(0));
    }
}
