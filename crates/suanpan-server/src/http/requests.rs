//! What is said of every request: its id in each line of the log, its route, how long it took.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tower_http::request_id::RequestId;
use tracing::Instrument as _;

use crate::outside::Stopwatch;
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

    let span = tracing::info_span!("request", request_id = id, method, route);
    let response = next.run(request).instrument(span.clone()).await;

    let (status, took) = (response.status().as_u16(), began.elapsed());
    world.metrics.answered(method, &route, status, took);
    let elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(target: "suanpan::request", parent: &span, status, elapsed_ms, "answered");
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
