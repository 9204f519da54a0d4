//! How APIv3 says no, in the words that are seen on the wire.
//!
//! `{"code","message","detail"}`; the message of a parameter names its place as
//! `输入源“/body/…”`, and the detail holds the value (public bug reports quote them).

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::super::{Heard, Said};
use crate::registry::{Merchant, SigningKey};
use crate::switches::DuplicateOrder;

/// A refusal.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: String,
    message: String,
    detail: Option<Value>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), detail: None }
    }

    /// 401, whatever is wrong with `Authorization`.
    pub(super) fn sign_error(message: &str) -> Self {
        Self::new(401, "SIGN_ERROR", message)
    }

    /// 500: nobody knows whether it was done.
    pub(super) fn broken() -> Self {
        Self::new(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
    }

    /// 404: no such order, or none that is paid.
    pub(super) fn no_order() -> Self {
        Self::new(404, "ORDER_NOT_EXIST", "订单不存在")
    }

    /// The number stands for another order.
    pub(super) fn duplicate(spelling: DuplicateOrder) -> Self {
        match spelling {
            DuplicateOrder::OutTradeNoUsed => {
                Self::new(403, "OUT_TRADE_NO_USED", "商户订单号重复，请核实后更换订单号重新下单")
            }
            DuplicateOrder::InvalidRequest => {
                Self::new(400, "INVALID_REQUEST", "201 商户订单号重复")
            }
        }
    }

    /// 400 on one parameter; `field` is a JSON pointer, or the name in the URL.
    pub(super) fn parameter(
        location: &str,
        field: &str,
        value: Value,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        let detail =
            json!({ "field": field, "value": value, "issue": message, "location": location });
        Self { detail: Some(detail), ..Self::new(400, "PARAM_ERROR", message) }
    }

    /// A number that breaks WeChat's rule.
    pub(super) fn order_number(location: &str, field: &str, given: &str) -> Self {
        let length = given.chars().count();
        let source = format!("/{location}{}{field}", if location == "url" { "/" } else { "" });
        let rule = if length < 6 {
            format!("字符数 {length}，小于最小值 6")
        } else if length > 32 {
            format!("字符数 {length}，大于最大值 32")
        } else {
            r"字符串必须匹配正则表达式“^[0-9a-zA-Z_\-\|\*]+$”".to_owned()
        };
        let message = format!("输入源“{source}”映射到值字段“商户订单号”字符串规则校验失败，{rule}");
        Self::parameter(location, field, given.into(), message)
    }

    pub(super) fn with_code(self, code: &str) -> Self {
        Self { code: code.to_owned(), ..self }
    }

    pub(super) fn with_detail(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// As it is spoken.
    pub(super) fn say<'w>(self, key: Option<Arc<SigningKey>>, request_id: bool) -> Said<'w> {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let (Some(body), Some(detail)) = (body.as_object_mut(), self.detail) {
            body.insert("detail".to_owned(), detail);
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        Said::Json { status, body: body.to_string(), key, request_id }
    }
}

/// The body as JSON.
pub(super) fn json(heard: &Heard) -> Result<Value, Refusal> {
    let value = serde_json::from_slice(&heard.body).ok().filter(Value::is_object);
    value.ok_or_else(|| {
        let message = "请求的参数解析失败，请求体不是一个合法的 JSON 对象";
        Refusal::parameter("body", "/", Value::Null, message)
    })
}

/// A text that may be absent; `limit` counts characters.
pub(super) fn text(
    body: &Value,
    pointer: &str,
    title: &str,
    limit: usize,
) -> Result<Option<String>, Refusal> {
    match body.pointer(pointer) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let length = text.chars().count();
            if length > limit {
                let message = format!(
                    "输入源“/body{pointer}”映射到值字段“{title}”字符串规则校验失败，字符数 {length}，大于最大值 {limit}"
                );
                return Err(Refusal::parameter("body", pointer, length.into(), message));
            }
            Ok(Some(text.clone()))
        }
        Some(other) => {
            let message = format!(
                "无法将 JSON 输入源“/body{pointer}”映射到目标字段“{title}”中，此字段需要一个 string 类型的 Json 值"
            );
            Err(Refusal::parameter("body", pointer, other.clone(), message))
        }
    }
}

/// A text that must be there.
pub(super) fn required_text(
    body: &Value,
    pointer: &str,
    title: &str,
    limit: usize,
) -> Result<String, Refusal> {
    let given = text(body, pointer, title, limit)?.filter(|text| !text.is_empty());
    given.ok_or_else(|| missing(pointer, title))
}

/// A member that must be there and is not.
pub(super) fn missing(pointer: &str, title: &str) -> Refusal {
    let message =
        format!("输入源“/body{pointer}”映射到字段“{title}”必填性规则校验失败，此字段为必填项");
    Refusal::parameter("body", pointer, "".into(), message)
}

/// Whoever signs must be the one who is spoken of.
pub(super) fn same_merchant(merchant: &Merchant, mchid: &str) -> Result<(), Refusal> {
    if merchant.mchid.as_str() == mchid {
        return Ok(());
    }
    let message = "http header中的mchid与post payload中的mchid不匹配";
    let (pointer, _) = super::partner::own_number(merchant);
    Err(Refusal::parameter("body", pointer, mchid.into(), message))
}
