//! Size, time and number of requests; health; the end.

use std::sync::Arc;
use std::time::Duration;

use suanpan_server::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::Backend;

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let backend = Backend::start_with("[server]\nmax_body_bytes = 1024").await;
    let long = "x".repeat(1025);
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
    // A WeChat that takes the question and says nothing: the request waits for it.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", silent.local_addr().unwrap());
    let one = |config: &mut Config| {
        config.server.max_concurrent_requests = 1;
        config.wechat.platform_host = host;
    };
    let backend = Arc::new(Backend::start_changed("", one).await);
    let id = backend.order("tea-1", 990).await["id"].clone();
    let pay = serde_json::json!({ "code": "0b3", "orderId": id }).to_string();
    let waiting = tokio::spawn({
        let backend = Arc::clone(&backend);
        async move { backend.post("/miniprogram/pay", &pay).await }
    });
    let (mut asked, _) = silent.accept().await.unwrap();

    backend.get("/v1/orders").await.is_problem(503, "SP-BUSY");
    assert_eq!(backend.get("/healthz").await.status, 200, "how it is can always be asked");
    assert_eq!(backend.get("/readyz").await.status, 200);

    asked.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    waiting.await.unwrap().is_problem(503, "SP-WECHAT-UNKNOWN");
    assert_eq!(backend.get("/v1/orders").await.status, 200);
}

#[tokio::test]
async fn sockets_that_say_little_hold_up_nobody() {
    let backend = Backend::start_with("[server]\nmax_concurrent_requests = 4").await;
    let address = backend.url.strip_prefix("http://").unwrap().to_owned();
    let mut slow = Vec::new();
    for number in 0..100 {
        let mut socket = TcpStream::connect(&address).await.unwrap();
        let head = "POST /miniprogram/pay HTTP/1.1\r\nhost: x\r\n";
        let rest = if number % 2 == 0 { "content-length: 100\r\n\r\n{" } else { "" };
        socket.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
        slow.push(socket);
    }
    for _ in 0..20 {
        assert_eq!(backend.get("/v1/orders").await.status, 200);
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let backend = Backend::start_with("[server]\nmax_connections = 2").await;
    let address = backend.url.strip_prefix("http://").unwrap().to_owned();
    let first = TcpStream::connect(&address).await.unwrap();
    let second = TcpStream::connect(&address).await.unwrap();
    let third = tokio::spawn(async move {
        let mut third = TcpStream::connect(&address).await.unwrap();
        third
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        third.read_to_string(&mut answer).await.unwrap();
        answer
    });
    drop((first, second));
    assert!(third.await.unwrap().starts_with("HTTP/1.1 200"));
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
