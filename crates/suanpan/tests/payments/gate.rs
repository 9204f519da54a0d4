//! A gate on the road to a host: lets through, holds up what a test wants held, and keeps what passed.
//!
//! Two nodes in one process are fast, so what happens between two of their steps
//! is a matter of luck. The gate makes it a matter of the test.

#![expect(clippy::arithmetic_side_effects, reason = "sums of a test, which may panic")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A host that passes everything on to another.
pub(crate) struct Gate {
    pub(crate) url: String,
    road: Arc<Road>,
}

struct Road {
    to: String,
    http: reqwest::Client,
    stops: Mutex<Vec<Stop>>,
    passed: Mutex<Vec<Passed>>,
}

/// Where it is held: on the way to the host, or on the way back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Question,
    Answer,
}

struct Stop {
    side: Side,
    path: &'static str,
    /// How many of these are let through before.
    spare: usize,
    arrived: oneshot::Sender<()>,
    open: oneshot::Receiver<()>,
}

/// One message that is held up.
pub(crate) struct Held {
    arrived: Option<oneshot::Receiver<()>>,
    open: oneshot::Sender<()>,
}

impl Held {
    /// Waits until it is at the gate.
    pub(crate) async fn arrives(&mut self) {
        self.arrived.take().unwrap().await.unwrap();
    }

    pub(crate) fn let_through(self) {
        self.open.send(()).unwrap();
    }
}

/// A question as it passed.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Gate {
    pub(crate) async fn before(host: &str) -> Self {
        let road = Arc::new(Road {
            to: host.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            stops: Mutex::default(),
            passed: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&road));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, road }
    }

    /// Holds the n-th question, counted from 1, whose path begins so, before the host sees it.
    pub(crate) fn hold_question(&self, path: &'static str, nth: usize) -> Held {
        self.hold(Side::Question, path, nth)
    }

    /// Holds the answer to the n-th question, counted from 1, whose path begins so: the host has done it.
    pub(crate) fn hold_answer(&self, path: &'static str, nth: usize) -> Held {
        self.hold(Side::Answer, path, nth)
    }

    fn hold(&self, side: Side, path: &'static str, nth: usize) -> Held {
        let (arrived, at_the_gate) = oneshot::channel();
        let (open, opened) = oneshot::channel();
        let stop = Stop { side, path, spare: nth - 1, arrived, open: opened };
        self.road.stops.lock().unwrap().push(stop);
        Held { arrived: Some(at_the_gate), open }
    }

    /// What passed so far.
    pub(crate) fn passed(&self) -> Vec<Passed> {
        self.road.passed.lock().unwrap().clone()
    }
}

impl Road {
    /// Waits where a stop wants it.
    async fn stop(&self, side: Side, path: &str) {
        let stop = {
            let mut stops = self.stops.lock().unwrap();
            let meant = |stop: &Stop| stop.side == side && path.starts_with(stop.path);
            match stops.iter().position(meant) {
                Some(at) if stops[at].spare == 0 => Some(stops.remove(at)),
                Some(at) => {
                    stops[at].spare -= 1;
                    None
                }
                None => None,
            }
        };
        if let Some(stop) = stop {
            stop.arrived.send(()).unwrap();
            stop.open.await.unwrap();
        }
    }
}

async fn pass(
    State(road): State<Arc<Road>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().unwrap().to_string();
    let passed = Passed { path: path.clone(), headers: headers.clone(), body: body.clone() };
    road.passed.lock().unwrap().push(passed);
    road.stop(Side::Question, &path).await;
    let mut request = Request::builder().method(method).uri(format!("{}{path}", road.to));
    for (name, value) in &headers {
        if !HOP.contains(name) {
            request = request.header(name, value);
        }
    }
    let request = reqwest::Request::try_from(request.body(body).unwrap()).unwrap();
    let Ok(answer) = road.http.execute(request).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let Ok(body) = answer.bytes().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    for name in &HOP {
        headers.remove(name);
    }
    road.stop(Side::Answer, &path).await;
    (status, headers, body).into_response()
}

/// Of one connection, not of the message.
const HOP: [header::HeaderName; 4] =
    [header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
