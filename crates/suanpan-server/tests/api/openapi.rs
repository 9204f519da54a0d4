//! `/openapi.json`: what is committed, what is served, and what is really answered.

use reqwest::Method;
use serde_json::{Value, json};

use crate::backend::{Answer, Backend, send};

const COMMITTED: &str = include_str!("../../../../docs/openapi.json");

#[tokio::test]
async fn what_is_served_is_what_is_committed() {
    let backend = Backend::start().await;
    // Without a key: it is public.
    let served = send(reqwest::Client::new().get(format!("{}/openapi.json", backend.url))).await;
    assert_eq!((served.status, served.content_type.as_str()), (200, "application/json"));
    assert!(
        served.text == COMMITTED,
        "the API changed: cargo run -- api --json > docs/openapi.json, look at the difference, and commit it"
    );
}

/// The real answers have the members that the document promises, and no others.
#[tokio::test]
async fn what_is_answered_is_what_is_described() {
    let backend = Backend::start_with("[webhooks]\nallow_private_networks = true").await;
    let order = backend.order("tea-1", 990).await;
    let id = order["id"].as_str().unwrap();
    let order = format!("/v1/orders/{id}");
    check("GET", "/v1/orders", &backend.get("/v1/orders").await);
    check("GET", "/v1/orders/{id}", &backend.get(&order).await);
    check("GET", "/v1/orders/{id}/timeline", &backend.get(&format!("{order}/timeline")).await);
    check(
        "GET",
        "/miniprogram/orders/{id}",
        &backend.get(&format!("/miniprogram/orders/{id}")).await,
    );
    check("POST", "/v1/orders/{id}/close", &backend.post(&format!("{order}/close"), "").await);
    check("GET", "/v1/events", &backend.get("/v1/events").await);
    for path in ["/healthz", "/readyz"] {
        check("GET", path, &backend.get(path).await);
    }

    let endpoint = json!({ "url": "http://127.0.0.1:9/hook" }).to_string();
    let endpoint = backend.post("/v1/webhook-endpoints", &endpoint).await;
    check("POST", "/v1/webhook-endpoints", &endpoint);
    let one = format!("/v1/webhook-endpoints/{}", endpoint.json["id"].as_str().unwrap());
    check("GET", "/v1/webhook-endpoints", &backend.get("/v1/webhook-endpoints").await);
    check("GET", "/v1/webhook-endpoints/{id}", &backend.get(&one).await);
    let event = backend.post(&format!("{one}/test"), "").await;
    check("POST", "/v1/webhook-endpoints/{id}/test", &event);
    let told = format!("/v1/events/{}", event.json["id"].as_str().unwrap());
    check("GET", "/v1/events/{id}", &backend.get(&told).await);
    check("POST", "/v1/events/{id}/replay", &backend.post(&format!("{told}/replay"), "").await);
    let deliveries = backend.get(&format!("{one}/deliveries")).await;
    assert_eq!(deliveries.json["data"][0]["event_id"], event.json["id"]);
    check("GET", "/v1/webhook-endpoints/{id}/deliveries", &deliveries);
    let since = json!({ "since": "2026-01-01T00:00:00Z" }).to_string();
    let replayed = backend.post(&format!("{one}/replay"), &since).await;
    check("POST", "/v1/webhook-endpoints/{id}/replay", &replayed);
    let enabled = backend.post(&format!("{one}/enable"), "").await;
    check("POST", "/v1/webhook-endpoints/{id}/enable", &enabled);
    let rotated = backend.post(&format!("{one}/rotate-secret"), "").await;
    check("POST", "/v1/webhook-endpoints/{id}/rotate-secret", &rotated);
    let deleted = send(backend.request(Method::DELETE, &one)).await;
    check("DELETE", "/v1/webhook-endpoints/{id}", &deleted);

    check("POST", "/v1/orders", &backend.post("/v1/orders", "{").await);
    check("GET", "/v1/orders/{id}", &backend.get("/v1/orders/ord_00000000").await);
}

/// An answer against the document.
#[track_caller]
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let operation = &document["paths"][path][method.to_lowercase()];
    let described = &operation["responses"][answer.status.to_string()];
    assert!(described.is_object(), "{method} {path} does not tell of {}", answer.status);
    if answer.text.is_empty() {
        assert!(described["content"].is_null(), "{method} {path}");
        return;
    }
    let schema = &described["content"][&answer.content_type]["schema"];
    assert!(schema.is_object(), "{method} {path}: {}", answer.content_type);
    fits(&document, schema, &answer.json, &format!("{method} {path}"));
}

/// As much of JSON Schema as the document uses for objects and arrays.
#[track_caller]
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        return fits(document, document.pointer(pointer).unwrap(), value, at);
    }
    let (mut properties, mut required) = (Vec::new(), Vec::new());
    gather(document, schema, &mut properties, &mut required);
    if let Some(items) = value.as_array() {
        for item in items {
            fits(document, &schema["items"], item, &format!("{at}[]"));
        }
    }
    let (Some(members), false) = (value.as_object(), properties.is_empty()) else { return };
    for (name, member) in members {
        let described = properties.iter().find(|(known, _)| known == name);
        let (_, schema) = described.unwrap_or_else(|| panic!("{at} does not describe {name}"));
        fits(document, schema, member, &format!("{at}.{name}"));
    }
    for name in required {
        assert!(members.contains_key(&name), "{at} promises {name}");
    }
}

fn gather(
    document: &Value,
    schema: &Value,
    properties: &mut Vec<(String, Value)>,
    required: &mut Vec<String>,
) {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        return gather(document, document.pointer(pointer).unwrap(), properties, required);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        gather(document, part, properties, required);
    }
    let members = schema["properties"].as_object().into_iter().flatten();
    properties.extend(members.map(|(name, schema)| (name.clone(), schema.clone())));
    let names = schema["required"].as_array().into_iter().flatten();
    required.extend(names.map(|name| name.as_str().unwrap().to_owned()));
}
