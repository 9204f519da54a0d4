//! How it stands at this moment: the gauges of the page, read when somebody looks.
//!
//! Each question is answered from an index that holds what is open, so it costs
//! the same with ten million orders. A store that does not answer is said on the
//! page, and the rest of the page is there.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::keys;
use crate::store::{Backlog, Reserves, StoreError, Tx};
use crate::world::World;

/// What the store says of itself.
#[derive(Debug)]
struct Rows {
    backlog: Vec<Backlog>,
    oldest: Vec<(String, Option<i64>)>,
    differences: i64,
    /// Endpoints, and how many of them are disabled.
    endpoints: (usize, usize),
    /// By merchant: until when WeChat's newest fetched certificate is valid, in unix seconds.
    certificates: Vec<(String, i64)>,
}

/// The gauges of this moment.
pub(crate) async fn look(world: &World) -> Registry {
    let mut all = Registry::with_prefix("suanpan");
    let rows = world.store.look((), |tx, ()| Box::pin(rows(tx)));
    let rows = tokio::time::timeout(PATIENCE, rows).await.ok().and_then(Result::ok);
    let readable = Gauge::<i64>::default();
    readable.set(rows.is_some().into());
    all.register("store_readable", "Whether the database answered just now: 1, or 0", readable);
    if let Some(rows) = &rows {
        work(&mut all, rows, world.now());
        open(&mut all, rows);
    }
    let fetched = rows.map(|rows| rows.certificates).unwrap_or_default();
    gauges(
        &mut all,
        "certificate_days_left",
        "Whole days until a certificate expires; of WeChat's (kind platform) the one that lasts longest",
        days_left(world, &fetched),
    );
    let degraded = Gauge::<i64>::default();
    degraded.set(signed(keys::problems(world).len()));
    all.register(
        "accounts_degraded",
        "Merchant accounts for which nothing of WeChat's can be verified",
        degraded,
    );
    reserves(&mut all, world.store.reserves().await);
    all
}

async fn rows(tx: &mut Tx) -> Result<Rows, StoreError> {
    let endpoints = tx.endpoints().await?;
    let disabled = endpoints.iter().filter(|endpoint| endpoint.disabled.is_some()).count();
    Ok(Rows {
        backlog: tx.due_backlog().await?,
        oldest: tx.due_oldest().await?,
        differences: tx.differences_open().await?,
        endpoints: (endpoints.len(), disabled),
        certificates: tx.certificates_until().await?,
    })
}

/// Work that waits, and work that should have been done by now.
fn work(all: &mut Registry, rows: &Rows, now: i64) {
    let waiting = rows.backlog.iter().map(|Backlog { kind, state, count }| {
        ([("kind", kind.clone()), ("state", state.clone())], *count)
    });
    gauges(all, "due", "Work that waits for its time or for another try", waiting);

    let mut late = BTreeMap::<&str, i64>::new();
    for (pool, at) in &rows.oldest {
        let kind = pool.split_once(':').map_or(pool.as_str(), |(kind, _)| kind);
        let since = at.map_or(0, |at| now.saturating_sub(at).max(0).div_euclid(1_000_000));
        let oldest = late.entry(kind).or_default();
        *oldest = since.max(*oldest);
    }
    let late = late.into_iter().map(|(kind, since)| ([("kind", kind.to_owned())], since));
    let help = "How long the oldest work of a kind has been due, and is not done; 0: all of it waits for its time";
    gauges(all, "due_oldest_seconds", help, late);
}

/// What waits for a person.
fn open(all: &mut Registry, rows: &Rows) {
    let differences = Gauge::<i64>::default();
    differences.set(rows.differences);
    all.register(
        "differences_open",
        "Differences with WeChat's bills that nobody has dealt with",
        differences,
    );
    let (count, disabled) = rows.endpoints;
    let endpoints = [("enabled", count.saturating_sub(disabled)), ("disabled", disabled)];
    let endpoints = endpoints.map(|(state, count)| ([("state", state)], signed(count)));
    let help =
        "Webhook endpoints; one that said that it is gone is disabled until somebody enables it";
    gauges(all, "webhook_endpoints", help, endpoints);
}

/// Days by merchant and kind.
fn days_left(world: &World, fetched: &[(String, i64)]) -> Vec<([(&'static str, String); 2], i64)> {
    let now = world.clock.now_seconds();
    let mut until = BTreeMap::<(String, &str), i64>::new();
    for account in world.accounts().iter() {
        let mchid = account.mchid.to_string();
        for certificate in account.certificates() {
            let kind = if certificate.merchant().is_some() { "merchant" } else { "platform" };
            let last = until.entry((mchid.clone(), kind)).or_default();
            *last = certificate.not_after.max(*last);
        }
        for (_, not_after) in fetched.iter().filter(|(of, _)| *of == mchid) {
            let last = until.entry((mchid.clone(), "platform")).or_default();
            *last = (*not_after).max(*last);
        }
    }
    let days = until.into_iter().map(|((mchid, kind), until)| {
        let days = until.saturating_sub(now).div_euclid(DAY);
        ([("mchid", mchid), ("kind", kind.to_owned())], days)
    });
    days.collect()
}

fn reserves(all: &mut Registry, reserves: Reserves) {
    match reserves {
        Reserves::Files(files) => {
            let files = files
                .map(|(file, bytes)| ([("file", file)], i64::try_from(bytes).unwrap_or(i64::MAX)));
            let help = "Bytes of the database file of SQLite, and of its write-ahead log";
            gauges(all, "store_file_bytes", help, files);
        }
        Reserves::Pool { connections, waiting } => {
            let connections = connections.map(|(state, count)| ([("state", state)], signed(count)));
            let help = "Connections to PostgreSQL: open, idle, and the most that there may be";
            gauges(all, "store_pool_connections", help, connections);
            let gauge = Gauge::<i64>::default();
            gauge.set(signed(waiting));
            all.register("store_pool_waiting", "Units of work that wait for a connection", gauge);
        }
    }
}

fn gauges<L>(all: &mut Registry, name: &str, help: &str, values: impl IntoIterator<Item = (L, i64)>)
where
    L: EncodeLabelSet + Clone + Eq + std::hash::Hash + std::fmt::Debug + Send + Sync + 'static,
{
    let family = Family::<L, Gauge>::default();
    for (labels, value) in values {
        family.get_or_create(&labels).set(value);
    }
    all.register(name, help, family);
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How long the store may take: a monitor waits for ten seconds.
const PATIENCE: Duration = Duration::from_secs(3);
/// In seconds.
const DAY: i64 = 24 * 3600;
