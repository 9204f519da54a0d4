//! Webhook endpoints by the API; what is delivered to them is tested in `tests/webhooks`.

use reqwest::Method;
use serde_json::json;

use crate::backend::{Backend, send};

const LOCAL: &str = "[webhooks]\nallow_private_networks = true";

#[tokio::test]
async fn a_secret_is_shown_when_it_is_made_and_never_again() {
    let backend = Backend::start_with(LOCAL).await;
    let body = json!({ "url": "http://127.0.0.1:9/hook", "events": ["order.paid"] }).to_string();
    let made = backend.post("/v1/webhook-endpoints", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (id, secret) = (made.json["id"].as_str().unwrap(), made.json["secret"].as_str().unwrap());
    assert!(secret.starts_with("whsec_"));

    let listed = backend.get("/v1/webhook-endpoints").await;
    assert!(!listed.text.contains("whsec_"), "{}", listed.text);
    assert_eq!(listed.json["data"][0]["id"], id);
    assert_eq!(listed.json["data"][0]["events"], json!(["order.paid"]));

    let rotated = backend.post(&format!("/v1/webhook-endpoints/{id}/rotate-secret"), "").await;
    assert_eq!((rotated.status, &rotated.json["id"]), (200, &json!(id)));
    assert_ne!(rotated.json["secret"], secret);

    let path = format!("/v1/webhook-endpoints/{id}");
    assert_eq!(send(backend.request(Method::DELETE, &path)).await.status, 204);
    send(backend.request(Method::DELETE, &path)).await.is_problem(404, "SP-NOT-FOUND");
    assert_eq!(backend.get("/v1/webhook-endpoints").await.json["data"], json!([]));
}

#[tokio::test]
async fn addresses_inside_are_refused_unless_they_are_let_in() {
    let backend = Backend::start().await;
    for url in
        ["https://127.0.0.1/", "https://169.254.169.254/", "https://[::1]/", "https://127.1/"]
    {
        let answer =
            backend.post("/v1/webhook-endpoints", &json!({ "url": url }).to_string()).await;
        answer.is_problem(422, "SP-WEBHOOK-ADDRESS");
    }
    for body in [
        json!({ "url": "nonsense" }),
        json!({ "url": "https://a.example", "events": ["order.eaten"] }),
    ] {
        let answer = backend.post("/v1/webhook-endpoints", &body.to_string()).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
    }
}
