//! A node: the release binary in a process of its own, and what it costs.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::shop::text;
use super::{Failure, option};

/// A server that is up.
#[derive(Debug)]
pub(crate) struct Node {
    process: Child,
    pid: u32,
    /// Where it listens.
    pub(crate) url: String,
}

impl Node {
    /// Starts one, or what `--binary` names; `wrapper` is what stands before it on the command line (`taskset -c 0`), or nothing.
    pub(crate) fn start(
        config: &Path,
        database: &str,
        wrapper: &[String],
    ) -> Result<Self, Failure> {
        let binary = option("--binary").unwrap_or_else(|| env!("CARGO_BIN_EXE_suanpan").to_owned());
        let mut words = wrapper.iter().cloned().chain([binary]);
        let mut command = Command::new(words.next().unwrap_or_default());
        let listen = ["serve", "--listen", "127.0.0.1:0", "--config"];
        let command = command.args(words).args(listen).arg(config);
        let command = command
            .env("SUANPAN_DATABASE__URL", database)
            .env("SUANPAN_LOG__LEVEL", "warn")
            .env("SUANPAN_WEBHOOKS__ALLOW_PRIVATE_NETWORKS", "true")
            // Nothing is cleaned away meanwhile: a long history would pay for that, and a short one would be gone.
            .env("SUANPAN_RETENTION__INBOX_DAYS", "36500")
            .env("SUANPAN_RETENTION__DELIVERIES_DAYS", "36500")
            // Nor is the past compared with bills of a WeChat that knows nothing of it.
            .env("SUANPAN_RECONCILIATION__ENABLED", "false")
            .stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("no standard output")?;
        let ready = BufReader::new(output).lines().next().ok_or("the server did not start")??;
        let ready: Value = serde_json::from_str(&ready)?;
        let pid = process.id();
        Ok(Self { process, pid, url: text(&ready, "url")? })
    }

    /// The processor time that it has used, in microseconds.
    pub(crate) fn cpu_micros(&self) -> u64 {
        cpu_micros_of(self.pid)
    }

    /// The most memory that it has had, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        let killed = Command::new("kill").arg(self.pid.to_string()).status()?;
        if !killed.success() {
            return Err("the server could not be stopped".into());
        }
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as well.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The processor time of all threads that a process has, in microseconds.
pub(crate) fn cpu_micros_of(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    nanos.fold(0, u64::saturating_add).div_euclid(1000)
}

/// The processor time of all connections of PostgreSQL to a database on this machine, in microseconds.
pub(crate) fn cpu_micros_of_database(name: &str) -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = processes.filter_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let title = fs::read(process.path().join("cmdline")).ok()?;
        let title = String::from_utf8_lossy(&title).into_owned();
        let ours = title.starts_with("postgres:") && title.contains(&format!(" {name} "));
        ours.then(|| cpu_micros_of(pid))
    });
    ours.fold(0, u64::saturating_add)
}
