//! Every endpoint, on one page.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{BoxError, Json, Router, middleware};
use serde_json::json;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};

use super::problem::Refused;
use super::{
    auth, console, idempotency, merchant, miniprogram, problem, webhook_endpoints, wechat,
};
use crate::config::Config;
use crate::world::World;
use crate::{Error, keys};

/// All endpoints.
pub fn router(world: Arc<World>, config: &Config) -> Router {
    let miniprogram = Router::new()
        .route("/pay", post(miniprogram::pay))
        .route("/orders/{id}", get(miniprogram::order))
        .route("/orders/{id}/confirm", post(miniprogram::confirm))
        // Before the layer, which answers a browser's OPTIONS: set later, it would go around it.
        .method_not_allowed_fallback(wrong_method)
        .layer(cors(config));

    let merchant = Router::new()
        .route("/orders", get(merchant::orders).post(merchant::create_order))
        .route("/orders/{id}", get(merchant::order))
        .route("/orders/{id}/close", post(merchant::close_order))
        .route("/orders/{id}/refunds", post(merchant::create_refund))
        .route("/refunds/{id}", get(merchant::refund))
        .route("/orders/{id}/timeline", get(merchant::order_timeline))
        .route("/events", get(merchant::events))
        .route("/webhook-endpoints", get(webhook_endpoints::list).post(webhook_endpoints::create))
        .route("/webhook-endpoints/{id}", delete(webhook_endpoints::delete))
        .route("/webhook-endpoints/{id}/rotate-secret", post(webhook_endpoints::rotate_secret))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&world), idempotency::once))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&world), auth::require));

    let router = Router::new()
        .nest("/miniprogram", miniprogram)
        .nest("/v1", merchant)
        .nest("/console", console::routes())
        .route("/wechat/notify/{mchid}", post(wechat::notify))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method);
    limited(router, &world, config).with_state(world)
}

/// What holds for every request, the outermost last.
fn limited(router: Router<Arc<World>>, world: &Arc<World>, config: &Config) -> Router<Arc<World>> {
    let limits = ServiceBuilder::new()
        .layer(axum::error_handling::HandleErrorLayer::new(overloaded))
        .load_shed()
        // One for all routes: a plain limit would be one for each.
        .layer(GlobalConcurrencyLimitLayer::new(config.server.max_concurrent_requests))
        .timeout(Duration::from_secs(config.server.request_timeout_seconds));
    router
        .layer(DefaultBodyLimit::max(config.server.max_body_bytes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(limits)
        .layer(middleware::from_fn(problem::write))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, RequestIds(Arc::clone(world))))
}

async fn healthz() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

/// Ready when the database answers. Accounts that lack WeChat's keys are named, and the others are
/// served: a server that is taken out for one of its accounts would lose the payments of all.
async fn readyz(State(world): State<Arc<World>>) -> Result<Response, Refused> {
    world.store.look((), |tx, ()| Box::pin(async move { tx.any_api_key().await })).await?;
    let (problems, warnings) = (keys::problems(&world), keys::warnings(&world));
    let status = if problems.is_empty() { "ready" } else { "degraded" };
    let told = json!({ "status": status, "degraded": problems, "warnings": warnings });
    Ok(Json(told).into_response())
}

/// What a monitor counts.
async fn metrics(State(world): State<Arc<World>>) -> Result<Response, Refused> {
    let backlog = world.store.look((), |tx, ()| Box::pin(async move { tx.due_backlog().await }));
    let page = world.metrics.page(&backlog.await?, keys::problems(&world).len());
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

async fn overloaded(error: BoxError) -> Refused {
    Refused(if error.is::<tower::timeout::error::Elapsed>() {
        Error::TimedOut
    } else {
        Error::Busy
    })
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
}

/// Names each request, so that a caller's report finds its line in the log.
#[derive(Clone)]
struct RequestIds(Arc<World>);

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &::http::Request<B>) -> Option<RequestId> {
        self.0.id("req_").parse().ok().map(RequestId::new)
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
