//! A backend without its HTTP side: the world, a clock that is turned by hand, and workers to start and stop.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use suanpan_server::flow::{endpoints, order};
use suanpan_server::ids::OrderId;
use suanpan_server::outside::{Clock, Dice, ManualClock, SeededDice};
use suanpan_server::store::{DeliveryAttempt, Endpoint, Event, Once, Val};
use suanpan_server::{Config, Error, Seams, Server, World, due, timeline, vals};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::database;
use crate::receiver::PATIENCE;

/// 2026-01-01T00:00:00Z, which is eight in the morning in Beijing.
pub(crate) const NEW_YEAR: i64 = 1_767_225_600_000_000;

/// Receivers on this machine may be called.
pub(crate) const OPEN: &str = "[webhooks]\nallow_private_networks = true";

pub(crate) struct Shop {
    pub(crate) world: Arc<World>,
    pub(crate) clock: ManualClock,
    folder: Arc<TempDir>,
}

/// A worker that runs; dropped, it dies with whatever it holds.
pub(crate) struct Worker {
    stop: oneshot::Sender<()>,
    task: Option<JoinHandle<()>>,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_at(NEW_YEAR, Arc::new(SeededDice::new(1))).await
    }

    pub(crate) async fn open_at(now: i64, dice: Arc<dyn Dice>) -> Self {
        let (clock, folder) = (ManualClock::at(now), Arc::new(tempfile::tempdir().unwrap()));
        Self::start(OPEN, folder, clock, dice).await.unwrap()
    }

    /// A backend with other settings on an empty database.
    pub(crate) async fn open_with(webhooks: &str) -> Result<Self, Error> {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::start(webhooks, folder, ManualClock::at(NEW_YEAR), Arc::new(SeededDice::new(1))).await
    }

    /// Another node on the same database and under the same clock, or the same one after a restart.
    pub(crate) async fn node(&self, webhooks: &str, seed: u64) -> Result<Self, Error> {
        let dice = Arc::new(SeededDice::new(seed));
        Self::start(webhooks, Arc::clone(&self.folder), self.clock.clone(), dice).await
    }

    async fn start(
        webhooks: &str,
        folder: Arc<TempDir>,
        clock: ManualClock,
        dice: Arc<dyn Dice>,
    ) -> Result<Self, Error> {
        let mut config = Config::parse(&format!("{BASE}\n{webhooks}"), folder.path())?;
        config.database.url = database::url(folder.path());
        let seams = Seams { clock: Arc::new(clock.clone()), dice, wire: None };
        let world = Arc::clone(Server::open(config, seams).await?.world());
        Ok(Self { world, clock, folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn work(&self) -> Worker {
        let (stop, stopped) = oneshot::channel();
        let work = due::work(Arc::clone(&self.world), async move { drop(stopped.await) });
        Worker { stop, task: Some(tokio::spawn(work)) }
    }

    pub(crate) async fn endpoint(&self, url: &str) -> Endpoint {
        endpoints::create_endpoint(&self.world, url, None, &Once::default()).await.unwrap()
    }

    pub(crate) async fn order(&self, reference: &str) -> OrderId {
        let new =
            serde_json::json!({ "reference": reference, "amount": 990, "description": "龙井" });
        let new = serde_json::from_value(new).unwrap();
        order::create(&self.world, new, &Once::default()).await.unwrap().id
    }

    /// Something happened to an order; a moment later than whatever happened before.
    pub(crate) async fn happens(&self, order: &OrderId, kind: &str) -> Event {
        self.clock.advance(Duration::from_millis(1));
        let now = self.clock.now_micros();
        let event = event(&format!("evt_{now}"), Some(order), kind, now);
        self.put(vec![event.clone()]).await;
        event
    }

    pub(crate) async fn put(&self, events: Vec<Event>) {
        let put = self.world.store().write(events, |tx, events| {
            Box::pin(async move {
                for event in events {
                    tx.event_put(event).await?;
                }
                Ok(())
            })
        });
        put.await.unwrap();
    }

    /// The first number of the first row; 0 where there is none.
    pub(crate) async fn number(&self, sql: &'static str, args: Vec<Val>) -> i64 {
        let row = self.world.store().look(args, move |tx, args| {
            Box::pin(async move {
                let row = tx.row(sql, args).await?;
                Ok(row.and_then(|row| row.opt_int("n").unwrap()).unwrap_or_default())
            })
        });
        row.await.unwrap()
    }

    /// Waits until nothing is left to do at this time.
    pub(crate) async fn quiet(&self) {
        self.until(0, || self.number(DUE_NOW, vals![self.clock.now_micros()].into())).await;
    }

    /// Waits until so many rows are `done`.
    pub(crate) async fn done(&self, rows: i64) {
        self.until(rows, || self.rows("done")).await;
    }

    /// Looks at every commit of this node, until the number is the one that is wanted.
    async fn until<F: Future<Output = i64>>(&self, wanted: i64, look: impl Fn() -> F) {
        let mut commits = self.world.store().commits();
        let wait = async {
            loop {
                commits.mark_unchanged();
                if look().await == wanted {
                    return;
                }
                commits.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the work comes to an end");
    }

    /// When something is due again, in unix microseconds; 0: never.
    pub(crate) async fn next(&self) -> i64 {
        self.number(NEXT, Vec::new()).await
    }

    /// How many rows are `ready`, `done` or `dead`.
    pub(crate) async fn rows(&self, state: &str) -> i64 {
        self.number(
            "SELECT COUNT(*) AS n FROM due WHERE kind NOT IN ('expire', 'purge') AND state = $1",
            vals![state].into(),
        )
        .await
    }

    /// How many rows are in somebody's hands.
    pub(crate) async fn held(&self) -> i64 {
        let sql = "SELECT COUNT(*) AS n FROM due WHERE kind NOT IN ('expire', 'purge') AND state = 'ready' AND 0 < lease_until";
        self.number(sql, Vec::new()).await
    }

    /// The tries to deliver an event.
    pub(crate) async fn tries(&self, event: &Event) -> Vec<DeliveryAttempt> {
        let tries = self.world.store().look(event.id.clone(), |tx, id| {
            Box::pin(async move { tx.delivery_attempts(id).await })
        });
        tries.await.unwrap()
    }

    /// The story of an order.
    pub(crate) async fn story(&self, order: &OrderId) -> String {
        let journal = self
            .world
            .store()
            .look(order.clone(), |tx, id| Box::pin(async move { tx.journal(id).await }));
        timeline::text(&journal.await.unwrap())
    }
}

impl Worker {
    /// Stops it as a signal does, and waits for it.
    pub(crate) async fn stop(mut self) {
        let task = self.task.take().unwrap();
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, task).await.expect("the worker ends").unwrap();
    }

    /// Ends it as a power cut does.
    pub(crate) async fn kill(mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
}

pub(crate) fn event(id: &str, order: Option<&OrderId>, kind: &str, created_at: i64) -> Event {
    let body = serde_json::json!({ "type": kind, "data": { "id": id, "description": "龙井 ✓" } });
    Event {
        id: id.to_owned(),
        order_id: order.map(ToString::to_string),
        kind: kind.to_owned(),
        body: body.to_string(),
        created_at,
    }
}

// Only what is told: that orders end is tested elsewhere. Rows behind another of their lane do not count: they wait for it.
const DUE_NOW: &str =
    "SELECT COUNT(*) AS n FROM due WHERE kind NOT IN ('expire', 'purge') AND state = 'ready' AND due_at <= $1
    AND NOT EXISTS (SELECT 1 FROM due AS earlier WHERE earlier.lane = due.lane
        AND earlier.state = 'ready' AND earlier.created_at < due.created_at)";
const NEXT: &str =
    "SELECT MIN(due_at) AS n FROM due WHERE kind NOT IN ('expire', 'purge') AND state = 'ready'
    AND NOT EXISTS (SELECT 1 FROM due AS earlier WHERE earlier.lane = due.lane
        AND earlier.state = 'ready' AND earlier.created_at < due.created_at)";

/// Nobody listens on port 1.
const BASE: &str = r#"
[server]
listen = "127.0.0.1:0"

[wechat]
merchant_hosts = ["http://127.0.0.1:1"]
platform_host = "http://127.0.0.1:1"

[reconciliation]
enabled = false

[[merchants]]
mchid = "1900000109"
api = "v2"
api_v2_key = "0123456789abcdef0123456789abcdef"

[[merchants.apps]]
appid = "wx2421b1c4370ec43b"
secret = "fedcba9876543210fedcba9876543210"
"#;
