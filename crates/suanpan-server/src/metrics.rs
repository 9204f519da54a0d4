//! What a monitor counts: `GET /metrics`, in the text format of Prometheus (version 0.0.4).
//!
//! Each server has a registry of its own, since several may live in one process
//! (docs/decisions/0012). Counters are of this process since its start; gauges
//! are read when somebody looks ([`now`]). What rows do is counted where they
//! are written, once the transaction is durable ([`store`]), so no question
//! counts what grows for ever. No label holds anything of a payer or of an
//! order; each has a few values, known beforehand. docs/operations/observability.md
//! lists all of it, and a test compares.

pub(crate) mod now;
mod process;
pub(crate) mod store;

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use suanpan_client::wechat::Host;
use suanpan_client::{Outcome, Trace};

use self::store::StoreMeters;
use crate::store::Verdict;

/// A label and its value, one of a few.
pub(crate) type Label = (&'static str, &'static str);
/// Counters that differ in their labels.
pub(crate) type Counters<L> = Family<L, Counter>;
/// Histograms that differ in their labels.
pub(crate) type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The counters of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    notifications: Counters<[Label; 1]>,
    calls: Counters<[Label; 1]>,
    call_seconds: Histograms<[Label; 3]>,
    answer_probes: Counter,
    key_refreshes: Counters<[Label; 1]>,
    webhook_tries: Counters<[Label; 1]>,
    webhook_try_seconds: Histograms<[Label; 1]>,
    webhook_lag_seconds: Histogram,
    webhook_delivery_tries: Histogram,
    requests: Counters<[(&'static str, String); 3]>,
    request_seconds: Histograms<[(&'static str, String); 2]>,
}

/// How a call to WeChat ended, as a label.
pub(crate) const fn said<T>(outcome: &Outcome<T>) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Rejected(_) => "rejected",
        Outcome::Unknown(_) => "unknown",
    }
}

/// By which of WeChat's interfaces an operation goes, as a label.
fn interface(host: Host, operation: &str) -> &'static str {
    match host {
        Host::Platform => "platform",
        Host::Merchant if operation.contains(" /v3/") => "v3",
        Host::Merchant => "v2",
    }
}

impl Metrics {
    /// Series by outcome are there from the start, with 0, so that a first time is seen as an increase; those by operation,
    /// route and code when they first count.
    pub(crate) fn new(store: &StoreMeters) -> Self {
        let metrics = Self {
            registry: Registry::default(),
            notifications: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(of_network),
            answer_probes: Counter::default(),
            key_refreshes: Family::default(),
            webhook_tries: Family::default(),
            webhook_try_seconds: Family::new_with_constructor(of_network),
            webhook_lag_seconds: of_waits(),
            webhook_delivery_tries: Histogram::new([1.0, 2.0, 3.0, 5.0, 8.0, 13.0]),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(of_network),
        };
        for verdict in VERDICTS {
            begin(&metrics.notifications, [("verdict", verdict.as_str())]);
        }
        begin(&metrics.notifications, [("verdict", PROBE)]);
        for outcome in ["done", "rejected", "unknown"] {
            begin(&metrics.calls, [("outcome", outcome)]);
        }
        for outcome in REFRESHED {
            begin(&metrics.key_refreshes, [("outcome", outcome)]);
        }
        for outcome in TRIED {
            begin(&metrics.webhook_tries, [("outcome", outcome)]);
            begin(&metrics.webhook_try_seconds, [("outcome", outcome)]);
        }
        Self { registry: metrics.registered(store), ..metrics }
    }

    /// Names and helps. The library puts `_total` behind the name of a counter.
    fn registered(&self, store: &StoreMeters) -> Registry {
        let mut all = Registry::with_prefix("suanpan");
        let version: Family<[Label; 1], Gauge> = Family::default();
        version.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        all.register("build_info", "Always 1; the label says which version runs", version);
        all.register(
            "notifications",
            "Notifications of WeChat, by what we made of them",
            self.notifications.clone(),
        );
        all.register(
            "wechat_calls",
            "Questions to WeChat, by what is known afterwards",
            self.calls.clone(),
        );
        all.register(
            "wechat_call_duration_seconds",
            "How long a question to WeChat took with all its tries, by operation and by what is known afterwards",
            self.call_seconds.clone(),
        );
        all.register(
            "wechat_answer_probes",
            "Answers of WeChat Pay whose signature was made to fail, to see whether we check",
            self.answer_probes.clone(),
        );
        all.register(
            "key_refreshes",
            "Fetches of WeChat's platform certificates",
            self.key_refreshes.clone(),
        );
        all.register(
            "webhook_tries",
            "Tries to tell the merchant's systems",
            self.webhook_tries.clone(),
        );
        all.register(
            "webhook_try_duration_seconds",
            "How long a receiver took to answer one try, or to fail",
            self.webhook_try_seconds.clone(),
        );
        all.register(
            "webhook_lag_seconds",
            "From an event to its first delivery, all tries and waits included; replays do not count",
            self.webhook_lag_seconds.clone(),
        );
        all.register(
            "webhook_delivery_tries",
            "How many tries a delivery took",
            self.webhook_delivery_tries.clone(),
        );
        all.register(
            "http_requests",
            "Requests that were answered, by route and status",
            self.requests.clone(),
        );
        all.register(
            "http_request_duration_seconds",
            "From the last byte of a request's head to the head of its answer, by route",
            self.request_seconds.clone(),
        );
        store.register(&mut all);
        all
    }

    /// A notification of WeChat.
    pub(crate) fn notified(&self, verdict: Verdict) {
        self.notifications.get_or_create(&[("verdict", verdict.as_str())]).inc();
    }

    /// A notification whose signature WeChat itself made to fail, which is what it wants to be refused.
    pub(crate) fn probed(&self) {
        self.notifications.get_or_create(&[("verdict", PROBE)]).inc();
    }

    /// A question to WeChat.
    pub(crate) fn asked<T>(&self, host: Host, outcome: &Outcome<T>) {
        let Trace { operation, elapsed, probed, .. } = outcome.trace();
        let said = said(outcome);
        self.calls.get_or_create(&[("outcome", said)]).inc();
        let interface = interface(host, operation);
        let labels = [("api", interface), ("operation", *operation), ("outcome", said)];
        self.call_seconds.get_or_create(&labels).observe(elapsed.as_secs_f64());
        if *probed {
            self.answer_probes.inc();
        }
    }

    /// A fetch of WeChat's platform certificates.
    pub(crate) fn refreshed(&self, went_well: bool) {
        let [done, failed] = REFRESHED;
        self.key_refreshes
            .get_or_create(&[("outcome", if went_well { done } else { failed })])
            .inc();
    }

    /// A try to deliver a webhook; `took` in microseconds.
    pub(crate) fn tried(&self, delivered: bool, took: i64) {
        let [good, bad] = TRIED;
        let label = [("outcome", if delivered { good } else { bad })];
        self.webhook_tries.get_or_create(&label).inc();
        self.webhook_try_seconds.get_or_create(&label).observe(micros(took).as_secs_f64());
    }

    /// A delivery that came to a good end after so many tries; `lag`: of a first delivery, microseconds since its event.
    pub(crate) fn delivered(&self, lag: Option<i64>, tries: i64) {
        if let Some(lag) = lag {
            self.webhook_lag_seconds.observe(micros(lag).as_secs_f64());
        }
        let tries = u32::try_from(tries).unwrap_or(u32::MAX);
        self.webhook_delivery_tries.observe(tries.into());
    }

    /// A request; `route` is the pattern that it matched, which holds no value of it.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let [method, route, status] = [method.to_owned(), route.to_owned(), status.to_string()];
        let timed = [("method", method.clone()), ("route", route.clone())];
        self.request_seconds.get_or_create(&timed).observe(took.as_secs_f64());
        self.requests
            .get_or_create(&[("method", method), ("route", route), ("status", status)])
            .inc();
    }

    /// The page: what was counted, and how it stands `now`.
    pub(crate) fn page(&self, now: &Registry) -> Result<String, fmt::Error> {
        let mut page = String::new();
        encode(&mut page, &self.registry)?;
        encode(&mut page, now)?;
        encode(&mut page, &process::look())?;
        Ok(page)
    }
}

/// Shows a series before it first counts.
pub(crate) fn begin<L, M, C>(family: &Family<L, M, C>, labels: L)
where
    L: Clone + Eq + Hash,
    C: MetricConstructor<M>,
{
    drop(family.get_or_create(&labels));
}

/// What is negative has no duration: the clock of the machine was set back meanwhile.
pub(crate) fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Seconds of what goes over a network.
pub(crate) fn of_network() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

/// Seconds of what goes to a disk.
pub(crate) fn of_disk() -> Histogram {
    Histogram::new([
        0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
    ])
}

/// Seconds of what may wait for a day.
pub(crate) fn of_waits() -> Histogram {
    Histogram::new([
        0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 21_600.0, 86_400.0,
    ])
}

const VERDICTS: [Verdict; 5] =
    [Verdict::Moved, Verdict::Known, Verdict::Asked, Verdict::Unmatched, Verdict::Refused];
const PROBE: &str = "probe";
const REFRESHED: [&str; 2] = ["done", "failed"];
const TRIED: [&str; 2] = ["delivered", "failed"];

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs read these names: they stay.
    #[test]
    fn what_is_known_beforehand_is_there_from_the_start() {
        let metrics = Metrics::new(&StoreMeters::default());
        let page = metrics.page(&Registry::default()).unwrap();
        for series in [
            r#"suanpan_notifications_total{verdict="moved"} 0"#,
            r#"suanpan_notifications_total{verdict="probe"} 0"#,
            r#"suanpan_wechat_calls_total{outcome="unknown"} 0"#,
            "suanpan_wechat_answer_probes_total 0",
            r#"suanpan_key_refreshes_total{outcome="failed"} 0"#,
            r#"suanpan_webhook_tries_total{outcome="delivered"} 0"#,
            r#"suanpan_payments_total{api="v3",state="paid"} 0"#,
            r#"suanpan_refunds_total{api="v2",state="abnormal"} 0"#,
            r#"suanpan_events_total{type="order.overpaid"} 0"#,
            r#"suanpan_payment_learned_seconds_count{step="query"} 0"#,
            r#"suanpan_due_given_up_total{kind="webhook"} 0"#,
            r#"suanpan_store_errors_total{code="SP-STORE-BUSY"} 0"#,
            "# TYPE suanpan_notifications_total counter",
            "# TYPE suanpan_webhook_lag_seconds histogram",
        ] {
            assert!(page.lines().any(|line| line == series), "{series}\n{page}");
        }
    }

    #[test]
    fn what_happens_is_counted_under_its_labels() {
        let metrics = Metrics::new(&StoreMeters::default());
        metrics.probed();
        metrics.notified(Verdict::Refused);
        metrics.answered("GET", "/v1/orders/{id}", 404, Duration::from_millis(7));
        metrics.delivered(Some(1_500_000), 2);
        let page = metrics.page(&Registry::default()).unwrap();
        for series in [
            r#"suanpan_notifications_total{verdict="probe"} 1"#,
            r#"suanpan_notifications_total{verdict="refused"} 1"#,
            r#"suanpan_http_requests_total{method="GET",route="/v1/orders/{id}",status="404"} 1"#,
            r#"suanpan_http_request_duration_seconds_bucket{method="GET",route="/v1/orders/{id}",le="0.005"} 0"#,
            r#"suanpan_http_request_duration_seconds_bucket{method="GET",route="/v1/orders/{id}",le="0.01"} 1"#,
            "suanpan_webhook_lag_seconds_sum 1.5",
            r#"suanpan_webhook_delivery_tries_bucket{le="2"} 1"#,
        ] {
            assert!(page.lines().any(|line| line == series), "{series}\n{page}");
        }
    }

    #[test]
    fn each_operation_has_its_interface() {
        assert_eq!(interface(Host::Platform, "GET /sns/jscode2session"), "platform");
        assert_eq!(interface(Host::Merchant, "POST /v3/pay/transactions/jsapi"), "v3");
        assert_eq!(interface(Host::Merchant, "POST /pay/unifiedorder"), "v2");
    }
}
