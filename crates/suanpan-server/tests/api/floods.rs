//! One address that asks too often (attack A34), behind a proxy of ours on this machine.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::backend::{Answer, Backend, send};

const PROXY: &str = "[server]\ntrusted_proxies = [\"127.0.0.1\"]";

impl Backend {
    async fn pays(&self, address: &str) -> Answer {
        let body = json!({ "code": "wrong-code", "orderId": "ord_00000000" }).to_string();
        let request = self.request(Method::POST, "/miniprogram/pay");
        send(request.header("x-forwarded-for", address).body(body)).await
    }

    async fn confirms(&self, address: &str) -> Answer {
        let path = "/miniprogram/orders/ord_00000000/confirm";
        send(self.request(Method::POST, path).header("x-forwarded-for", address)).await
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let backend = Backend::start_with(PROXY).await;
    for _ in 0..120 {
        backend.pays("203.0.113.9").await.is_problem(404, "SP-NOT-FOUND");
    }
    let refused = backend.pays("203.0.113.9").await;
    refused.is_problem(429, "SP-TOO-OFTEN");
    // 120 a minute is one each half second.
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    // What he writes into the header himself makes him nobody else.
    backend.pays("198.51.100.7, 203.0.113.9").await.is_problem(429, "SP-TOO-OFTEN");
    // Others are not held up, and he may still ask about what he has paid.
    backend.pays("203.0.113.10").await.is_problem(404, "SP-NOT-FOUND");
    backend.confirms("203.0.113.9").await.is_problem(404, "SP-NOT-FOUND");

    backend.clock.advance(Duration::from_millis(500));
    backend.pays("203.0.113.9").await.is_problem(404, "SP-NOT-FOUND");
    backend.pays("203.0.113.9").await.is_problem(429, "SP-TOO-OFTEN");
    backend.clock.advance(Duration::from_secs(60));
    backend.pays("203.0.113.9").await.is_problem(404, "SP-NOT-FOUND");
}

#[tokio::test]
async fn confirm_has_a_limit_of_its_own() {
    let limits = format!("{PROXY}\n[limits]\nconfirm_per_minute = 3");
    let backend = Backend::start_with(&limits).await;
    for _ in 0..3 {
        backend.confirms("2001:db8::1").await.is_problem(404, "SP-NOT-FOUND");
    }
    // Another address of the same network.
    let refused = backend.confirms("2001:db8::2").await;
    refused.is_problem(429, "SP-TOO-OFTEN");
    assert_eq!(refused.retry_after.as_deref(), Some("20"));
    backend.confirms("2001:db8:0:1::1").await.is_problem(404, "SP-NOT-FOUND");
}

#[tokio::test]
async fn this_machine_is_not_counted_where_it_asks_for_itself() {
    let backend = Backend::start_with("[limits]\npay_per_minute = 1").await;
    let body = json!({ "code": "wrong-code", "orderId": "ord_00000000" }).to_string();
    for _ in 0..3 {
        backend.post("/miniprogram/pay", &body).await.is_problem(404, "SP-NOT-FOUND");
    }
}

/// A proxy on this machine that nobody has named: it is not believed, and it is no way around the limits.
#[tokio::test]
async fn behind_a_proxy_that_is_not_named_all_are_one() {
    let backend = Backend::start_with("[limits]\npay_per_minute = 2").await;
    for address in ["203.0.113.9", "203.0.113.10"] {
        backend.pays(address).await.is_problem(404, "SP-NOT-FOUND");
    }
    for address in ["203.0.113.11", "127.0.0.1", "unknown"] {
        backend.pays(address).await.is_problem(429, "SP-TOO-OFTEN");
    }
}

/// Whoever writes this machine's address into the header is not on it.
#[tokio::test]
async fn nobody_is_this_machine_by_his_own_word() {
    let backend = Backend::start_with(&format!("{PROXY}\n[limits]\npay_per_minute = 1")).await;
    backend.pays("127.0.0.1").await.is_problem(404, "SP-NOT-FOUND");
    backend.pays("127.0.0.1").await.is_problem(429, "SP-TOO-OFTEN");
    backend.pays("unknown").await.is_problem(429, "SP-TOO-OFTEN");
}

#[tokio::test]
async fn a_limit_of_none_is_no_limit_that_can_be_set() {
    for setting in ["pay_per_minute = 0", "confirm_per_minute = -1", "logins = 1"] {
        let text = format!("[limits]\n{setting}");
        let read = suanpan_server::Config::parse(&text, std::path::Path::new("."));
        assert!(read.unwrap_err().to_string().contains("limits"), "{setting}");
    }
}

/// A caller may name his request; but no name gets into a log that could pass for something else.
#[tokio::test]
async fn only_a_short_and_plain_request_id_is_taken_over() {
    let backend = Backend::start().await;
    let named = async |id: &str| {
        let request = backend.request(Method::GET, "/v1/orders/ord_00000000");
        send(request.header("x-request-id", id)).await.json["request_id"].clone()
    };
    for id in ["a", "0c5c9e2e-6f4e-4a5b-9a53-2a3f6f0e8f11", &"x".repeat(64)] {
        assert_eq!(named(id).await, id);
    }
    for id in ["", "a b", "a\"b", "a,b", "龙", "<script>", &"x".repeat(65)] {
        let given = named(id).await;
        assert!(given.as_str().unwrap().starts_with("req_"), "{id:?}: {given}");
    }
}
