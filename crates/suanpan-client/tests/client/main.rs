//! The client against a WeChat that does what each test needs.

#![expect(clippy::duplicate_mod, reason = "each example has the shop as its own module")]

#[cfg(test)]
mod common;
#[cfg(test)]
mod download;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod network;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod secrets;
