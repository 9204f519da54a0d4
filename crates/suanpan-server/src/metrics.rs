//! What a monitor counts: `GET /metrics`, in the text format of Prometheus.
//!
//! Counters are of this process since its start; gauges are read from the store
//! when somebody looks. No label holds an id, an openid or anything else of a payer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::store::Backlog;

/// The counters of one server.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<BTreeMap<Counter, u64>>);

/// What is counted, with the value of its label.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Counter {
    /// Notifications by verdict; `probe` is a refusal that WeChat wants.
    Notifications(&'static str),
    /// Questions to WeChat Pay, by what is known afterwards.
    Calls(&'static str),
    /// Answers of WeChat Pay whose signature was made to fail: asked again, and no alarm.
    AnswerProbes,
    /// Fetches of WeChat's platform certificates.
    KeyRefreshes(&'static str),
    /// Tries to deliver a webhook.
    WebhookTries(&'static str),
}

impl Counter {
    const NOTIFICATIONS: [&str; 6] = ["moved", "known", "asked", "unmatched", "refused", "probe"];
    const CALLS: [&str; 3] = ["done", "rejected", "unknown"];
    const REFRESHES: [&str; 2] = ["done", "failed"];
    const TRIES: [&str; 2] = ["delivered", "failed"];

    /// All series, so that each is there with 0 before it first counts.
    fn all() -> impl Iterator<Item = Self> {
        let notifications = Self::NOTIFICATIONS.into_iter().map(Self::Notifications);
        let refreshes = Self::REFRESHES.into_iter().map(Self::KeyRefreshes);
        notifications
            .chain(Self::CALLS.into_iter().map(Self::Calls))
            .chain([Self::AnswerProbes])
            .chain(refreshes)
            .chain(Self::TRIES.into_iter().map(Self::WebhookTries))
    }

    /// Name, help, and the label with its value.
    const fn words(self) -> (&'static str, &'static str, Option<(&'static str, &'static str)>) {
        match self {
            Self::Notifications(verdict) => (
                "suanpan_notifications_total",
                "Notifications of WeChat, by what we made of them.",
                Some(("verdict", verdict)),
            ),
            Self::Calls(outcome) => (
                "suanpan_wechat_calls_total",
                "Questions to WeChat Pay, by what is known afterwards.",
                Some(("outcome", outcome)),
            ),
            Self::AnswerProbes => (
                "suanpan_wechat_answer_probes_total",
                "Answers of WeChat Pay whose signature was made to fail, to see whether we check.",
                None,
            ),
            Self::KeyRefreshes(outcome) => (
                "suanpan_key_refreshes_total",
                "Fetches of WeChat's platform certificates.",
                Some(("outcome", outcome)),
            ),
            Self::WebhookTries(outcome) => (
                "suanpan_webhook_tries_total",
                "Tries to tell the merchant's systems.",
                Some(("outcome", outcome)),
            ),
        }
    }
}

impl Metrics {
    /// One more.
    pub(crate) fn count(&self, counter: Counter) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(counter).or_default();
        *count = count.saturating_add(1);
    }

    /// The page.
    pub(crate) fn page(&self, backlog: &[Backlog], degraded: usize) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut page = String::new();
        let mut last = "";
        for counter in Counter::all() {
            let (name, help, label) = counter.words();
            if name != last {
                head(&mut page, name, help, "counter");
                last = name;
            }
            let count = counts.get(&counter).copied().unwrap_or_default();
            line(&mut page, name, label.as_slice(), &count.to_string());
        }
        head(&mut page, DUE, "Work that waits for its time or for another try.", "gauge");
        for Backlog { kind, state, count } in backlog {
            line(&mut page, DUE, &[("kind", kind), ("state", state)], &count.to_string());
        }
        let help = "Merchant accounts for which nothing of WeChat's can be verified.";
        head(&mut page, DEGRADED, help, "gauge");
        line(&mut page, DEGRADED, &[], &degraded.to_string());
        page
    }
}

const DUE: &str = "suanpan_due";
const DEGRADED: &str = "suanpan_accounts_degraded";

fn head(page: &mut String, name: &str, help: &str, kind: &str) {
    // Writing to a text cannot fail.
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(page: &mut String, name: &str, labels: &[(&str, &str)], value: &str) {
    let labels: Vec<String> =
        labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
    let labels =
        if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(page, "{name}{labels} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_series_from_the_start() {
        let metrics = Metrics::default();
        metrics.count(Counter::Notifications("probe"));
        metrics.count(Counter::Notifications("moved"));
        metrics.count(Counter::Notifications("moved"));
        let waiting = Backlog { kind: "webhook".to_owned(), state: "ready".to_owned(), count: 3 };
        insta::assert_snapshot!(metrics.page(&[waiting], 1), @r#"
        # HELP suanpan_notifications_total Notifications of WeChat, by what we made of them.
        # TYPE suanpan_notifications_total counter
        suanpan_notifications_total{verdict="moved"} 2
        suanpan_notifications_total{verdict="known"} 0
        suanpan_notifications_total{verdict="asked"} 0
        suanpan_notifications_total{verdict="unmatched"} 0
        suanpan_notifications_total{verdict="refused"} 0
        suanpan_notifications_total{verdict="probe"} 1
        # HELP suanpan_wechat_calls_total Questions to WeChat Pay, by what is known afterwards.
        # TYPE suanpan_wechat_calls_total counter
        suanpan_wechat_calls_total{outcome="done"} 0
        suanpan_wechat_calls_total{outcome="rejected"} 0
        suanpan_wechat_calls_total{outcome="unknown"} 0
        # HELP suanpan_wechat_answer_probes_total Answers of WeChat Pay whose signature was made to fail, to see whether we check.
        # TYPE suanpan_wechat_answer_probes_total counter
        suanpan_wechat_answer_probes_total 0
        # HELP suanpan_key_refreshes_total Fetches of WeChat's platform certificates.
        # TYPE suanpan_key_refreshes_total counter
        suanpan_key_refreshes_total{outcome="done"} 0
        suanpan_key_refreshes_total{outcome="failed"} 0
        # HELP suanpan_webhook_tries_total Tries to tell the merchant's systems.
        # TYPE suanpan_webhook_tries_total counter
        suanpan_webhook_tries_total{outcome="delivered"} 0
        suanpan_webhook_tries_total{outcome="failed"} 0
        # HELP suanpan_due Work that waits for its time or for another try.
        # TYPE suanpan_due gauge
        suanpan_due{kind="webhook",state="ready"} 3
        # HELP suanpan_accounts_degraded Merchant accounts for which nothing of WeChat's can be verified.
        # TYPE suanpan_accounts_degraded gauge
        suanpan_accounts_degraded 1
        "#);
    }
}
