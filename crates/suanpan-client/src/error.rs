//! What can go wrong between a question and its answer.

use suanpan_wechat as wechat;

/// What went wrong, why, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address of a host cannot be used.
    #[error("{given:?} cannot be the address of WeChat: {why}")]
    BaseUrl {
        /// What we were given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// TLS cannot be set up.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
    /// The call's path would change on its way, and no longer be what was signed.
    #[error("the path of `{operation}` cannot be sent as it was signed")]
    Path {
        /// Which call.
        operation: &'static str,
    },
    /// No connection, so nothing was sent: refused, no such name, TLS.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// Scheme, host and port.
        host: String,
        /// What the network says; it names no path and no query.
        #[source]
        source: reqwest::Error,
    },
    /// No answer in time; the question may have been read.
    #[error("{host} did not answer in time")]
    TimedOut {
        /// Scheme, host and port.
        host: String,
        /// What the network says; it names no path and no query.
        #[source]
        source: reqwest::Error,
    },
    /// The connection broke; the question may have been read.
    #[error("the connection to {host} broke before the answer was complete")]
    Cut {
        /// Scheme, host and port.
        host: String,
        /// What the network says; it names no path and no query.
        #[source]
        source: reqwest::Error,
    },
    /// An answer longer than any that WeChat gives.
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLong {
        /// Scheme, host and port.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// What came cannot be written where the caller wants it.
    #[error("the file cannot be written")]
    Sink(#[source] std::io::Error),
    /// The question cannot be written, the answer cannot be believed, or it is a no.
    #[error(transparent)]
    WeChat(#[from] wechat::Error),
}

impl Error {
    /// A stable name: `suanpan explain SP-TIMEOUT` tells the whole story.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BaseUrl { .. } => "SP-BASE-URL",
            Self::Setup(_) => "SP-TLS-SETUP",
            Self::Path { .. } => "SP-PATH",
            Self::Unreachable { .. } => "SP-UNREACHABLE",
            Self::TimedOut { .. } => "SP-TIMEOUT",
            Self::Cut { .. } => "SP-CUT",
            Self::TooLong { .. } => "SP-TOO-LONG",
            Self::Sink(_) => "SP-SINK",
            Self::WeChat(error) => error.code(),
        }
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::BaseUrl { .. } => {
                "write scheme, host and port only, such as https://api.mch.weixin.qq.com; plain http is for loopback"
            }
            Self::Setup(_) => "install the machine's CA certificates (package ca-certificates)",
            Self::Path { .. } => "report it to the project: an identifier got past its rule",
            Self::Unreachable { .. } => {
                "check DNS, firewall and outgoing proxy of this machine; nothing was sent, so repeat it"
            }
            Self::TimedOut { .. } | Self::Cut { .. } => {
                "query WeChat, or repeat it unchanged under the same number: it may have been done"
            }
            Self::TooLong { .. } => "check what answers at this address: it is hardly WeChat",
            Self::Sink(_) => {
                "see that the disk has room and the folder can be written, then download again"
            }
            Self::WeChat(error) => error.remedy(),
        }
    }

    /// Whether the same question, signed anew, may be answered later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Cut { .. } => true,
            Self::WeChat(error) => error.is_retryable(),
            Self::BaseUrl { .. }
            | Self::Setup(_)
            | Self::Path { .. }
            | Self::TooLong { .. }
            | Self::Sink(_) => false,
        }
    }

    /// WeChat's no, where it was one.
    pub const fn refusal(&self) -> Option<&wechat::Refusal> {
        match self {
            Self::WeChat(wechat::Error::Refused(refusal)) => Some(refusal),
            Self::BaseUrl { .. }
            | Self::Setup(_)
            | Self::Path { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Cut { .. }
            | Self::TooLong { .. }
            | Self::Sink(_)
            | Self::WeChat(_) => None,
        }
    }

    /// Sorts what the network says: was anything sent?
    pub(crate) fn of_network(host: &str, cause: reqwest::Error) -> Self {
        // The address holds the AppSecret where it is a login.
        let (host, source) = (host.to_owned(), cause.without_url());
        if source.is_connect() {
            Self::Unreachable { host, source }
        } else if source.is_timeout() {
            Self::TimedOut { host, source }
        } else {
            Self::Cut { host, source }
        }
    }
}
