//! The store on a real SQLite file: one writer, group commit, leases, migrations, and the power cut.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod due;
#[cfg(test)]
mod events;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod units;
