//! `GET /phone`: the payer's phone as a web page, and what the page asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::control::No;
use crate::world::World;

const PAGE: &str = include_str!("../assets/phone.html");
/// What stands beside the page: name, content type, content.
const BESIDE: [(&str, &str, &str); 4] = [
    ("phone.css", "text/css; charset=utf-8", include_str!("../assets/phone.css")),
    ("phone.js", "text/javascript; charset=utf-8", include_str!("../assets/phone.js")),
    ("phone-wire.js", "text/javascript; charset=utf-8", include_str!("../assets/phone-wire.js")),
    ("phone-words.js", "text/javascript; charset=utf-8", include_str!("../assets/phone-words.js")),
];

/// `GET /`.
pub(crate) async fn home() -> Redirect {
    Redirect::to("/phone")
}

/// `GET /phone`.
pub(crate) async fn page(State(world): State<Arc<World>>) -> Response {
    let mut response = file("text/html; charset=utf-8", PAGE);
    let policy = policy(&world);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// `GET /phone/{file}`: styles and scripts.
pub(crate) async fn beside(Path(name): Path<String>) -> Response {
    let known = BESIDE.iter().find(|(known, _, _)| *known == name);
    match known {
        Some((_, content_type, content)) => file(content_type, content),
        None => nothing(&name).into_response(),
    }
}

/// `GET /phone/config.json`: who can be played, and the shop.
pub(crate) async fn config(State(world): State<Arc<World>>) -> Json<Value> {
    let apps = world.registry.merchants.iter().flat_map(|merchant| {
        let app = |appid| json!({ "appid": appid, "mchid": merchant.mchid, "merchant_name": merchant.name });
        // A sub-merchant's own mini program stands on the phone like any other.
        let own = merchant.subs.iter().flat_map(|sub| &sub.apps);
        merchant.apps.iter().chain(own).map(app)
    });
    let shop =
        world.shop.lock().clone().map(
            |shop| json!({ "name": shop.name, "url": shop.url, "backend_url": shop.backend_url }),
        );
    Json(json!({ "users": world.registry.users, "apps": apps.collect::<Value>(), "shop": shop }))
}

/// Which order.
#[derive(Deserialize)]
pub(crate) struct Sheet {
    #[serde(default)]
    prepay_id: String,
}

/// `GET /phone/sheet?prepay_id=…`: what the payment sheet shows.
pub(crate) async fn sheet(
    State(world): State<Arc<World>>,
    Query(asked): Query<Sheet>,
) -> Result<Json<Value>, No> {
    let ledger = world.ledger.lock();
    let order = ledger.order_of_prepay(&asked.prepay_id).ok_or_else(|| {
        let detail = format!("no order has the prepay_id {:?}", asked.prepay_id);
        let remedy = "check `package`: it is `prepay_id=` and what the order was answered with";
        No::new(StatusCode::NOT_FOUND, "SIM_UNKNOWN_PREPAY_ID", detail, remedy)
    })?;
    let merchant = world.registry.merchant(order.mchid.as_str());
    Ok(Json(json!({
        "merchant_name": merchant.map(|merchant| &merchant.name),
        "amount": order.amount,
        "description": order.description,
    })))
}

/// Nothing from outside, nothing inline; calls go to the shop and its backend,
/// or, where there is no shop, to whatever runs on this machine.
fn policy(world: &World) -> String {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin().ascii_serialization());
    let reachable = match &*world.shop.lock() {
        Some(shop) => {
            let origins = [origin(&shop.url), origin(&shop.backend_url)];
            origins.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        None => "http://127.0.0.1:* http://localhost:*".to_owned(),
    };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' {reachable}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn file(content_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, content).into_response()
}

fn nothing(name: &str) -> No {
    let detail = format!("the phone has no {name:?}");
    No::new(StatusCode::NOT_FOUND, "SIM_NOT_FOUND", detail, "open /phone")
}
