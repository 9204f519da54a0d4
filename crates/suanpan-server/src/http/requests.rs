//! What is said of every request: its id in each line of the log, its route, how long it took.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tower_http::request_id::RequestId;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::outside::Stopwatch;
use crate::request;
use crate::world::World;

/// Measures a request, and puts all that is logged on its way under its id.
///
/// The route is the pattern that was matched, never the path: a path holds ids, and anybody can invent one.
pub(super) async fn watch(
    State(world): State<Arc<World>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Stopwatch::start();
    let method = word(request.method());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or(OTHER, MatchedPath::as_str).to_owned();
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok()).map(str::to_owned);

    // At any level of the log its lines are to say which request they belong to.
    let span =
        tracing::error_span!("request", request_id = id.as_deref(), method, route, status = Empty);
    let served = request::serve(id, next.run(request));
    let response = served.instrument(span.clone()).await;

    let (status, took) = (response.status().as_u16(), began.elapsed());
    world.metrics.answered(method, &route, status, took);
    span.record("status", status);
    let elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if QUESTIONS.contains(&route.as_str()) {
        tracing::debug!(target: "suanpan::request", parent: &span, status, elapsed_ms, "answered");
    } else {
        tracing::info!(target: "suanpan::request", parent: &span, status, elapsed_ms, "answered");
    }
    response
}

/// Anybody can invent a method, too.
const fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}

const OTHER: &str = "other";
/// Monitors ask these all day.
const QUESTIONS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
