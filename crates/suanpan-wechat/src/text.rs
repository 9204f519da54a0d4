//! Texts with a rule: parsed once, at the edge; whoever holds one holds a valid one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not what it should be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{given:?} is not {what}: {rule}")]
pub struct TextError {
    /// What was wanted, with its article: "an order number".
    pub what: &'static str,
    /// The rule, in words.
    pub rule: &'static str,
    /// What we were given, cut to 64 characters; masked where it is personal.
    pub given: String,
}

/// Declares a text type with one rule. What does not follow it is shown in the
/// error, cut short; `masked` where even a wrong one tells too much.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        text!($(#[$doc])* $name, $what, $rule, $valid, cut);
    };
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr, $given:ident) => {
        $(#[$doc])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            #[doc = concat!("Accepts ", $rule, ".")]
            ///
            /// # Errors
            /// A [`TextError`] that names the rule.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(TextError { what: $what, rule: $rule, given: $given(text) })
                }
            }

            /// The text as it goes on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }
    };
}

/// Texts that anyone may read in a log.
macro_rules! shown {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text!(
    /// The merchant's own order number, `out_trade_no` on the wire. Unique per merchant.
    OutTradeNo,
    "an order number",
    "6 to 32 letters, digits, `_`, `-`, `|` or `*`",
    |text| (6..=32).contains(&text.len()) && text.bytes().all(is_order_number_byte)
);
text!(
    /// The id of a mini program, `appid` on the wire: `wx` and letters or digits.
    AppId,
    "an appid",
    "`wx` followed by letters and digits, at most 32 characters",
    |text| text.len() <= 32 && text.len() > 2 && text.starts_with("wx") && is_alphanumeric(text)
);
text!(
    /// A merchant number, `mchid` in APIv3 and `mch_id` in APIv2.
    MchId,
    "a merchant number",
    "1 to 32 digits",
    |text| (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
);
text!(
    /// What the unified order answers and the second sign signs. Lives two hours.
    PrepayId,
    "a prepay_id",
    "1 to 64 visible ASCII characters",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
);
text!(
    /// WeChat's own number of a payment, 28 digits in practice.
    TransactionId,
    "a transaction_id",
    "1 to 32 letters or digits",
    |text| (1..=32).contains(&text.len()) && is_alphanumeric(text)
);
text!(
    /// The merchant's own refund number, `out_refund_no` on the wire. The same number is the same refund, for ever.
    OutRefundNo,
    "a refund number",
    "1 to 64 letters, digits, `_`, `-`, `|`, `*` or `@`",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|byte| is_order_number_byte(byte) || byte == b'@')
);
text!(
    /// WeChat's own number of a refund, 29 digits in practice.
    RefundId,
    "a refund_id",
    "1 to 64 letters or digits",
    |text| (1..=64).contains(&text.len()) && is_alphanumeric(text)
);
text!(
    /// The `code` of `wx.login`: valid five minutes, once.
    LoginCode,
    "a login code",
    "1 to 128 letters, digits, `_` or `-`",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')),
    first_three
);
text!(
    /// A random text that is used once, `nonce_str` on the wire.
    Nonce,
    "a nonce",
    "1 to 32 letters or digits",
    |text| (1..=32).contains(&text.len()) && is_alphanumeric(text)
);
text!(
    /// A payer, as one mini program knows them. Personal: logs see [`OpenId::masked`] only.
    OpenId,
    "an openid",
    "1 to 128 letters, digits, `_` or `-`",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')),
    mask
);
text!(
    /// Names the key that signed: a certificate's serial number in upper-case hex
    /// without leading zeros, or `PUB_KEY_ID_…`. Build it with [`Serial::normalised`].
    Serial,
    "a serial number",
    "1 to 64 upper-case hex digits without leading zeros, or `PUB_KEY_ID_` and digits",
    |text| match text.strip_prefix(Serial::PUBLIC_KEY_PREFIX) {
        Some(digits) => (1..=53).contains(&digits.len()) && is_alphanumeric(digits),
        None => {
            (1..=64).contains(&text.len())
                && !text.starts_with('0')
                && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
        }
    }
);
shown!(OutTradeNo, AppId, MchId, PrepayId, TransactionId, OutRefundNo, RefundId, Nonce, Serial);

impl Serial {
    /// How the id of a WeChat Pay public key begins.
    pub const PUBLIC_KEY_PREFIX: &'static str = "PUB_KEY_ID_";

    /// Reads a serial number as people and tools print it: any case, leading
    /// zeros or none (`openssl` prints whole bytes, others whole numbers).
    ///
    /// # Errors
    /// A [`TextError`] when it is neither hex nor the id of a public key.
    pub fn normalised(text: &str) -> Result<Self, TextError> {
        if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Self::parse(text.to_ascii_uppercase().trim_start_matches('0'))
        } else {
            Self::parse(text)
        }
    }

    /// As it is sent: in whole bytes, as `openssl x509 -serial` prints it and
    /// merchants copy it, so with a zero before an odd count of digits.
    pub fn wire(&self) -> String {
        let odd = !self.is_public_key() && self.0.len() % 2 == 1;
        format!("{}{}", if odd { "0" } else { "" }, self.0)
    }

    /// Whether this names a WeChat Pay public key, not a certificate.
    pub fn is_public_key(&self) -> bool {
        self.0.starts_with(Self::PUBLIC_KEY_PREFIX)
    }
}

impl OpenId {
    /// Enough to recognise a payer in a log, too little to be one: `oUpF…8k`.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

impl fmt::Debug for OpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

// A code can be exchanged for a session once: as long as it is unused it is a secret.
impl fmt::Debug for LoginCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl LoginCode {
    /// The first three characters, for a log.
    pub fn masked(&self) -> String {
        first_three(&self.0)
    }
}

/// What somebody typed wrong, short enough for a log.
fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

fn first_three(text: &str) -> String {
    text.chars().take(3).chain("**".chars()).collect()
}

/// First four and last two characters; a text too short for that shows nothing.
pub(crate) fn mask(text: &str) -> String {
    match (text.get(..4), text.get(text.len().saturating_sub(2)..)) {
        (Some(head), Some(tail)) if text.len() >= 12 => format!("{head}…{tail}"),
        _ => "…".to_owned(),
    }
}

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The alphabet of order numbers in both APIs (pay.weixin.qq.com/doc/v3/merchant/4012791897).
fn is_order_number_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'|' | b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_numbers_follow_wechats_rule() {
        for good in ["123456", "DEV-2026_11|24*", &"9".repeat(32)] {
            assert_eq!(OutTradeNo::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "12345", &"9".repeat(33), "茶茶茶茶茶茶", "with space", "semi;colon"]
        {
            let error = OutTradeNo::parse(bad).unwrap_err();
            assert!(error.to_string().contains("6 to 32"), "{error}");
        }
    }

    #[test]
    fn a_refund_number_may_be_longer_and_hold_an_at_sign() {
        for good in ["1", "R-2026_11|24*@shop", &"9".repeat(64)] {
            assert_eq!(OutRefundNo::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", &"9".repeat(65), "退款", "with space", "a/b"] {
            assert!(OutRefundNo::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_login_code_never_smuggles_a_parameter() {
        for bad in ["", "a&secret=b", "a\nb", &"c".repeat(129), "the code is a mock one"] {
            assert!(LoginCode::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn serials_are_compared_by_value_not_by_print() {
        let want = Serial::parse("A1B2C3").unwrap();
        for print in ["00A1B2C3", "a1b2c3", "0A1B2C3"] {
            assert_eq!(Serial::normalised(print).unwrap(), want, "{print}");
        }
        let key = Serial::normalised("PUB_KEY_ID_0119000001").unwrap();
        assert!(key.is_public_key() && !want.is_public_key());
        assert!(Serial::normalised("not hex").is_err());
    }

    #[test]
    fn a_payer_is_masked_in_every_print() {
        let payer = OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap();
        assert_eq!(format!("{payer:?}"), "oUpF…6o");
        assert_eq!(payer.masked(), "oUpF…6o");
        assert_eq!(OpenId::parse("short").unwrap().masked(), "…");
    }

    #[test]
    fn an_error_of_a_personal_text_is_masked_too() {
        let payer = OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o ").unwrap_err().to_string();
        assert!(!payer.contains("M2pxb1Q9"), "{payer}");
        let code = LoginCode::parse("0b3SecretCode\n").unwrap_err().to_string();
        assert!(!code.contains("Secret"), "{code}");
        let json = serde_json::from_str::<OpenId>("\"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o \"").unwrap_err();
        assert!(!json.to_string().contains("M2pxb1Q9"), "{json}");
    }

    #[test]
    fn json_goes_through_the_rule() {
        assert!(serde_json::from_str::<AppId>("\"wx2421b1c4370ec43b\"").is_ok());
        assert!(serde_json::from_str::<AppId>("\"gh_2421\"").is_err());
    }
}
