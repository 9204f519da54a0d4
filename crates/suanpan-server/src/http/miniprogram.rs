//! What the mini program calls. No key: who knows the order's id may pay it.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use suanpan_wechat::{LoginCode, RequestPayment};
use utoipa::ToSchema;

use super::body::Json;
use super::problem::Refused;
use crate::Error;
use crate::flow::{self, Pay};
use crate::ids::OrderId;
use crate::order::{Order, OrderView};
use crate::repair::confirm::{self, Confirmed};
use crate::world::World;

/// 谁付、付哪个订单；其他字段不看，也决定不了什么。/ Who pays which order. Whatever else is sent is not looked at: it decides nothing.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PayRequest {
    /// `wx.login` 给的 code，五分钟内有效，只能用一次 / of `wx.login`: lives five minutes, works once
    #[schema(min_length = 1, example = "0b3Qx0000example0000code0000w3h")]
    code: String,
    /// 订单号 / the order's id
    #[schema(example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")]
    order_id: String,
}

/// What the mini program gets.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum PayAnswer {
    /// 交给 `wx.requestPayment` 的五个字符串 / the five texts that `wx.requestPayment` takes
    Sheet(PaymentSheet),
    /// 已经付过了 / there is nothing to pay any more
    #[serde(rename_all = "camelCase")]
    Paid {
        /// 总是 true / always true
        #[schema(example = true)]
        already_paid: bool,
    },
}

/// 原样交给 `wx.requestPayment`。/ Passed on to `wx.requestPayment` as it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentSheet {
    /// 秒，十位数字的字符串 / unix seconds, ten digits as a text
    #[schema(example = "1767225603")]
    time_stamp: String,
    /// 一次性的随机串 / a text that is used once
    #[schema(max_length = 32, example = "5K8264ILTKCH16CQ2502SI8ZNMTM67VS")]
    nonce_str: String,
    /// `prepay_id=…`
    #[schema(example = "prepay_id=wx201410272009395522657a690389285100")]
    package: String,
    /// `RSA`、`MD5` 或 `HMAC-SHA256` / `RSA`, `MD5` or `HMAC-SHA256`
    #[schema(example = "RSA")]
    sign_type: String,
    /// 二次签名 / the second signature
    #[schema(example = "oR9d8PuhnIc+YZ8cBHFCwfgpaK9gd7vaRvkYD7rthRAZ…")]
    pay_sign: String,
}

impl From<RequestPayment> for PaymentSheet {
    fn from(signed: RequestPayment) -> Self {
        let RequestPayment { time_stamp, nonce_str, package, sign_type, pay_sign } = signed;
        Self { time_stamp, nonce_str, package, sign_type, pay_sign }
    }
}

/// `POST /miniprogram/pay`
#[utoipa::path(post, path = "/pay", tag = "miniprogram",
    summary = "付款 / Pay",
    description = "登录、下单、二次签名；回答原样交给 `wx.requestPayment`。不需要密钥，知道订单号就能付。\n\nLogs in, places the order at WeChat and signs; the answer goes to `wx.requestPayment` as it is. No key: who knows the order's id may pay it.",
    request_body = PayRequest,
    responses((status = 200, description = "支付参数，或已付 / payment parameters, or paid already", body = PayAnswer)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-ORDER-CLOSED", "SP-ORDER-EXPIRED", "SP-OTHER-PAYER",
        "SP-TOO-OFTEN", "SP-LOGIN-CODE-INVALID", "SP-LOGIN-CODE-USED", "SP-LOGIN-TOO-OFTEN", "SP-LOGIN-REFUSED",
        "SP-WECHAT-REFUSED", "SP-WECHAT-UNKNOWN"]))))]
pub(super) async fn pay(
    State(world): State<Arc<World>>,
    Json(request): Json<PayRequest>,
) -> Result<Response, Refused> {
    let id = order_id(&request.order_id)?;
    let code = LoginCode::parse(&request.code)
        .map_err(|error| Error::field("code", format!("must be {}", error.rule)))?;
    Ok(match flow::pay(&world, &code, &id).await? {
        Pay::Sheet(parameters) => Answer(PayAnswer::Sheet(parameters.into())).into_response(),
        Pay::AlreadyPaid => Answer(PayAnswer::Paid { already_paid: true }).into_response(),
    })
}

/// `GET /miniprogram/orders/{id}`
#[utoipa::path(get, path = "/orders/{id}", tag = "miniprogram",
    summary = "查订单 / Look the order up", operation_id = "payers_order",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")),
    responses((status = 200, description = "订单，metadata 总是 null / the order; its metadata is always null", body = OrderView<'static>)),
    extensions(("x-problems" = json!(["SP-NOT-FOUND"]))))]
pub(super) async fn order(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    Ok(shown(flow::order::find(&world, &order_id(&id)?).await?))
}

/// `POST /miniprogram/orders/{id}/confirm`
#[utoipa::path(post, path = "/orders/{id}/confirm", tag = "miniprogram",
    summary = "确认结果 / Confirm the result",
    description = "`wx.requestPayment` 结束后调用：状态未定就马上问微信。应答头 `wechat-asked` 是 `true`：这就是微信此刻说的；`false`：问得太密，或者微信没有说清楚，订单是我们已知的样子。\n\nCalled when `wx.requestPayment` has ended: WeChat is asked at once while our state is not final. With the header `wechat-asked: true` the answer is what WeChat says now; with `false` it was asked too often or gave no clear answer, and the order is as we knew it.",
    params(("id" = String, Path, description = "订单号 / the order's id", example = "ord_019b76da2c007000800000000000000a4f1c2d3e5b6a7980")),
    responses((status = 200, description = "订单，metadata 总是 null / the order; its metadata is always null", body = OrderView<'static>,
        headers(("wechat-asked" = bool, description = "是不是微信此刻说的 / whether it is what WeChat says now")))),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-TOO-OFTEN", "SP-WECHAT-REFUSED", "SP-WECHAT-UNKNOWN"]))))]
pub(super) async fn confirm(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let Confirmed { order, asked } = confirm::confirm(&world, &order_id(&id)?).await?;
    Ok(([(WECHAT_ASKED, asked.to_string())], shown(order)).into_response())
}

/// Whether `confirm` answers what WeChat says now. A header, so that the body is the order and nothing else.
pub(super) const WECHAT_ASKED: &str = "wechat-asked";

/// The merchant's metadata stays with the merchant.
fn shown(order: Order) -> Response {
    let order = Order { metadata: None, ..order };
    Answer(order.view()).into_response()
}

/// A text that cannot be an id is an order that is not there.
pub(super) fn order_id(text: &str) -> Result<OrderId, Error> {
    text.parse().map_err(|_| Error::NotFound { what: "order" })
}
