//! The rules of one order. Pure: no clock, no database, no socket.
//!
//! An order is what a customer owes; an attempt is one try to pay it at WeChat.
//! Each has one enum for where it stands and one `apply`, the only way it
//! changes, with three answers: it moved, the event was heard before, or the
//! event is impossible and somebody must look.
//!
//! | question                                     | here                          |
//! |----------------------------------------------|-------------------------------|
//! | Where does the order stand, and what next?   | [`OrderStatus::apply`]        |
//! | Where does the try to pay it stand?          | [`AttemptState::apply`]       |
//! | Is this payment the one that we asked for?   | [`Expected::compare`]         |
//! | Is it the first, or was the order paid twice?| [`weigh`]                     |
//! | May an attempt begin, end, be paid, and what then? | [`begin`], [`serve`], [`end`], [`settle`], [`close`] |
//! | Where does the refund stand, and what next?  | [`RefundState::apply`]        |
//! | How much may still go back?                  | [`refundable`]                |
//! | What does WeChat know of the goods?          | [`ShippingState::apply`]      |
//! | When is something tried again?               | [`WEBHOOK`], [`QUERY`], [`REFUND`], [`BILL`], [`SHIPPING`], [`Schedule`] |
//! | When is WeChat asked about an attempt?       | [`ATTEMPT`], [`Ages`]         |
//! | When about goods that are on their way?      | [`SHIPPED`]                   |

mod attempt;
mod expected;
mod order;
mod outcome;
mod refund;
mod schedule;
mod shipping;
mod steps;
mod sums;

pub use attempt::{AttemptEvent, AttemptState};
pub use expected::{Expected, Mismatch, Weight, weigh};
pub use order::{OrderEvent, OrderStatus};
pub use outcome::{Impossible, Outcome, UnknownWord};
pub use refund::{RefundEvent, RefundState};
pub use schedule::{ATTEMPT, Ages, BILL, QUERY, REFUND, SHIPPED, SHIPPING, Schedule, WEBHOOK};
pub use shipping::{ShippingEvent, ShippingState};
pub use steps::{Begin, Ended, News, Serve, Settlement, begin, close, end, serve, settle};
pub use sums::{Overdrawn, refund, refundable};
