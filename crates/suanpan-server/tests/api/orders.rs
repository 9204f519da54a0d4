//! Orders: made, read, listed, closed.

use std::collections::BTreeSet;
use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::json;

use crate::backend::{APP, Backend, OTHER_APP};

#[tokio::test]
async fn an_order_is_as_the_contract_says() {
    let backend = Backend::start().await;
    let body = json!({
        "reference": "tea-1", "amount": 990, "description": "龙井 <一杯> 🍵",
        "expires_at": "2026-01-01T08:30:00+08:00", "metadata": { "table": 7 },
    });
    let made = backend.post("/v1/orders", &body.to_string()).await;
    assert_eq!(made.status, 201);
    assert_json_snapshot!(made.json, { ".id" => "ord_…" }, @r#"
    {
      "amount": 990,
      "amount_refunded": 0,
      "app": "wx2421b1c4370ec43b",
      "created_at": "2026-01-01T00:00:00Z",
      "currency": "CNY",
      "description": "龙井 <一杯> 🍵",
      "expires_at": "2026-01-01T00:30:00Z",
      "id": "ord_…",
      "metadata": {
        "table": 7
      },
      "paid_at": null,
      "reference": "tea-1",
      "status": "unpaid",
      "transaction_id": null
    }
    "#);
    let id = made.json["id"].as_str().unwrap();
    assert_eq!(backend.get(&format!("/v1/orders/{id}")).await.json, made.json);

    // Who knows the id may look, and sees nothing that is the merchant's own.
    let seen = backend.get(&format!("/miniprogram/orders/{id}")).await.json;
    assert_eq!((&seen["status"], &seen["metadata"]), (&json!("unpaid"), &json!(null)));

    let timeline = backend.get(&format!("/v1/orders/{id}/timeline")).await.json;
    insta::assert_snapshot!(timeline["text"].as_str().unwrap(), @"2026-01-01 08:00:00 order        created: 9.90 CNY, tea-1");
}

#[tokio::test]
async fn the_app_decides_the_merchant_and_the_first_is_the_default() {
    let backend = Backend::start().await;
    assert_eq!(backend.order("tea-1", 1).await["app"], APP);
    let other =
        json!({ "reference": "tea-1", "amount": 1, "description": "tea", "app": OTHER_APP });
    let other = backend.post("/v1/orders", &other.to_string()).await;
    assert_eq!(
        other.json["app"], OTHER_APP,
        "another merchant's reference is another: {}",
        other.text
    );
}

#[tokio::test]
async fn a_value_that_breaks_its_rule_is_named() {
    let backend = Backend::start().await;
    let long = "茶".repeat(128);
    let cases = [
        ("amount", json!(1.0)),
        ("amount", json!("1")),
        ("amount", json!(-1)),
        ("amount", json!(0)),
        ("amount", json!(9_007_199_254_740_992_i64)),
        ("amount", json!(null)),
        ("amount", json!(true)),
        ("reference", json!("")),
        ("reference", json!("x".repeat(65))),
        ("description", json!(" ")),
        ("description", json!(long)),
        ("description", json!("a\u{0}b")),
        ("description", json!("\u{202E}eet")),
        ("app", json!("wx0000000000000000")),
        ("app", json!("gh_1")),
        ("expires_at", json!("2025-12-31T00:00:00Z")),
        ("expires_at", json!("2027-01-01T00:00:00Z")),
        ("expires_at", json!("tomorrow")),
        ("payer_openid", json!("a b")),
        ("trade_type", json!("NATIVE")),
        ("metadata", json!([1])),
        ("metadata", json!({ "k": "v".repeat(5000) })),
        ("price", json!(1)),
    ];
    for (field, value) in cases {
        let mut body = json!({ "reference": "tea", "amount": 990, "description": "tea" });
        body[field] = value;
        let answer = backend.post("/v1/orders", &body.to_string()).await;
        let detail = answer.is_problem(422, "SP-REQUEST-FIELD").json["detail"].to_string();
        assert!(detail.contains(field), "{field}: {detail}");
    }
    assert_eq!(backend.get("/v1/orders").await.json["data"], json!([]));
}

#[tokio::test]
async fn a_reference_is_taken_once() {
    let backend = Backend::start().await;
    let first = backend.order("tea-1", 990).await;
    let again = json!({ "reference": "tea-1", "amount": 1, "description": "tea" });
    let again = backend.post("/v1/orders", &again.to_string()).await;
    again.is_problem(409, "SP-REFERENCE-TAKEN");
    assert_eq!(again.json["order_id"], first["id"]);
}

#[tokio::test]
async fn pages_show_every_order_once_newest_first() {
    let backend = Backend::start().await;
    for number in 0..7 {
        backend.clock.advance(Duration::from_secs(1));
        backend.order(&format!("tea-{number}"), 990).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/orders?limit=3".to_owned());
    loop {
        let page = backend.get(&path).await.json;
        let data = page["data"].as_array().unwrap();
        seen.extend(data.iter().map(|order| order["reference"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/orders?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["tea-6", "tea-5", "tea-4", "tea-3", "tea-2", "tea-1", "tea-0"]);

    let count = async |query: &str| {
        let page = backend.get(&format!("/v1/orders?{query}")).await.json;
        page["data"].as_array().map(Vec::len)
    };
    assert_eq!(count("status=unpaid").await, Some(7));
    assert_eq!(count("status=paid").await, Some(0));
    assert_eq!(count("reference=tea-3").await, Some(1));
    assert_eq!(count("reference=tea-3&status=paid").await, Some(0));
    assert_eq!(count("created_after=2026-01-01T00:00:05Z").await, Some(2));
    for bad in ["status=new", "limit=0", "limit=x", "cursor=x", "created_after=now", "sort=up"] {
        let answer = backend.get(&format!("/v1/orders?{bad}")).await;
        answer.is_problem(422, "SP-REQUEST-FIELD");
    }
}

#[tokio::test]
async fn an_order_that_nobody_pays_is_closed_and_stays_closed() {
    let backend = Backend::start().await;
    let id = backend.order("tea-1", 990).await["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let closed = backend.post(&format!("/v1/orders/{id}/close"), "").await;
        assert_eq!((closed.status, &closed.json["status"]), (200, &json!("closed")));
    }
    let pay = json!({ "code": "0b3", "orderId": id }).to_string();
    backend.post("/miniprogram/pay", &pay).await.is_problem(409, "SP-ORDER-CLOSED");

    let events = backend.get("/v1/events").await.json["data"].clone();
    assert_eq!(events.as_array().unwrap().len(), 1, "told once");
    assert_eq!(
        (&events[0]["type"], &events[0]["data"]["id"]),
        (&json!("order.closed"), &json!(id))
    );
}

#[tokio::test]
async fn an_order_is_not_payable_after_its_time() {
    let backend = Backend::start().await;
    let body = json!({ "reference": "t", "amount": 1, "description": "t", "expires_at": "2026-01-01T00:10:00Z" });
    let id = backend.post("/v1/orders", &body.to_string()).await.json["id"].clone();
    backend.clock.advance(Duration::from_secs(600));
    let pay = json!({ "code": "0b3", "orderId": id }).to_string();
    backend.post("/miniprogram/pay", &pay).await.is_problem(409, "SP-ORDER-EXPIRED");
}

#[tokio::test]
async fn ids_cannot_be_guessed() {
    let backend = Backend::start().await;
    let mut ids = BTreeSet::new();
    for number in 0..20 {
        let order = backend.order(&format!("tea-{number}"), 990).await;
        // 12 hexadecimal digits of time; the rest is random.
        ids.insert(order["id"].as_str().unwrap()[16..].to_owned());
    }
    assert_eq!(ids.len(), 20);
    assert!(ids.iter().all(|id| id.len() == 36));
}

#[tokio::test]
async fn a_list_can_be_cut_at_both_ends() {
    let backend = Backend::start().await;
    for minute in 0..4 {
        backend.order(&format!("tea-{minute}"), 990).await;
        backend.clock.advance(Duration::from_secs(60));
    }
    let references = async |query: &str| {
        let list = backend.get(&format!("/v1/orders?{query}")).await;
        let orders = list.json["data"].as_array().unwrap().clone();
        orders
            .iter()
            .map(|order| order["reference"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // Neither end is in it.
    let between = "created_after=2026-01-01T00:00:00Z&created_before=2026-01-01T00:03:00Z";
    assert_eq!(references(between).await, ["tea-2", "tea-1"]);
    let all = "created_before=2026-01-01T00:02:00Z&status=unpaid";
    assert_eq!(references(all).await, ["tea-1", "tea-0"]);
    let one = "created_before=2026-01-01T00:02:00Z&reference=tea-0";
    assert_eq!(references(one).await, ["tea-0"]);
    backend.get("/v1/orders?created_before=yesterday").await.is_problem(422, "SP-REQUEST-FIELD");
}
