//! A call to WeChat is two pure functions.

use http::{HeaderMap, Request};

use crate::{Error, Nonce};

/// A question to WeChat and the way to read its answer. No I/O in here: the
/// client, the simulator, the fuzzer and the tests drive the same code.
pub trait Call {
    /// The typed answer.
    type Answer;

    /// Method and path, for logs, metrics and fault rules: `POST /pay/unifiedorder`.
    fn operation(&self) -> &'static str;

    /// Which of WeChat's two houses is asked.
    fn host(&self) -> Host;

    /// Whether the connection must show the merchant's certificate (mutual TLS):
    /// so it is with APIv2 where money goes out.
    fn shows_certificate(&self) -> bool {
        false
    }

    /// Signs and serialises the question, for this moment and this nonce. The
    /// URI holds path and query only; whoever sends it puts the host before it.
    ///
    /// # Errors
    /// A value that cannot be written in WeChat's format.
    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error>;

    /// Checks the signature first, then reads. `now` is in unix seconds.
    ///
    /// # Errors
    /// [`Error::Refused`] where WeChat said no; any other error means that we
    /// do not know what WeChat did.
    fn answer(&self, reply: Reply<'_>, now: i64) -> Result<Self::Answer, Error>;
}

/// A question that a file answers: too long to be held in memory, and not signed.
pub trait Download {
    /// Method and path, for logs, metrics and fault rules.
    fn operation(&self) -> &'static str;

    /// Which of WeChat's two houses is asked.
    fn host(&self) -> Host;

    /// Whether the connection must show the merchant's certificate.
    fn shows_certificate(&self) -> bool {
        false
    }

    /// Signs and serialises the question, as [`Call::request`] does.
    ///
    /// # Errors
    /// A value that cannot be written in WeChat's format.
    fn request(&self, moment: Moment<'_>) -> Result<Request<Vec<u8>>, Error>;

    /// Whether an answer with this status whose body starts so is the file.
    fn is_file(&self, status: u16, start: &[u8]) -> bool;

    /// What an answer says that is not the file.
    fn refused(&self, reply: Reply<'_>) -> Error;
}

/// The two things a signature needs from the outside world.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Unix seconds.
    pub now: i64,
    /// Never used twice.
    pub nonce: &'a Nonce,
}

/// What came back, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// All headers; APIv3 puts its signature there.
    pub headers: &'a HeaderMap,
    /// The raw body: what was signed, byte by byte.
    pub body: &'a [u8],
}

/// WeChat's two houses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Host {
    /// WeChat Pay, `api.mch.weixin.qq.com`, which has a spare host.
    Merchant,
    /// The mini program platform, `api.weixin.qq.com`.
    Platform,
}
