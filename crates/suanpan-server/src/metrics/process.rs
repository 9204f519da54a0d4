//! This process, as Linux knows it; elsewhere nothing is said.
//!
//! The names are those that every Prometheus client uses, without our prefix.

use std::fs;
use std::sync::LazyLock;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Memory and files of this process, and when it started.
pub(super) fn look() -> Registry {
    let mut all = Registry::with_prefix("process");
    let facts = [
        ("resident_memory_bytes", "Memory of this process, in bytes", resident()),
        ("open_fds", "Files and sockets that are open", open_files()),
        ("start_time_seconds", "When this process started, in unix seconds", *STARTED),
    ];
    for (name, help, value) in facts {
        if let Some(value) = value {
            let gauge = Gauge::<i64>::default();
            gauge.set(value);
            all.register(name, help, gauge);
        }
    }
    all
}

fn resident() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<i64>().ok()?.checked_mul(1024)
}

fn open_files() -> Option<i64> {
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

/// It does not change.
static STARTED: LazyLock<Option<i64>> = LazyLock::new(|| {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold anything; the 22nd field is the 20th behind it: ticks since the machine started.
    let ticks = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse::<i64>().ok()?;
    let machine = fs::read_to_string("/proc/stat").ok()?;
    let started = machine.lines().find_map(|line| line.strip_prefix("btime "))?;
    started.trim().parse::<i64>().ok()?.checked_add(ticks.div_euclid(TICKS))
});

/// Of a second, on every Linux.
const TICKS: i64 = 100;
