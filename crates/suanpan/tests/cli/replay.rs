//! `suanpan replay`: webhooks once more, at a server that runs.

use std::sync::{Arc, Mutex};

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::process::{Ended, Running, finish, suanpan, text};

fn replay(dev: &Running, arguments: &[&str]) -> Ended {
    let (url, key) = (dev.says("url"), dev.says("api_key"));
    let mut command = suanpan(&["replay", "--url", &url]);
    command.args(arguments).env("SUANPAN_API_KEY", key);
    finish(command)
}

async fn call(dev: &Running, method: &str, path: &str, body: Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{path}", dev.says("url"));
    let request = http.request(method.parse().unwrap(), url).bearer_auth(dev.says("api_key"));
    let reply = request.body(body.to_string()).send().await.unwrap();
    serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_event_and_what_an_endpoint_missed_are_delivered_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Running::start(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--simulator-listen",
        "127.0.0.1:0",
        "--data",
        text(folder.path()),
    ]);
    // Nobody listens there, so the event waits for its next try.
    let hook = json!({ "url": "http://127.0.0.1:1/hook" });
    let endpoint = call(&dev, "POST", "/v1/webhook-endpoints", hook).await;
    let endpoint = endpoint["id"].as_str().unwrap();
    let test = format!("/v1/webhook-endpoints/{endpoint}/test");
    let event = call(&dev, "POST", &test, json!({})).await;
    let event = event["id"].as_str().unwrap();

    let one = replay(&dev, &[event, "--endpoint", endpoint, "--json"]);
    assert_eq!((one.code, one.json()), (Some(0), json!({ "deliveries": 0, "hastened": 1 })));
    let all = replay(&dev, &["--endpoint", endpoint, "--since", "2026-01-01T00:00:00Z"]);
    assert_eq!(all.code, Some(0), "{all:?}");
    assert!(all.stdout.contains("0 deliveries begun again"), "{all:?}");

    let unknown = replay(&dev, &["evt_nowhere", "--json"]);
    assert_eq!((unknown.code, &unknown.json()["code"]), (Some(1), &json!("SP-NOT-FOUND")));
    let wrong = replay(&dev, &["--endpoint", endpoint, "--since", "yesterday", "--json"]);
    assert_eq!((wrong.code, &wrong.json()["code"]), (Some(1), &json!("SP-REQUEST-FIELD")));
    dev.end("-TERM");
}

/// A server that has more to replay than one call takes, and at first nothing but what waits.
#[tokio::test]
async fn what_takes_several_calls_is_asked_for_to_the_end() {
    let answers = [
        json!({ "deliveries": 0, "hastened": 500, "more": true, "next_since": "2026-01-02T00:00:00.000001Z" }),
        json!({ "deliveries": 7, "hastened": 493, "more": true, "next_since": "2026-01-03T00:00:00Z" }),
        json!({ "deliveries": 1, "hastened": 2, "more": false, "next_since": null }),
    ];
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let replays = move |Json(body): Json<Value>| async move {
        let mut asked = seen.lock().unwrap();
        asked.push(body);
        Json(answers[asked.len() - 1].clone())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/webhook-endpoints/whe_1/replay", post(replays));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let ended = tokio::task::spawn_blocking(move || {
        let arguments = ["replay", "--json", "--url", &url, "--endpoint", "whe_1"];
        let mut command = suanpan(&arguments);
        command.args(["--since", "2026-01-01T00:00:00Z"]).env("SUANPAN_API_KEY", "sk_1");
        finish(command)
    });
    let ended = ended.await.unwrap();
    assert_eq!((ended.code, ended.json()), (Some(0), json!({ "deliveries": 8, "hastened": 995 })));
    let since = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00.000001Z", "2026-01-03T00:00:00Z"];
    assert_eq!(*asked.lock().unwrap(), since.map(|since| json!({ "since": since })));
}

#[test]
fn what_cannot_be_asked_for_is_refused_before_anybody_is_asked() {
    let refused = |arguments: &[&str], key: &str| {
        let mut command = suanpan(&["replay", "--json", "--url", "http://127.0.0.1:1"]);
        command.args(arguments).env("SUANPAN_API_KEY", key);
        let ended = finish(command);
        (ended.code, ended.json()["code"].as_str().unwrap().to_owned())
    };
    let usage = (Some(2), "SP-USAGE".to_owned());
    for arguments in [
        &[][..],
        &["--endpoint", "whe_1"],
        &["--since", "2026-01-01T00:00:00Z"],
        &["evt_1", "--since", "2026-01-01T00:00:00Z"],
        &["../orders"],
        &["evt_1", "--api-key-file", "/nowhere/key"],
    ] {
        assert_eq!(refused(arguments, "sk_1"), usage, "{arguments:?}");
    }
    assert_eq!(refused(&["evt_1"], ""), usage);
    assert_eq!(refused(&["evt_1"], "sk_1"), (Some(1), "SP-UNREACHABLE".to_owned()));
}
