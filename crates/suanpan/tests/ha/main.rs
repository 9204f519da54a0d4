//! High availability, for real: PostgreSQL with Patroni and etcd, two nodes, and machines that die under load.
//!
//! Not run by default, for it needs Debian's packages: `scripts/check ha` installs them and runs
//! `cargo test -p suanpan --test ha -- --nocapture`.

#[cfg(test)]
#[cfg(target_os = "linux")]
mod cluster;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod daemon;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod death;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod entrance;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod inbox;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod nodes;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "../cli/process.rs"]
#[expect(dead_code, reason = "the tests of the commands use more of it")]
mod process;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "../street/mod.rs"]
#[expect(dead_code, reason = "the backend that is killed at counted moments uses more of it")]
mod street;
