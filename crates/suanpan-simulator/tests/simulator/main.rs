//! The simulator as its callers see it: over HTTP, under a clock that tests turn.
//!
//! Nothing here waits for the clock of the wall. Foreign SDKs in `interop/` say
//! what these tests cannot: that the signing rules themselves are right.

#[cfg(test)]
mod bills;
#[cfg(test)]
mod common;
#[cfg(test)]
mod control;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod login;
#[cfg(test)]
mod merchant;
#[cfg(test)]
mod notify;
#[cfg(test)]
mod notify_faults;
#[cfg(test)]
mod partner;
#[cfg(test)]
mod payer;
#[cfg(test)]
mod persistence;
#[cfg(test)]
mod phone;
#[cfg(test)]
mod receiver;
#[cfg(test)]
#[path = "../common/seeded.rs"]
mod seeded;
#[cfg(test)]
mod shipping;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod v2;
#[cfg(test)]
mod v3;
#[cfg(test)]
mod v3_authorization;
