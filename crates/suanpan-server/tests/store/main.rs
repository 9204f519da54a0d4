//! The store on a real database: units, group commit, leases, migrations, and the power cut.

#[cfg(test)]
mod archive;
#[cfg(test)]
#[path = "../common/cable.rs"]
mod cable;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod crossing;
#[cfg(test)]
#[path = "../common/database.rs"]
mod database;
#[cfg(test)]
mod due;
#[cfg(test)]
mod events;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod units;
