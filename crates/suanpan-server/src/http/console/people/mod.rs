//! The pages about people: one's own, and later those of all.

mod me;
pub(super) mod request;
pub(super) mod words;

pub(super) use me::{me, sign_out_everywhere};
