//! The stream that tells an open page to look again.

use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt;

use crate::desk::{Browser, Desk};

async fn chunk(body: &mut axum::body::BodyDataStream) -> Option<String> {
    let bytes = body.next().await?.unwrap();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_commit_is_told_and_a_stop_ends_the_stream() {
    let desk = Desk::open().await;
    let browser = desk.operator().await;
    let response = desk.send(browser.request("GET", "/console/live/stream")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-cache");
    let mut body = Body::into_data_stream(response.into_body());

    let at_once = chunk(&mut body).await.unwrap();
    assert!(at_once.starts_with("data: "), "{at_once}");
    let commit = async {
        desk.tea("tea-1").await;
        desk.clock.advance(Duration::from_secs(1));
    };
    let (told, ()) = tokio::join!(chunk(&mut body), commit);
    let told = told.unwrap();
    assert!(told.starts_with("data: ") && told != at_once, "{told}");
    assert!(!told.contains("tea-1"), "{told}");

    desk.stop.send_replace(true);
    assert_eq!(chunk(&mut body).await, None);
}

#[tokio::test]
async fn nobody_listens_without_a_session() {
    let desk = Desk::open().await;
    Browser::default().get(&desk, "/console/live/stream").await.is(401);
}
