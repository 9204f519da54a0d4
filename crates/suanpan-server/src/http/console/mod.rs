//! The operators' console: orders and their stories as web pages.
//!
//! Made on the server and complete without JavaScript; `console.js` only
//! reloads what changed. Who is let in is in `session.rs`, what he may do
//! in `operator.rs`, and every form comes through `posted.rs`. Everything that came from outside is escaped by `maud`, and
//! the content security policy leaves nothing that could run it.

mod accounts;
mod acts;
mod assets;
mod audit;
mod chart;
mod days;
mod event;
mod export;
mod hooks;
mod links;
mod live;
mod nav;
mod notice;
mod notifications;
mod operator;
mod order;
mod orders;
mod page;
mod parts;
mod people;
mod posted;
mod reconciliation;
mod refunding;
mod refunds;
mod search;
mod session;
mod shipping;
mod story;
mod today;
mod trouble;
mod webhooks;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

pub use live::Stopping;

use self::links::{query_value, with_query};
use self::operator::{Address, Operator};
use self::page::Visit;
use self::trouble::Trouble;
use self::words::LANG_COOKIE;
use crate::Error;
use crate::world::World;

/// The pages, as they are nested under `/console`.
pub(super) fn routes(world: &Arc<World>) -> Router<Arc<World>> {
    Router::new()
        .route("/", get(front))
        .route("/orders", get(orders::orders))
        .route("/orders/{id}", get(order::order))
        .route("/orders/{id}/ask", post(acts::ask))
        .route("/orders/{id}/close", get(acts::closing).post(acts::close))
        .route("/orders/{id}/refund", get(refunding::form).post(refunding::refund))
        .route("/orders.csv", post(export::orders))
        .route("/notifications", get(notifications::notifications))
        .route("/notifications/{id}", get(notifications::notification))
        .route("/refunds", get(refunds::refunds))
        .route("/reconciliation", get(reconciliation::calendar))
        .route("/reconciliation/{date}", get(reconciliation::day))
        .route("/reconciliation/{date}/again", post(reconciliation::again))
        .route("/reconciliation/{date}/bill", post(reconciliation::bill))
        .route(
            "/reconciliation/differences/{id}",
            get(reconciliation::difference).post(reconciliation::explain),
        )
        .route("/shipping", get(shipping::shipping))
        .route("/webhooks", get(webhooks::webhooks).post(hooks::create))
        .route("/webhooks/new", get(hooks::new))
        .route("/webhooks/{endpoint}", get(webhooks::endpoint))
        .route("/webhooks/{endpoint}/rotate", post(hooks::rotate))
        .route("/webhooks/{endpoint}/enable", post(hooks::enable))
        .route("/webhooks/{endpoint}/test", post(hooks::test))
        .route("/webhooks/{endpoint}/replay", post(hooks::replay_failed))
        .route("/webhooks/{endpoint}/{end}", get(hooks::ending).post(hooks::end))
        .route("/events/{event}", get(event::event))
        .route("/events/{event}/replay", post(hooks::replay_event))
        .route("/accounts", get(accounts::accounts))
        .route("/live", get(live::live))
        .route("/live/stream", get(live::stream))
        .route("/audit", get(audit::audit))
        .merge(people::routes(world))
        .route("/sign-out", post(session::sign_out))
        .route("/signed-out", get(session::signed_out))
        .route("/assets/{name}", get(assets::asset))
        .fallback(no_page)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(world), dress))
        .layer(middleware::map_response(harden))
}

/// `GET /console`: today; with `?setup=TOKEN` the door, with `?q=` whatever has this number.
async fn front(
    State(world): State<Arc<World>>,
    visit: Visit,
    method: Method,
    headers: HeaderMap,
    address: Address,
) -> Result<Response, Trouble> {
    if let Some(token) = query_value(visit.here(), "setup") {
        return session::enter(&world, &visit, &method, &headers, address, &token).await;
    }
    Operator::admit(&world, &headers, address).await?;
    match query_value(visit.here(), "q") {
        Some(searched) => {
            let path = with_query(links::ORDERS, &[("q", Some(&searched))]);
            Ok(Redirect::to(&path).into_response())
        }
        None => today::today(&world, &visit).await,
    }
}

async fn no_page(_: Operator) -> Trouble {
    Trouble::NoPage
}

async fn wrong_method(request: Request) -> Trouble {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    Trouble::Refused(Arc::new(Error::WrongMethod { method, path }))
}

/// Writes the page of a refusal, in the reader's language, and remembers the language that was asked for.
async fn dress(visit: Visit, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let mut response = next.run(request).await;
    if let Some(trouble) = response.extensions_mut().remove::<Trouble>() {
        trouble.log(&method, visit.here().path());
        response = trouble.write(&visit, response);
    }
    if query_value(visit.here(), "lang").is_some() {
        let tag = visit.lang.tag();
        let cookie = format!(
            "{LANG_COOKIE}={tag}; Path={}; Max-Age=31536000; SameSite=Lax; HttpOnly",
            links::HOME
        );
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// What holds for every answer of the console.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // An asset says itself how long it keeps: its address changes with its bytes.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
