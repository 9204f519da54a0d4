//! `suanpan reconcile` as somebody types it: what it prints, and how it ends.

use serde_json::{Value, json};
use suanpan_server::client::wechat::bill::BillDate;
use suanpan_server::outside::{Clock as _, SystemClock};

use crate::process::{Ended, Running, run, text};

fn days_ago(days: usize) -> String {
    let today = BillDate::of(SystemClock::new().now_seconds());
    let day = (0..days).fold(today, |day, _| day.and_then(BillDate::yesterday));
    day.unwrap().to_string()
}

fn found(ended: &Ended) -> Vec<Value> {
    ended.json()["accounts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_day_is_compared_and_the_exit_code_says_whether_it_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let data = text(folder.path());
    let simulator = Running::start(&["simulator", "--listen", "127.0.0.1:0", "--data", data]);
    let config = simulator.says("config");
    let day = days_ago(3);
    let reconcile = ["reconcile", "--config", &config, "--date", &day];

    let quiet = run(&reconcile);
    assert_eq!(quiet.code, Some(0), "{quiet:?}");
    assert_eq!(quiet.stdout.matches("平 / balanced").count(), 2, "{quiet:?}");

    let credentials = std::fs::read_to_string(folder.path().join("credentials.json")).unwrap();
    let credentials: Value = serde_json::from_str(&credentials).unwrap();
    let mchid = credentials["merchants"][0]["mchid"].as_str().unwrap();
    let plant = json!({
        "mchid": mchid, "bill_date": day, "plant": "unknown_payment", "out_trade_no": "nobody_0001", "amount": 100,
    });
    let url = format!("{}/_sim/bills", simulator.says("url"));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let planted = http.post(url).json(&plant).send().await.unwrap();
    assert_eq!(planted.status(), 200);

    let different = run(&[&reconcile[..], &["--json"]].concat());
    assert_eq!(different.code, Some(1), "{different:?}");
    let accounts = found(&different);
    let one = accounts.iter().find(|account| account["mchid"] == mchid).unwrap();
    assert_eq!((&one["state"], &one["wechat"]["paid"]), (&json!("different"), &json!(100)));
    let first = &one["differences"][0];
    assert_eq!((&first["kind"], &first["state"]), (&json!("unknown_payment"), &json!("open")));
    assert_eq!(first["subject"], "nobody_0001");
    let people = run(&[&reconcile[..], &["--account", mchid]].concat());
    assert_eq!(people.code, Some(1), "{people:?}");
    assert!(people.stdout.contains("有差异 / different") && people.stdout.contains("nobody_0001"));

    let other = credentials["merchants"][1]["mchid"].as_str().unwrap();
    assert_eq!(run(&[&reconcile[..], &["--account", other]].concat()).code, Some(0));

    for wrong in [
        ["reconcile", "--config", &config, "--date", "yesterday"],
        ["reconcile", "--config", &config, "--date", &days_ago(0)],
    ] {
        let ended = run(&wrong);
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
    let nobody = run(&[&reconcile[..], &["--account", "1"]].concat());
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    assert_eq!(simulator.end("-TERM").code, Some(0));
}
