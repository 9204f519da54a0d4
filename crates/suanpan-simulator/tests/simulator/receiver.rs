//! The merchant's own server, which WeChat notifies.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A notification that came.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Listens, and answers what it was told to answer.
pub(crate) struct Receiver {
    pub(crate) url: String,
    arrived: UnboundedReceiver<Told>,
    mouth: Mouth,
}

/// `None` never answers.
type Mouth = Arc<Mutex<Option<(u16, &'static str)>>>;

impl Receiver {
    /// Acknowledges in both versions' way.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify", listener.local_addr().unwrap());
        let (tell, arrived) = unbounded_channel();
        let mouth: Mouth = Arc::new(Mutex::new(Some((200, suanpan_wechat::v2::acknowledge()))));
        let app = Router::new().fallback(hear).with_state((tell, Arc::clone(&mouth)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, arrived, mouth }
    }

    pub(crate) fn answers(&self, status: u16, body: &'static str) {
        *self.mouth.lock().unwrap() = Some((status, body));
    }

    pub(crate) fn is_silent(&self) {
        *self.mouth.lock().unwrap() = None;
    }

    /// The next notification; waits for it.
    pub(crate) async fn next(&mut self) -> Told {
        self.arrived.recv().await.unwrap()
    }

    /// Whether another one has come.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.arrived.try_recv().is_err()
    }
}

async fn hear(
    State((tell, mouth)): State<(UnboundedSender<Told>, Mouth)>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    tell.send(Told { headers, body }).unwrap();
    let said = *mouth.lock().unwrap();
    match said {
        Some((status, body)) => (StatusCode::from_u16(status).unwrap(), body),
        None => std::future::pending().await,
    }
}
