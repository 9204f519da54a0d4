//! What cannot be done is refused with what, and what to do.

use std::net::TcpListener;

use crate::process::{finish, run, suanpan, text};

#[track_caller]
fn check(arguments: &[&str], code: i32, says: &[&str]) {
    let ended = run(arguments);
    assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
    assert_eq!(ended.stdout, "", "{arguments:?}");
    for word in says {
        assert!(ended.stderr.contains(word), "{arguments:?} does not say {word}: {}", ended.stderr);
    }
}

#[test]
fn what_is_no_command_is_refused() {
    check(&["pay", "ord_1"], 2, &["pay"]);
    check(&["dev", "--listen", "nowhere"], 2, &["--listen"]);
    check(&["serve"], 2, &["--config"]);
    check(&[], 2, &["dev", "demo"]);
}

#[test]
fn help_and_version_are_answers() {
    for argument in ["--help", "--version"] {
        let ended = run(&[argument]);
        assert_eq!(ended.code, Some(0));
        assert!(ended.stdout.contains("suanpan") && ended.stderr.is_empty(), "{ended:?}");
    }
}

#[test]
fn a_machine_gets_an_object() {
    let usage = run(&["demo", "--json", "--colour"]);
    assert_eq!(usage.code, Some(2));
    assert_eq!(usage.json()["code"], "SP-USAGE");

    let config = run(&["migrate", "--json", "--config", "/nowhere/suanpan.toml"]);
    assert_eq!(config.code, Some(2));
    let problem = config.json();
    assert_eq!(problem["code"], "SP-CONFIG");
    assert!(problem["detail"].as_str().unwrap().contains("/nowhere/suanpan.toml"));
    assert!(!problem["remedy"].as_str().unwrap().is_empty());
}

#[test]
fn a_wrong_configuration_is_named_with_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suanpan.toml");
    check(&["serve", "--config", text(&file)], 2, &["error[SP-CONFIG]", "no such file", "help: "]);

    for (setting, says) in [
        ("[server]\nport = 80", "port"),
        ("[server]\nlisten = \"tea\"", "server.listen"),
        ("[log]\nlevel = \"suanpan==\"", "log.level"),
        ("[database]\nurl = \"mysql://db\"", "mysql"),
    ] {
        std::fs::write(&file, setting).unwrap();
        let serve = ["serve", "--config", text(&file), "--listen", "127.0.0.1:0"];
        let serve = if setting.contains("listen") { &serve[..3] } else { &serve[..] };
        check(serve, 2, &["error[SP-", says, "help: "]);
    }
}

#[test]
fn all_mistakes_of_a_configuration_are_told_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suanpan.toml");
    let account = "[[merchants]]\nmchid = \"1900000109\"\napi = \"v4\"\napi_v3_kye = \"hunter2\"\napps = []\n";
    std::fs::write(&file, format!("[server]\nlistne = \"127.0.0.1:0\"\n{account}")).unwrap();
    let mut serve = suanpan(&["serve", "--config", text(&file)]);
    serve.env("SUANPAN_SEVER__LISTEN", "hunter2").env("SUANPAN_SERVER_LISTEN", "hunter2");
    let ended = finish(serve);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for says in [
        "wrong at 5 places".to_owned(),
        format!("{}:2:1, server.listne: 没有这个设置，是不是 server.listen？", file.display()),
        "\n       2 | listne = …\n".to_owned(),
        format!("{}:5:7, merchants[0].api: 只能是 v2、v3", file.display()),
        "did you mean merchants[0].api_v3_key?".to_owned(),
        "did you mean SUANPAN_SERVER__LISTEN?".to_owned(),
        "two underscores go between the levels: SUANPAN_SERVER__LISTEN".to_owned(),
    ] {
        assert!(ended.stderr.contains(&says), "{says} is not in: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = text(folder.path());
    let simulator = ["simulator", "--listen", &address, "--data", data];
    check(&simulator, 2, &["error[SP-SIM-LISTEN]", &address, "cause: ", "help: "]);
    let dev = ["dev", "--listen", &address, "--simulator-listen", "127.0.0.1:0", "--data", data];
    check(&dev, 2, &["error[SP-LISTEN]", &address, "cause: ", "help: "]);
}

#[test]
fn a_log_level_that_is_none_is_named_where_it_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut simulator = suanpan(&["simulator", "--listen", "127.0.0.1:0", "--data"]);
    simulator.arg(folder.path()).env("SUANPAN_LOG", "suanpan==");
    let ended = finish(simulator);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("SUANPAN_LOG"), "{ended:?}");
}
