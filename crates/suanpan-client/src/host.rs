//! Where WeChat lives: an address that was checked once.

use std::net::IpAddr;

use reqwest::Url;

use crate::Error;

/// Scheme, host and port of one of WeChat's machines, or of a simulator.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    origin: String,
    loopback: bool,
}

impl Base {
    /// `plain` also lets http:// through to hosts other than loopback.
    pub(crate) fn parse(given: &str, plain: bool) -> Result<Self, Error> {
        let wrong = |why| Error::BaseUrl { given: without_userinfo(given), why };
        let url = Url::parse(given).map_err(|_| wrong("it is not a URL"))?;
        let loopback = is_loopback(&url);

        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it names a user"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("only scheme, host and port are wanted"));
        }
        match url.scheme() {
            "https" => {}
            "http" if loopback || plain => {}
            "http" => return Err(wrong("plain http would show every order to the network")),
            _ => return Err(wrong("the scheme is neither https nor http")),
        }
        Ok(Self { origin: url.origin().ascii_serialization(), loopback })
    }

    /// Scheme, host and port.
    pub(crate) fn as_str(&self) -> &str {
        &self.origin
    }

    pub(crate) const fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.origin.starts_with("http:")
    }

    /// The whole address; `None` where a URL cannot hold the path as it was signed.
    pub(crate) fn join(&self, path_and_query: &str) -> Option<Url> {
        let whole = format!("{}{path_and_query}", self.origin);
        let url = Url::parse(&whole).ok()?;
        // Without the slash, `@b.example` would make our host a user name.
        (path_and_query.starts_with('/') && url.as_str() == whole).then_some(url)
    }
}

/// By what is written, not by what a name server says: a name can move.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An error shows what was given, but no password.
fn without_userinfo(given: &str) -> String {
    given.rsplit_once('@').map_or_else(|| given.to_owned(), |(_, host)| format!("…@{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, plain: bool, want: Result<&str, &str>) {
        let got = Base::parse(given, plain);
        let got = got.map(|base| base.origin).map_err(|error| error.to_string());
        match want {
            Ok(origin) => assert_eq!(got.unwrap(), origin),
            Err(why) => {
                let error = got.unwrap_err();
                assert!(error.contains(why) && !error.contains("pass"), "{error}");
            }
        }
    }

    #[test]
    fn an_address_is_scheme_host_and_port() {
        check("https://api.mch.weixin.qq.com", false, Ok("https://api.mch.weixin.qq.com"));
        check("https://API.mch.weixin.qq.com:443/", false, Ok("https://api.mch.weixin.qq.com"));
        check("http://127.0.0.1:9000/", false, Ok("http://127.0.0.1:9000"));
        check("http://[::1]:9000", false, Ok("http://[::1]:9000"));
        check("http://localhost:9000", false, Ok("http://localhost:9000"));
        check("https://me:pass@a.example", false, Err("names a user"));
        check("https://a.example/v3", false, Err("only scheme"));
        check("https://a.example/?pay", false, Err("only scheme"));
        check("ftp://a.example", false, Err("neither https nor http"));
        check("a.example", false, Err("not a URL"));
    }

    #[test]
    fn plain_http_is_for_loopback_unless_somebody_says_danger() {
        check("http://10.0.0.1", false, Err("plain http"));
        check("http://localhost.a.example", false, Err("plain http"));
        check("http://127.0.0.1.a.example", false, Err("plain http"));
        check("http://simulator:9000", true, Ok("http://simulator:9000"));
    }

    #[test]
    fn what_was_signed_is_what_is_sent() {
        let base = Base::parse("https://a.example", false).unwrap();
        let join = |path| base.join(path).map(String::from);
        assert_eq!(join("/v3/x/A*b%7C_-?m=1"), Some("https://a.example/v3/x/A*b%7C_-?m=1".into()));
        assert_eq!(join("/v3/../x"), None);
        assert_eq!(join("/v3/商户"), None);
        assert_eq!(join("@b.example/"), None);
    }
}
