//! The OpenAPI document, made from the handlers that serve.
//!
//! A handler describes what is its own. What holds for all of a kind (the key of
//! `/v1`, `Idempotency-Key` on its POSTs, the problems that any request can meet)
//! is written in here, once.

mod problems;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, InfoBuilder, ObjectBuilder, OpenApi, RefOr, Required, SecurityRequirement, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{Problem, WechatSaid};
use super::routes;

/// The document.
pub fn document() -> &'static OpenApi {
    &DOCUMENT
}

/// The document as the text that is served.
pub fn text() -> &'static str {
    &TEXT
}

/// An endpoint in one line.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Such as `GET`.
    pub method: &'static str,
    /// Such as `/v1/orders/{id}`.
    pub path: String,
    /// What it does, in both languages.
    pub summary: String,
}

/// The endpoints in their groups, as the document has them.
pub fn endpoints() -> Vec<(String, Vec<Endpoint>)> {
    let of_group = |name: &str| {
        let mut endpoints = Vec::new();
        for (path, item) in &document().paths.paths {
            for (method, operation) in operations(item) {
                if operation.tags.iter().flatten().any(|tag| tag == name) {
                    let summary = operation.summary.clone().unwrap_or_default();
                    endpoints.push(Endpoint { method, path: path.clone(), summary });
                }
            }
        }
        endpoints
    };
    TAGS.map(|(name, _)| (name.to_owned(), of_group(name))).into()
}

/// The operations of a path with their methods.
fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let all = [("GET", get), ("POST", post), ("PUT", put), ("PATCH", patch), ("DELETE", delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// `GET /openapi.json`
pub(super) async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text())
}

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(assemble);

static TEXT: LazyLock<String> = LazyLock::new(|| {
    document().to_pretty_json().map_or_else(|_| String::new(), |text| text + "\n")
});

fn assemble() -> OpenApi {
    let mut document = routes::described();
    document.info = InfoBuilder::new()
        .title("算盘 Suanpan")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .license(Some(utoipa::openapi::License::new("Apache-2.0 OR MIT")))
        .build();
    let tag =
        |(name, words): (&str, &str)| TagBuilder::new().name(name).description(Some(words)).build();
    document.tags = Some(TAGS.map(tag).into());

    let components = document.components.get_or_insert_with(Components::default);
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.schemas.insert(WechatSaid::name().into_owned(), WechatSaid::schema());
    components.examples.extend(problems::written());
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("`Authorization: Bearer sk_…`，新数据库第一次启动时打印一次 / printed once, at the first start of a new database"))
        .build();
    components.add_security_scheme(KEY, SecurityScheme::Http(bearer));

    for (path, item) in &mut document.paths.paths {
        for (is_post, operation) in operations_mut(item) {
            if path.starts_with("/v1/") {
                operation.security =
                    Some(vec![SecurityRequirement::new(KEY, Vec::<String>::new())]);
                if is_post {
                    operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
                }
            }
            problems::describe(path, is_post, operation);
        }
    }
    document
}

/// The operations of a path, and whether each is a POST.
fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let others =
        [get, put, patch, delete].into_iter().flatten().map(|operation| (false, operation));
    post.iter_mut().map(|operation| (true, operation)).chain(others)
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("同一个键、同样的请求只做一次，24 小时内再来得到同样的回答 / the same request under the same key is done once; for 24 hours a repeat gets the same answer"))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(255))
                .pattern(Some("^[!-~]+$"))
                .examples(["tea-1"]),
        ))
        .build()
}

const KEY: &str = "api_key";

const TAGS: [(&str, &str); 6] = [
    (
        "miniprogram",
        "小程序调用：不需要密钥，知道订单号就能付。/ What the mini program calls: no key, the order's id is the capability.",
    ),
    ("orders", "商户系统：订单。/ The merchant's system: orders."),
    ("shipping", "商户系统：发货信息。/ The merchant's system: what is shipped."),
    ("webhooks", "商户系统：事件和接收端。/ The merchant's system: events and where they go."),
    ("wechat", "微信调用。/ What WeChat calls."),
    ("server", "服务本身。/ The server itself."),
];

const INTRODUCTION: &str = "\
小程序的自托管支付后端。金额都是整数分；时间是 RFC 3339；出错时回答 `application/problem+json`，按 `code` 判断，`remedy` 说现在怎么办。

A self-hosted payment backend for WeChat Mini Programs. Amounts are whole fen; times are RFC 3339; what goes wrong is \
answered as `application/problem+json`: branch on `code`, and `remedy` says what to do now.";
