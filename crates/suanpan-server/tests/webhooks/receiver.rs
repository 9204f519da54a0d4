//! A merchant's system: takes webhooks, and behaves as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What it does with a request.
#[derive(Clone)]
pub(crate) enum Mood {
    Answers(u16),
    /// Answers when the test says so.
    Waits,
    Redirects(String),
    /// Answers 503 with this `Retry-After`.
    Later(&'static str),
    /// Says OK and then talks without end.
    Babbles,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    mood: Arc<Mutex<Mood>>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    task: JoinHandle<()>,
}

/// A request that came.
pub(crate) struct Arrival {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) answer: oneshot::Sender<u16>,
}

#[derive(Clone)]
struct Desk {
    mood: Arc<Mutex<Mood>>,
    arrivals: mpsc::UnboundedSender<Arrival>,
}

impl Receiver {
    pub(crate) async fn open(mood: Mood) -> Self {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let mood = Arc::new(Mutex::new(mood));
        let desk = Desk { mood: Arc::clone(&mood), arrivals: sender };
        let router = Router::new().route("/hook", post(take)).with_state(desk);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?token=hunter2", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, mood, arrivals, task }
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Arrival {
        let arrival = tokio::time::timeout(PATIENCE, self.arrivals.recv()).await;
        arrival.expect("a webhook comes").unwrap()
    }

    /// All that came until now.
    pub(crate) fn all(&mut self) -> Vec<Arrival> {
        std::iter::from_fn(|| self.arrivals.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Arrival {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn id(&self) -> String {
        self.header("webhook-id").to_owned()
    }

    /// What a foreign library says to the signature; whether the time is recent is left out.
    #[track_caller]
    pub(crate) fn check_signature(&self, secret: &str) {
        self.check_signatures(&[secret]);
    }

    /// The same for several secrets, each with a signature of its own.
    #[track_caller]
    pub(crate) fn check_signatures(&self, secrets: &[&str]) {
        let timestamp = self.header("webhook-timestamp").parse().unwrap();
        let sign = |secret: &&str| {
            let webhook = Webhook::new(secret).unwrap();
            webhook.sign(&self.id(), timestamp, self.body.as_bytes()).unwrap()
        };
        let signatures: Vec<_> = secrets.iter().map(sign).collect();
        assert_eq!(self.header("webhook-signature"), signatures.join(" "));
    }
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: String) -> Response {
    let (answer, answered) = oneshot::channel();
    desk.arrivals.send(Arrival { headers, body, answer }).unwrap();
    let mood = desk.mood.lock().unwrap().clone();
    match mood {
        Mood::Answers(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Mood::Waits => StatusCode::from_u16(answered.await.unwrap_or(500)).unwrap().into_response(),
        Mood::Later(when) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, when)]).into_response()
        }
        Mood::Redirects(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Mood::Babbles => {
            let chunk = || Some((Ok::<_, std::convert::Infallible>("blah ".repeat(1000)), ()));
            let endless = futures_util::stream::unfold((), move |()| async move { chunk() });
            axum::body::Body::from_stream(endless).into_response()
        }
    }
}

/// Longer than anything takes: who waits so long waits in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
