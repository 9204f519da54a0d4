//! What a monitor sees of real payments, and that documentation, alert rules and dashboard ask for nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::World;

/// Two paid and delivered orders, one by each API; the first is refunded.
async fn paid_and_refunded() -> World {
    let world = World::open().await;
    for nth in [0, 1] {
        let app = world.app(nth);
        let order = world.order(&format!("tea-{nth}"), &app).await;
        world.advance(3);
        world.alice_pays(&app, &order).await;
        world.until_status(&order, "paid").await;
        if nth == 0 {
            assert_eq!(world.refund(&order, json!({})).await.status, 201);
            world.advance(2);
            world.until_told(&order, "processing → succeeded").await;
        }
    }
    let delivered = "suanpan_webhook_lag_seconds_count 3";
    world.until("three webhooks", async || world.metrics().await.contains(delivered)).await;
    world
}

#[tokio::test]
async fn a_replay_does_not_count_as_late() {
    let world = paid_and_refunded().await;
    world.advance(30 * 24 * 3600);
    let events = world.merchant("GET", "/v1/events", None).await.json;
    let path = format!("/v1/events/{}/replay", events["data"][0]["id"].as_str().unwrap());
    assert_eq!(world.merchant("POST", &path, Some(json!({}))).await.status, 200);
    let again = r#"suanpan_webhook_tries_total{outcome="delivered"} 4"#;
    world.until("the replay", async || world.metrics().await.contains(again)).await;
    let page = world.metrics().await;
    assert!(page.contains("suanpan_webhook_lag_seconds_count 3\n"), "{page}");
}

#[tokio::test]
async fn what_payments_do_is_counted_once() {
    let world = paid_and_refunded().await;
    // Refused, so nothing of it is counted.
    let again =
        json!({ "reference": "tea-0", "amount": 1, "description": "茶", "app": world.app(0) });
    world.merchant("POST", "/v1/orders", Some(again)).await.is_problem(409, "SP-REFERENCE-TAKEN");

    let page = world.metrics().await;
    for series in [
        r#"suanpan_orders_total{state="created"} 2"#,
        r#"suanpan_orders_total{state="paying"} 2"#,
        r#"suanpan_orders_total{state="paid"} 2"#,
        r#"suanpan_orders_total{state="closed"} 0"#,
        r#"suanpan_payments_total{api="v3",state="created"} 1"#,
        r#"suanpan_payments_total{api="v3",state="prepaid"} 1"#,
        r#"suanpan_payments_total{api="v3",state="paid"} 1"#,
        r#"suanpan_payments_total{api="v2",state="paid"} 1"#,
        r#"suanpan_payments_total{api="v2",state="failed"} 0"#,
        r#"suanpan_refunds_total{api="v3",state="processing"} 1"#,
        r#"suanpan_refunds_total{api="v3",state="succeeded"} 1"#,
        r#"suanpan_payment_learned_seconds_count{step="notify"} 2"#,
        r#"suanpan_payment_learned_seconds_count{step="query"} 0"#,
        r#"suanpan_events_total{type="order.paid"} 2"#,
        r#"suanpan_events_total{type="refund.succeeded"} 1"#,
        r#"suanpan_wechat_call_duration_seconds_count{api="v3",operation="POST /v3/pay/transactions/jsapi",outcome="done"} 1"#,
        r#"suanpan_wechat_call_duration_seconds_count{api="v2",operation="POST /pay/unifiedorder",outcome="done"} 1"#,
        r#"suanpan_wechat_call_duration_seconds_count{api="platform",operation="GET /sns/jscode2session",outcome="done"} 2"#,
        r#"suanpan_http_requests_total{method="POST",route="/miniprogram/pay",status="200"} 2"#,
        r#"suanpan_http_requests_total{method="POST",route="/v1/orders",status="409"} 1"#,
        r#"suanpan_webhook_tries_total{outcome="delivered"} 3"#,
        r#"suanpan_webhook_delivery_tries_bucket{le="1"} 3"#,
        r#"suanpan_webhook_endpoints{state="enabled"} 1"#,
        "suanpan_differences_open 0",
        "suanpan_store_readable 1",
    ] {
        assert!(page.lines().any(|line| line == series), "{series}\n{page}");
    }
    let (merchant, now) = (world.mchid(0), "suanpan_certificate_days_left");
    let days = format!("{now}{{mchid=\"{merchant}\",kind=\"merchant\"}} ");
    let days = page.lines().find_map(|line| line.strip_prefix(&days)).unwrap();
    assert!(
        days.parse::<i64>().unwrap() > 300,
        "the simulator's certificates last for years: {days}"
    );
}

#[tokio::test]
async fn late_work_and_a_receiver_that_is_gone_are_seen() {
    let world = World::open().await;
    let app = world.app(0);
    world.receiver.answers(410);
    world.paid("tea-1", &app).await;
    let gone = r#"suanpan_webhook_endpoints{state="disabled"} 1"#;
    world.until("a disabled endpoint", async || world.metrics().await.contains(gone)).await;
    let page = world.metrics().await;
    for series in [
        r#"suanpan_due_given_up_total{kind="webhook"} 1"#,
        r#"suanpan_due{kind="webhook",state="dead"} 1"#,
        r#"suanpan_webhook_tries_total{outcome="failed"} 1"#,
    ] {
        assert!(page.lines().any(|line| line == series), "{series}\n{page}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_leaves_the_rest_of_the_page() {
    let mut world = World::open().await;
    let node = world.idle_node().await;
    let (inner, url) = (Arc::clone(node.world()), node.url());
    let running = tokio::spawn(node.run(std::future::pending()));
    inner.store().close().await;

    let page = world.call("GET", format!("{url}/metrics"), None).await;
    let text = page.json.as_str().unwrap();
    assert_eq!(page.status, 200);
    assert!(text.lines().any(|line| line == "suanpan_store_readable 0"), "{text}");
    assert!(text.contains("suanpan_accounts_degraded 0"), "{text}");
    assert!(!text.contains("suanpan_due{"), "{text}");
    running.abort();
}

/// WeChat's support asks for its own name of an answer: it stands beside what the answer did.
#[tokio::test]
async fn wechats_name_of_an_answer_is_kept_with_what_it_did() {
    let world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    world.fault("notify", "lose", json!({})).await;
    world.alice_pays(&app, &order).await;
    assert_eq!(world.confirm(&order).await.json["status"], "paid");
    assert_eq!(world.refund(&order, json!({})).await.status, 201);

    let path = format!("/v1/orders/{order}/timeline");
    let timeline = world.merchant("GET", &path, None).await.json;
    let entries = timeline["entries"].as_array().unwrap();
    let known = |step: &str, name: &str| {
        entries.iter().any(|entry| entry["step"] == step && entry["detail"][name].is_string())
    };
    for step in ["prepay", "query", "refund"] {
        assert!(known(step, "wechat_request_id"), "{step}: {timeline:#}");
    }
    assert!(known("prepay", "request_id"), "{timeline:#}");
}

/// A metric: its kind, and its labels with the values that they are said to have; none: any.
type Metrics = BTreeMap<String, (String, BTreeMap<String, BTreeSet<String>>)>;

/// What the page shows.
fn shown(page: &str) -> Metrics {
    let mut metrics = Metrics::new();
    for line in page.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            metrics.insert(name.to_owned(), (kind.to_owned(), BTreeMap::new()));
        }
        if line.starts_with('#') {
            continue;
        }
        let end = line.find(['{', ' ']).unwrap();
        let name = known(&metrics, &line[..end]).unwrap_or_else(|| panic!("no TYPE: {line}"));
        let labels = &mut metrics.get_mut(&name).unwrap().1;
        let Some((_, given)) = line[..line.rfind(' ').unwrap()].split_once('{') else { continue };
        for pair in given.trim_end_matches('}').split("\",") {
            let (label, value) = pair.trim_end_matches('"').split_once("=\"").unwrap();
            if label != "le" {
                labels.entry(label.to_owned()).or_default().insert(value.to_owned());
            }
        }
    }
    metrics
}

/// The name without what a histogram has behind it.
fn known(metrics: &Metrics, series: &str) -> Option<String> {
    let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end));
    let of_histogram =
        base.filter(|base| metrics.get(*base).is_some_and(|(kind, _)| kind == "histogram"));
    of_histogram.or_else(|| metrics.contains_key(series).then_some(series)).map(str::to_owned)
}

/// What a page of the documentation says: `| name | kind | labels | … |`, and the words about it.
fn documented(file: &str) -> (Metrics, BTreeMap<String, String>) {
    let (mut metrics, mut words) = (Metrics::new(), BTreeMap::new());
    for row in read(file).lines().filter_map(|line| line.strip_prefix("| `")) {
        let cells: Vec<_> = row.split(" | ").collect();
        // The fields of the log have two.
        if cells.len() < 4 {
            continue;
        }
        let name = cells[0].trim_end_matches('`').to_owned();
        let labels = cells[2].split(';').filter(|label| label.contains('`')).map(|label| {
            let (label, values) = label.trim().trim_start_matches('`').split_once('`').unwrap();
            let values =
                values.trim_start_matches(':').split(',').map(|value| value.trim().to_owned());
            (label.to_owned(), values.filter(|value| !value.is_empty()).collect())
        });
        metrics.insert(name.clone(), (cells[1].to_owned(), labels.collect()));
        words.insert(name, cells[3].to_owned());
    }
    (metrics, words)
}

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(file)).unwrap_or_else(|why| panic!("{file}: {why}"))
}

#[tokio::test]
async fn the_documentation_names_what_the_page_shows_and_nothing_else() {
    let world = paid_and_refunded().await;
    let shown = shown(&world.metrics().await);
    let (metrics, words) = documented("docs/operations/observability.md");
    assert_eq!(metrics, documented("docs/operations/observability.en.md").0, "the twins differ");

    for (name, (kind, labels)) in &shown {
        let (documented, said) =
            metrics.get(name).unwrap_or_else(|| panic!("{name} is not documented"));
        assert_eq!(kind, documented, "{name}");
        if !labels.is_empty() {
            assert!(labels.keys().eq(said.keys()), "{name}: {labels:?}, and not {said:?}");
        }
        for (label, values) in labels {
            let said = &said[label];
            assert!(said.is_empty() || values.is_subset(said), "{name}.{label}: {values:?}");
        }
    }
    let other =
        if shown.contains_key("suanpan_store_file_bytes") { "PostgreSQL" } else { "SQLite" };
    for name in metrics.keys().filter(|name| !shown.contains_key(*name)) {
        assert!(words[name].contains(other), "{name} is documented, and not on the page");
    }
}

/// Asks nothing of a query but that each name and each label in it exist.
fn ask(query: &str, metrics: &Metrics, whence: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut labels: BTreeSet<&str> = ["instance", "job", "le"].into();
    let letter = |char: char| char.is_ascii_alphanumeric() || char == '_';
    for (at, _) in query.match_indices(['s', 'p']) {
        let from = &query[at..];
        if query[..at].ends_with(letter)
            || !(from.starts_with("suanpan_") || from.starts_with("process_"))
        {
            continue;
        }
        let end = from.find(|char| !letter(char)).unwrap_or(from.len());
        let (series, behind) = from.split_at(end);
        let name =
            known(metrics, series).unwrap_or_else(|| panic!("{whence}: there is no {series}"));
        let of_it = &metrics[&name].1;
        labels.extend(of_it.keys().map(String::as_str));
        let selector = behind.strip_prefix('{').map_or("", |rest| rest.split_once('}').unwrap().0);
        for matcher in selector.split(',').map(str::trim).filter(|matcher| !matcher.is_empty()) {
            let end = matcher.find(|char| !letter(char)).unwrap();
            let (label, value) = matcher.split_at(end);
            if label == "instance" {
                continue;
            }
            let said =
                of_it.get(label).unwrap_or_else(|| panic!("{whence}: {name} has no {label}"));
            let values = value.trim_start_matches(['=', '~', '!', '"']).trim_end_matches('"');
            for value in values.split('|').filter(|_| !said.is_empty()) {
                assert!(said.contains(value), "{whence}: {name}.{label} is never {value:?}");
            }
        }
        names.insert(name);
    }
    for list in query.split("by (").skip(1) {
        for label in list.split_once(')').unwrap().0.split(',').map(str::trim) {
            assert!(labels.contains(label), "{whence}: nothing in it has {label}");
        }
    }
    names
}

/// The alert rules, each as its lines.
fn rules() -> Vec<String> {
    let file = read("deploy/prometheus/alerts.yaml");
    file.split("- alert: ")
        .skip(1)
        .map(|rule| rule.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_metric_is_asked_for_by_a_rule_or_a_panel_and_each_asks_for_what_is_there() {
    let (metrics, _) = documented("docs/operations/observability.md");
    let mut asked = BTreeSet::new();
    for rule in rules() {
        let (name, rule) = rule.split_once(" expr: ").unwrap();
        let (query, _) = rule.split_once(" labels: ").unwrap();
        let names = ask(query, &metrics, name);
        assert!(!names.is_empty() || query.starts_with("up{"), "{name} asks for nothing");
        asked.extend(names);
    }
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/suanpan.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(title.contains(" / ") || title.starts_with(['S', 'P']), "{title}: one language");
        for target in panel["targets"].as_array().into_iter().flatten() {
            asked.extend(ask(target["expr"].as_str().unwrap(), &metrics, title));
        }
    }
    let unasked: Vec<_> = metrics.keys().filter(|name| !asked.contains(*name)).collect();
    assert!(unasked.is_empty(), "nobody looks at {unasked:?}");
}

#[test]
fn every_rule_says_what_it_means_in_both_languages_and_where_to_read_on() {
    let books =
        ["runbook.md", "runbook.en.md"].map(|book| read(&format!("docs/operations/{book}")));
    let mut names = BTreeSet::new();
    for rule in rules() {
        let name = rule.split_once(' ').unwrap().0.to_owned();
        assert!(rule.contains("severity: page") || rule.contains("severity: ticket"), "{name}");
        let summary = rule.split_once("summary: \"").unwrap().1.split_once('"').unwrap().0;
        let (chinese, english) = summary.split_once(" / ").unwrap();
        assert!(!chinese.is_ascii() && english.is_ascii(), "{name}: {summary}");
        let page = "https://github.com/suanpan-pay/suanpan/blob/main/docs/operations/runbook.md#";
        let (_, anchor) = rule.split_once(&format!("runbook_url: {page}")).unwrap();
        let anchor = format!("<a id=\"{}\"></a>", anchor.split(' ').next().unwrap());
        for book in &books {
            assert!(book.contains(&anchor), "{name}: no {anchor}");
        }
        assert!(names.insert(name), "two rules of one name");
    }
    assert!(names.len() >= 12);
}
