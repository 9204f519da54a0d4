//! The merchant's own system: takes webhooks, and verifies them with somebody else's code.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

/// Takes what is delivered, and answers as it is told to.
pub(crate) struct Receiver {
    pub(crate) url: String,
    secret: String,
    inbox: Arc<Inbox>,
}

#[derive(Debug)]
struct Inbox {
    taken: Mutex<Vec<Delivery>>,
    answer: AtomicU16,
}

/// One delivery as it came.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) body: String,
    headers: HeaderMap,
}

impl Delivery {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Receiver {
    pub(crate) async fn open() -> Self {
        let inbox = Arc::new(Inbox { taken: Mutex::default(), answer: AtomicU16::new(200) });
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&inbox));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, secret: String::new(), inbox }
    }

    pub(crate) fn expect_signed_with(&mut self, secret: &str) {
        secret.clone_into(&mut self.secret);
    }

    /// What it answers from now on.
    pub(crate) fn answers(&self, status: u16) {
        self.inbox.answer.store(status, Ordering::SeqCst);
    }

    /// What was delivered so far; each signature is checked as the receiver's clock, which is the test's, would.
    pub(crate) fn taken(&self) -> Vec<Delivery> {
        let taken = self.inbox.taken.lock().unwrap().clone();
        let webhook = Webhook::new(&self.secret).unwrap();
        for delivery in &taken {
            // `verify` looks at the clock of the machine, and the time of this world is another.
            let time = delivery.headers["webhook-timestamp"].to_str().unwrap().parse().unwrap();
            let signed = webhook.sign(&delivery.id, time, delivery.body.as_bytes()).unwrap();
            assert_eq!(signed, delivery.headers["webhook-signature"].to_str().unwrap());
        }
        taken
    }
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    inbox.taken.lock().unwrap().push(Delivery { id, body, headers });
    StatusCode::from_u16(inbox.answer.load(Ordering::SeqCst)).unwrap()
}
