//! When a step was lost: ask WeChat, or close what nobody shall pay any more.

pub mod close;
pub mod query;
