//! The model check: one order, two nodes, several payers, WeChat and the network between them, in every interleaving; and
//! one payment with its refunds in the same way.
//!
//! The decisions are the ledger's own functions, the ones that the server calls in its transactions. Around them stands a
//! small model of what is not pure: calls that are lost before or after their effect or arrive when nobody waits for them
//! any more, notifications that are lost, late or repeated, processes that die between any two steps.
//!
//! A search from the start visits every state that can be reached, and each is held against the invariants of the design.
//! Bugs that are planted in the rules show that it can fail.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "small counters and places in small arrays of a model; one bug differs from all other rules"
)]

#[cfg(test)]
mod bugs;
#[cfg(test)]
mod explore;
#[cfg(test)]
mod invariants;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod refunds;
#[cfg(test)]
mod search;
#[cfg(test)]
mod state;
