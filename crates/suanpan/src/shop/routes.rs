//! What the shop's mini program and the backend's webhooks find here.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::wrappers::BroadcastStream;
use tower_http::cors::CorsLayer;

use super::{Delivery, Item, Shop, WEBHOOK_PATH};
use crate::error::Error;

pub(super) fn routes(shop: Shop) -> Router {
    // The phone is another origin; a mini program's requests know no origin at all.
    let mini_program = Router::new()
        .route("/items", get(items))
        .route("/orders", get(orders).post(order))
        .route("/events", get(events))
        .layer(CorsLayer::very_permissive());
    Router::new().merge(mini_program).route(WEBHOOK_PATH, post(webhook)).with_state(shop)
}

async fn items(State(shop): State<Shop>) -> Json<Vec<Item>> {
    Json(shop.0.items.clone())
}

async fn orders(State(shop): State<Shop>) -> Result<Json<Value>, Error> {
    let page = shop.0.backend.orders(20).await?;
    Ok(Json(page.get("data").cloned().unwrap_or_else(|| json!([]))))
}

#[derive(Deserialize)]
struct CheckOut {
    item: String,
}

async fn order(
    State(shop): State<Shop>,
    Json(check_out): Json<CheckOut>,
) -> Result<Json<Value>, Error> {
    shop.order(&check_out.item).await.map(Json)
}

/// The order as it is now, each time a webhook says that it changed.
async fn events(
    State(shop): State<Shop>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send> {
    let deliveries = BroadcastStream::new(shop.deliveries());
    let events = deliveries.filter_map(|delivery| async move {
        // A reader that lags has missed some; it reads the list again when it opens anew.
        let delivery = delivery.ok()?;
        Event::default().event("order").json_data(delivery.data()).ok().map(Ok)
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Verified by a foreign implementation; a forged one is refused and forgotten.
async fn webhook(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    if let Err(cause) = shop.0.webhook.verify(&body, &headers) {
        tracing::warn!(webhook.id = id, error = %cause, "shop: a webhook is not genuine");
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    // Nobody may be looking at the phone just now.
    let _ = shop.0.deliveries.send(Delivery { id: id.to_owned(), body });
    StatusCode::NO_CONTENT
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        tracing::warn!(code = self.code, "shop: {}", self.what);
        let status = if self.exit == 2 { StatusCode::NOT_FOUND } else { StatusCode::BAD_GATEWAY };
        let problem = json!({ "code": self.code, "detail": self.what, "remedy": self.help });
        (status, Json(problem)).into_response()
    }
}
