//! When a step was lost: ask WeChat, close what nobody shall pay any more, give money back, tell what is shipped.

pub mod close;
pub mod confirm;
pub mod query;
pub mod refund;
pub mod shipping;
pub mod watch;
