//! The one place of this crate that reads the clock.

/// The time now.
#[expect(clippy::disallowed_methods, reason = "this is the seam")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
