//! Secrets: no `Display`, a masking `Debug`, wiped on drop, compared in constant time.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use crate::TextError;

/// Declares a secret text with one rule.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            #[doc = concat!("Accepts ", $rule, ".")]
            ///
            /// # Errors
            /// A [`TextError`] that names the rule and never the text.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(Zeroizing::new(text.to_owned())))
                } else {
                    let given = format!("({} bytes)", text.len());
                    Err(TextError { what: $what, rule: $rule, given })
                }
            }

            /// The secret itself. Whoever calls this sees to it that it stays one.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
            }
        }

        impl Eq for $name {}
    };
}

secret!(
    /// The APIv2 key of a merchant: signs every APIv2 message, both ways.
    ApiV2Key,
    "an APIv2 key",
    "32 letters or digits",
    |text| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
);
secret!(
    /// The APIv3 key of a merchant: decrypts notifications and certificates.
    ///
    /// Its 32 characters are the AES key themselves; they are not hex or base64.
    ApiV3Key,
    "an APIv3 key",
    "32 visible ASCII characters",
    |text| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_graphic())
);
secret!(
    /// The `AppSecret` of a mini program.
    AppSecret,
    "an AppSecret",
    "1 to 64 letters or digits",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
);
secret!(
    /// The `session_key` of a login: base64 of 16 bytes. Must never reach the front end.
    SessionKey,
    "a session_key",
    "1 to 128 visible ASCII characters",
    |text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
);
secret!(
    /// The `access_token` of a mini program: whoever holds it speaks for the app. WeChat asks to
    /// keep room for 512 characters.
    AccessToken,
    "an access_token",
    "1 to 1024 visible ASCII characters",
    |text| (1..=1024).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_in_no_print_and_no_error() {
        let key = ApiV2Key::parse("8934e7d15453e97507ef794cf7b0519d").unwrap();
        assert_eq!(format!("{key:?}"), "ApiV2Key(…)");

        let error = ApiV3Key::parse("ThrowawayApiV3Key_31_bytes_abc").unwrap_err();
        assert!(!error.to_string().contains("Throwaway"), "{error}");
        assert!(error.to_string().contains("32 visible"), "{error}");
    }

    #[test]
    fn secrets_compare_by_value() {
        let key = |text| AppSecret::parse(text).unwrap();
        assert_eq!(key("abc"), key("abc"));
        assert_ne!(key("abc"), key("abd"));
    }
}
