//! What the merchant's system calls about shipments, with an API key.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use suanpan_ledger::ShippingState;
use utoipa::ToSchema;

use super::body::OrEmpty;
use super::merchant::time;
use super::miniprogram::order_id;
use super::paging::{self, Page};
use super::place::Place;
use super::problem::Refused;
use crate::Error;
use crate::flow::order;
use crate::repair::shipping::{self, NewGoods};
use crate::shipment::ShippingView;
use crate::store::{Once, ShipmentFilter};
use crate::world::World;

/// How a shipment is looked at.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ShippingQuery {
    /// 先问微信 / ask WeChat first
    #[serde(default)]
    #[param(default = false)]
    refresh: bool,
}

/// `GET /v1/orders/{id}/shipping`
#[utoipa::path(get, path = "/orders/{id}/shipping", tag = "shipping", operation_id = "order_shipping",
    summary = "查发货信息 / Look the shipping of an order up",
    description = "微信最后的期限、传到哪一步、为什么没传成；`refresh=true` 先问微信。\n\nWeChat's deadline, how far it is, and why it does not get on; `refresh=true` asks WeChat first.",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980"), ShippingQuery),
    responses((status = 200, description = "发货信息 / the shipping", body = ShippingView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-REQUEST-FIELD", "SP-TOKEN-REFUSED", "SP-WECHAT-REFUSED", "SP-WECHAT-UNKNOWN"]))))]
pub(super) async fn show(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    query: Result<Query<ShippingQuery>, QueryRejection>,
) -> Result<Response, Refused> {
    let ShippingQuery { refresh } = paging::read(query)?;
    let order = order::find(&world, &order_id(&id)?).await?;
    let shipment = shipping::find(&world, &order.id, refresh).await?;
    let view = match &shipment {
        Some(shipment) => shipment.view(world.now()),
        None => ShippingView::none(&order.id, world.shipping(&order.app)),
    };
    Ok(Answer(view).into_response())
}

/// `POST /v1/orders/{id}/shipping`
#[utoipa::path(post, path = "/orders/{id}/shipping", tag = "shipping", operation_id = "ship_order",
    summary = "上传发货信息 / Tell what is shipped",
    description = "先存下再告诉微信；结果不明就是 `uploading`，之后先问再传，不会把仅有的一次重新发货用掉。全部发完以后再传是更正，微信只收一次。\n\nIt is stored, then WeChat is told. A doubt is `uploading`: WeChat is asked before it is told again, so the one correction is not wasted. Once all of it is shipped, another upload is that correction.",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")),
    request_body = Option<NewGoods>,
    responses((status = 200, description = "已存下 / stored", body = ShippingView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-ORDER-NOT-PAID", "SP-SHIPPING-OFF", "SP-SHIPPING-NOT-MANAGED", "SP-SHIPPING-RUNNING", "SP-SHIPPING-FINAL", "SP-WECHAT-REFUSED"]))))]
pub(super) async fn ship(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    once: Once,
    place: Place,
    OrEmpty(new): OrEmpty<NewGoods>,
) -> Result<Response, Refused> {
    let id = order_id(&id)?;
    // Between storing and telling nobody waits for the worker then.
    let (for_it, now) = (Arc::clone(&world), world.now());
    let shipped = async move { shipping::ship(&for_it, &id, new, &once).await };
    let shipment = place.finish(shipped).await??;
    Ok(Answer(shipment.view(now)).into_response())
}

/// 提醒确认收货。/ The payer is reminded to confirm.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReminder)]
pub(super) struct ReminderBody {
    /// 快递签收的时间，晚于发货；不写就是现在 / when the courier handed it over, after it was shipped; left out: now
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-01-05T02:00:00Z")]
    received_at: Option<Timestamp>,
}

/// `POST /v1/orders/{id}/shipping/remind`
#[utoipa::path(post, path = "/orders/{id}/shipping/remind", tag = "shipping", operation_id = "remind_of_order",
    summary = "提醒确认收货 / Remind the payer to confirm",
    description = "只限快递，每个订单微信只提醒一次。\n\nExpress only, and once for each order.",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")),
    request_body = Option<ReminderBody>,
    responses((status = 200, description = "已提醒 / reminded", body = ShippingView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-SHIPPING-NOT-SHIPPED", "SP-SHIPPING-REMINDED", "SP-TOKEN-REFUSED", "SP-WECHAT-REFUSED", "SP-WECHAT-UNKNOWN"]))))]
pub(super) async fn remind(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    once: Once,
    OrEmpty(ReminderBody { received_at }): OrEmpty<ReminderBody>,
) -> Result<Response, Refused> {
    let received_at = received_at.map(Timestamp::as_microsecond);
    let shipment = shipping::remind(&world, &order_id(&id)?, received_at, &once).await?;
    Ok(Answer(shipment.view(world.now())).into_response())
}

/// What a list of shipments is narrowed by.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ShipmentQuery {
    /// 只要期限在这之前的 / only those whose deadline is before this time
    #[param(value_type = Option<String>, format = DateTime, example = "2026-01-03T00:00:00Z")]
    due_before: Option<String>,
    /// 只要这个状态；不写就是微信还在等的 / only those that stand there; left out: those that WeChat still waits for
    #[param(
        pattern = "^(waiting|uploading|uploaded|shipped|confirmed|settled|refunded|not_managed|refused)$",
        example = "waiting"
    )]
    state: Option<String>,
    /// 一页几个，1 到 100，默认 20 / how many to a page: 1 to 100, 20 by default
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, example = 20)]
    limit: Option<String>,
    /// 上一页的 `next_cursor` / the `next_cursor` of the page before
    cursor: Option<String>,
}

/// 一页发货信息，期限近的在前。/ A page of shipments, the earliest deadline first.
#[derive(Serialize, ToSchema)]
pub(super) struct ShipmentList<'a> {
    data: Vec<ShippingView<'a>>,
    /// 下一页从哪里开始；没有下一页就是 null / where the next page begins; null: this was the last
    #[schema(required)]
    next_cursor: Option<String>,
}

/// `GET /v1/shipping`, the earliest deadline first.
#[utoipa::path(get, path = "/shipping", tag = "shipping", operation_id = "shipments",
    summary = "列出要发的货 / List what is to be shipped",
    description = "期限近的在前；默认只列微信还在等的。\n\nThe earliest deadline first; by default only what WeChat still waits for.",
    params(ShipmentQuery),
    responses((status = 200, description = "一页 / a page", body = ShipmentList<'static>)),
    extensions(("x-problems" = json!(["SP-REQUEST-FIELD"]))))]
pub(super) async fn list(
    State(world): State<Arc<World>>,
    query: Result<Query<ShipmentQuery>, QueryRejection>,
) -> Result<Response, Refused> {
    let query = paging::read(query)?;
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let state = query.state.as_deref().map(str::parse::<ShippingState>).transpose();
    let filter = ShipmentFilter {
        state: state.map_err(|_| Error::field("state", "must be the state of a shipment"))?,
        due_before: time("due_before", query.due_before.as_deref())?,
        // Here a page goes on behind the last one's end, in the order of time.
        after: page.from.clone(),
        limit: page.rows(),
    };
    let mut shipments = shipping::list(&world, filter).await?;
    let next_cursor =
        page.cut(&mut shipments, |shipment| (shipment.deadline, shipment.order_id.as_str()));
    let now = world.now();
    let data = shipments.iter().map(|shipment| shipment.view(now)).collect();
    Ok(Answer(ShipmentList { data, next_cursor }).into_response())
}
