//! What group commit is worth: durable units a second, with so many in flight, and how many of them share a commit.
//! `cargo bench -p suanpan --bench commits -- --folder DIR [--server postgres://USER@HOST:PORT] [--seconds N]`.
//!
//! A unit writes one small row, with which no other has anything to do. On PostgreSQL each unit is a transaction with a
//! commit of its own, and the server shares the disk among them.

#![expect(clippy::print_stdout, reason = "a bench talks")]
#![expect(clippy::arithmetic_side_effects, reason = "a bench counts, and nobody's money")]

#[path = "common/args.rs"]
mod args;
#[path = "common/disk.rs"]
mod disk;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::try_join_all;
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::store::{Database, Store, StoreError};
use suanpan_server::vals;

use args::{number, option, quantile};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const IN_FLIGHT: [usize; 4] = [1, 16, 64, 256];
const ROW: &str = "INSERT INTO setting (name, value) VALUES ($1, $2)";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder: PathBuf =
        option("--folder").ok_or("--folder: an empty one, on the disk to measure")?.into();
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    println!(
        "floor: {} durable writes of 4 KiB a second",
        disk::durable_writes_per_second(&folder)?
    );
    measure("SQLite", "sqlite:commits.db", &folder).await?;
    if let Some(server) = option("--server") {
        measure("PostgreSQL", &format!("{server}/commits"), &folder).await?;
    }
    Ok(())
}

async fn measure(engine: &str, url: &str, folder: &Path) -> Result<(), Failure> {
    let database = Database::parse(url, folder)?;
    let clock = SystemClock::new();
    let store = Store::open(&database, clock.now_micros()).await?;
    println!("{engine}: in flight, units/s, units in a commit, p50 and p99 in µs");
    let micros = number("--seconds", 5_u64) * 1_000_000;
    let next = AtomicU64::new(0);
    for in_flight in IN_FLIGHT {
        let (began, before) = (clock.monotonic_micros(), *store.commits().borrow());
        let until = began + i64::try_from(micros)?;
        let writers = (0..in_flight).map(|_| write_until(&store, &clock, &next, until));
        let mut waits: Vec<u64> = try_join_all(writers).await?.concat();
        let wall = u64::try_from(clock.monotonic_micros() - began)?;
        let (units, commits) = (u64::try_from(waits.len())?, *store.commits().borrow() - before);
        println!(
            "  {in_flight:4} {:8} {:8}.{} {:8} {:8}",
            units * 1_000_000 / wall.max(1),
            units / commits.max(1),
            units * 10 / commits.max(1) % 10,
            quantile(&mut waits, 500),
            quantile(&mut waits, 990),
        );
    }
    store.close().await;
    Ok(())
}

/// Writes one row after the other; how long each of them took, in microseconds.
async fn write_until(
    store: &Store,
    clock: &SystemClock,
    next: &AtomicU64,
    until: i64,
) -> Result<Vec<u64>, StoreError> {
    let mut waits = Vec::new();
    while clock.monotonic_micros() < until {
        let began = clock.monotonic_micros();
        let name = format!("bench {began:016}_{:012}", next.fetch_add(1, Ordering::Relaxed));
        let unit = (name, clock.now_micros().to_string());
        store
            .write(unit, |tx, (name, at)| {
                Box::pin(async move { tx.exec(ROW, &vals![name, at]).await })
            })
            .await?;
        waits.push(u64::try_from(clock.monotonic_micros() - began).unwrap_or_default());
    }
    Ok(waits)
}
