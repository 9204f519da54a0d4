//! What can be set, and how a mistake is named.

use super::*;

#[test]
fn the_defaults_are_complete() {
    let config = Config::parse("", Path::new("/etc/suanpan")).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert!(config.merchants.is_empty() && config.webhooks.endpoints.is_empty());
}

#[track_caller]
fn check(text: &str, says: &str) {
    let error = Config::parse(text, Path::new(".")).unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn a_mistake_is_named_where_it_stands() {
    check("[server]\nlisten_on = \"127.0.0.1:80\"", "listen_on");
    check("[server]\nlisten = \"nowhere\"", "server.listen");
    check("[log]\nformat = \"xml\"", "log.format");
    check("[[merchants]]\nmchid = \"1\"\napi = \"v4\"\napps = []", "api");
}

#[test]
fn a_mistake_in_a_secret_does_not_show_it() {
    let head = "[[merchants]]\nmchid = \"1\"\napi = \"v3\"\n";
    for line in [
        "api_v3_key = \"hunter2hunter2",
        "api_v3_key = 4711471147114711",
        "api_v3_key = [\"hunter2\"]",
    ] {
        let error = Config::parse(&format!("{head}{line}\n"), Path::new(".")).unwrap_err();
        let shown = crate::error::chain(&error);
        assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{shown}");
    }
}

#[test]
fn a_server_that_could_do_nothing_does_not_start() {
    check("[server]\nmax_body_bytes = 0", "max_body_bytes");
    check("[server]\nmax_concurrent_requests = 0", "max_concurrent_requests");
    check("[server]\nrequest_timeout_seconds = 60", "1 to 50");
    check("[wechat]\ntimeout_seconds = 0", "timeout_seconds");
    check("[server]\ncors_origins = [\"shop.example.com\"]", "not an origin");
}

#[test]
fn a_secret_is_not_printed() {
    let text = "[[merchants]]\nmchid = \"1\"\napi = \"v2\"\napi_v2_key = \"hunter2\"\napps = []";
    let print = format!("{:?}", Config::parse(text, Path::new(".")).unwrap());
    assert!(!print.contains("hunter2"), "{print}");
}
