//! `suanpan operators`: a link for whoever is locked out, also while nothing serves.

use serde_json::Value;

use crate::process::{Running, finish, suanpan, text};

#[test]
fn who_is_added_is_listed_and_gets_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let data = text(folder.path());
    let simulator = Running::start(&["simulator", "--listen", "127.0.0.1:0", "--data", data]);
    let config = simulator.says("config");
    let run = |more: &[&str]| {
        let ended =
            finish(suanpan(&[&["operators", "--config", &config, "--json"], more].concat()));
        (ended.code, serde_json::from_str::<Value>(&ended.stdout).unwrap_or(Value::Null))
    };
    let (code, nobody) = run(&["list"]);
    assert_eq!((code, nobody["operators"].as_array().map(Vec::len)), (Some(0), Some(0)));
    let (code, added) = run(&["add", "lan", "--role", "admin"]);
    assert_eq!(code, Some(0), "{added}");
    assert!(added["link"].as_str().unwrap().contains("/console/set-up?token="), "{added}");
    assert_eq!(run(&["add", "lan", "--role", "admin"]).0, Some(1));
    assert_eq!(run(&["add", "mei", "--role", "root"]).0, Some(2));
    let (code, reset) = run(&["reset", "lan"]);
    assert_eq!(code, Some(0), "{reset}");
    assert_ne!(reset["link"], added["link"]);
    assert_eq!(run(&["reset", "nobody"]).0, Some(2));
    let (_, all) = run(&["list"]);
    assert_eq!(
        (&all["operators"][0]["name"], &all["operators"][0]["role"]),
        (&"lan".into(), &"admin".into())
    );
    assert_eq!(all["operators"].as_array().unwrap().len(), 1);

    // A first start that comes later has its API key to show, and no set-up link any more: somebody is there.
    let backend = Running::start(&["serve", "--config", &config, "--listen", "127.0.0.1:0"]);
    assert!(backend.says("api_key").starts_with("sk_"));
    assert_eq!(backend.ready["console"], Value::Null);
    assert_eq!(backend.end("-TERM").code, Some(0));
    assert_eq!(simulator.end("-TERM").code, Some(0));
}
