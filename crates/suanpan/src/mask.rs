//! What a reader may see of what went over the wire.
//!
//! Secrets and keys are replaced, what identifies a payer and what proves a
//! message is cut: a developer can tell two of them apart, and nobody can use
//! them. A name decides, and what begins like a secret of ours is one anywhere.

use serde_json::Value;

/// The value of a member, element, parameter or header of this name.
pub(crate) fn value(name: &str, text: &str) -> String {
    match kind(name, text) {
        Kind::Open => text.to_owned(),
        Kind::Secret => "***".to_owned(),
        Kind::Code => first(text, 3) + "**",
        Kind::Payer => ends(text),
        Kind::Proof => shortened(text),
    }
}

/// A header.
pub(crate) fn header(name: &str, text: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "authorization" => authorization(text),
        "wechatpay-signature" => shortened(text),
        // `v1,BASE64 v1,BASE64`
        "webhook-signature" => {
            let one = |signature: &str| match signature.split_once(',') {
                Some((version, proof)) => format!("{version},{}", shortened(proof)),
                None => "***".to_owned(),
            };
            text.split(' ').map(one).collect::<Vec<_>>().join(" ")
        }
        _ => value(name, text),
    }
}

/// A path with its query.
pub(crate) fn path_and_query(text: &str) -> String {
    let Some((path, query)) = text.split_once('?') else { return text.to_owned() };
    let one = |pair: &str| match pair.split_once('=') {
        Some((name, text)) => format!("{name}={}", value(name, text)),
        None => pair.to_owned(),
    };
    let query: Vec<_> = query.split('&').map(one).collect();
    format!("{path}?{}", query.join("&"))
}

/// A body: JSON, XML, or nothing that we know, of which only the length is shown.
pub(crate) fn body(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return unknown(bytes) };
    match text.trim_start().chars().next() {
        None => String::new(),
        Some('<') => xml(text.trim()),
        Some('{' | '[') => serde_json::from_str(text)
            .map_or_else(|_| unknown(bytes), |value| json(&value).to_string()),
        Some(_) => unknown(bytes),
    }
}

/// JSON, at any depth.
pub(crate) fn json(given: &Value) -> Value {
    member("", given)
}

fn member(name: &str, given: &Value) -> Value {
    match given {
        Value::Null | Value::Bool(_) | Value::Number(_) => given.clone(),
        Value::String(text) => Value::String(value(name, text)),
        Value::Array(items) => items.iter().map(|item| member(name, item)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, given)| (name.clone(), member(name, given))).collect()
        }
    }
}

/// The flat XML of APIv2: `<xml><name><![CDATA[text]]></name>…</xml>`.
fn xml(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('<') {
        masked.push_str(before);
        masked.push('<');
        rest = from;
        let Some((name, inside)) = from.split_once('>') else { break };
        let closing = format!("</{name}>");
        // An element without elements in it: its text is masked whole.
        if let Some((content, after)) = inside.split_once(&closing)
            && !content.replace("<![CDATA[", "").contains('<')
        {
            let cdata = content.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
            let shown = match cdata {
                Some(text) => format!("<![CDATA[{}]]>", value(name, text)),
                None => value(name, content),
            };
            masked.push_str(&format!("{name}>{shown}{closing}"));
            rest = after;
        }
    }
    masked + rest
}

/// `WECHATPAY2-SHA256-RSA2048 mchid="…",signature="…"`, or `Bearer sk_…`.
fn authorization(text: &str) -> String {
    let Some((scheme, parameters)) = text.split_once(' ') else { return "***".to_owned() };
    if !scheme.starts_with("WECHATPAY2-") {
        return format!("{scheme} {}", secret_prefix(parameters).unwrap_or_default() + "***");
    }
    let one = |parameter: &str| match parameter.split_once('=') {
        Some((name, quoted)) => format!("{name}=\"{}\"", value(name, quoted.trim_matches('"'))),
        None => "***".to_owned(),
    };
    let parameters: Vec<_> = parameters.split(',').map(one).collect();
    format!("{scheme} {}", parameters.join(","))
}

enum Kind {
    Open,
    Secret,
    Code,
    Payer,
    Proof,
}

fn kind(name: &str, text: &str) -> Kind {
    if secret_prefix(text).is_some() {
        return Kind::Secret;
    }
    match name {
        "secret" | "appsecret" | "session_key" | "key" | "api_key" | "api_v2_key"
        | "api_v3_key" | "access_token" | "setup" => Kind::Secret,
        "js_code" => Kind::Code,
        // An error has a `code` as well, such as SP-LOGIN or PARAM_ERROR: no lower case.
        "code" if text.chars().any(|char| char.is_ascii_lowercase()) => Kind::Code,
        "openid" | "sub_openid" | "sp_openid" | "payer_openid" | "unionid" => Kind::Payer,
        "sign" | "paySign" | "signature" | "ciphertext" => Kind::Proof,
        _ => Kind::Open,
    }
}

/// How a secret of ours begins.
fn secret_prefix(text: &str) -> Option<String> {
    ["sk_", "whsec_"].iter().find(|prefix| text.starts_with(**prefix)).map(|&prefix| prefix.into())
}

fn first(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}

/// `oUpF…6o`
fn ends(text: &str) -> String {
    let length = text.chars().count();
    if length < 12 {
        return "***".to_owned();
    }
    let last: String = text.chars().skip(length.saturating_sub(2)).collect();
    format!("{}…{last}", first(text, 4))
}

/// `bXlTaWdu…`, and how long it is.
fn shortened(text: &str) -> String {
    let length = text.chars().count();
    if length < 20 { "***".to_owned() } else { format!("{}…({length})", first(text, 8)) }
}

fn unknown(bytes: &[u8]) -> String {
    format!("({} bytes)", bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: ?Sized>(mask: impl Fn(&T) -> String, given: &T, want: &str) {
        assert_eq!(mask(given), want);
    }

    #[test]
    fn a_path_keeps_what_is_open() {
        let check = |given, want| check(path_and_query, given, want);
        check("/v1/orders/ord_1", "/v1/orders/ord_1");
        check(
            "/sns/jscode2session?appid=wx24&secret=8f5e1c&js_code=0b3xYzAbC&grant_type=authorization_code",
            "/sns/jscode2session?appid=wx24&secret=***&js_code=0b3**&grant_type=authorization_code",
        );
        check(
            "/v3/pay/transactions/out-trade-no/1?mchid=16",
            "/v3/pay/transactions/out-trade-no/1?mchid=16",
        );
        check("/console?setup=AbC", "/console?setup=***");
    }

    #[test]
    fn a_body_is_masked_by_the_names_in_it() {
        let check = |given: &str, want| check(body, given.as_bytes(), want);
        check("", "");
        check(
            r#"{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","session_key":"HyVFkGl5F5OQWJZZaNzBBg=="}"#,
            r#"{"openid":"oUpF…6o","session_key":"***"}"#,
        );
        check(
            r#"{"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"amount":{"total":990}}"#,
            r#"{"amount":{"total":990},"payer":{"openid":"oUpF…6o"}}"#,
        );
        check(
            r#"{"paySign":"oR9d8PuhnIc+YZ8cBHFCwfgpaK9gd7vaRvkYD7rt","package":"prepay_id=wx2"}"#,
            r#"{"package":"prepay_id=wx2","paySign":"oR9d8Puh…(40)"}"#,
        );
        check(r#"{"code":"0b3xYz","orderId":"ord_1"}"#, r#"{"code":"0b3**","orderId":"ord_1"}"#);
        check(r#"{"code":"PARAM_ERROR"}"#, r#"{"code":"PARAM_ERROR"}"#);
        check(r#"{"id":"whe_1","secret":"whsec_QUJD"}"#, r#"{"id":"whe_1","secret":"***"}"#);
        check(r#"{"note":["sk_live"]}"#, r#"{"note":["***"]}"#);
        check("plain words", "(11 bytes)");
        check("{broken", "(7 bytes)");
    }

    #[test]
    fn xml_is_masked_by_the_names_in_it() {
        let check = |given: &str, want| check(body, given.as_bytes(), want);
        check(
            "<xml><appid>wx24</appid><openid><![CDATA[oUpF8uMuAJO_M2pxb1Q9zNjWeS6o]]></openid><total_fee>990</total_fee><sign><![CDATA[0CB01533B8C1EF103065174F50BCA001]]></sign></xml>",
            "<xml><appid>wx24</appid><openid><![CDATA[oUpF…6o]]></openid><total_fee>990</total_fee><sign><![CDATA[0CB01533…(32)]]></sign></xml>",
        );
        check("<xml>\n<sign>0CB0</sign>\n</xml>", "<xml>\n<sign>***</sign>\n</xml>");
        check("<xml><return_code>SUCCESS</return_code>", "<xml><return_code>SUCCESS</return_code>");
        check("<xml", "<xml");
    }

    #[track_caller]
    fn check_header(name: &str, given: &str, want: &str) {
        assert_eq!(header(name, given), want);
    }

    #[test]
    fn a_header_that_proves_something_is_cut() {
        check_header("authorization", "Bearer sk_AbCdEf", "Bearer sk_***");
        check_header("Authorization", "Basic dXNlcjpwYXNz", "Basic ***");
        check_header("authorization", "naked", "***");
        check_header(
            "authorization",
            r#"WECHATPAY2-SHA256-RSA2048 mchid="16",nonce_str="abc",timestamp="1",serial_no="5A",signature="uOVRnA4qG0oqxYZ2""#,
            r#"WECHATPAY2-SHA256-RSA2048 mchid="16",nonce_str="abc",timestamp="1",serial_no="5A",signature="***""#,
        );
        check_header("wechatpay-signature", "c2lnbmF0dXJlc2lnbmF0dXJl", "c2lnbmF0…(24)");
        check_header(
            "webhook-signature",
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            "v1,tZ1I4/hD…(44)",
        );
        check_header("webhook-id", "evt_1", "evt_1");
    }
}
