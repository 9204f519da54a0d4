//! The ids that callers send us: parsed once, at the edge.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// The id of an order: `ord_` and letters or digits. Who knows it may pay the order.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct OrderId(String);

impl OrderId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrderId {
    type Err = NoOrderId;

    fn from_str(text: &str) -> Result<Self, NoOrderId> {
        let tail = text.strip_prefix("ord_").ok_or(NoOrderId)?;
        let plain = tail.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if plain && (8..=64).contains(&tail.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoOrderId)
        }
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not the id of an order.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an order's id is `ord_` and 8 to 64 lower-case letters or digits")]
pub struct NoOrderId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_of_an_id_is_taken() {
        assert!("ord_019b76da2c007000800000000000000a".parse::<OrderId>().is_ok());
        for bad in ["", "ord_", "ord_1", "evt_0000000000", "ord_0000000' OR 1=1", "ord_ABCDEFGHIJ"]
        {
            assert!(bad.parse::<OrderId>().is_err(), "{bad:?}");
        }
    }
}
