//! The merchant's side of the backend's API, over HTTP like everyone else.

use reqwest::Method;
use serde_json::{Value, json};

use super::WEBHOOK_PATH;
use crate::error::Error;

/// Calls the backend with an API key.
#[derive(Clone)]
pub(crate) struct Backend {
    http: reqwest::Client,
    url: String,
    api_key: String,
}

impl Backend {
    /// `url` without a slash at its end; `api_key` is `sk_…`.
    pub(crate) fn new(http: reqwest::Client, url: String, api_key: String) -> Self {
        Self { http, url, api_key }
    }

    /// `POST /v1/orders`.
    pub(crate) async fn create_order(&self, order: &Value) -> Result<Value, Error> {
        self.call(Method::POST, "/v1/orders", Some(order)).await
    }

    /// `GET /v1/orders/{id}`.
    pub(crate) async fn order(&self, id: &str) -> Result<Value, Error> {
        self.call(Method::GET, &format!("/v1/orders/{id}"), None).await
    }

    /// `GET /v1/orders`, newest first.
    pub(crate) async fn orders(&self, limit: u32) -> Result<Value, Error> {
        self.call(Method::GET, &format!("/v1/orders?limit={limit}"), None).await
    }

    /// `GET /v1/orders/{id}/timeline`.
    pub(crate) async fn timeline(&self, id: &str) -> Result<Value, Error> {
        self.call(Method::GET, &format!("/v1/orders/{id}/timeline"), None).await
    }

    /// Registers a webhook address and gives its secret; takes away the one
    /// that an earlier run left behind at another port.
    pub(super) async fn register_webhook(&self, url: &str) -> Result<String, Error> {
        let known = self.call(Method::GET, "/v1/webhook-endpoints", None).await?;
        for endpoint in known.get("data").and_then(Value::as_array).into_iter().flatten() {
            let text = |member| endpoint.get(member).and_then(Value::as_str);
            if let (Some(id), Some(url)) = (text("id"), text("url"))
                && url.ends_with(WEBHOOK_PATH)
            {
                self.call(Method::DELETE, &format!("/v1/webhook-endpoints/{id}"), None).await?;
            }
        }

        let endpoint = json!({ "url": url });
        let made = self.call(Method::POST, "/v1/webhook-endpoints", Some(&endpoint)).await?;
        let secret = made.get("secret").and_then(Value::as_str);
        secret.map(str::to_owned).ok_or_else(|| {
            Error::found("SP-CONTRACT", "a new webhook endpoint has no secret", "report this")
        })
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let refused = |what: String| {
            Error::found("SP-BACKEND", what, "read the backend's log above; its code says more")
        };
        let request = self.http.request(method.clone(), format!("{}{path}", self.url));
        let request = request.bearer_auth(&self.api_key);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.map_err(|cause| {
            refused(format!("the backend does not answer {method} {path}")).because(&cause)
        })?;

        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        if !status.is_success() {
            return Err(refused(format!("the backend answered {method} {path} with {status}: {text}")));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|cause| {
            refused(format!("the backend answered {method} {path} without JSON")).because(&cause)
        })
    }
}
