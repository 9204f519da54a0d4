//! `suanpan explain`: known and unknown, for people and machines, and the pages that are made of it.

use std::io::Write as _;
use std::process::{Output, Stdio};

use crate::process::{run, suanpan};

/// Runs it with this on standard input.
#[track_caller]
fn fed(input: &[u8]) -> Output {
    let mut command = suanpan(&["explain", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_code_is_explained_in_both_languages() {
    let ended = run(&["explain", "40163"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    for word in ["40163  code2Session · 换新的再试", "意思", "多半是", "区分", "怎么办", "wx.login"]
    {
        assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
    }
    let english = run(&["explain", "sp-busy", "--lang", "en"]);
    assert!(english.stdout.starts_with("SP-BUSY"), "{}", english.stdout);
    assert!(english.stdout.contains("repeat later") && english.stdout.contains("likely"));
    // Negative, and no option.
    let busy = run(&["explain", "-1", "--lang", "en"]);
    assert!(busy.stdout.starts_with("-1"), "{busy:?}");
}

#[test]
fn a_pasted_message_is_recognised_and_a_log_is_read_from_standard_input() {
    let ended = run(&["explain", "requestPayment:fail", "cancel"]);
    assert!(ended.stdout.starts_with("pay-cancelled"), "{ended:?}");

    let output =
        fed("… \u{fffd} WeChat refused code=SP-WECHAT-REFUSED 商户订单号重复\n".as_bytes());
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with("OUT_TRADE_NO_USED"), "{printed}");
    assert!(printed.contains("也提到了") && printed.contains("SP-WECHAT-REFUSED"), "{printed}");
    // Bytes that are no text do not stop it.
    assert!(fed(b"\xff\xfe ORDERPAID \x00\n").status.success());
}

#[test]
fn what_is_unknown_ends_with_1_and_names_its_neighbours() {
    let ended = run(&["explain", "SIGN_EROR"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("SIGN_ERROR") && ended.stderr.contains("没有这一条"));
    assert_eq!(run(&["explain", "🫖"]).code, Some(1));
    assert_eq!(run(&["explain"]).code, Some(2));
    assert_eq!(run(&["explain", "40029", "--list"]).code, Some(2));
}

#[test]
fn a_machine_gets_all_of_it() {
    let found = run(&["explain", "40029", "--json"]).json();
    let entry = &found["entries"][0];
    assert_eq!(entry["codes"][0], "40029");
    assert_eq!(entry["retry"], "new");
    assert!(entry["en"]["fix"].is_string() && entry["zh"]["causes"][0].is_string());
    assert_eq!(found["near"].as_array().unwrap().len(), 0);

    let unknown = run(&["explain", "40O29", "--json"]);
    assert_eq!(unknown.code, Some(1));
    let near = unknown.json()["near"].as_array().unwrap().clone();
    assert!(near.iter().any(|entry| entry["codes"][0] == "40029"), "{near:?}");

    let all = run(&["explain", "--list", "--json"]).json();
    assert!(300 < all["entries"].as_array().unwrap().len());
    let lines = run(&["explain", "--list"]).stdout.lines().count();
    assert_eq!(lines, all["entries"].as_array().unwrap().len());
}

#[test]
fn the_pages_are_committed_as_they_are_made() {
    let chinese = run(&["explain", "--markdown"]).stdout;
    assert!(chinese == include_str!("../../../../docs/errors.md"), "make docs/errors.md anew");
    let english = run(&["explain", "--markdown", "--lang", "en"]).stdout;
    assert!(
        english == include_str!("../../../../docs/errors.en.md"),
        "make docs/errors.en.md anew"
    );
}
