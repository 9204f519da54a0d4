//! Where the merchant's system wants to be told. The secret is shown when it is made, and never again.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Json, OrEmpty};
use super::idempotency::Secret;
use super::paging::{self, Page, PageQuery};
use super::problem::Refused;
use crate::flow::endpoints;
use crate::order::rfc3339;
use crate::store::{Endpoint, Once};
use crate::world::World;

/// 新的接收端。/ An endpoint as the merchant's system asks for it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEndpoint {
    /// https 地址 / an https address
    #[schema(max_length = 2048, example = "https://shop.example.com/suanpan")]
    url: String,
    /// 只要这些事件；不写就是全部 / only these events; left out: all
    #[schema(min_items = 1, example = json!(["order.paid", "refund.succeeded"]))]
    events: Option<Vec<String>>,
}

/// 接收端。/ An endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub(super) struct EndpointView {
    /// 接收端号 / its id
    #[schema(example = "whe_019b76da2c007000800000000000000c")]
    id: String,
    /// 往哪里送 / where events go
    #[schema(example = "https://shop.example.com/suanpan")]
    url: String,
    /// 只要这些事件；null 是全部 / only these events; null: all
    #[schema(required, example = json!(["order.paid", "refund.succeeded"]))]
    events: Option<Vec<String>>,
    /// 创建时间 / when it was made
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T00:00:00Z")]
    created_at: Timestamp,
    /// `api` 或 `config`；配置文件里的在那里改 / `api` or `config`; those of the configuration are changed there
    #[schema(example = "api")]
    source: String,
    /// 从什么时候起不再投递；null：在用 / since when nothing is delivered any more; null: it is in use
    #[schema(value_type = Option<String>, required, format = DateTime, example = "2026-01-01T00:00:00Z")]
    disabled_at: Option<Timestamp>,
    /// 为什么停用 / why
    #[schema(required, example = "answered 410 Gone")]
    disabled_reason: Option<String>,
}

/// 接收端和它的密钥；密钥只在这里出现一次。/ An endpoint with its secret, which is shown here once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointWithSecret)]
pub(super) struct EndpointWithSecret {
    #[serde(flatten)]
    endpoint: EndpointView,
    /// 验签的密钥 / the key that signs
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

/// 一页接收端，旧的在前。/ A page of endpoints, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointList)]
pub(super) struct EndpointList {
    data: Vec<EndpointView>,
    /// 下一页从哪里开始；没有下一页就是 null / where the next page begins; null: this was the last
    #[schema(required)]
    next_cursor: Option<String>,
}

/// 旧密钥还能签多久；正文可以不写。/ How long the old secret goes on signing; the body may be left out.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretRotation {
    /// 旧密钥和新密钥一起签多少秒，默认 86400；密钥泄露了就写 0 / for how many seconds the old secret signs beside the new one, 86400 if left out; 0 for a secret that leaked
    #[schema(minimum = 0, maximum = 604_800, example = 86_400)]
    overlap_seconds: Option<i64>,
}

/// `POST /v1/webhook-endpoints`
#[utoipa::path(post, path = "/webhook-endpoints", tag = "webhooks",
    summary = "添加接收端 / Add an endpoint",
    description = "按 Standard Webhooks 签名投递；密钥只在这个回答里出现一次。\n\nDeliveries are signed by Standard Webhooks; the secret is in this answer and nowhere else.",
    operation_id = "create_webhook_endpoint",
    request_body = NewEndpoint,
    responses((status = 201, description = "已添加 / added", body = EndpointWithSecret)),
    extensions(("x-problems" = json!(["SP-WEBHOOK-ADDRESS"]))))]
pub(super) async fn create(
    State(world): State<Arc<World>>,
    once: Once,
    Json(new): Json<NewEndpoint>,
) -> Result<Response, Refused> {
    let endpoint = endpoints::create_endpoint(&world, &new.url, new.events, &once).await?;
    Ok((StatusCode::CREATED, Secret(with_secret(&endpoint))).into_response())
}

/// `GET /v1/webhook-endpoints`
#[utoipa::path(get, path = "/webhook-endpoints", tag = "webhooks",
    summary = "列出接收端 / List endpoints",
    description = "旧的在前，不含密钥。\n\nOldest first, without secrets.",
    operation_id = "list_webhook_endpoints",
    params(PageQuery),
    responses((status = 200, description = "接收端 / the endpoints", body = EndpointList)),
    extensions(("x-problems" = json!(["SP-REQUEST-FIELD"]))))]
pub(super) async fn list(
    State(world): State<Arc<World>>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Refused> {
    let query = paging::read(query)?;
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let found = endpoints::list_endpoints(&world, page.from.clone(), page.rows());
    let mut endpoints = found.await?;
    let next_cursor = page.cut(&mut endpoints, |endpoint| (endpoint.created_at, &endpoint.id));
    let data = endpoints.iter().map(view).collect();
    Ok(Answer(EndpointList { data, next_cursor }).into_response())
}

/// `GET /v1/webhook-endpoints/{id}`
#[utoipa::path(get, path = "/webhook-endpoints/{id}", tag = "webhooks",
    summary = "查接收端 / Look an endpoint up",
    operation_id = "webhook_endpoint",
    params(("id" = String, Path, description = "接收端号 / the endpoint's id", example = "whe_019b76da2c007000800000000000000c")),
    responses((status = 200, description = "接收端 / the endpoint", body = EndpointView)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND"]))))]
pub(super) async fn show(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(Answer(view(&endpoints::find_endpoint(&world, &id).await?)).into_response())
}

/// `DELETE /v1/webhook-endpoints/{id}`
#[utoipa::path(delete, path = "/webhook-endpoints/{id}", tag = "webhooks",
    summary = "删除接收端 / Delete an endpoint",
    description = "还没送到的事件不再送。\n\nWhat was not delivered yet is not delivered any more.",
    operation_id = "delete_webhook_endpoint",
    params(("id" = String, Path, description = "接收端号 / the endpoint's id", example = "whe_019b76da2c007000800000000000000c")),
    responses((status = 204, description = "已删除 / deleted")),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-REQUEST-FIELD"]))))]
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    endpoints::delete_endpoint(&world, &id, &Once::default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/webhook-endpoints/{id}/rotate-secret`
#[utoipa::path(post, path = "/webhook-endpoints/{id}/rotate-secret", tag = "webhooks",
    summary = "换密钥 / Rotate the secret",
    description = "新密钥马上开始签；旧密钥默认再签一天，`webhook-signature` 里有两个签名，接收端可以慢慢换。\n\nThe new secret signs at once; the old one signs beside it for a day, so that `webhook-signature` holds two signatures and the receiver changes over in its own time.",
    request_body = Option<SecretRotation>,
    operation_id = "rotate_webhook_secret",
    params(("id" = String, Path, description = "接收端号 / the endpoint's id", example = "whe_019b76da2c007000800000000000000c")),
    responses((status = 200, description = "接收端和新密钥 / the endpoint with its new secret", body = EndpointWithSecret)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-REQUEST-FIELD"]))))]
pub(super) async fn rotate_secret(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    once: Once,
    OrEmpty(rotation): OrEmpty<SecretRotation>,
) -> Result<Response, Refused> {
    let overlap = rotation.overlap_seconds;
    let endpoint = endpoints::rotate_secret(&world, &id, overlap, &once).await?;
    Ok(Secret(with_secret(&endpoint)).into_response())
}

/// `POST /v1/webhook-endpoints/{id}/enable`
#[utoipa::path(post, path = "/webhook-endpoints/{id}/enable", tag = "webhooks",
    summary = "重新启用接收端 / Enable an endpoint again",
    description = "答过 410 的接收端不再投递，修好以后从这里恢复；期间错过的用 `replay` 补。\n\nAn endpoint that answered 410 is called no more until this is called; what it missed is sent by its `replay`.",
    operation_id = "enable_webhook_endpoint",
    params(("id" = String, Path, description = "接收端号 / the endpoint's id", example = "whe_019b76da2c007000800000000000000c")),
    responses((status = 200, description = "接收端 / the endpoint", body = EndpointView)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND"]))))]
pub(super) async fn enable(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(Answer(view(&endpoints::enable_endpoint(&world, &id, &Once::default()).await?))
        .into_response())
}

fn view(endpoint: &Endpoint) -> EndpointView {
    EndpointView {
        id: endpoint.id.clone(),
        url: endpoint.url.clone(),
        events: endpoint.events.clone(),
        created_at: rfc3339(endpoint.created_at),
        source: endpoint.source.clone(),
        disabled_at: endpoint.disabled.as_ref().map(|(at, _)| rfc3339(*at)),
        disabled_reason: endpoint.disabled.as_ref().map(|(_, reason)| reason.clone()),
    }
}

fn with_secret(endpoint: &Endpoint) -> EndpointWithSecret {
    EndpointWithSecret { endpoint: view(endpoint), secret: endpoint.secret.clone() }
}
