//! What the benches share.

mod args;
mod disk;
pub(crate) mod floor;
pub(crate) mod node;
pub(crate) mod shop;

pub(crate) use args::{number, option, quantile};

/// Whatever went wrong.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
