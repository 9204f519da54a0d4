//! What WeChat takes for its work: finer than fen.

use std::fmt;

/// A fee in hundred-thousandths of a yuan, as bills write it: `0.01000`, and negative where a refund gives it back.
///
/// ```
/// use suanpan_wechat::bill::Fee;
///
/// let fee = Fee::parse("-0.06").unwrap();
/// assert_eq!(fee.get(), -6_000);
/// assert_eq!(fee.to_string(), "-0.06000");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fee(i64);

/// The digits behind the point.
const DIGITS: usize = 5;
const PER_YUAN: i64 = 100_000;

impl Fee {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Of a count of hundred-thousandths of a yuan.
    pub const fn new(count: i64) -> Self {
        Self(count)
    }

    /// The count of hundred-thousandths of a yuan.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads yuan with at most five decimals, below zero too.
    pub fn parse(yuan: &str) -> Option<Self> {
        let (sign, digits) = yuan.strip_prefix('-').map_or((1, yuan), |digits| (-1, digits));
        let (whole, parts) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || DIGITS < parts.len() || !plain(whole) || !plain(parts) {
            return None;
        }
        let count: i64 = format!("{whole}{parts:0<DIGITS$}").parse().ok()?;
        count.checked_mul(sign).map(Self)
    }

    /// `None` when the sum does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for Fee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let per_yuan = PER_YUAN.unsigned_abs();
        let count = self.0.unsigned_abs();
        let (yuan, rest) =
            (count.checked_div(per_yuan).unwrap_or(0), count.checked_rem(per_yuan).unwrap_or(0));
        write!(f, "{sign}{yuan}.{rest:0DIGITS$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_decimals_come_back_and_nonsense_does_not() {
        for (yuan, count) in [
            ("0.01000", 1_000),
            ("0", 0),
            ("-0.06000", -6_000),
            ("12.3", 1_230_000),
            ("0.00006", 6),
        ] {
            assert_eq!(Fee::parse(yuan), Some(Fee(count)), "{yuan}");
        }
        for yuan in ["", "-", ".5", "0.000001", "1e3", "+1", "--1", "99999999999999999"] {
            assert_eq!(Fee::parse(yuan), None, "{yuan}");
        }
        assert_eq!(Fee(-6_000).to_string(), "-0.06000");
        assert_eq!(Fee(1_230_000).to_string(), "12.30000");
    }
}
