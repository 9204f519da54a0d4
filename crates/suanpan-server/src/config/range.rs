//! What no type can say: a server that takes no request, or waits for none, would start and do nothing.

use super::Config;
use super::reader::Wrong;
use super::value::Path;

/// All settings that are out of their range.
pub(super) fn check(config: &Config) -> Vec<(Path, Wrong)> {
    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    // What is negative is below every range.
    let signed = |number: i64| u64::try_from(number).unwrap_or(0);
    let (server, kept) = (&config.server, &config.retention);
    let ranges = [
        ("server", "max_body_bytes", number(server.max_body_bytes), 1024, 16 * 1024 * 1024),
        ("server", "max_concurrent_requests", number(server.max_concurrent_requests), 1, 65_536),
        ("server", "max_connections", number(server.max_connections), 1, 1_048_576),
        // An Idempotency-Key is free again after a minute: no request may run as long.
        ("server", "request_timeout_seconds", server.request_timeout_seconds, 1, 50),
        ("server", "shutdown_seconds", server.shutdown_seconds, 1, 3600),
        ("wechat", "connect_timeout_seconds", config.wechat.connect_timeout_seconds, 1, 20),
        ("wechat", "timeout_seconds", config.wechat.timeout_seconds, 1, 20),
        // WeChat keeps a prepay_id for two hours.
        ("orders", "prepay_seconds", signed(config.orders.prepay_seconds), 1, 7200),
        // The lease of due work is a minute.
        ("webhooks", "timeout_seconds", config.webhooks.timeout_seconds, 1, 50),
        // WeChat repeats a notification for a day, and a delivery is tried for longer than that.
        ("retention", "inbox_days", signed(kept.inbox_days), 7, CENTURY),
        ("retention", "deliveries_days", signed(kept.deliveries_days), 7, CENTURY),
        ("retention", "bills_days", signed(kept.bills_days), 7, CENTURY),
        ("console", "idle_minutes", signed(config.console.idle_minutes), 1, 720),
        // WeChat makes no bill earlier.
        ("reconciliation", "hour", u64::from(config.reconciliation.hour), 10, 23),
    ];
    let out =
        ranges.into_iter().filter(|(_, _, value, least, most)| !(least..=most).contains(&value));
    let mut wrong: Vec<_> = out
        .map(|(group, name, _, least, most)| (path(group, name), Wrong::Range(least, most)))
        .collect();
    if config.refunds.second_person_above.is_some_and(i64::is_negative) {
        let says = "不能是负数 / must not be negative".to_owned();
        wrong.push((path("refunds", "second_person_above"), Wrong::Says(says)));
    }
    if let Some(origin) = server.cors_origins.iter().find(|origin| !is_origin(origin)) {
        let says = format!(
            "{origin:?} 不是网页来源，例如 https://shop.example.com / {origin:?} is not an origin such as https://shop.example.com"
        );
        wrong.push((path("server", "cors_origins"), Wrong::Says(says)));
    }
    wrong
}

/// In days.
const CENTURY: u64 = 36_500;

fn path(group: &str, name: &str) -> Path {
    vec![group.to_owned(), name.to_owned()]
}

/// Scheme, host and port, and nothing behind them: what a browser sends as `Origin`.
fn is_origin(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == text)
}
