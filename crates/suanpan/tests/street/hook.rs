//! The merchant's own system: takes webhooks, and verifies them with somebody else's code.

use std::collections::HashSet;
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

use super::Service;

/// One delivery as it came.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// `webhook-id`
    pub(crate) id: String,
    pub(crate) body: String,
}

/// The receiver.
pub(crate) struct Hook {
    pub(crate) url: String,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Inbox {
    webhook: OnceLock<Webhook>,
    taken: watch::Sender<Taken>,
}

/// What it took, in order, and what that told it of.
#[derive(Default)]
pub(crate) struct Taken {
    deliveries: Vec<Delivery>,
    ids: HashSet<String>,
    /// An event, and the order or refund that it is about.
    told: HashSet<(String, String)>,
}

impl Taken {
    /// Whether the event of this id came.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

impl Hook {
    pub(crate) async fn open<S: Service>(service: S) -> Self {
        let inbox = Arc::<Inbox>::default();
        let state = (Arc::clone(&inbox), service);
        let router = Router::new().route("/hook", post(take::<S>)).with_state(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inbox }
    }

    /// Believes what is signed with this `whsec_…`, and nothing else.
    pub(crate) fn trust(&self, secret: &str) {
        assert!(self.inbox.webhook.set(Webhook::new(secret).unwrap()).is_ok());
    }

    pub(crate) fn taken(&self) -> Vec<Delivery> {
        self.inbox.taken.borrow().deliveries.clone()
    }

    /// Waits until it was told this of this order or refund.
    pub(crate) async fn until_told(&self, kind: &str, id: &str) {
        let wanted = (kind.to_owned(), id.to_owned());
        self.until(|taken| taken.told.contains(&wanted)).await;
    }

    /// Waits until what was delivered is as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Taken) -> bool) {
        let mut taken = self.inbox.taken.subscribe();
        drop(taken.wait_for(|taken| wanted(taken)).await.unwrap());
    }
}

async fn take<S: Service>(
    State((inbox, service)): State<(Arc<Inbox>, S)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    // What is not signed is never taken, so the test waits for it in vain.
    if inbox.webhook.get().is_none_or(|webhook| webhook.verify(&body, &headers).is_err()) {
        return StatusCode::UNAUTHORIZED;
    }
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let event: Value = serde_json::from_str(&body).unwrap();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = (word(&event["type"]), word(&event["data"]["id"]));
    inbox.taken.send_modify(|taken| {
        taken.ids.insert(id.clone());
        taken.told.insert(told);
        taken.deliveries.push(Delivery { id, body });
    });
    service.heard().await;
    StatusCode::NO_CONTENT
}
