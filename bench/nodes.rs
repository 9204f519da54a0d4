//! How many payments one node carries, and two on one PostgreSQL; and how far both APIs are from the machine's floor:
//! `cargo bench -p suanpan --bench nodes -- --folder DIR --server postgres://USER@HOST:PORT`.
//!
//! On one machine nodes, database, WeChat and customers share the cores, so two nodes would only share what one has. So
//! each node gets a quota of its own from the kernel (`--quota`, hundredths of a core, at least 10, by a control group),
//! small enough that everybody else has more than he needs. What everybody has used is printed: a number means something only where
//! the nodes have used up their quota and the others have not.
//!
//! `-- [--quota N] [--seconds N] [--passes N] [--at-a-time N] [--groups /sys/fs/cgroup/cpu] [--api v3]`

#![expect(clippy::print_stdout, reason = "a bench talks")]
#![expect(clippy::arithmetic_side_effects, reason = "a bench counts, and nobody's money")]

#[path = "common/mod.rs"]
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::try_join_all;
use serde_json::json;
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::{Config, Seams, Server};

use common::node::{Node, cpu_micros_of, cpu_micros_of_database};
use common::shop::Shop;
use common::{Failure, floor, number, option, quantile};

/// What one run has shown; times in microseconds.
#[derive(Clone, Copy, Debug)]
struct Run {
    flows: u64,
    wall: u64,
    nodes: u64,
    database: u64,
    load: u64,
    p50: u64,
    p99: u64,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder: PathBuf = option("--folder").ok_or("--folder: where keys are kept")?.into();
    fs::create_dir_all(&folder)?;
    let shop = Shop::open(&folder.canonicalize()?).await?;
    let server = option("--server").ok_or("--server: the PostgreSQL server")?;
    let url = format!("{server}/nodes");
    let quota: u64 = number("--quota", 15);

    let key = opened(&shop, &folder, &url).await?;
    let first = Node::start(&shop.config, &url, &quota_of(1, quota)?)?;
    let signs = floor::rsa_signs_per_second(&shop.private_key)?;
    let writes = floor::durable_writes_per_second(&folder)?;
    println!("floor: {signs} RSA signatures a second and core, {writes} durable writes a second");
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for pass in 0..number("--passes", 3_usize) {
        alone.push(run(&shop, &[&first], &key, &format!("one-{pass}")).await?);
        let second = Node::start(&shop.config, &url, &quota_of(2, quota)?)?;
        together.push(run(&shop, &[&first, &second], &key, &format!("two-{pass}")).await?);
        second.stop()?;
    }
    let one = print("one node ", quota, &alone);
    let two = print("two nodes", quota * 2, &together);
    let ratio = two * 100 / one.max(1);
    println!("two nodes carry {}.{:02} times the flows of one", ratio / 100, ratio % 100);
    println!("peak memory of the first node: {} MiB", first.peak_kib().div_euclid(1024));
    first.stop()
}

/// Makes the database if there is none; answers an API key of it.
async fn opened(shop: &Shop, folder: &Path, url: &str) -> Result<String, Failure> {
    let kept = folder.join("nodes.key");
    if let Ok(key) = fs::read_to_string(&kept) {
        return Ok(key);
    }
    let mut config = Config::load(&shop.config)?;
    config.server.listen = "127.0.0.1:0".parse()?;
    config.database.url = url.to_owned();
    let server = Server::open(config, Seams::default()).await?;
    let (at, key) = (server.url(), server.first_api_key().ok_or("not new")?.to_owned());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let (endpoints, hook) = (format!("{at}/v1/webhook-endpoints"), json!({ "url": shop.hook }));
    shop.call(reqwest::Method::POST, &endpoints, &key, Some(hook)).await?;
    drop(stop);
    running.await??;
    fs::write(kept, &key)?;
    Ok(key)
}

/// Payments for some seconds, so many at a time for each node; the first ones warm up.
async fn run(shop: &Shop, nodes: &[&Node], key: &str, name: &str) -> Result<Run, Failure> {
    let clock = SystemClock::new();
    let app = if option("--api").as_deref() == Some("v2") { &shop.apps[1] } else { &shop.apps[0] };
    let (at_a_time, begun) = (number("--at-a-time", 16_usize), AtomicUsize::new(0));
    let until = |seconds: i64| clock.monotonic_micros() + seconds * 1_000_000;
    let customers = async |name: &str, until: i64| {
        let each = nodes.iter().flat_map(|node| std::iter::repeat_n(*node, at_a_time));
        let each = each.map(|node| {
            let (begun, clock) = (&begun, &clock);
            async move {
                let mut waits = Vec::new();
                while clock.monotonic_micros() < until {
                    let number = begun.fetch_add(1, Ordering::Relaxed);
                    let reference = format!("{}-{name}-{number}", std::process::id());
                    let before = clock.monotonic_micros();
                    shop.flow((&node.url, key), app, &reference).await?;
                    waits.push(u64::try_from(clock.monotonic_micros() - before).unwrap_or(0));
                }
                Ok::<_, Failure>(waits)
            }
        });
        Ok::<_, Failure>(try_join_all(each).await?.concat())
    };
    customers(&format!("{name}-warm"), until(3)).await?;
    let used = || {
        let nodes = nodes.iter().map(|node| node.cpu_micros()).sum::<u64>();
        (nodes, cpu_micros_of_database("nodes"), cpu_micros_of(std::process::id()))
    };
    let (before, began) = (used(), clock.monotonic_micros());
    let mut waits = customers(name, until(number("--seconds", 10))).await?;
    let after = used();
    Ok(Run {
        flows: u64::try_from(waits.len()).unwrap_or(0),
        wall: u64::try_from(clock.monotonic_micros() - began).unwrap_or(1),
        nodes: after.0 - before.0,
        database: after.1.saturating_sub(before.1),
        load: after.2 - before.2,
        p50: quantile(&mut waits, 500),
        p99: quantile(&mut waits, 990),
    })
}

/// Says what the median run has shown; answers its flows in a thousand seconds.
fn print(name: &str, quota: u64, runs: &[Run]) -> u64 {
    let of =
        |part: &dyn Fn(&Run) -> u64| quantile(&mut runs.iter().map(part).collect::<Vec<_>>(), 500);
    let percent = |used: fn(&Run) -> u64| of(&|run| used(run) * 100 / run.wall.max(1));
    let rate = of(&|run| run.flows * 1_000_000_000 / run.wall.max(1));
    println!(
        "{name}: {}.{:03} flows/s, p50 {} ms, p99 {} ms; {} us of a core per flow in the nodes, {} in the database;\n  hundredths of a core: nodes {} of {quota}, database {}, WeChat and customers {}",
        rate / 1000,
        rate % 1000,
        of(&|run| run.p50) / 1000,
        of(&|run| run.p99) / 1000,
        of(&|run| run.nodes / run.flows.max(1)),
        of(&|run| run.database / run.flows.max(1)),
        percent(|run| run.nodes),
        percent(|run| run.database),
        percent(|run| run.load),
    );
    rate
}

/// The words before a command that give it so many hundredths of a core.
fn quota_of(node: usize, hundredths: u64) -> Result<Vec<String>, Failure> {
    let groups = option("--groups").unwrap_or_else(|| "/sys/fs/cgroup/cpu".to_owned());
    let group = Path::new(&groups).join(format!("suanpan-bench-{node}"));
    fs::create_dir_all(&group)?;
    // In slices of 10 ms, so that nobody waits for long: the first or the second version of control groups.
    let micros = hundredths * 100;
    if group.join("cpu.max").exists() {
        fs::write(group.join("cpu.max"), format!("{micros} 10000"))?;
    } else {
        fs::write(group.join("cpu.cfs_period_us"), "10000")?;
        fs::write(group.join("cpu.cfs_quota_us"), micros.to_string())?;
    }
    let enter = format!("echo $$ > {}/cgroup.procs; exec \"$@\"", group.display());
    Ok(["sh", "-c", &enter, "sh"].map(str::to_owned).to_vec())
}
