//! What the phone asks the shop, and where the backend delivers.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::wrappers::BroadcastStream;
use tower_http::cors::CorsLayer;

use super::{Counter, Item};
use crate::problem::Problem;
use crate::stop::Stop;

/// Where the backend delivers.
pub(super) const WEBHOOK: &str = "/webhooks/suanpan";

/// All that the shop serves.
pub(super) fn router(counter: Arc<Counter>, origins: &[String], stop: &Stop) -> Router {
    let origins: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let cors = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::ACCEPT_LANGUAGE]);
    let stop = stop.clone();
    let events = move |State(counter): State<Arc<Counter>>| {
        let events = news(&counter).take_until(stop.wait());
        async move { Sse::new(events).keep_alive(KeepAlive::default()) }
    };
    Router::new()
        .route("/items", get(items))
        .route("/orders", get(orders).post(buy))
        .route("/events", get(events))
        .layer(cors)
        .route(WEBHOOK, post(webhook))
        .with_state(counter)
}

async fn items(State(counter): State<Arc<Counter>>) -> Json<Vec<Item>> {
    Json(counter.menu.clone())
}

async fn orders(State(counter): State<Arc<Counter>>) -> Result<Json<Value>, Refused> {
    Ok(Json(counter.backend.orders().await?))
}

/// What the phone may decide: which item, and nothing about its price.
#[derive(Deserialize)]
struct Wanted {
    item: String,
}

async fn buy(
    State(counter): State<Arc<Counter>>,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Refused> {
    let Some(item) = counter.menu.iter().find(|item| item.id == wanted.item) else {
        return Ok(no_such_item());
    };
    let order = counter.order(item, &counter.reference()).await?;
    Ok((StatusCode::CREATED, Json(order)).into_response())
}

/// The orders that the shop hears of, as server-sent events of the name `order`.
fn news(counter: &Counter) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    BroadcastStream::new(counter.ear.listen()).filter_map(|heard| async {
        // Whoever was too slow has missed some; the phone asks when it is in doubt.
        let heard = heard.ok().filter(|heard| heard.kind.starts_with("order."))?;
        Some(Ok(Event::default().event("order").data(heard.order.to_string())))
    })
}

async fn webhook(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    counter.ear.hear(&headers, &body).inspect_err(|(status, why)| {
        tracing::warn!(status = status.as_u16(), why, "the shop did not take a webhook");
    })?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_such_item() -> Response {
    let problem = json!({
        "code": "SHOP-ITEM",
        "detail": "the shop sells no such thing",
        "remedy": "choose an `id` of GET /items",
    });
    (StatusCode::NOT_FOUND, Json(problem)).into_response()
}

/// The backend said no, and the phone shows why.
struct Refused(Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_GATEWAY, Json(self.0)).into_response()
    }
}
