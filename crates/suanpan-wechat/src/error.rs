//! What can go wrong between us and WeChat.

use crate::TextError;

/// What can go wrong, why, and what to do about it.
///
/// The `Display` text says what happened, [`source`](std::error::Error::source)
/// says why, [`remedy`](Error::remedy) says what the reader can do now, and
/// [`code`](Error::code) is the name to search for and to put in an alert rule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not an amount of yuan, or the count of fen is negative.
    #[error("{given:?} is not an amount of money")]
    Amount {
        /// What we were given.
        given: String,
    },
    /// A text breaks the rule of its kind.
    #[error(transparent)]
    Text(#[from] TextError),
    /// An XML message is not what WeChat sends: one flat element, no DTD.
    #[error("the XML message cannot be read: {why}")]
    Xml {
        /// What is wrong with it.
        why: String,
    },
    /// A JSON message cannot be read.
    #[error("the {what} is not the JSON that WeChat documents")]
    Json {
        /// Which message.
        what: &'static str,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// A field is missing, or holds something that it cannot hold.
    #[error("field `{field}` of the {what} {problem}")]
    Field {
        /// Which message.
        what: &'static str,
        /// Which field, by WeChat's name.
        field: &'static str,
        /// What is wrong with it.
        problem: FieldProblem,
    },
    /// A header of a signed message is missing or cannot be read.
    #[error("header `{name}` of the message is missing or malformed")]
    Header {
        /// The header's name.
        name: &'static str,
    },
    /// The signature does not match the message.
    #[error("the signature of the {what} does not match")]
    Signature {
        /// Which message.
        what: &'static str,
    },
    /// The message is signed with a key that we do not hold.
    #[error("the message is signed with key {serial}, and we hold {known}")]
    UnknownSerial {
        /// The serial number or key id that the message names.
        serial: String,
        /// Those that we hold, for the reader to compare.
        known: String,
    },
    /// The message was signed too long ago, or in the future.
    #[error("the message was signed {seconds} s away from our clock, less than 300 s are allowed")]
    Stale {
        /// The distance in seconds.
        seconds: u64,
    },
    /// WeChat probes whether we check signatures: a deliberately wrong one.
    #[error("WeChat sent a probe: the signature is wrong on purpose")]
    Probe,
    /// A key or certificate file cannot be used.
    #[error("the {what} cannot be used: {why}")]
    Key {
        /// Which key.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A ciphertext does not open under our key.
    #[error("the {what} cannot be decrypted")]
    Decrypt {
        /// What was to be decrypted.
        what: &'static str,
    },
    /// WeChat understood the question and said no.
    #[error("WeChat refused: {0}")]
    Refused(Refusal),
}

/// What is wrong with a field.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// It holds something else than it should.
    #[error("holds {0:?}")]
    Holds(String),
    /// It cannot be written in the format of the message.
    #[error("cannot be sent: {0}")]
    Unwritable(&'static str),
}

/// WeChat's no: its code and its words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code} {message} (HTTP {status})")]
pub struct Refusal {
    /// The HTTP status; APIv2 and the platform answer 200 also to refuse.
    pub status: u16,
    /// `code` of APIv3, `err_code` of APIv2, `errcode` of the platform. Branch on this only.
    pub code: String,
    /// WeChat's words; they change without notice.
    pub message: String,
    /// Whether the refusal carried a signature that matches. One that did not
    /// must not lead to a decision that moves money.
    pub verified: bool,
    /// APIv3's `detail`: any JSON.
    pub detail: Option<serde_json::Value>,
}

impl Error {
    /// A stable name: `suanpan explain SP-SIGNATURE` tells the whole story.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Amount { .. } => "SP-AMOUNT",
            Self::Text(_) => "SP-TEXT",
            Self::Xml { .. } => "SP-XML",
            Self::Json { .. } => "SP-JSON",
            Self::Field { .. } => "SP-FIELD",
            Self::Header { .. } => "SP-HEADER",
            Self::Signature { .. } => "SP-SIGNATURE",
            Self::UnknownSerial { .. } => "SP-SERIAL",
            Self::Stale { .. } => "SP-CLOCK",
            Self::Probe => "SP-SIGNTEST",
            Self::Key { .. } => "SP-KEY",
            Self::Decrypt { .. } => "SP-DECRYPT",
            Self::Refused(_) => "SP-REFUSED",
        }
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Amount { .. } => {
                "write whole fen such as 990, or yuan with at most two decimals such as 9.90"
            }
            Self::Text(_) => "correct the value by the rule that the message names",
            Self::Xml { .. } => {
                "send one flat <xml> element in UTF-8, without a DTD and without repeated fields"
            }
            Self::Json { .. } | Self::Field { .. } => {
                "compare the message with WeChat's documentation; if WeChat changed it, report it to the project"
            }
            Self::Header { .. } => {
                "check that no proxy or CDN between WeChat and us strips the `Wechatpay-*` headers"
            }
            Self::Signature { .. } => {
                "check that the key is the one of this merchant number, then run `suanpan doctor`"
            }
            Self::UnknownSerial { .. } => {
                "add this platform certificate or WeChat Pay public key to the merchant's configuration"
            }
            Self::Stale { .. } => "set this machine's clock by NTP, then let WeChat send it again",
            Self::Probe => "nothing: refuse it, and WeChat sends the genuine message",
            Self::Key { .. } => {
                "download the file again from the merchant platform and give it unchanged, as PEM"
            }
            Self::Decrypt { .. } => {
                "check the API key of this merchant number; set it anew on the merchant platform if in doubt"
            }
            Self::Refused(_) => {
                "look WeChat's code up in its documentation; `suanpan explain CODE` knows the common ones"
            }
        }
    }

    /// Whether the same question, signed anew, may be answered later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Probe => true,
            Self::Refused(refusal) => refusal.is_retryable(),
            Self::Amount { .. }
            | Self::Text(_)
            | Self::Xml { .. }
            | Self::Json { .. }
            | Self::Field { .. }
            | Self::Header { .. }
            | Self::Signature { .. }
            | Self::UnknownSerial { .. }
            | Self::Stale { .. }
            | Self::Key { .. }
            | Self::Decrypt { .. } => false,
        }
    }

    pub(crate) const fn missing(what: &'static str, field: &'static str) -> Self {
        Self::Field { what, field, problem: FieldProblem::Missing }
    }

    pub(crate) fn holds(what: &'static str, field: &'static str, given: &str) -> Self {
        let given = given.chars().take(64).collect();
        Self::Field { what, field, problem: FieldProblem::Holds(given) }
    }
}

impl Refusal {
    /// Whether this is no refusal at all but WeChat's way to say "I do not know":
    /// the order may or may not have been placed, so ask before anything else.
    pub fn is_doubt(&self) -> bool {
        self.status >= 500
            || self.status == 202
            || matches!(
                self.code.as_str(),
                "SYSTEM_ERROR" | "SYSTEMERROR" | "BANKERROR" | "-1" | "10060012" | "10060019"
            )
    }

    /// Whether the same question may be answered otherwise a little later.
    pub fn is_retryable(&self) -> bool {
        self.is_doubt() || self.is_too_often()
    }

    /// Whether we ask too often. APIv3 has four spellings of it.
    pub fn is_too_often(&self) -> bool {
        self.status == 429
            || matches!(
                self.code.as_str(),
                "FREQUENCY_LIMITED"
                    | "RATELIMIT_EXCEEDED"
                    | "RATELIMIT_EXCEED"
                    | "RATE_LIMITED"
                    | "45009"
                    | "45011"
            )
    }
}
