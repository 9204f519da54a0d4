//! The client against a WeChat that does what each test needs.

#[cfg(test)]
mod common;
#[cfg(test)]
mod network;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod secrets;
