//! `suanpan serve` and `suanpan simulator`: ready at once with what the simulator wrote.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::process::{Running, finish, suanpan, text};
use crate::secrets;

fn simulator(folder: &Path) -> Running {
    Running::start(&["simulator", "--listen", "127.0.0.1:0", "--data", text(folder)])
}

async fn create(url: &str, key: &str, reference: &str) -> (u16, Value) {
    let order = json!({ "reference": reference, "amount": 990, "description": "龙井一杯" });
    let reply = reqwest::Client::builder().no_proxy().build().unwrap();
    let reply = reply.post(format!("{url}/v1/orders")).bearer_auth(key).body(order.to_string());
    let reply = reply.send().await.unwrap();
    (reply.status().as_u16(), serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn the_configuration_of_the_simulator_serves_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(folder.path());
    let credentials = simulator.says("credentials");
    let written: Value =
        serde_json::from_str(&std::fs::read_to_string(credentials).unwrap()).unwrap();
    assert_eq!(written["base_url"], simulator.says("url"));

    let config = simulator.says("config");
    let serve = ["serve", "--config", &config, "--listen", "127.0.0.1:0"];
    let backend = Running::start(&serve);
    let key = backend.says("api_key");
    assert!(backend.says("console").contains("/console/set-up?token="));
    let (status, order) = create(&backend.says("url"), &key, "tea-1").await;
    assert_eq!((status, &order["status"]), (201, &json!("unpaid")), "{order}");
    let ended = backend.end("-TERM");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");

    // The second start knows the database: its key was shown once.
    let again = Running::start(&serve);
    assert_eq!(again.ready["api_key"], Value::Null);
    let (status, taken) = create(&again.says("url"), &key, "tea-1").await;
    assert_eq!((status, &taken["order_id"]), (409, &order["id"]), "{taken}");
    let ended = again.end("-INT");
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let talk = ended.stderr + &simulator.end("-TERM").stderr;
    for secret in secrets::of_folder(folder.path()) {
        assert!(!talk.contains(&secret), "{secret} is in:\n{talk}");
    }
}

#[test]
fn the_command_line_chooses_another_database() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(folder.path());
    let url = format!("sqlite:{}", text(&folder.path().join("elsewhere.db")));
    let config = simulator.says("config");
    let serve = ["serve", "--config", &config, "--listen", "127.0.0.1:0", "--database", &url];
    let ended = Running::start(&serve).end("-TERM");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(folder.path().join("elsewhere.db").exists());
    assert!(!folder.path().join("suanpan.db").exists());

    let nowhere = ["serve", "--config", &config, "--database", "sqlite:/nowhere/at/all/tea.db"];
    let ended = finish(suanpan(&nowhere));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("/nowhere/at/all"), "{ended:?}");
    assert_eq!(simulator.end("-INT").code, Some(0));
}

#[test]
fn a_configuration_that_is_refused_touches_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(folder.path());
    let config = std::fs::read_to_string(simulator.says("config")).unwrap();
    let file = folder.path().join("long.toml");
    let long = config.replacen("api_v3_key = \"", "api_v3_key = \"too long for a key ", 1);
    std::fs::write(&file, long).unwrap();
    let ended = finish(suanpan(&["serve", "--config", text(&file), "--listen", "127.0.0.1:0"]));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("api_v3_key"), "{ended:?}");
    assert!(!folder.path().join("suanpan.db").exists(), "it was made, or brought up to date");
    assert_eq!(simulator.end("-INT").code, Some(0));
}

/// Refunds of APIv2 need a connection that shows a certificate: the ready line says where there is one.
#[test]
fn the_simulator_says_where_it_speaks_tls_and_the_backend_trusts_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, free) = (text(folder.path()), "127.0.0.1:0");
    let simulator =
        Running::start(&["simulator", "--listen", free, "--tls-listen", free, "--data", data]);
    let url = simulator.says("tls_url");
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");

    let config = std::fs::read_to_string(simulator.says("config")).unwrap();
    let plain = format!("merchant_hosts = [{:?}]", simulator.says("url"));
    assert!(config.contains(&plain), "{config}");
    let over_tls = format!("merchant_hosts = [{url:?}]\nca_certificates = [\"tls/ca.pem\"]");
    let file = folder.path().join("tls.toml");
    std::fs::write(&file, config.replace(&plain, &over_tls)).unwrap();
    let serve = ["serve", "--config", text(&file), "--listen", free];
    assert_eq!(Running::start(&serve).end("-TERM").code, Some(0));

    // A file that holds no certificate is named.
    std::fs::write(folder.path().join("tls/ca.pem"), "-----BEGIN CERTIFICATE-----").unwrap();
    let ended = finish(suanpan(&serve));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("wechat.ca_certificates"), "{ended:?}");
    assert_eq!(simulator.end("-TERM").code, Some(0));
}

#[test]
fn a_second_signal_does_not_wait_for_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(folder.path());
    let config = simulator.says("config");
    let backend = Running::start(&["serve", "--config", &config, "--listen", "127.0.0.1:0"]);

    // A request whose body never comes: the server waits for it, as it says.
    let url = backend.says("url");
    let mut caller = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let request = "POST /miniprogram/pay HTTP/1.1\r\nhost: tea\r\ncontent-length: 9\r\n";
    caller.write_all(format!("{request}expect: 100-continue\r\n\r\n").as_bytes()).unwrap();
    let mut answer = [0; 12];
    caller.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");

    backend.signal("-TERM");
    backend.hear("a second signal ends at once");
    assert_eq!(backend.end("-TERM").code, Some(130));
}

#[test]
fn a_machine_reads_the_log_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = simulator(folder.path());
    let config = simulator.says("config");
    let mut serve = suanpan(&["serve", "--config", &config, "--listen", "127.0.0.1:0"]);
    serve.env("SUANPAN_LOG__FORMAT", "json");
    let ended = Running::start_command(serve).end("-TERM");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "listening" && line["level"] == "INFO"));
}
