//! Errors as callers see them: RFC 9457 `application/problem+json`.
//!
//! A handler answers [`Refused`]; the outermost layer, which knows the
//! request's id, writes the body and the one line in the log.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tower_http::request_id::RequestId;
use utoipa::ToSchema;

use crate::{Error, Kind, chain};

/// An error on its way to the caller.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = status(&self.0);
        let mut response = status.into_response();
        let soon = status == StatusCode::SERVICE_UNAVAILABLE || matches!(self.0, Error::KeyRunning);
        let wait = if let Error::TooOften { seconds } = self.0 {
            Some(seconds)
        } else {
            soon.then_some(1)
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Problem::of(&self.0, status));
        response
    }
}

/// The one table from who is to blame to a status.
pub(super) fn status(error: &Error) -> StatusCode {
    match error.kind() {
        Kind::BadInput => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Upstream => StatusCode::BAD_GATEWAY,
        Kind::TooOften => StatusCode::TOO_MANY_REQUESTS,
        Kind::Later => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Setup | Kind::Ours => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// 出错时的回答（RFC 9457）：发生了什么、为什么、现在怎么办。/ What went wrong, why, and what to do now (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// 总是 `about:blank`；按 `code` 区分 / always `about:blank`; tell problems apart by `code`
    #[serde(rename = "type")]
    kind: &'static str,
    /// HTTP 状态的名字 / the name of the HTTP status
    title: &'static str,
    /// HTTP 状态 / the HTTP status
    status: u16,
    /// 稳定的名字，写程序和告警用它 / a stable name for programs and alerts
    code: &'static str,
    /// 发生了什么 / what happened
    detail: String,
    /// 和 `detail` 一样；微信读通知的回答时看这个名字 / `detail` once more, under the name that WeChat reads
    message: String,
    /// 为什么 / why
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// 现在怎么办 / what to do now
    remedy: &'static str,
    /// 在日志里找这个请求 / finds this request in the log
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// 微信拒绝时它说了什么 / what WeChat said, where it refused
    #[serde(skip_serializing_if = "Option::is_none")]
    wechat: Option<WechatSaid>,
    /// 已经占用这个 reference 的订单 / the order that has the reference already
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// 已经占用这个 reference 的退款 / the refund that has the reference already
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<String>,
}

/// 微信的错误码和原话。/ WeChat's code and words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct WechatSaid {
    /// 微信的错误码 / its code
    code: String,
    /// 微信的原话，会变，不要拿来判断 / its words, which change without notice
    message: String,
}

impl Problem {
    /// Its stable name.
    pub(super) const fn code(&self) -> &'static str {
        self.code
    }

    /// The same, for the request of this id.
    pub(super) fn with_request_id(self, id: &str) -> Self {
        Self { request_id: Some(id.to_owned()), ..self }
    }

    pub(super) fn of(error: &Error, status: StatusCode) -> Self {
        let cause = std::error::Error::source(error).map(chain);
        let told = |refusal: &suanpan_wechat::Refusal| WechatSaid {
            code: refusal.code.clone(),
            message: refusal.message.clone(),
        };
        let taken = if let Error::ReferenceTaken { id } = error { Some(id) } else { None };
        let refund = if let Error::RefundReferenceTaken { id } = error { Some(id) } else { None };
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code: error.code(),
            detail: error.to_string(),
            message: error.to_string(),
            // What broke here is for our log, not for whoever calls.
            cause: cause.filter(|_| !matches!(error.kind(), Kind::Ours | Kind::Setup)),
            remedy: error.remedy(),
            request_id: None,
            wechat: error.wechat().map(told),
            order_id: taken.map(ToString::to_string),
            refund_id: refund.cloned(),
        }
    }
}

/// Writes the body of a refusal, with the request's id, and says it in the log.
pub(super) async fn write(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok()).map(str::to_owned);
    let method = request.method().clone();
    // Of the path only: a query may hold a sign-in token.
    let path = request.uri().path().to_owned();

    let mut response = next.run(request).await;
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else { return response };
    problem.request_id = id;
    let (code, status) = (problem.code, problem.status);
    let request_id = problem.request_id.as_deref();
    let cause = problem.cause.as_deref();
    if status >= 500 {
        tracing::warn!(code, status, %method, path, request_id, cause, "{}", problem.detail);
    } else {
        tracing::info!(code, status, %method, path, request_id, cause, "{}", problem.detail);
    }

    let body = serde_json::to_vec(&problem).unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = body.into();
    response
}

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
