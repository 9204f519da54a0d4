//! The loop: build, send, read, decide.

use std::fmt;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, header};
use suanpan_wechat::{self as wechat, Call, Host, Moment, Reply};

use crate::host::Base;
use crate::outside::Stopwatch;
use crate::{Builder, Done, Doubt, Error, Exchange, Outcome, Outside, Rejection, Trace, Wire};

/// Asks WeChat. Cheap to clone: the clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) merchant: Hosts,
    pub(crate) platform: Hosts,
    pub(crate) max_answer: usize,
    pub(crate) outside: Arc<dyn Outside>,
    pub(crate) wire: Option<Arc<dyn Wire>>,
}

impl Client {
    /// The defaults are those for the real WeChat.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Asks, and says what is known afterwards.
    ///
    /// The next host is tried only where nothing was sent to this one. Each try
    /// has its own time, nonce and signature.
    pub async fn call<C: Call>(&self, call: &C) -> Outcome<C::Answer> {
        let watch = Stopwatch::start();
        let hosts = self.0.hosts(call.host());
        let (mut host, mut spares) = (&hosts.first, hosts.spares.iter().peekable());
        let (mut sent, mut probed, mut tries) = (false, false, 0_u32);

        loop {
            tries = tries.saturating_add(1);
            let tried = self.0.attempt(call, host).await;
            match &tried.result {
                // Nothing was sent: ask the spare host.
                Err(Error::Unreachable { .. }) if spares.peek().is_some() => {
                    host = spares.next().unwrap_or(host);
                    continue;
                }
                // WeChat looks whether we check signatures. It probes no repetition, and
                // the same question under the same number is answered the same.
                Err(Error::WeChat(wechat::Error::Probe)) if !probed => {
                    (sent, probed) = (true, true);
                    continue;
                }
                Ok(_) | Err(_) => {}
            }

            probed |= matches!(tried.result, Err(Error::WeChat(wechat::Error::Probe)));
            let trace = Trace {
                operation: call.operation(),
                host: host.as_str().to_owned(),
                status: tried.status,
                request_id: tried.request_id,
                tries,
                probed,
                elapsed: watch.elapsed(),
            };
            sent |= tried.sent;
            return match tried.result {
                Ok(answer) => Outcome::Done(Done { answer, trace }),
                Err(error) if is_no(&error, sent) => Outcome::Rejected(Rejection { error, trace }),
                Err(error) => Outcome::Unknown(Doubt { error, maybe_sent: sent, trace }),
            };
        }
    }
}

/// What else of this crate asks with.
impl Client {
    pub(crate) fn hosts(&self, host: Host) -> &Hosts {
        self.0.hosts(host)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(crate) fn outside(&self) -> &dyn Outside {
        &*self.0.outside
    }
}

impl Inner {
    fn hosts(&self, host: Host) -> &Hosts {
        match host {
            Host::Merchant => &self.merchant,
            Host::Platform => &self.platform,
        }
    }

    /// One try at one host, signed for this moment.
    async fn attempt<C: Call>(&self, call: &C, host: &Base) -> Tried<C::Answer> {
        let watch = Stopwatch::start();
        let (mut status, mut request_id) = (None, None);
        let (sent, result) = match self.write(call, host) {
            Err(error) => (false, Err(error)),
            Ok(question) => {
                let got = self.exchange(call.operation(), host, question).await;
                let sent = !matches!(got, Err(Error::Unreachable { .. }));
                let read = got.and_then(|got| {
                    status = Some(got.status);
                    request_id = printable(got.headers.get("request-id"));
                    Ok(call.answer(got.reply(), self.outside.now())?)
                });
                (sent, read)
            }
        };

        let error = result.as_ref().err();
        let refusal = error.and_then(Error::refusal);
        request_id = request_id.or_else(|| rid(&refusal?.message));
        // Never a body, a query or a refusal's words: they can hold secrets and openids.
        tracing::debug!(
            wechat.operation = call.operation(),
            wechat.host = host.as_str(),
            wechat.request_id = request_id.as_deref(),
            wechat.code = refusal.map(|refusal| refusal.code.as_str()),
            http.status = status,
            error.code = error.map(Error::code),
            elapsed_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX),
            "asked WeChat"
        );
        Tried { result, sent, status, request_id }
    }

    /// The question, signed for this moment.
    fn write<C: Call>(&self, call: &C, host: &Base) -> Result<reqwest::Request, Error> {
        let (now, nonce) = (self.outside.now(), self.outside.nonce());
        question(call.operation(), host, call.request(Moment { now, nonce: &nonce })?)
    }

    /// Sends the question and takes the whole answer, in the sight of the observer.
    async fn exchange(
        &self,
        operation: &'static str,
        host: &Base,
        question: reqwest::Request,
    ) -> Result<Got, Error> {
        let Some(wire) = &self.wire else { return self.send(host, question).await };

        let copy = question.try_clone();
        let got = self.send(host, question).await;
        if let Some(asked) = copy {
            wire.saw(&Exchange {
                operation,
                host: host.as_str(),
                method: asked.method(),
                path_and_query: asked.url().as_str().strip_prefix(host.as_str()).unwrap_or("/"),
                request_headers: asked.headers(),
                request_body: asked.body().and_then(reqwest::Body::as_bytes).unwrap_or_default(),
                reply: got.as_ref().map(Got::reply),
            });
        }
        got
    }

    async fn send(&self, host: &Base, question: reqwest::Request) -> Result<Got, Error> {
        let lost = |cause| Error::of_network(host.as_str(), cause);
        let mut answer = self.http.execute(question).await.map_err(lost)?;

        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if self.max_answer.saturating_sub(body.len()) < chunk.len() {
                return Err(Error::TooLong {
                    host: host.as_str().to_owned(),
                    limit: self.max_answer,
                });
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(answer.headers_mut());
        Ok(Got { status: answer.status().as_u16(), headers, body })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("merchant", &self.0.merchant)
            .field("platform", &self.0.platform)
            .finish_non_exhaustive()
    }
}

/// The host to ask, and those to ask where it cannot be reached.
#[derive(Debug)]
pub(crate) struct Hosts {
    pub(crate) first: Base,
    pub(crate) spares: Vec<Base>,
}

impl Hosts {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Base> {
        std::iter::once(&self.first).chain(&self.spares)
    }
}

/// What one try brought.
struct Tried<T> {
    result: Result<T, Error>,
    sent: bool,
    status: Option<u16>,
    request_id: Option<String>,
}

/// A whole answer.
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn reply(&self) -> Reply<'_> {
        Reply { status: self.status, headers: &self.headers, body: &self.body }
    }
}

/// A signed question on its way to a host.
pub(crate) fn question(
    operation: &'static str,
    host: &Base,
    signed: Request<Vec<u8>>,
) -> Result<reqwest::Request, Error> {
    let (parts, body) = signed.into_parts();
    let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let url = host.join(path).ok_or(Error::Path { operation })?;

    let mut question = reqwest::Request::new(parts.method, url);
    *question.headers_mut() = parts.headers;
    // WeChat refuses a request without it.
    question.headers_mut().entry(header::USER_AGENT).or_insert(USER_AGENT);
    // Exactly the bytes that were signed.
    *question.body_mut() = (!body.is_empty()).then(|| body.into());
    Ok(question)
}

/// Whether this says that it is not done; anything else is doubt.
pub(crate) fn is_no(error: &Error, sent: bool) -> bool {
    match error {
        // `HTTP_404` and the like are pages of something between WeChat and us.
        Error::WeChat(wechat::Error::Refused(refusal)) => {
            !refusal.is_doubt() && !refusal.code.starts_with("HTTP_")
        }
        // The question could not be written, and will not be later.
        Error::WeChat(_) | Error::Path { .. } | Error::BaseUrl { .. } | Error::Setup(_) => !sent,
        Error::Unreachable { .. }
        | Error::TimedOut { .. }
        | Error::Cut { .. }
        | Error::TooLong { .. }
        | Error::Sink(_) => false,
    }
}

/// The platform has no header for it; it writes `invalid code, rid: 608d-66b8` instead.
fn rid(message: &str) -> Option<String> {
    let (_, rest) = message.rsplit_once("rid: ")?;
    let rid: String = rest.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect();
    (!rid.is_empty()).then_some(rid)
}

/// A name of a request that may go to a log.
fn printable(value: Option<&HeaderValue>) -> Option<String> {
    let text = value?.to_str().ok()?;
    (text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned())
}

const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("suanpan/", env!("CARGO_PKG_VERSION")));
