//! When a step was lost: ask WeChat, close what nobody shall pay any more, give money back, tell what is shipped,
//! compare each day with WeChat's bill of it.

pub mod close;
pub mod confirm;
pub mod query;
pub mod reconcile;
pub mod refund;
pub mod shipping;
pub mod watch;
