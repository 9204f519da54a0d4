//! The merchant's systems as we may call them.
//!
//! Who may register an endpoint chooses an address that this server calls. So
//! that nobody is led into our own network: a literal address is checked before
//! it is dialled, a name is resolved once and only its public addresses are
//! dialled, and a redirect is not followed. `webhooks.allow_private_networks`
//! opens all of it, for development.

mod address;

use std::net::IpAddr;
use std::time::Duration;
use std::{error, io};

use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::Error;
use crate::config::WebhooksConfig;

pub(crate) use address::is_public;

/// What a receiver answered.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Its `Retry-After`, as it came.
    pub(crate) retry_after: Option<String>,
}

/// How receivers are called.
#[derive(Debug)]
pub(crate) struct Receivers {
    http: reqwest::Client,
    guard: Guard,
}

impl Receivers {
    /// From the configuration.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub(crate) fn new(config: &WebhooksConfig) -> Result<Self, Error> {
        let seconds = config.timeout_seconds;
        let guard = Guard { open: config.allow_private_networks };
        let client = || {
            reqwest::Client::builder()
                .timeout(Duration::from_secs(seconds))
                .connect_timeout(Duration::from_secs(seconds.min(CONNECT)))
                .redirect(Policy::none())
                // A proxy would resolve the name itself, where nobody checks the address.
                .no_proxy()
                .dns_resolver(guard)
                .referer(false)
                .user_agent(concat!("suanpan/", env!("CARGO_PKG_VERSION")))
        };
        let http = client().build().or_else(|cause| {
            // A machine without CA certificates can still call plain http, which is enough to develop with.
            tracing::warn!(cause = crate::error::chain(&cause), "no https receiver can be called");
            client().tls_certs_only([]).build()
        });
        let http = http.map_err(|cause| Error::Config {
            place: "webhooks".to_owned(),
            why: crate::error::chain(&cause),
        })?;
        Ok(Self { http, guard })
    }

    /// Reads the address of an endpoint, before it is kept.
    ///
    /// # Errors
    /// [`Error::Field`] for a text that is no address, [`Error::Address`] for one that must not be called.
    pub(crate) fn address(&self, text: &str) -> Result<Url, Error> {
        if LONGEST_URL < text.len() {
            return Err(Error::field("url", format!("must have at most {LONGEST_URL} bytes")));
        }
        // Not the text itself: it may hold a password.
        let url = Url::parse(text.trim())
            .map_err(|cause| Error::field("url", format!("is not an address: {cause}")))?;
        match self.guard.check(&url) {
            Ok(()) => Ok(url),
            Err(why) => Err(Error::Address { url: origin(&url), why: why.to_owned() }),
        }
    }

    /// Knocks at an endpoint without telling it anything; answers the status, or in words why there is none.
    ///
    /// The words are those of [`post`](Self::post).
    pub(crate) async fn knock(&self, url: &Url) -> Result<u16, String> {
        self.guard.check(url).map_err(str::to_owned)?;
        let answer = self.http.head(url.clone()).send().await.map_err(|error| problem(&error))?;
        Ok(answer.status().as_u16())
    }

    /// Posts JSON; says what was answered, or in words why nothing was.
    ///
    /// The words are for people and for the store: no path, no query, no secret.
    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: impl IntoIterator<Item = (HeaderName, String)>,
        body: String,
    ) -> Result<Answered, String> {
        // The endpoint may be older than a stricter configuration.
        self.guard.check(url).map_err(str::to_owned)?;
        let mut request =
            self.http.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|error| problem(&error))?;
        // What it says is of no interest, but a connection whose answer was read is used again. The status has
        // decided already, so whatever goes wrong here is nobody's problem.
        let mut read = 0_usize;
        while let Ok(Some(chunk)) = response.chunk().await {
            read = read.saturating_add(chunk.len());
            if LONGEST_ANSWER < read {
                break;
            }
        }
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Answered { status: response.status().as_u16(), retry_after })
    }
}

/// What may be called.
#[derive(Clone, Copy, Debug)]
struct Guard {
    /// Private networks and plain http, too.
    open: bool,
}

impl Guard {
    /// All that can be said without resolving a name. On the parsed address: `http://0x7f.1/` is 127.0.0.1 by then.
    fn check(self, url: &Url) -> Result<(), &'static str> {
        match url.scheme() {
            "https" => {}
            "http" if self.open => {}
            "http" => return Err("only https is called"),
            _ => return Err("an endpoint's address begins with https://"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address with a password in it ends up in logs");
        }
        if url.fragment().is_some() {
            return Err("what is behind `#` is never sent");
        }
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err("it names no host"),
        };
        if self.admits(ip) { Ok(()) } else { Err("the address is not of the public internet") }
    }

    fn admits(self, ip: IpAddr) -> bool {
        self.open || is_public(ip)
    }
}

/// Resolves a name once, to the addresses that may be dialled.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| Unreachable::Unresolved)?;
            let admitted: Vec<_> = found.filter(|address| guard.admits(address.ip())).collect();
            if admitted.is_empty() {
                return Err(Unreachable::Blocked.into());
            }
            let admitted: Addrs = Box::new(admitted.into_iter());
            Ok(admitted)
        })
    }
}

/// Why a name is not dialled.
#[derive(Debug, thiserror::Error)]
enum Unreachable {
    #[error("it has no address of the public internet")]
    Blocked,
    #[error("its name cannot be resolved")]
    Unresolved,
}

/// The last cause in words. The outer ones only say that a request failed, and to which path and query.
fn problem(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        let what = if error.is_connect() { "no connection" } else { "no answer" };
        return format!("{what} in time");
    }
    let mut last: &dyn error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
        if let Some(unreachable) = cause.downcast_ref::<Unreachable>() {
            return unreachable.to_string();
        }
        if let Some(kind) = cause.downcast_ref::<io::Error>().map(io::Error::kind)
            && kind != io::ErrorKind::Other
        {
            return kind.to_string();
        }
    }
    let text =
        if last.is::<reqwest::Error>() { "the call failed".into() } else { last.to_string() };
    text.chars().take(LONGEST_PROBLEM).collect()
}

/// Scheme, host and port; the rest may be secret.
fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Seconds that a connection may take at most.
const CONNECT: u64 = 5;
const LONGEST_ANSWER: usize = 64 * 1024;
const LONGEST_URL: usize = 2048;
const LONGEST_PROBLEM: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: Guard = Guard { open: false };

    fn check(guard: Guard, url: &str) -> &'static str {
        guard.check(&Url::parse(url).unwrap()).err().unwrap_or("called")
    }

    /// Attack A41: however an inner address is spelled, it is not called.
    #[test]
    fn an_inner_address_is_found_in_every_spelling() {
        let spellings = [
            "169.254.169.254",
            "127.1",
            "127.0.0.1.",
            "0x7f000001",
            "0x7f.0.0.1",
            "017700000001",
            "2130706433",
            "0",
            "１２７.0.0.1",
            "%31%32%37.0.0.1",
            "10.0.0.1",
            "100.100.100.200",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::10.0.0.1]",
            "[2002:a00:1::]",
            "[fe80::1]",
            "[fd00:ec2::254]",
        ];
        for host in spellings {
            for url in [format!("https://{host}/"), format!("https://{host}:8443/hook?a=b")] {
                assert_eq!(check(CLOSED, &url), "the address is not of the public internet");
            }
            assert_eq!(check(CLOSED, &format!("http://{host}/")), "only https is called");
            assert_eq!(check(Guard { open: true }, &format!("http://{host}/")), "called");
        }
    }

    #[test]
    fn only_an_address_that_can_be_shown_and_called_is_taken() {
        for url in ["https://shop.example.com/hook?shop=1", "https://8.8.8.8/", "https://x.test:1/"]
        {
            assert_eq!(check(CLOSED, url), "called");
        }
        let refused = |url| check(Guard { open: true }, url);
        assert_eq!(
            refused("ftp://shop.example.com/"),
            "an endpoint's address begins with https://"
        );
        assert_eq!(refused("file:///etc/passwd"), "an endpoint's address begins with https://");
        assert_eq!(refused("javascript:alert(1)"), "an endpoint's address begins with https://");
        let password = "an address with a password in it ends up in logs";
        assert_eq!(refused("https://me:hunter2@shop.example.com/"), password);
        assert_eq!(refused("https://me@shop.example.com/"), password);
        assert_eq!(refused("https://a.test/#b"), "what is behind `#` is never sent");
    }

    async fn resolve(guard: Guard, name: &str) -> Result<usize, String> {
        let resolved = guard.resolve(name.parse().unwrap()).await;
        resolved.map(Iterator::count).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_of_an_inner_address_is_not_dialled() {
        let blocked = "it has no address of the public internet";
        assert_eq!(resolve(CLOSED, "localhost").await.unwrap_err(), blocked);
        assert!(0 < resolve(Guard { open: true }, "localhost").await.unwrap());
    }
}
