//! `suanpan demo`: two payments, and an exit code that can be trusted.

use std::fs;

use serde_json::json;

use crate::process::{finish, run, suanpan};

#[test]
fn the_demo_walks_both_payments_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = suanpan(&["demo"]);
    demo.env("TMPDIR", folder.path()).current_dir(&folder);
    let ended = finish(demo);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    for says in [
        "APIv3",
        "APIv2",
        "登录",
        "login",
        "GET",
        "jscode2session",
        "/v3/pay/transactions/jsapi",
        "/pay/unifiedorder",
        "WECHATPAY2-SHA256-RSA2048",
        "paySign",
        "webhook-signature",
        "时间线",
        "✔",
    ] {
        assert!(ended.stdout.contains(says), "{says} is not in:\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "colours are for terminals");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_machine_without_ca_certificates_walks_them_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = suanpan(&["demo"]);
    // Where the library looks for them.
    demo.env("SSL_CERT_FILE", folder.path().join("none.pem")).env("SSL_CERT_DIR", folder.path());
    demo.current_dir(&folder);
    let ended = finish(demo);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_payment_survives_a_lost_answer_a_lost_notification_and_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = suanpan(&["demo", "--faults"]);
    demo.env("TMPDIR", folder.path()).current_dir(&folder);
    let ended = finish(demo);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    for says in [
        "故障一",
        "503 SP-WECHAT-UNKNOWN",
        "故障二",
        "我们的订单 / our order: paying",
        "故障三",
        "kill -9",
        "the answer is not known",
        "paying → paid",
        "order.paid → 127.0.0.1 204",
        "✔ 三次故障之后",
    ] {
        assert!(ended.stdout.contains(says), "{says} is not in:\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains(" notify  "), "nobody told us:\n{}", ended.stdout);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_machine_gets_the_story_with_faults() {
    let ended = run(&["demo", "--faults", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["ok"], &report["differences"]), (&json!(true), &json!([])));
    let steps = report["steps"].as_array().unwrap();
    let steps: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let story = [
        "start",
        "create",
        "lost_answer",
        "retry",
        "lost_notification",
        "crash",
        "restart",
        "found",
        "webhook",
    ];
    assert_eq!(steps, story);
    let events = report["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{report}");
    assert!(events[0].as_str().unwrap().starts_with("order.paid evt_"), "{report}");
    let books = report["books"].as_array().unwrap();
    assert_eq!(books.len(), 3);
    for book in books {
        assert_eq!(book["amount"], 990, "{book}");
        assert_eq!(book["transaction_id"], books[0]["transaction_id"], "{book}");
    }
}

#[test]
fn a_machine_gets_every_step() {
    let ended = run(&["demo", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = ended.json();
    assert_eq!(report["ok"], true);
    let payments = report["payments"].as_array().unwrap();
    let apis: Vec<_> = payments.iter().map(|payment| payment["api"].as_str().unwrap()).collect();
    assert_eq!(apis, ["v3", "v2"]);

    for payment in payments {
        let steps = payment["steps"].as_array().unwrap();
        let steps: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
        let all = ["create", "login", "order", "prepay", "second_sign", "pay", "notify", "webhook"];
        assert_eq!(steps, all);
        assert_eq!(payment["differences"], json!([]));
        let books = payment["books"].as_array().unwrap();
        assert_eq!(books.len(), 3);
        for book in books {
            assert_eq!(book["amount"], 990, "{book}");
            assert_eq!(book["transaction_id"], books[0]["transaction_id"], "{book}");
        }
        assert_eq!(books[0]["out_trade_no"], books[1]["out_trade_no"]);
        assert_eq!(books[1]["order_id"], books[2]["order_id"]);
    }
}
