//! `suanpan replay`: webhooks once more, at a server that runs.

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
