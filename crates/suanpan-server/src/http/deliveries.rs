//! Where events went and how that ended, and the same once more.

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
use super::events::{self, EventView};
use super::paging::{self, Page, PageQuery};
use super::problem::Refused;
use crate::flow::replay::{self, Replayed};
use crate::flow::{endpoints, order};
use crate::order::{one_of, rfc3339};
use crate::store::{Delivery, DeliveryAttempt, DeliveryStanding, Once};
use crate::world::World;

/// 一个事件往一个接收端的投递。/ An event on its way to an endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryView {
    /// 事件号 / the event's id
    #[schema(example = "evt_019b76da2c007000800000000000000b")]
    event_id: String,
    /// 接收端号 / the endpoint's id
    #[schema(example = "whe_019b76da2c007000800000000000000c")]
    endpoint_id: String,
    #[schema(schema_with = statuses)]
    status: &'static str,
    /// 事件发生的时间 / when the event happened
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T00:00:12Z")]
    created_at: Timestamp,
    /// 下一次什么时候试；null：不再试 / when it is tried next; null: not any more
    #[schema(value_type = Option<String>, required, format = DateTime, example = "2026-01-01T00:00:17Z")]
    next_attempt_at: Option<Timestamp>,
    /// 试过的每一次，旧的在前 / the tries, oldest first
    attempts: Vec<AttemptView>,
}

/// 一次投递尝试。/ A try.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
struct AttemptView {
    /// 什么时候 / when
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T00:00:12Z")]
    at: Timestamp,
    /// 对方回答的 HTTP 状态；null：没有回答 / the HTTP status of the answer; null: none came
    #[schema(required, example = 200)]
    status: Option<i64>,
    /// 用了多少毫秒 / how many milliseconds it took
    #[schema(minimum = 0, example = 35)]
    latency_ms: i64,
    /// 为什么没有成功 / why it failed
    #[schema(required, example = "answered 503")]
    problem: Option<String>,
}

/// 一页投递，新的在前。/ A page of deliveries, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryList {
    data: Vec<DeliveryView>,
    /// 下一页从哪里开始；没有下一页就是 null / where the next page begins; null: this was the last
    #[schema(required)]
    next_cursor: Option<String>,
}

/// 往哪里重放；正文可以不写。/ Where to; the body may be left out.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventReplay {
    /// 只给这个接收端；不写就是所有要这类事件的 / only to this endpoint; left out: to all that want such events
    #[schema(example = "whe_019b76da2c007000800000000000000c")]
    endpoint_id: Option<String>,
}

/// 从什么时候起。/ Since when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointReplay {
    /// 这个时间起发生的事件 / events that happened from this time on
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T00:00:00Z")]
    since: Timestamp,
}

/// `GET /v1/webhook-endpoints/{id}/deliveries`, newest first.
#[utoipa::path(get, path = "/webhook-endpoints/{id}/deliveries", tag = "webhooks",
    summary = "列出往接收端的投递 / List the deliveries to an endpoint",
    description = "新的在前，带每一次尝试。\n\nNewest first, with every try.",
    operation_id = "deliveries",
    params(("id" = String, Path, description = "接收端号 / the endpoint's id", example = "whe_019b76da2c007000800000000000000c"), PageQuery),
    responses((status = 200, description = "一页投递 / a page of deliveries", body = DeliveryList)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-REQUEST-FIELD"]))))]
pub(super) async fn to_endpoint(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Refused> {
    let query = paging::read(query)?;
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let endpoint = endpoints::find_endpoint(&world, &id).await?;
    let unit = (endpoint.id, page.from.clone(), page.rows());
    let found = world.store.look(unit, |tx, (id, from, rows)| {
        Box::pin(async move { tx.deliveries_to(id, from.as_ref(), *rows).await })
    });
    let mut found = found.await?;
    let next_cursor = page.cut(&mut found, |(place, delivery)| (delivery.created_at, place));
    let data = found.iter().map(|(_, delivery)| view(delivery)).collect();
    Ok(Answer(DeliveryList { data, next_cursor }).into_response())
}

/// `POST /v1/events/{id}/replay`
#[utoipa::path(post, path = "/events/{id}/replay", tag = "webhooks",
    summary = "重放一个事件 / Deliver an event once more",
    description = "编号和正文与第一次完全相同；还没送到的马上再试。\n\nWith the same id and the same bytes as the first time; what is still on its way is tried at once.",
    operation_id = "replay_event",
    params(("id" = String, Path, description = "事件号 / the event's id", example = "evt_019b76da2c007000800000000000000b")),
    request_body = Option<EventReplay>,
    responses((status = 200, description = "开始重放 / begun", body = Replayed)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-WEBHOOK-DISABLED"]))))]
pub(super) async fn replay_event(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    once: Once,
    OrEmpty(to): OrEmpty<EventReplay>,
) -> Result<Response, Refused> {
    let to = to.endpoint_id.map(|id| order::text("endpoint_id", id, 64)).transpose()?;
    Ok(Answer(replay::replay_event(&world, &id, to.as_deref(), &once).await?).into_response())
}

/// `POST /v1/webhook-endpoints/{id}/replay`
#[utoipa::path(post, path = "/webhook-endpoints/{id}/replay", tag = "webhooks",
    summary = "重放没送到的 / Deliver what was missed",
    description = "从 `since` 起发生、这个接收端还没收下的事件：放弃了的重新投递，在等的马上再试。`more` 为真时用 `next_since` 再调一次。\n\nWhat happened since `since` and the endpoint has not taken: what was given up is begun again, what waits is tried at once. Where `more` is true, call again with `next_since`.",
    operation_id = "replay_to_endpoint",
    params(("id" = String, Path, description = "接收端号 / the endpoint's id", example = "whe_019b76da2c007000800000000000000c")),
    request_body = EndpointReplay,
    responses((status = 200, description = "开始重放 / begun", body = Replayed)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-WEBHOOK-DISABLED"]))))]
pub(super) async fn replay_failed(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    once: Once,
    Json(from): Json<EndpointReplay>,
) -> Result<Response, Refused> {
    let since = from.since.as_microsecond();
    Ok(Answer(replay::replay_failed(&world, &id, since, &once).await?).into_response())
}

/// `POST /v1/webhook-endpoints/{id}/test`
#[utoipa::path(post, path = "/webhook-endpoints/{id}/test", tag = "webhooks",
    summary = "发一个测试事件 / Send a test event",
    description = "只给这个接收端发一个 `webhook.test`；结果看 `GET /v1/events/{id}`。\n\nSends a `webhook.test` to this endpoint alone; `GET /v1/events/{id}` tells how it went.",
    operation_id = "test_webhook_endpoint",
    params(("id" = String, Path, description = "接收端号 / the endpoint's id", example = "whe_019b76da2c007000800000000000000c")),
    responses((status = 201, description = "事件 / the event", body = EventView)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-WEBHOOK-DISABLED"]))))]
pub(super) async fn test(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    once: Once,
) -> Result<Response, Refused> {
    let event = replay::test(&world, &id, &once).await?;
    Ok((StatusCode::CREATED, Answer(events::view(&event))).into_response())
}

/// The words for how a delivery stands.
fn statuses() -> utoipa::openapi::Object {
    const WORDS: &str = "状态；failed：放弃了，或者被重放取代 / how it stands; failed: given up, or replaced by a replay";
    one_of(WORDS, ["pending", "delivered", "failed"], "delivered")
}

/// A delivery in JSON.
pub(super) fn view(delivery: &Delivery) -> DeliveryView {
    let (status, next) = match delivery.standing {
        DeliveryStanding::Pending(at) => ("pending", Some(rfc3339(at))),
        DeliveryStanding::Delivered => ("delivered", None),
        DeliveryStanding::Failed => ("failed", None),
    };
    DeliveryView {
        event_id: delivery.event_id.clone(),
        endpoint_id: delivery.endpoint_id.clone(),
        status,
        created_at: rfc3339(delivery.created_at),
        next_attempt_at: next,
        attempts: delivery.attempts.iter().map(attempt).collect(),
    }
}

fn attempt(attempt: &DeliveryAttempt) -> AttemptView {
    AttemptView {
        at: rfc3339(attempt.at),
        status: attempt.status,
        latency_ms: attempt.latency_micros.div_euclid(1000),
        problem: attempt.problem.clone(),
    }
}
