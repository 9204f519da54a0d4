//! Where the merchant's system wants to be told. The secret is shown when it is made, and never again.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Json;
use super::problem::Refused;
use crate::flow::endpoints;
use crate::order::rfc3339;
use crate::store::Endpoint;
use crate::world::World;

/// An endpoint as the merchant's system asks for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEndpoint {
    url: String,
    events: Option<Vec<String>>,
}

/// `POST /v1/webhook-endpoints`
pub(super) async fn create(
    State(world): State<Arc<World>>,
    Json(new): Json<NewEndpoint>,
) -> Result<Response, Refused> {
    let endpoint = endpoints::create_endpoint(&world, &new.url, new.events).await?;
    Ok((StatusCode::CREATED, Answer(with_secret(&endpoint))).into_response())
}

/// `GET /v1/webhook-endpoints`
pub(super) async fn list(State(world): State<Arc<World>>) -> Result<Response, Refused> {
    let endpoints = endpoints::list_endpoints(&world).await?;
    let data: Vec<_> = endpoints.iter().map(view).collect();
    Ok(Answer(json!({ "data": data })).into_response())
}

/// `DELETE /v1/webhook-endpoints/{id}`
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    endpoints::delete_endpoint(&world, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/webhook-endpoints/{id}/rotate-secret`
pub(super) async fn rotate_secret(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let endpoint = endpoints::rotate_secret(&world, &id).await?;
    Ok(Answer(with_secret(&endpoint)).into_response())
}

fn view(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.events,
        "created_at": rfc3339(endpoint.created_at),
        "source": endpoint.source,
    })
}

fn with_secret(endpoint: &Endpoint) -> Value {
    let mut view = view(endpoint);
    if let Value::Object(members) = &mut view {
        members.insert("secret".to_owned(), json!(endpoint.secret));
    }
    view
}
