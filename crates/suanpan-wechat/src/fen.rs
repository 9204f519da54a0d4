//! Money: whole fen, never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// An amount of money in fen, the smallest unit of the yuan. Never negative.
///
/// WeChat counts in fen everywhere (`total_fee`, `amount.total`), and so do we:
/// yuan appear only where a person reads or types them. In JSON an amount is an
/// integer; `9.9`, `990.0` and `"990"` are refused.
///
/// ```
/// use suanpan_wechat::Fen;
///
/// let price: Fen = "9.90".parse()?;
/// assert_eq!(price.get(), 990);
/// assert_eq!(price.to_string(), "9.90");
/// # Ok::<(), suanpan_wechat::Error>(())
/// ```
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(try_from = "i64", into = "i64")]
pub struct Fen(i64);

impl Fen {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// `None` for a negative count: a debt is not an amount.
    pub const fn new(fen: i64) -> Option<Self> {
        if 0 <= fen { Some(Self(fen)) } else { None }
    }

    /// The count of fen, for the wire and the database.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// `None` when the sum does not fit: a sum of money never wraps.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `None` when `other` is larger: nobody refunds more than was paid.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::new)
    }

    /// Reads the wire form of APIv2, a plain run of digits: `990`.
    pub fn parse_count(digits: &str) -> Option<Self> {
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

impl FromStr for Fen {
    type Err = Error;

    /// Reads yuan as people write them: `9`, `9.9` or `9.90`, never `9.999`.
    fn from_str(yuan: &str) -> Result<Self, Error> {
        let (whole, cents) = yuan.split_once('.').unwrap_or((yuan, "00"));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let well_formed =
            !whole.is_empty() && matches!(cents.len(), 1 | 2) && digits(whole) && digits(cents);
        let fen = well_formed.then(|| format!("{whole}{cents:0<2}").parse().ok()).flatten();

        fen.map(Self).ok_or_else(|| Error::Amount { given: yuan.to_owned() })
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (yuan, cents) = (self.0.div_euclid(100), self.0.rem_euclid(100));
        write!(f, "{yuan}.{cents:02}")
    }
}

impl TryFrom<i64> for Fen {
    type Error = Error;

    fn try_from(fen: i64) -> Result<Self, Error> {
        Self::new(fen).ok_or_else(|| Error::Amount { given: fen.to_string() })
    }
}

impl From<Fen> for i64 {
    fn from(fen: Fen) -> Self {
        fen.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(yuan: &str, want: Option<i64>) {
        assert_eq!(yuan.parse::<Fen>().ok().map(Fen::get), want, "{yuan:?}");
    }

    #[test]
    fn yuan_are_read_as_people_write_them() {
        check("9", Some(900));
        check("9.9", Some(990));
        check("9.90", Some(990));
        check("0.01", Some(1));
        check("92233720368547758.07", Some(i64::MAX));
    }

    #[test]
    fn anything_else_is_refused() {
        for yuan in ["", ".", "9.", ".9", "9.999", "-1", "+1", "1e3", "９", "92233720368547758.08"]
        {
            check(yuan, None);
        }
    }

    #[test]
    fn json_takes_integers_only() {
        for bad in ["1.0", "\"990\"", "-1", "1e2", "null", "true", "9223372036854775808"] {
            assert!(serde_json::from_str::<Fen>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Fen>("990").unwrap(), Fen(990));
        assert_eq!(serde_json::to_string(&Fen(990)).unwrap(), "990");
    }

    #[test]
    fn sums_never_wrap_and_never_owe() {
        assert_eq!(Fen(i64::MAX).checked_add(Fen(1)), None);
        assert_eq!(Fen(1).checked_sub(Fen(2)), None);
        assert_eq!(Fen(3).checked_sub(Fen(2)), Some(Fen(1)));
    }
}
