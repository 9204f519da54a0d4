//! Size, time and number of requests; health; the end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backend::Backend;

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let backend = Backend::start_with("[server]\nmax_body_bytes = 1000").await;
    let long = "x".repeat(1001);
    for path in ["/v1/orders", "/miniprogram/pay", "/wechat/notify/1900000109"] {
        backend.post(path, &long).await.is_problem(413, "SP-REQUEST-TOO-LARGE");
    }
    backend.post_once("/v1/orders", "k", &long).await.is_problem(413, "SP-REQUEST-TOO-LARGE");
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_and_nobody_else_waits() {
    let backend = Backend::start_with("[server]\nrequest_timeout_seconds = 1").await;
    let address = backend.url.strip_prefix("http://").unwrap().to_owned();
    let mut slow = TcpStream::connect(&address).await.unwrap();
    let head = "POST /miniprogram/pay HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(backend.get("/healthz").await.status, 200);

    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(20), slow.read(&mut answer)).await;
    let length = read.expect("an answer in time").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("SP-REQUEST-TIMEOUT"), "{answer}");
}

#[tokio::test]
async fn more_at_a_time_than_it_takes_are_told_to_come_back() {
    let backend = Backend::start_with("[server]\nmax_concurrent_requests = 1").await;
    let address = backend.url.strip_prefix("http://").unwrap().to_owned();
    let mut first = TcpStream::connect(&address).await.unwrap();
    let head = "POST /miniprogram/pay HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{";
    first.write_all(head.as_bytes()).await.unwrap();

    // Until the server has begun to read the first one, others may get through.
    let mut answer = backend.get("/healthz").await;
    while answer.status == 200 {
        answer = backend.get("/healthz").await;
    }
    answer.is_problem(503, "SP-BUSY");
    first.write_all(b"}").await.unwrap();
    first.read_exact(&mut [0; 12]).await.unwrap();
}

#[tokio::test]
async fn it_says_that_it_lives_and_that_it_is_ready() {
    let backend = Backend::start().await;
    assert_eq!(backend.get("/healthz").await.json["status"], "ok");
    assert_eq!(backend.get("/readyz").await.json["status"], "ready");
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_end() {
    let backend = Backend::start().await;
    let address = backend.url.strip_prefix("http://").unwrap().to_owned();
    let mut open = TcpStream::connect(&address).await.unwrap();
    let body = r#"{"code":"0b3","orderId":"ord_0000000000"}"#;
    let head = format!(
        "POST /miniprogram/pay HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{}",
        body.len(),
        &body[..10]
    );
    open.write_all(head.as_bytes()).await.unwrap();
    // Another request is answered, so the server has seen the first one by now.
    backend.get("/healthz").await;

    let stopping = tokio::spawn(backend.stop());
    open.write_all(&body.as_bytes()[10..]).await.unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    stopping.await.unwrap();
}
