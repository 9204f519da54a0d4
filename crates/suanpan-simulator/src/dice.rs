//! Random texts in the forms that WeChat gives them.

use suanpan_wechat::Nonce;
use suanpan_wechat::time::beijing_compact;

use crate::Outside;

const DIGITS: &[u8] = b"0123456789";
const LETTERS_AND_DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `count` characters of an alphabet. A little uneven: nobody breaks play money.
fn text(outside: &dyn Outside, alphabet: &[u8], count: usize) -> String {
    let mut random = vec![0_u8; count];
    outside.fill(&mut random);
    let pick = |byte: u8| {
        let place = usize::from(byte).checked_rem(alphabet.len()).unwrap_or_default();
        char::from(alphabet.get(place).copied().unwrap_or(b'0'))
    };
    random.into_iter().map(pick).collect()
}

/// Letters and digits.
pub(crate) fn alphanumeric(outside: &dyn Outside, count: usize) -> String {
    text(outside, LETTERS_AND_DIGITS, count)
}

/// Digits.
pub(crate) fn digits(outside: &dyn Outside, count: usize) -> String {
    text(outside, DIGITS, count)
}

/// Digits that are always the same for a text.
pub(crate) fn digits_of(text: &str, count: usize) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let digit = |byte: &u8| char::from(b'0'.saturating_add(byte.checked_rem(10).unwrap_or(0)));
    digest.as_ref().iter().map(digit).take(count).collect()
}

/// Lower-case hex digits, two a byte.
pub(crate) fn hexadecimal(outside: &dyn Outside, bytes: usize) -> String {
    let mut random = vec![0_u8; bytes];
    outside.fill(&mut random);
    hex::encode(random)
}

/// The nonce of one signature.
pub(crate) fn nonce(outside: &dyn Outside) -> Nonce {
    #[expect(clippy::expect_used, reason = "32 letters and digits are a nonce by its definition")]
    Nonce::parse(&alphanumeric(outside, 32)).expect("a nonce")
}

/// A `prepay_id`: `wx`, the time in Beijing, and what nobody can guess; 36 characters.
pub(crate) fn prepay_id(outside: &dyn Outside, now: i64) -> String {
    format!("wx{}{}0000", beijing_compact(now), hexadecimal(outside, 8))
}

/// WeChat's number of a payment: 28 digits that begin with 42000.
pub(crate) fn transaction_id(outside: &dyn Outside) -> String {
    format!("42000{}", digits(outside, 23))
}

/// WeChat's number of a refund: 29 digits that begin with 503.
pub(crate) fn refund_id(outside: &dyn Outside) -> String {
    format!("503{}", digits(outside, 26))
}

/// The id of a notification.
pub(crate) fn notification_id(outside: &dyn Outside) -> String {
    let mut random = [0_u8; 16];
    outside.fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid().to_string()
}

/// The `Request-ID` header, and the `rid` of the platform's messages.
pub(crate) fn request_id(outside: &dyn Outside) -> String {
    format!("08{}-0", hexadecimal(outside, 21).to_ascii_uppercase())
}
