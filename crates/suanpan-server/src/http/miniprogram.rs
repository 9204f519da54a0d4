//! What the mini program calls. No key: who knows the order's id may pay it.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use suanpan_wechat::LoginCode;

use super::body::Json;
use super::problem::Refused;
use crate::Error;
use crate::flow::{self, Pay};
use crate::ids::OrderId;
use crate::order::Order;
use crate::repair::confirm;
use crate::world::World;

/// Names a payer and an order. Whatever else is sent is not looked at: it decides nothing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PayRequest {
    code: String,
    order_id: String,
}

/// `POST /miniprogram/pay`
pub(super) async fn pay(
    State(world): State<Arc<World>>,
    Json(request): Json<PayRequest>,
) -> Result<Response, Refused> {
    let id = order_id(&request.order_id)?;
    let code = LoginCode::parse(&request.code)
        .map_err(|error| Error::field("code", format!("must be {}", error.rule)))?;
    Ok(match flow::pay(&world, &code, &id).await? {
        Pay::Sheet(parameters) => Answer(parameters).into_response(),
        Pay::AlreadyPaid => Answer(json!({ "alreadyPaid": true })).into_response(),
    })
}

/// `GET /miniprogram/orders/{id}`
pub(super) async fn order(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(shown(flow::order::find(&world, &order_id(&id)?).await?))
}

/// `POST /miniprogram/orders/{id}/confirm`
pub(super) async fn confirm(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(shown(confirm::confirm(&world, &order_id(&id)?).await?))
}

/// The merchant's metadata stays with the merchant.
fn shown(order: Order) -> Response {
    let order = Order { metadata: None, ..order };
    Answer(order.view()).into_response()
}

/// A text that cannot be an id is an order that is not there.
pub(super) fn order_id(text: &str) -> Result<OrderId, Error> {
    text.parse().map_err(|_| Error::NotFound { what: "order" })
}
