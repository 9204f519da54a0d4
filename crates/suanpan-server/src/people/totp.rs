//! Six digits from a phone, a second factor: RFC 6238 with SHA-1 and steps of 30 seconds, which every app speaks.

use qrcodegen::{QrCode, QrCodeEcc};
use totp_rs::{Builder, Secret, Totp};

use crate::Error;
use crate::outside::Dice;

/// A new secret, in base32.
pub fn new_secret(dice: &dyn Dice) -> String {
    let mut bytes = [0; 20];
    dice.fill(&mut bytes);
    Secret::new_stack(bytes).to_base32()
}

/// The time step whose code this is, at a time in unix seconds: the one before and the one behind count as well, since
/// clocks differ. `None`: it is no code of this secret now.
pub fn step(secret: &str, code: &str, now: i64) -> Option<i64> {
    let code: String = code.chars().filter(|char| !char.is_whitespace()).collect();
    let plain = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    let step = totp(secret, "").ok()?.check(&code, u64::try_from(now).ok()?);
    step.filter(|_| plain).and_then(|step| i64::try_from(step).ok())
}

/// What an app scans: the address that holds the secret, as the modules of a QR code, row by row.
///
/// # Errors
/// [`Error::Broken`] where the name does not fit in, which its form does not let happen.
pub fn picture(secret: &str, name: &str) -> Result<Vec<Vec<bool>>, Error> {
    let address = totp(secret, name)?.to_url().map_err(|_| Error::Broken)?;
    let code = QrCode::encode_text(&address, QrCodeEcc::Medium).map_err(|_| Error::Broken)?;
    Ok((0..code.size())
        .map(|y| (0..code.size()).map(|x| code.get_module(x, y)).collect())
        .collect())
}

fn totp(secret: &str, name: &str) -> Result<Totp, Error> {
    let secret = Secret::try_from_base32(secret).map_err(|_| Error::Broken)?;
    let builder = Builder::new().with_secret(secret).with_account_name(name);
    builder.with_issuer(Some("Suanpan")).build().map_err(|_| Error::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::SeededDice;

    /// `12345678901234567890` of RFC 6238, appendix B, in base32; its last six digits.
    const OF_THE_RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (now, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(step(OF_THE_RFC, code, now), Some(now / 30), "{code}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_and_one_late() {
        let at = |now| step(OF_THE_RFC, "279037", now).is_some();
        let step_began = 2_000_000_000 / 30 * 30;
        assert!(at(step_began - 30) && at(step_began + 59));
        assert!(!at(step_began - 31) && !at(step_began + 60));
        assert_eq!(step(OF_THE_RFC, "279 037", 2_000_000_000), Some(2_000_000_000 / 30));
        for wrong in ["", "279036", "27903", "2790370", "+79037", "２７９０３７"] {
            assert_eq!(step(OF_THE_RFC, wrong, 2_000_000_000), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_has_160_bits_and_fits_in_a_picture() {
        let secret = new_secret(&SeededDice::new(1));
        assert_eq!(secret.len(), 32);
        let picture = picture(&secret, "小兰:lan").unwrap_or_default();
        assert!(picture.is_empty() || picture.len() == picture[0].len());
        let picture = super::picture(&secret, "lan").unwrap();
        assert!(21 <= picture.len() && picture.iter().all(|row| row.len() == picture.len()));
    }
}
