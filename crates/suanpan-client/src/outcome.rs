//! What is known after a call.

use std::time::Duration;

use suanpan_wechat::Refusal;

use crate::Error;

/// What is known after a call: it is done, it is not done, or nobody can tell.
#[derive(Debug)]
#[must_use = "an unknown outcome must lead to a query, or money is lost track of"]
pub enum Outcome<T> {
    /// WeChat did it, and where it signs, the signature matches.
    Done(Done<T>),
    /// It is not done: WeChat said no, or the question cannot be written at all.
    Rejected(Rejection),
    /// WeChat may have done it: query, or repeat it unchanged under the same number.
    ///
    /// A time-out, a broken connection, 5xx, 202, `SYSTEM_ERROR`, `-1`, an answer
    /// whose signature fails, an answer that cannot be read, no host to be reached.
    Unknown(Doubt),
}

/// WeChat's answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Done<T> {
    /// What it says.
    pub answer: T,
    /// How it came.
    pub trace: Trace,
}

/// It is not done.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
#[non_exhaustive]
pub struct Rejection {
    /// Why: mostly [`wechat::Error::Refused`](suanpan_wechat::Error::Refused). A refusal
    /// that is not `verified` must not lead to a decision that moves money.
    #[source]
    pub error: Error,
    /// How it came.
    pub trace: Trace,
}

/// Nobody can tell whether it is done.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
#[non_exhaustive]
pub struct Doubt {
    /// Why.
    #[source]
    pub error: Error,
    /// `false`: no try left this machine, so WeChat has certainly done nothing.
    pub maybe_sent: bool,
    /// How it was lost.
    pub trace: Trace,
}

/// For the log: nothing in here is secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trace {
    /// Method and path without values.
    pub operation: &'static str,
    /// Scheme, host and port that was asked last.
    pub host: String,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// WeChat's name of the request, for its support: header `Request-ID`, or `rid` in the words of the platform.
    pub request_id: Option<String>,
    /// How many times it was tried.
    pub tries: u32,
    /// Whether WeChat answered with a signature that is made to fail, to see whether we check.
    pub probed: bool,
    /// How long all tries took.
    pub elapsed: Duration,
}

impl<T> Outcome<T> {
    /// The answer, where there is one.
    pub fn done(self) -> Option<T> {
        self.into_result().ok()
    }

    /// For `?`, where the two kinds of failure are told apart further up.
    ///
    /// # Errors
    /// [`NotDone`], which keeps the difference.
    pub fn into_result(self) -> Result<T, NotDone> {
        match self {
            Self::Done(done) => Ok(done.answer),
            Self::Rejected(rejection) => Err(NotDone::Rejected(Box::new(rejection))),
            Self::Unknown(doubt) => Err(NotDone::Unknown(Box::new(doubt))),
        }
    }

    /// How it went, for the log.
    pub const fn trace(&self) -> &Trace {
        match self {
            Self::Done(done) => &done.trace,
            Self::Rejected(rejection) => &rejection.trace,
            Self::Unknown(doubt) => &doubt.trace,
        }
    }

    /// Why it is not done, or not known to be.
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Done(_) => None,
            Self::Rejected(rejection) => Some(&rejection.error),
            Self::Unknown(doubt) => Some(&doubt.error),
        }
    }

    /// WeChat's code, where it gave one: `NOT_ENOUGH`, `40029`.
    pub fn wechat_code(&self) -> Option<&str> {
        self.error()?.refusal().map(|refusal| refusal.code.as_str())
    }

    /// The same outcome with another answer.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(Done { answer, trace }) => {
                Outcome::Done(Done { answer: change(answer), trace })
            }
            Self::Rejected(rejection) => Outcome::Rejected(rejection),
            Self::Unknown(doubt) => Outcome::Unknown(doubt),
        }
    }

    /// The same outcome with a closer look at the answer: where that fails, nobody can tell what was done.
    pub fn try_map<U>(
        self,
        look: impl FnOnce(T) -> Result<U, suanpan_wechat::Error>,
    ) -> Outcome<U> {
        match self {
            Self::Done(Done { answer, trace }) => match look(answer) {
                Ok(answer) => Outcome::Done(Done { answer, trace }),
                Err(error) => {
                    Outcome::Unknown(Doubt { error: error.into(), maybe_sent: true, trace })
                }
            },
            Self::Rejected(rejection) => Outcome::Rejected(rejection),
            Self::Unknown(doubt) => Outcome::Unknown(doubt),
        }
    }
}

/// A failed [`Outcome`] as an error.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// It is not done.
    #[error("rejected: {0}")]
    Rejected(#[source] Box<Rejection>),
    /// Nobody can tell.
    #[error("unknown outcome: {0}")]
    Unknown(#[source] Box<Doubt>),
}

impl NotDone {
    /// The cause.
    pub const fn error(&self) -> &Error {
        match self {
            Self::Rejected(rejection) => &rejection.error,
            Self::Unknown(doubt) => &doubt.error,
        }
    }

    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        self.error().code()
    }

    /// What the reader can do now.
    pub const fn remedy(&self) -> &'static str {
        self.error().remedy()
    }
}

impl Rejection {
    /// WeChat's no; `None` where the question could not be written.
    pub const fn refusal(&self) -> Option<&Refusal> {
        self.error.refusal()
    }

    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        self.error.code()
    }

    /// What the reader can do now.
    pub const fn remedy(&self) -> &'static str {
        self.error.remedy()
    }
}

impl Doubt {
    /// WeChat's words, where its answer was "I do not know".
    pub const fn refusal(&self) -> Option<&Refusal> {
        self.error.refusal()
    }

    /// The stable name of the cause.
    pub const fn code(&self) -> &'static str {
        self.error.code()
    }

    /// What the reader can do now.
    pub const fn remedy(&self) -> &'static str {
        self.error.remedy()
    }
}
