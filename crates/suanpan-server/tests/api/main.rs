//! The merchant's API over real HTTP and a real database, without WeChat.

#[cfg(test)]
mod backend;
#[cfg(test)]
#[path = "../common/cable.rs"]
mod cable;
#[cfg(test)]
#[path = "../common/database.rs"]
mod database;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod first_key;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod pressure;
#[cfg(test)]
mod purge;
