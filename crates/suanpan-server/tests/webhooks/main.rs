//! Step 6 over real sockets and a real database, under a clock that tests turn: nothing here sleeps.

#[cfg(test)]
#[path = "../common/database.rs"]
mod database;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod worker;
