//! What the merchant's system calls about orders, with an API key.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use suanpan_ledger::OrderStatus;
use suanpan_wechat::{Fen, TransactionId};
use utoipa::ToSchema;

use super::body::{Json, OrEmpty};
use super::miniprogram::order_id;
use super::paging::{self, Page};
use super::place::Place;
use super::problem::Refused;
use crate::flow::order::{self, NewOrder};
use crate::order::{Order, OrderView};
use crate::refund::RefundView;
use crate::repair::close;
use crate::repair::refund::{self, NewDestination, NewRefund};
use crate::store::{Once, OrderFilter};
use crate::world::World;
use crate::{Error, timeline};

/// `POST /v1/orders`
#[utoipa::path(post, path = "/orders", tag = "orders",
    summary = "创建订单 / Create an order",
    description = "金额、商户和状态只由这里决定；小程序只传订单号。\n\nOnly this decides amount, merchant and state; the mini program sends nothing but the order's id.",
    request_body = NewOrder,
    responses((status = 201, description = "已创建 / created", body = OrderView<'static>)),
    extensions(("x-problems" = json!(["SP-REFERENCE-TAKEN"]))))]
pub(super) async fn create_order(
    State(world): State<Arc<World>>,
    once: Once,
    Json(new): Json<NewOrder>,
) -> Result<Response, Refused> {
    let order = order::create(&world, new, &once).await?;
    Ok((StatusCode::CREATED, Answer(order.view())).into_response())
}

/// `GET /v1/orders/{id}`
#[utoipa::path(get, path = "/orders/{id}", tag = "orders",
    summary = "查订单 / Look an order up",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")),
    responses((status = 200, description = "订单 / the order", body = OrderView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND"]))))]
pub(super) async fn order(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(Answer(order::find(&world, &order_id(&id)?).await?.view()).into_response())
}

/// `POST /v1/orders/{id}/close`
#[utoipa::path(post, path = "/orders/{id}/close", tag = "orders",
    summary = "关闭订单 / Close an order",
    description = "先问微信是否已付；付了就不关，答 409。\n\nWeChat is asked first whether it was paid: then it is not closed, and the answer is 409.",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")),
    responses((status = 200, description = "已关闭 / closed", body = OrderView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-ORDER-PAID", "SP-WECHAT-REFUSED", "SP-WECHAT-UNKNOWN"]))))]
pub(super) async fn close_order(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(Answer(close::close_order(&world, &order_id(&id)?).await?.view()).into_response())
}

/// 退款请求；每一项都可以不写，正文也可以不写。/ What a refund is asked for with; all of it may be left out, the body too.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRefund)]
pub(super) struct RefundBody {
    /// 退多少，分；不写就是剩下的全部 / how much, in fen; left out: all that is left
    #[schema(value_type = Option<i64>, minimum = 1, example = 100)]
    amount: Option<Fen>,
    /// 付款人会看到的原因 / why; the payer reads it
    #[schema(example = "少放了糖")]
    reason: Option<String>,
    /// 商户自己的退款单号 / the merchant's own name for it
    #[schema(example = "tea-1-refund")]
    reference: Option<String>,
    /// 退哪一笔；不写就是订单自己的那笔，`order.overpaid` 的那笔要写 / which payment goes back; left out: the order's own. That of `order.overpaid` is named here
    #[schema(value_type = Option<String>, example = "4200000000202601011234567890")]
    transaction_id: Option<TransactionId>,
}

/// `POST /v1/orders/{id}/refunds`
#[utoipa::path(post, path = "/orders/{id}/refunds", tag = "orders",
    summary = "退款 / Refund",
    description = "退款总额不会超过实付；结果由 `refund.*` 事件告知。\n\nThe sum of refunds never exceeds what was paid; `refund.*` events tell the result.",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")),
    request_body = Option<RefundBody>,
    responses((status = 201, description = "已受理 / taken", body = RefundView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-ORDER-NOT-PAID", "SP-REFUND-TOO-MUCH", "SP-REFUND-NOTHING-LEFT", "SP-REFUND-TOO-MANY", "SP-REFUND-REFERENCE-TAKEN", "SP-WECHAT-REFUSED", "SP-WECHAT-UNKNOWN"]))))]
pub(super) async fn create_refund(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    once: Once,
    place: Place,
    OrEmpty(body): OrEmpty<RefundBody>,
) -> Result<Response, Refused> {
    let order = order::find(&world, &order_id(&id)?).await?;
    let RefundBody { amount, reason, reference, transaction_id } = body;
    let new = NewRefund { amount, reason, reference, transaction_id };
    // Between storing and asking nobody waits for the worker then.
    let started = async move { refund::start(&world, &order, new, &once).await };
    let refund = place.finish(started).await??;
    Ok((StatusCode::CREATED, Answer(refund.view())).into_response())
}

/// `GET /v1/refunds/{id}`
#[utoipa::path(get, path = "/refunds/{id}", tag = "orders",
    summary = "查退款 / Look a refund up",
    params(("id" = String, Path, description = "退款号 / the refund's id", example = "ref_019b76da2c007000800000000000000d")),
    responses((status = 200, description = "退款 / the refund", body = RefundView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND"]))))]
pub(super) async fn refund(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(Answer(refund::find(&world, &id).await?.view()).into_response())
}

/// `POST /v1/refunds/{id}/abnormal`
#[utoipa::path(post, path = "/refunds/{id}/abnormal", tag = "orders", operation_id = "rescue_refund",
    summary = "异常退款改退到别的账户 / Send an abnormal refund elsewhere",
    description = "银行退不回去时，退到付款人的另一张卡，或商户的结算卡。卡号和姓名用微信的公钥加密后发出，这里不存。只限 APIv3。\n\nWhere the bank would not take the money: to another card of the payer, or to the merchant's own. Number and name go out sealed under WeChat's key and are not kept here. APIv3 only.",
    params(("id" = String, Path, description = "退款号 / the refund's id", example = "ref_019b76da2c007000800000000000000d")),
    request_body = NewDestination,
    responses((status = 200, description = "已受理 / taken", body = RefundView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-REFUND-NOT-ABNORMAL", "SP-REFUND-BY-HAND", "SP-WECHAT-REFUSED"]))))]
pub(super) async fn rescue_refund(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    place: Place,
    Json(new): Json<NewDestination>,
) -> Result<Response, Refused> {
    // Somebody has to hear what WeChat says.
    let sent = place.finish(async move { refund::rescue(&world, &id, new).await });
    Ok(Answer(sent.await??.view()).into_response())
}

/// `GET /v1/orders/{id}/timeline`: JSON, or the text alone for `Accept: text/plain`.
#[utoipa::path(get, path = "/orders/{id}/timeline", tag = "orders",
    summary = "订单的经过 / The story of an order",
    description = "每一步及其原因，北京时间；`Accept: text/plain` 只要文字。\n\nEvery step with its cause, in Beijing time; `Accept: text/plain` asks for the text alone.",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")),
    responses((status = 200, description = "经过 / the story", content(
        (timeline::TimelineView = "application/json"), (String = "text/plain")))),
    extensions(("x-problems" = json!(["SP-NOT-FOUND"]))))]
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
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderQuery {
    /// 只要这个状态 / only those that stand there
    #[param(pattern = "^(unpaid|paying|paid|closed)$", example = "paid")]
    status: Option<String>,
    /// 只要这个商户单号 / only those with this reference
    #[param(example = "tea-1")]
    reference: Option<String>,
    /// 只要这之后创建的（不含）/ only those made after this time
    #[param(format = DateTime, example = "2026-01-01T00:00:00Z")]
    created_after: Option<String>,
    /// 只要这之前创建的（不含）/ only those made before this time
    #[param(format = DateTime, example = "2026-02-01T00:00:00Z")]
    created_before: Option<String>,
    /// 一页多少个，默认 20 / how many in a page; 20 if left out
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, example = 20)]
    limit: Option<String>,
    /// 上一页的 `next_cursor` / the `next_cursor` of the page before
    #[param(value_type = Option<String>, min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// 一页订单，新的在前。/ A page of orders, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct OrderList<'a> {
    data: Vec<OrderView<'a>>,
    /// 下一页从哪里开始；没有下一页就是 null / where the next page begins; null: this was the last
    #[schema(required)]
    next_cursor: Option<String>,
}

/// `GET /v1/orders`, newest first.
#[utoipa::path(get, path = "/orders", tag = "orders",
    summary = "列出订单 / List orders", description = "新的在前。\n\nNewest first.",
    params(OrderQuery),
    responses((status = 200, description = "一页订单 / a page of orders", body = OrderList<'static>)),
    extensions(("x-problems" = json!(["SP-REQUEST-FIELD"]))))]
pub(super) async fn orders(
    State(world): State<Arc<World>>,
    query: Result<Query<OrderQuery>, QueryRejection>,
) -> Result<Response, Refused> {
    let query = paging::read(query)?;
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let status = query.status.as_deref().map(str::parse::<OrderStatus>).transpose();
    let filter = OrderFilter {
        status: status
            .map_err(|_| Error::field("status", "must be unpaid, paying, paid or closed"))?,
        reference: query.reference,
        created_after: time("created_after", query.created_after.as_deref())?,
        created_before: time("created_before", query.created_before.as_deref())?,
        before: page.from.clone(),
        limit: page.rows(),
    };
    let mut orders = order::list(&world, filter).await?;
    let next_cursor = page.cut(&mut orders, |order| (order.created_at, order.id.as_str()));
    let data = orders.iter().map(Order::view).collect();
    Ok(Answer(OrderList { data, next_cursor }).into_response())
}

/// A time of a query, in unix microseconds.
pub(super) fn time(field: &'static str, text: Option<&str>) -> Result<Option<i64>, Error> {
    let time = text.map(str::parse::<Timestamp>).transpose();
    let time = time.map_err(|_| Error::field(field, "must be a time of RFC 3339"))?;
    Ok(time.map(Timestamp::as_microsecond))
}
