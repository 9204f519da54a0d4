//! What people may do, and for how long.

use serde::Deserialize;

/// The operators' console.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleConfig {
    /// After how many minutes without a request a session ends.
    pub idle_minutes: i64,
}

/// Money that goes back.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundsConfig {
    /// Above which sum of one payment's refunds, in fen, the console needs a second person; `None`: never.
    pub second_person_above: Option<i64>,
}
