//! The merchant's API over real HTTP and a real SQLite file, without WeChat.

#[cfg(test)]
mod backend;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod errors;
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
mod purge;
