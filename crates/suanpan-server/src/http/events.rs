//! What the merchant's system was told, or will be: events.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::deliveries::{self, DeliveryView};
use super::paging::{self, Page, PageQuery};
use super::problem::Refused;
use crate::flow::{endpoints, replay};
use crate::order::one_of;
use crate::store::Event;
use crate::world::World;

/// 一页事件，新的在前。/ A page of events, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct EventList {
    data: Vec<EventView>,
    /// 下一页从哪里开始；没有下一页就是 null / where the next page begins; null: this was the last
    #[schema(required)]
    next_cursor: Option<String>,
}

/// 一个事件：投递的正文，加上它的 id。/ An event: the body that is delivered, and its id.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventView {
    /// 事件号，就是 `webhook-id` / its id, which is the `webhook-id`
    #[schema(example = "evt_019b76da2c007000800000000000000b")]
    id: String,
    #[serde(rename = "type")]
    #[schema(schema_with = kinds)]
    kind: String,
    /// 什么时候 / when
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T00:00:12Z")]
    timestamp: Value,
    /// 那时的订单或退款 / the order or refund as it was then
    #[schema(value_type = Object)]
    data: Value,
}

/// The words for what can happen.
fn kinds() -> utoipa::openapi::Object {
    one_of("发生了什么 / what happened", endpoints::told(), "order.paid")
}

/// `GET /v1/events`, newest first.
#[utoipa::path(get, path = "/events", tag = "webhooks",
    summary = "列出事件 / List events", description = "新的在前。\n\nNewest first.",
    params(PageQuery),
    responses((status = 200, description = "一页事件 / a page of events", body = EventList)),
    extensions(("x-problems" = json!(["SP-REQUEST-FIELD"]))))]
pub(super) async fn events(
    State(world): State<Arc<World>>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Refused> {
    let query = paging::read(query)?;
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let events = world.store.look((page.from.clone(), page.rows()), |tx, (before, rows)| {
        Box::pin(async move { tx.events(before.as_ref(), *rows).await })
    });
    let mut events = events.await?;
    let next_cursor = page.cut(&mut events, |event| (event.created_at, &event.id));
    let data = events.iter().map(view).collect();
    Ok(Answer(EventList { data, next_cursor }).into_response())
}

/// 一个事件和它的投递。/ An event with its deliveries.
#[derive(Serialize, ToSchema)]
#[schema(as = EventWithDeliveries)]
pub(super) struct EventDetail {
    #[serde(flatten)]
    event: EventView,
    /// 往每个接收端的投递 / its deliveries to each endpoint
    deliveries: Vec<DeliveryView>,
}

/// `GET /v1/events/{id}`
#[utoipa::path(get, path = "/events/{id}", tag = "webhooks",
    summary = "查事件和它的投递 / Look an event and its deliveries up",
    params(("id" = String, Path, description = "事件号 / the event's id", example = "evt_019b76da2c007000800000000000000b")),
    responses((status = 200, description = "事件 / the event", body = EventDetail)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND"]))))]
pub(super) async fn event(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let (event, deliveries) = replay::find_event(&world, &id).await?;
    let deliveries = deliveries.iter().map(deliveries::view).collect();
    Ok(Answer(EventDetail { event: view(&event), deliveries }).into_response())
}

/// The event as it is delivered, with its id.
pub(super) fn view(event: &Event) -> EventView {
    let mut body: Map<String, Value> = serde_json::from_str(&event.body).unwrap_or_default();
    let mut take = |name| body.remove(name).unwrap_or_default();
    EventView {
        id: event.id.clone(),
        kind: event.kind.clone(),
        timestamp: take("timestamp"),
        data: take("data"),
    }
}
