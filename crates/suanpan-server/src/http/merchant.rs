//! What the merchant's system calls, with an API key: orders and events.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use suanpan_ledger::OrderStatus;
use suanpan_wechat::Fen;

use super::body::{Json, OrEmpty};
use super::miniprogram::order_id;
use super::problem::Refused;
use crate::flow::order::{self, NewOrder};
use crate::repair::close;
use crate::repair::refund::{self, NewRefund};
use crate::store::{Event, OrderFilter};
use crate::world::World;
use crate::{Error, timeline};

/// `POST /v1/orders`
pub(super) async fn create_order(
    State(world): State<Arc<World>>,
    Json(new): Json<NewOrder>,
) -> Result<Response, Refused> {
    let order = order::create(&world, new).await?;
    Ok((StatusCode::CREATED, Answer(order.view())).into_response())
}

/// `GET /v1/orders/{id}`
pub(super) async fn order(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(Answer(order::find(&world, &order_id(&id)?).await?.view()).into_response())
}

/// `POST /v1/orders/{id}/close`
pub(super) async fn close_order(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(Answer(close::close_order(&world, &order_id(&id)?).await?.view()).into_response())
}

/// What a refund is asked for with; all of it may be left out, the body too.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundBody {
    amount: Option<Fen>,
    reason: Option<String>,
    reference: Option<String>,
}

/// `POST /v1/orders/{id}/refunds`
pub(super) async fn create_refund(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    OrEmpty(body): OrEmpty<RefundBody>,
) -> Result<Response, Refused> {
    let order = order::find(&world, &order_id(&id)?).await?;
    let RefundBody { amount, reason, reference } = body;
    let new = NewRefund { amount, reason, reference, transaction_id: None };
    // It runs to its end even if the caller hangs up: between storing and asking nobody waits for the worker then.
    let started = tokio::spawn(async move { refund::start(&world, &order, new).await });
    let refund = started.await.map_err(|_| Error::Broken)??;
    Ok((StatusCode::CREATED, Answer(refund.view())).into_response())
}

/// `GET /v1/refunds/{id}`
pub(super) async fn refund(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(Answer(refund::find(&world, &id).await?.view()).into_response())
}

/// `GET /v1/orders/{id}/timeline`: JSON, or the text alone for `Accept: text/plain`.
pub(super) async fn order_timeline(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let id = order::find(&world, &order_id(&id)?).await?.id;
    let journal =
        world.store.look(id.clone(), |tx, id| Box::pin(async move { tx.journal(id).await }));
    let journal = journal.await?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    Ok(if accept.is_some_and(|accept| accept.starts_with("text/plain")) {
        timeline::text(&journal).into_response()
    } else {
        Answer(timeline::view(&id, &journal)).into_response()
    })
}

/// What a list of orders is narrowed by.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderQuery {
    status: Option<String>,
    reference: Option<String>,
    created_after: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /v1/orders`, newest first.
pub(super) async fn orders(
    State(world): State<Arc<World>>,
    query: Result<Query<OrderQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refused> {
    let Query(query) = query.map_err(|rejection| Error::field("query", rejection.body_text()))?;
    let limit = limit(query.limit.as_deref())?;
    let status = query.status.as_deref().map(str::parse::<OrderStatus>).transpose();
    let created_after = query.created_after.as_deref().map(str::parse::<Timestamp>).transpose();
    let filter = OrderFilter {
        status: status
            .map_err(|_| Error::field("status", "must be unpaid, paying, paid or closed"))?,
        reference: query.reference,
        created_after: created_after
            .map_err(|_| Error::field("created_after", "must be a time of RFC 3339"))?
            .map(Timestamp::as_microsecond),
        before: query.cursor.as_deref().map(read_cursor).transpose()?,
        // One more than asked for tells whether there are more.
        limit: limit.saturating_add(1),
    };
    let mut orders = order::list(&world, filter).await?;
    let more = orders.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    orders.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = orders.last().filter(|_| more);
    let cursor = last.map(|order| cursor(order.created_at, order.id.as_str()));
    let data: Vec<_> = orders.iter().map(|order| json!(order.view())).collect();
    Ok(Answer(json!({ "data": data, "next_cursor": cursor })).into_response())
}

/// What a list of events is narrowed by.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventQuery {
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /v1/events`, newest first.
pub(super) async fn events(
    State(world): State<Arc<World>>,
    query: Result<Query<EventQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refused> {
    let Query(query) = query.map_err(|rejection| Error::field("query", rejection.body_text()))?;
    let limit = limit(query.limit.as_deref())?;
    let before = query.cursor.as_deref().map(read_cursor).transpose()?;
    let events = world.store.look((before, limit), |tx, (before, limit)| {
        Box::pin(async move { tx.events(before.as_ref(), limit.saturating_add(1)).await })
    });
    let mut events = events.await?;
    let more = events.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = events.last().filter(|_| more);
    let cursor = last.map(|event| cursor(event.created_at, &event.id));
    let data: Vec<_> = events.iter().map(event_view).collect();
    Ok(Answer(json!({ "data": data, "next_cursor": cursor })).into_response())
}

/// The event as it is delivered, with its id.
fn event_view(event: &Event) -> Value {
    let mut view = serde_json::from_str(&event.body).unwrap_or_else(|_| json!({}));
    if let Value::Object(members) = &mut view {
        members.insert("id".to_owned(), json!(event.id));
    }
    view
}

fn limit(given: Option<&str>) -> Result<i64, Error> {
    match given {
        None => Ok(20),
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=100).contains(limit))
            .ok_or_else(|| Error::field("limit", "must be 1 to 100")),
    }
}

/// Where the next page begins. Opaque to callers.
pub(super) fn cursor(at: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at} {id}"))
}

pub(super) fn read_cursor(text: &str) -> Result<(i64, String), Error> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let parts = plain.as_deref().and_then(|plain| plain.split_once(' '));
    parts
        .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())))
        .ok_or_else(|| Error::field("cursor", "must be the `next_cursor` of the page before"))
}
