//! What cannot be done says what, why and what now; and nothing moves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::json;

use crate::backend::{Backend, send};

#[tokio::test]
async fn v1_is_for_holders_of_a_key() {
    let backend = Backend::start().await;
    let key = &backend.key;
    for bad in ["Bearer sk_wrong", "Basic sk_wrong", "", &key.clone(), &format!("Bearer {key}x")] {
        let request = reqwest::Client::new().get(format!("{}/v1/orders", backend.url));
        send(request.header("authorization", bad)).await.is_problem(401, "SP-UNAUTHORIZED");
    }
    let open = reqwest::Client::new().get(format!("{}/v1/orders", backend.url));
    send(open).await.is_problem(401, "SP-UNAUTHORIZED");
    assert_eq!(backend.get("/v1/orders").await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let backend = Backend::start().await;
    let nowhere = "ord_019b76da2c007000800000000000000a";
    backend.get(&format!("/v1/orders/{nowhere}")).await.is_problem(404, "SP-NOT-FOUND");
    backend.get("/v1/orders/nonsense").await.is_problem(404, "SP-NOT-FOUND");
    backend.get(&format!("/miniprogram/orders/{nowhere}")).await.is_problem(404, "SP-NOT-FOUND");
    let confirm = format!("/miniprogram/orders/{nowhere}/confirm");
    backend.post(&confirm, "").await.is_problem(404, "SP-NOT-FOUND");
    let pay = json!({ "code": "0b3", "orderId": nowhere }).to_string();
    backend.post("/miniprogram/pay", &pay).await.is_problem(404, "SP-NOT-FOUND");
    backend.get("/v2/orders").await.is_problem(404, "SP-NO-ENDPOINT");
    send(backend.request(Method::DELETE, "/healthz")).await.is_problem(405, "SP-METHOD");
    backend.post("/wechat/notify/1", "{}").await.is_problem(404, "SP-NOT-FOUND");
}

/// PostgreSQL takes no NUL in a text, so none gets as far as a statement.
#[tokio::test]
async fn nothing_is_named_by_a_nul() {
    let backend = Backend::start().await;
    for path in [
        "/v1/refunds/%00",
        "/v1/events/evt_%00",
        "/v1/orders/ord_%00",
        "/v1/webhook-endpoints/a%00b",
    ] {
        backend.get(path).await.is_problem(404, "SP-NO-ENDPOINT");
    }
    backend.post("/v1/webhook-endpoints/%00/test", "").await.is_problem(404, "SP-NO-ENDPOINT");
    for path in ["/v1/orders?reference=%00", "/v1/events?limit=1&cursor=%00"] {
        backend.get(path).await.is_problem(422, "SP-REQUEST-FIELD");
    }
    // The place behind which a page begins, with a NUL for its id.
    let cursor = URL_SAFE_NO_PAD.encode("1 \0");
    for list in ["orders", "events", "webhook-endpoints", "shipping"] {
        let answer = backend.get(&format!("/v1/{list}?cursor={cursor}")).await;
        answer.is_problem(422, "SP-REQUEST-FIELD");
    }
    let to = json!({ "endpoint_id": "whe_\0" }).to_string();
    let answer = backend.post("/v1/events/evt_1/replay", &to).await;
    answer.is_problem(422, "SP-REQUEST-FIELD");
    // Its name alone is text like any other.
    assert_eq!(backend.get("/v1/orders?reference=%2500").await.status, 200);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_said_to_be_so() {
    let backend = Backend::start().await;
    for body in ["", "{", "reference=tea", "[]", "\u{feff}{}"] {
        let answer = backend.post("/v1/orders", body).await;
        assert!(matches!(answer.status, 400 | 422), "{body:?}: {}", answer.text);
    }
    backend.post("/miniprogram/pay", "code=0b3").await.is_problem(400, "SP-REQUEST-BODY");
    let codes = ["", "a&secret=b", "a\nb", &"c".repeat(10_000)];
    for code in codes {
        let id = backend.order(&format!("tea-{}", code.len()), 990).await["id"].clone();
        let pay = json!({ "code": code, "orderId": id }).to_string();
        backend.post("/miniprogram/pay", &pay).await.is_problem(422, "SP-REQUEST-FIELD");
    }
}

#[tokio::test]
async fn when_wechat_cannot_be_reached_the_order_waits() {
    let backend = Backend::start().await;
    let id = backend.order("tea-1", 990).await["id"].as_str().unwrap().to_owned();
    let pay = json!({ "code": "0b3", "orderId": id }).to_string();
    let answer = backend.post("/miniprogram/pay", &pay).await;
    answer.is_problem(503, "SP-WECHAT-UNKNOWN");
    assert_eq!(backend.get(&format!("/v1/orders/{id}")).await.json["status"], "unpaid");
}

#[tokio::test]
async fn garbage_at_the_notify_url_moves_nothing_and_is_not_acknowledged() {
    let backend = Backend::start().await;
    let dtd = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><a>&e;</a></xml>";
    let cases = [
        ("", 400, "SP-NOTIFY-FOREIGN"),
        ("hello", 400, "SP-NOTIFY-FOREIGN"),
        (dtd, 400, "SP-XML"),
        ("<xml></xml>", 401, "SP-SIGNATURE"),
        ("<xml><a>1</a><a>2</a></xml>", 400, "SP-XML"),
        ("<xml><return_code>SUCCESS</return_code><sign>0</sign></xml>", 401, "SP-SIGNATURE"),
        ("{\"id\":\"1\"}", 400, "SP-NOTIFY-FOREIGN"),
    ];
    for (body, status, code) in cases {
        let answer = backend.post("/wechat/notify/1900000109", body).await;
        answer.is_problem(status, code);
        assert!(answer.json["message"].is_string(), "WeChat reads `message`");
    }
}
