//! The merchant's own system: takes webhooks, and verifies them with somebody else's code.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::backend::{Backend, Moment};

/// One delivery as it came.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    /// `webhook-id`
    pub(super) id: String,
    pub(super) body: String,
}

/// The receiver.
pub(super) struct Hook {
    pub(super) url: String,
    inbox: Arc<Inbox>,
}

struct Inbox {
    backend: Arc<Backend>,
    webhook: OnceLock<Webhook>,
    taken: watch::Sender<Vec<Delivery>>,
}

impl Hook {
    pub(super) async fn open(backend: Arc<Backend>) -> Self {
        let taken = watch::Sender::new(Vec::new());
        let inbox = Arc::new(Inbox { backend, webhook: OnceLock::new(), taken });
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&inbox));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inbox }
    }

    /// Believes what is signed with this `whsec_…`, and nothing else.
    pub(super) fn trust(&self, secret: &str) {
        assert!(self.inbox.webhook.set(Webhook::new(secret).unwrap()).is_ok());
    }

    pub(super) fn taken(&self) -> Vec<Delivery> {
        self.inbox.taken.borrow().clone()
    }

    /// Waits until it was told this of this order or refund.
    pub(super) async fn until_told(&self, kind: &str, id: &str) {
        self.until(|taken| {
            taken.iter().any(|delivery| {
                let event: Value = serde_json::from_str(&delivery.body).unwrap();
                event["type"] == kind && event["data"]["id"] == id
            })
        })
        .await;
    }

    /// Waits until what was delivered is as wanted.
    pub(super) async fn until(&self, wanted: impl Fn(&[Delivery]) -> bool) {
        let mut taken = self.inbox.taken.subscribe();
        drop(taken.wait_for(|taken| wanted(taken)).await.unwrap());
    }
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    // What is not signed is never taken, so the test waits for it in vain.
    if inbox.webhook.get().is_none_or(|webhook| webhook.verify(&body, &headers).is_err()) {
        return StatusCode::UNAUTHORIZED;
    }
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    inbox.taken.send_modify(|taken| taken.push(Delivery { id, body }));
    inbox.backend.happens(Moment::Heard).await;
    StatusCode::NO_CONTENT
}
