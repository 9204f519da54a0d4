//! The commands as people and scripts use them: the real binary, its exit codes and its words.

#[cfg(test)]
mod api;
#[cfg(test)]
#[cfg(unix)]
mod archive;
#[cfg(test)]
#[path = "../../../suanpan-server/tests/common/database.rs"]
mod database;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod explain;
#[cfg(test)]
#[cfg(unix)]
mod followed;
#[cfg(test)]
#[cfg(unix)]
mod init;
#[cfg(test)]
#[cfg(unix)]
mod killed;
#[cfg(test)]
mod migrate;
#[cfg(test)]
#[cfg(unix)]
mod moving;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod process;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
#[cfg(unix)]
mod reload;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod sign;
#[cfg(test)]
#[cfg(unix)]
#[path = "../street/mod.rs"]
mod street;
#[cfg(test)]
mod usage;
