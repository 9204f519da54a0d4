//! A timeline without what differs from run to run, so that a snapshot can hold it.

use std::fmt::Write as _;

use serde_json::Value;

use crate::world::World;

impl World {
    /// The story of an order so far. Ids have the names of what they are, the second of a kind with its number.
    pub(crate) async fn story(&self, order: &str) -> String {
        let path = format!("/v1/orders/{order}/timeline");
        let timeline = self.merchant("GET", &path, None).await.json;
        let entries = timeline["entries"].as_array().unwrap();
        let mut names: Vec<(String, String)> = Vec::new();
        for (field, name) in [
            ("out_trade_no", "OUT_TRADE_NO"),
            ("prepay_id", "PREPAY_ID"),
            ("transaction_id", "TRANSACTION_ID"),
            ("out_refund_no", "OUT_REFUND_NO"),
        ] {
            let mut known: Vec<&str> = Vec::new();
            for value in entries.iter().filter_map(|entry| entry["detail"][field].as_str()) {
                if !known.contains(&value) {
                    known.push(value);
                }
            }
            let numbered = known.into_iter().zip(1..).map(|(value, nth)| {
                let name = if nth == 1 { name.to_owned() } else { format!("{name}-{nth}") };
                (value.to_owned(), name)
            });
            names.extend(numbered);
        }
        for merchant in self.credentials["merchants"].as_array().unwrap() {
            names.extend(own(&merchant["wechatpay_public_key_id"], "KEY_ID"));
            names.extend(own(&merchant["apps"][0], "APPID"));
            names.extend(own(&merchant["mchid"], "MCHID"));
        }
        names.push((self.simulator.clone(), "https://wechat".to_owned()));

        let mut text = timeline["text"].as_str().unwrap().to_owned();
        for (value, name) in names {
            text = text.replace(&value, &name);
        }
        in_order(text.lines().map(steady).collect())
    }
}

fn own(value: &Value, name: &str) -> Option<(String, String)> {
    value.as_str().map(|value| (value.to_owned(), name.to_owned()))
}

/// What several hands do at one moment has no order among them: the webhooks of a moment are told last.
fn in_order(mut lines: Vec<String>) -> String {
    let moment = |line: &str| (line[..19].to_owned(), line[20..].starts_with("webhook"));
    lines.sort_by_key(|line| moment(line));
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// Masked codes and openids, serial numbers of nobody, and how long the machine took.
fn steady(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let serial = word.trim_end_matches(',').len() == 40 && word.starts_with("7F");
        if word.ends_with("**") {
            "CODE**"
        } else if word.starts_with('o') && word.contains('…') {
            "OPEN…ID"
        } else if serial {
            "SERIAL,"
        } else {
            word
        }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    line.find(" ms").map_or_else(
        || line.clone(),
        |at| {
            let head = line[..at].trim_end_matches(|c: char| c.is_ascii_digit());
            format!("{head}N{}", &line[at..])
        },
    )
}
