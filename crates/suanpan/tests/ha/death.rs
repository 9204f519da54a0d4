//! Who loses its primary, a node, or both at once loses no payment, and is back within half a minute.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::cluster::Cluster;
use crate::inbox::Notifications;
use crate::nodes::Nodes;
use crate::street::{PATIENCE, Service as _, Street, Told, Wechat};

/// What dies.
#[derive(Clone, Copy, Debug)]
enum Dies {
    Node,
    Primary,
    Both,
}

type Shop = Street<Arc<Nodes>>;

#[tokio::test]
#[expect(clippy::print_stdout, reason = "its figures are what it is run for")]
async fn who_loses_a_machine_loses_no_payment() {
    let folder = tempfile::Builder::new().prefix("suanpan-ha-").tempdir_in(base()).unwrap();
    // The user of PostgreSQL has to get through it.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let mut cluster = Cluster::start(folder.path()).await;
    let wechat = Wechat::open(&folder.path().join("wechat"));
    let nodes = Nodes::start(wechat.config.clone(), cluster.url()).await;
    let shop = Street::open(wechat, nodes).await;

    let closing = AtomicBool::new(false);
    let deaths = async {
        let mut guests = Vec::new();
        for dies in [Dies::Node, Dies::Primary, Dies::Both] {
            let (guest, back) = die(dies, &mut cluster, &shop, guests.len()).await;
            println!("{dies:?}: orders are answered again after {} ms", back.as_millis());
            assert!(back < AGAIN, "{dies:?}: {back:?}");
            guests.push(guest);
        }
        shop.service.flow(ORDERS).await;
        closing.store(true, Ordering::Relaxed);
        guests
    };
    let day = async { tokio::join!(customers(&shop, &closing), deaths) };
    let (mut told, guests) = timeout(DAY, day).await.unwrap_or_else(|_| shop.stuck("day"));
    told.extend(guests);

    let lost = lost(&shop, &told).await;
    shop.settle(&told).await;
    let ledger = shop.wechat.control("ledger", None).await;
    let orders = shop.service.list("/v1/orders").await;
    let notifications = Notifications::read(&cluster.url(), &ledger, &orders).await;
    println!(
        "acknowledged: {:?}, {} notifications; lost: {lost:?}, {} notifications",
        shop.service.acknowledged(),
        notifications.acknowledged,
        notifications.lost,
    );
    assert!(lost.is_empty() && notifications.lost == 0);
    for (node, said) in shop.service.stop().await.iter().enumerate() {
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ha-node-{node}.log"));
        std::fs::write(&log, said).unwrap();
        println!("node {node}: {} lines in {}", said.lines().count(), log.display());
    }
    shop.wechat.close();
}

/// Customers come until the shop closes.
async fn customers(shop: &Shop, closing: &AtomicBool) -> Vec<Told> {
    let open = |_: &usize| {
        let open = !closing.load(Ordering::Relaxed);
        async move { open }
    };
    let numbers = stream::iter(0..).take_while(open);
    numbers.map(|number| shop.customer(number)).buffer_unordered(CUSTOMERS).collect().await
}

/// Something dies under load, and comes back. Answers the order of the first who came after it, and how long he waited.
async fn die(dies: Dies, cluster: &mut Cluster, shop: &Shop, number: usize) -> (Told, Duration) {
    shop.service.flow(ORDERS).await;
    cluster.until_whole().await;
    let dead = kill(dies, cluster, &shop.service).await;
    let died = Instant::now();
    let first = timeout(PATIENCE, guest(shop, number, died)).await;
    let answered = first.unwrap_or_else(|_| panic!("it never came back: {}", cluster.logs()));
    if let Some(machine) = dead {
        cluster.revive(machine);
    }
    match dies {
        Dies::Node | Dies::Both => shop.service.revive(NODE).await,
        Dies::Primary => {}
    }
    answered
}

/// A customer who comes at this moment, and changes his mind; when his order was answered.
async fn guest(shop: &Shop, number: usize, since: Instant) -> (Told, Duration) {
    let (app, reference) = (shop.wechat.app(number), format!("guest-{number}"));
    let amount = 990;
    let order = json!({
        "reference": reference, "amount": amount, "description": "龙井一杯", "app": app,
    });
    let order = shop.service.ask("create", "/v1/orders", Some(&reference), &order).await;
    let back = since.elapsed();
    let id = order["id"].as_str().unwrap().to_owned();
    let close = format!("/v1/orders/{id}/close");
    let key = format!("{reference}-close");
    shop.service.ask("close", &close, Some(&key), &json!({})).await;
    (Told { id, reference, amount, status: "closed", refund: None }, back)
}

/// Kills it; answers which machine of the database died.
async fn kill(dies: Dies, cluster: &mut Cluster, nodes: &Nodes) -> Option<usize> {
    match dies {
        Dies::Node => {
            nodes.kill(NODE).await;
            None
        }
        Dies::Primary => Some(cluster.kill_primary().await),
        Dies::Both => {
            let (machine, ()) = tokio::join!(cluster.kill_primary(), nodes.kill(NODE));
            Some(machine)
        }
    }
}

/// What was acknowledged, and is not there.
async fn lost(shop: &Shop, told: &[Told]) -> BTreeSet<String> {
    let ids = |all: &[Value]| -> BTreeSet<String> {
        all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let orders = ids(&shop.service.list("/v1/orders").await);
    let acknowledged = told.iter().map(|told| told.id.clone());
    acknowledged.filter(|id| !orders.contains(id)).collect()
}

/// Where the folder of a run is made.
fn base() -> PathBuf {
    std::env::var_os("SUANPAN_HA_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// How many orders flow before something dies.
const ORDERS: usize = 30;
/// How many customers there are at a time.
const CUSTOMERS: usize = 8;
/// The one that dies.
const NODE: usize = 0;
/// From the first customer to the last.
const DAY: Duration = Duration::from_secs(240);
/// What is promised.
const AGAIN: Duration = Duration::from_secs(30);
