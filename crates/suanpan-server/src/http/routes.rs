//! Every endpoint, on one page: registered once, for the router and for the OpenAPI document.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{BoxError, Json, Router, middleware};
use serde::Serialize;
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Bodies;
use super::limits::Limits;
use super::problem::Refused;
use super::{
    auth, body, console, deliveries, docs, events, idempotency, limits, merchant, miniprogram, nul,
    openapi, place, problem, requests, shipping, webhook_endpoints, wechat,
};
use crate::Error;
use crate::config::Config;
use crate::keys::{self, Problem};
use crate::metrics::now;
use crate::store::StoreError;
use crate::world::World;

/// All endpoints.
pub fn router(world: Arc<World>, config: &Config) -> Router {
    let limits = Arc::new(Limits::new(config, Arc::clone(&world.clock)));
    let miniprogram = Router::from(miniprogram())
        .route_layer(middleware::from_fn_with_state(limits, limits::limit))
        // Before the layer, which answers a browser's OPTIONS: set later, it would go around it.
        .method_not_allowed_fallback(wrong_method)
        .layer(cors(config));

    let merchant = Router::from(merchant())
        .route_layer(middleware::from_fn_with_state(Arc::clone(&world), idempotency::once))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&world), auth::require));

    let router = Router::from(open())
        .nest("/miniprogram", miniprogram)
        .nest("/v1", merchant)
        .nest("/console", console::routes(&world))
        .route("/openapi.json", get(openapi::serve))
        .route("/docs", get(docs::page))
        .route("/docs/docs.css", get(docs::style))
        .route("/docs/errors", get(docs::errors_page))
        .route("/docs/errors/{code}", get(docs::error_page))
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method);
    let health = Router::from(health()).method_not_allowed_fallback(wrong_method);
    outermost(limited(router, config).merge(health), &world).with_state(world)
}

/// What the document says of each of them.
pub(super) fn described() -> OpenApi {
    let groups =
        [("/miniprogram", miniprogram()), ("/v1", merchant()), ("", open()), ("", health())];
    groups.into_iter().fold(OpenApi::default(), |described, (prefix, group)| match prefix {
        "" => described.merge_from(group.into_openapi()),
        prefix => described.nest(prefix, group.into_openapi()),
    })
}

/// No key: who knows the order's id may pay it.
fn miniprogram() -> OpenApiRouter<Arc<World>> {
    OpenApiRouter::new()
        .routes(routes!(miniprogram::pay))
        .routes(routes!(miniprogram::order))
        .routes(routes!(miniprogram::confirm))
}

/// With an API key; each POST with an `Idempotency-Key` once.
fn merchant() -> OpenApiRouter<Arc<World>> {
    OpenApiRouter::new()
        .routes(routes!(merchant::create_order, merchant::orders))
        .routes(routes!(merchant::order))
        .routes(routes!(merchant::close_order))
        .routes(routes!(merchant::create_refund))
        .routes(routes!(merchant::refund))
        .routes(routes!(merchant::rescue_refund))
        .routes(routes!(merchant::order_timeline))
        .routes(routes!(shipping::show, shipping::ship))
        .routes(routes!(shipping::remind))
        .routes(routes!(shipping::list))
        .routes(routes!(events::events))
        .routes(routes!(events::event))
        .routes(routes!(deliveries::replay_event))
        .routes(routes!(webhook_endpoints::create, webhook_endpoints::list))
        .routes(routes!(webhook_endpoints::show, webhook_endpoints::delete))
        .routes(routes!(webhook_endpoints::rotate_secret))
        .routes(routes!(webhook_endpoints::enable))
        .routes(routes!(deliveries::to_endpoint))
        .routes(routes!(deliveries::replay_failed))
        .routes(routes!(deliveries::test))
}

/// For everybody.
fn open() -> OpenApiRouter<Arc<World>> {
    OpenApiRouter::new().routes(routes!(wechat::notify))
}

/// Outside of all limits: how we are can always be asked.
fn health() -> OpenApiRouter<Arc<World>> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// What holds for every request but those that ask how we are, the outermost last.
fn limited(router: Router<Arc<World>>, config: &Config) -> Router<Arc<World>> {
    let time = ServiceBuilder::new()
        .layer(axum::error_handling::HandleErrorLayer::new(too_slow))
        .timeout(Duration::from_secs(config.server.request_timeout_seconds));
    let places = Arc::new(Semaphore::new(config.server.max_concurrent_requests));
    router
        .layer(DefaultBodyLimit::max(config.server.max_body_bytes))
        .layer(middleware::from_fn(nul::refuse))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(time)
        .layer(middleware::from_fn_with_state(places, place::admit))
        // Before it has a place: who sends slowly waits for himself alone.
        .layer(middleware::from_fn_with_state(Bodies::new(&config.server), body::whole))
}

/// What holds for every request, the outermost last.
fn outermost(router: Router<Arc<World>>, world: &Arc<World>) -> Router<Arc<World>> {
    router
        .layer(middleware::from_fn(problem::write))
        .layer(middleware::from_fn_with_state(Arc::clone(world), requests::watch))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, RequestIds(Arc::clone(world))))
        .layer(middleware::map_request(plain_request_id))
}

/// 服务活着。/ The server is alive.
#[derive(Serialize, ToSchema)]
struct Health {
    /// 总是 `ok` / always `ok`
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
}

/// 服务的状态。/ How the server is.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready`，或 `degraded`：有账号缺微信的密钥 / `ready`, or `degraded`: an account lacks WeChat's keys
    #[schema(value_type = String, example = "ready")]
    status: &'static str,
    /// 无法验证微信消息的商户号 / the accounts for which nothing of WeChat's can be verified
    degraded: Vec<Problem>,
    /// 快要出问题的，如证书将到期 / what will be a problem soon, such as a certificate that expires
    warnings: Vec<Problem>,
}

#[utoipa::path(get, path = "/healthz", tag = "server",
    summary = "活着吗 / Is it alive",
    responses((status = 200, description = "活着 / alive", body = Health)))]
async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Ready when the database answers, and the business has not moved away from it. Accounts that lack WeChat's keys are named, and the others are
/// served: a server that is taken out for one of its accounts would lose the payments of all.
#[utoipa::path(get, path = "/readyz", tag = "server",
    summary = "能接请求吗 / Is it ready",
    description = "数据库答话，而且业务没有搬走，才算。缺微信密钥的商户号列在 `degraded` 里，其余照常服务，状态码仍是 200。\n\n\
        When its database answers, and the business has not moved to another one. Accounts that lack WeChat's keys are listed in `degraded`, \
        the others are served; the status stays 200.",
    responses((status = 200, description = "能 / ready", body = Readiness)))]
async fn readyz(State(world): State<Arc<World>>) -> Result<Json<Readiness>, Refused> {
    let look = world.store.look((), |tx, ()| Box::pin(tx.closed_by_move()));
    // A database that hangs is none, and whoever asks has not much patience.
    let closed = tokio::time::timeout(READY_WITHIN, look).await.map_err(|_| Error::TimedOut)??;
    if let Some(moving) = closed {
        return Err(StoreError::from(moving).into());
    }
    let (degraded, warnings) = (keys::problems(&world), keys::warnings(&world));
    let status = if degraded.is_empty() { "ready" } else { "degraded" };
    Ok(Json(Readiness { status, degraded, warnings }))
}

/// What a monitor counts.
#[utoipa::path(get, path = "/metrics", tag = "server",
    summary = "指标 / Metrics",
    description = "Prometheus 文本格式，每一项见 docs/operations/observability.md。标签里没有订单和付款人的任何东西；\
        商户号只在证书的剩余天数里。数据库不答话时也有这一页，`suanpan_store_readable` 是 0。\n\n\
        In the text format of Prometheus; docs/operations/observability.md says what each is. No label holds anything of an \
        order or a payer; merchant numbers are in the days that certificates have left. The page is there when the database does \
        not answer, too: `suanpan_store_readable` is 0.",
    responses((status = 200, description = "指标 / the metrics", body = String, content_type = "text/plain")))]
async fn metrics(State(world): State<Arc<World>>) -> Result<Response, Refused> {
    let page = world.metrics.page(&now::look(&world).await).map_err(|_| Error::Broken)?;
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, content_type)], page).into_response())
}

async fn no_route(request: Request) -> Refused {
    Refused(Error::NoRoute { path: request.uri().path().to_owned() })
}

async fn wrong_method(request: Request) -> Refused {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    Refused(Error::WrongMethod { method, path })
}

/// Nothing else can go wrong around a handler.
async fn too_slow(_: BoxError) -> Refused {
    Refused(Error::TimedOut)
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = text, "a request panicked");
    Refused(Error::Broken).into_response()
}

/// Lets the web pages in that the configuration names; a mini program needs none of it.
fn cors(config: &Config) -> CorsLayer {
    let origins = config.server.cors_origins.iter();
    let origins: Vec<HeaderValue> = origins.filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::ACCEPT_LANGUAGE])
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static(miniprogram::WECHAT_ASKED)])
}

/// A caller may name his request himself, with a name that can stand in a log: short and plain.
async fn plain_request_id(mut request: Request) -> Request {
    let plain = request.headers().get(REQUEST_ID).is_none_or(|name| {
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (1..=64).contains(&name.len()) && name.as_bytes().iter().all(letter)
    });
    if !plain {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// Names each request, so that a caller's report finds its line in the log.
#[derive(Clone)]
struct RequestIds(Arc<World>);

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &::http::Request<B>) -> Option<RequestId> {
        self.0.id("req_").parse().ok().map(RequestId::new)
    }
}

const READY_WITHIN: Duration = Duration::from_secs(3);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
