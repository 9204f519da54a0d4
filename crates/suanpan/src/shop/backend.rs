//! The backend, as a merchant's system knows it: `/v1` with an API key.

use axum::http::Method;
use serde_json::{Value, json};
use suanpan_server::client::wechat::Fen;

use crate::caller::{Answer, Caller, Question};
use crate::problem::Problem;

/// The backend's address, and the key to it.
#[derive(Clone)]
pub(crate) struct Backend {
    caller: Caller,
    url: String,
    authorization: String,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend").field("url", &self.url).finish_non_exhaustive()
    }
}

/// An order to be created.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    /// The shop's own name for it.
    pub(crate) reference: String,
    /// What is owed.
    pub(crate) amount: Fen,
    /// What the payer reads.
    pub(crate) description: String,
    /// The mini program that it is paid in.
    pub(crate) app: String,
}

impl Backend {
    /// The backend at this address.
    pub(crate) fn new(caller: Caller, url: String, api_key: &str) -> Self {
        Self { caller, url, authorization: format!("Bearer {api_key}") }
    }

    /// `POST /v1/orders`. The reference is the key, too: the same order is created once.
    pub(crate) async fn create_order(&self, order: &NewOrder) -> Result<Value, Problem> {
        let body = json!({
            "reference": order.reference,
            "amount": order.amount,
            "description": order.description,
            "app": order.app,
        });
        let key = Some(order.reference.as_str());
        self.ask(Method::POST, "/v1/orders", key, Some(body)).await?.good()
    }

    /// `GET /v1/orders`: the newest ones.
    pub(crate) async fn orders(&self) -> Result<Value, Problem> {
        let page = self.ask(Method::GET, "/v1/orders?limit=50", None, None).await?.good()?;
        Ok(page.get("data").cloned().unwrap_or_else(|| json!([])))
    }

    /// `GET /v1/orders/{id}`
    pub(crate) async fn order(&self, id: &str) -> Result<Value, Problem> {
        self.ask(Method::GET, &format!("/v1/orders/{id}"), None, None).await?.good()
    }

    /// `GET /v1/orders/{id}/timeline`
    pub(crate) async fn timeline(&self, id: &str) -> Result<Value, Problem> {
        self.ask(Method::GET, &format!("/v1/orders/{id}/timeline"), None, None).await?.good()
    }

    /// `POST /v1/webhook-endpoints`: answers the id and the secret.
    pub(crate) async fn add_endpoint(&self, url: &str) -> Result<(String, String), Problem> {
        // No Idempotency-Key: a start without our file wants an endpoint and a secret of its own.
        let body = Some(json!({ "url": url }));
        let made = self.ask(Method::POST, "/v1/webhook-endpoints", None, body).await?.good()?;
        Ok((Answer::text(&made, "id")?, Answer::text(&made, "secret")?))
    }

    /// `GET /v1/webhook-endpoints/{id}`: where it delivers to; `None` where there is no such endpoint.
    pub(crate) async fn delivers_to(&self, id: &str) -> Result<Option<String>, Problem> {
        let path = format!("/v1/webhook-endpoints/{id}");
        let answer = self.ask(Method::GET, &path, None, None).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        Answer::text(&answer.good()?, "url").map(Some)
    }

    /// `DELETE /v1/webhook-endpoints/{id}`: it may be gone already.
    pub(crate) async fn forget_endpoint(&self, id: &str) -> Result<(), Problem> {
        let path = format!("/v1/webhook-endpoints/{id}");
        let answer = self.ask(Method::DELETE, &path, None, None).await?;
        if answer.status == 404 { Ok(()) } else { answer.good().map(drop) }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Result<Answer, Problem> {
        let mut headers = vec![("authorization", self.authorization.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let url = format!("{}{path}", self.url);
        self.caller.ask(Question { method, url, headers: &headers, body }).await
    }
}
