//! JSON: what `wx.requestPayment` takes, fields of APIv2, or a request that somebody wrote down.

use serde_json::{Map, Value};

use super::Say;
use super::given::Given;
use super::http::{Http, split_url};

/// Reads it, whichever it is.
pub(super) fn read(text: &str, app: Option<&str>) -> Result<Given, Say> {
    let value: Value = serde_json::from_str(text.trim()).map_err(|cause| {
        Say::new(format!("JSON 读不了：{cause}"), format!("the JSON cannot be read: {cause}"))
    })?;
    // The simulator's `GET /_sim/requests`: the last whose signature was refused, or the last.
    let entries = value.get("requests").and_then(Value::as_array).or_else(|| value.as_array());
    if let Some(entries) = entries {
        let refused =
            entries.iter().rev().find(|entry| entry.get("signature").is_some_and(Value::is_object));
        let entry = refused.or_else(|| entries.last());
        let entry = entry.ok_or_else(|| Say::new("里面没有请求", "there is no request in it"))?;
        return request(entry, app);
    }
    if value.get("headers").is_some() {
        return request(&value, app);
    }
    members(text, app)
}

/// An object of names and values.
pub(super) fn members(text: &str, app: Option<&str>) -> Result<Given, Say> {
    let members: Map<String, Value> = serde_json::from_str(text.trim()).map_err(|cause| {
        Say::new(format!("JSON 读不了：{cause}"), format!("the JSON cannot be read: {cause}"))
    })?;
    let value = |name: &str| members.get(name).and_then(plain);
    if value("nonceStr").is_some() || value("paySign").is_some() {
        return Given::of_payment(value, app);
    }
    if value("sign").is_some() || value("nonce_str").is_some() {
        let fields = members.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?)));
        return Given::of_fields(fields.collect());
    }
    Err(Say::new(
        "JSON 里既没有 paySign / nonceStr，也没有 sign / nonce_str，也没有 headers",
        "the JSON has no paySign or nonceStr, no sign or nonce_str, and no headers",
    ))
}

/// `{"method","path" or "url","headers","body" or "data"}`
fn request(entry: &Value, app: Option<&str>) -> Result<Given, Say> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let (host, url) = split_url(text("url").or_else(|| text("path")).unwrap_or_default());
    let headers = match entry.get("headers") {
        Some(Value::Object(members)) => {
            let pair = |(name, value): (&String, &Value)| Some((name.clone(), plain(value)?));
            members.iter().filter_map(pair).collect()
        }
        Some(Value::Array(pairs)) => {
            let text =
                |pair: &Value, at: usize| pair.get(at).and_then(Value::as_str).map(str::to_owned);
            pairs.iter().filter_map(|pair| Some((text(pair, 0)?, text(pair, 1)?))).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
            Vec::new()
        }
    };
    let mut http = Http { host, url, headers, ..Http::default() };
    http.method = text("method").map(str::to_uppercase);
    http.host = http.header("host").map(str::to_owned).or(http.host);
    match entry.get("body").or_else(|| entry.get("data")) {
        Some(Value::String(body)) => http.body = body.clone().into_bytes(),
        Some(Value::Null) | None => {}
        Some(object @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            http.body = object.to_string().into_bytes();
            http.notes.push(Say::new(
                "body 是对象，不是文字：签名要看实际发送的字节，这里按紧凑写法看",
                "the body is an object and no text: what counts are the bytes that were sent; it is taken in its compact form",
            ));
        }
    }
    Given::of_http(http, app)
}

/// A text or a number, as it is signed.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
