//! How a client is set up, and why so.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{Hosts, Inner};
use crate::host::Base;
use crate::{Client, Error, Outside, SystemOutside, Wire};

/// Sets a [`Client`] up. The defaults are those for the real WeChat.
#[derive(Clone, Debug)]
#[must_use = "call `build`"]
pub struct Builder {
    merchant_hosts: Vec<String>,
    platform_host: String,
    connect_timeout: Duration,
    timeout: Duration,
    plain_http: bool,
    max_answer: usize,
    outside: Arc<dyn Outside>,
    wire: Option<Arc<dyn Wire>>,
    identity: Option<reqwest::Identity>,
    roots: Vec<reqwest::Certificate>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            merchant_hosts: MERCHANT_HOSTS.map(str::to_owned).to_vec(),
            platform_host: PLATFORM_HOST.to_owned(),
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(10),
            plain_http: false,
            max_answer: 1024 * 1024,
            outside: Arc::new(SystemOutside),
            wire: None,
            identity: None,
            roots: Vec::new(),
        }
    }
}

impl Builder {
    /// The hosts of WeChat Pay, the first choice first: scheme, host and port.
    pub fn merchant_hosts<U: Into<String>>(mut self, hosts: impl IntoIterator<Item = U>) -> Self {
        self.merchant_hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// The host of the mini program platform; it has no spare.
    pub fn platform_host(mut self, host: impl Into<String>) -> Self {
        self.platform_host = host.into();
        self
    }

    /// One address for everything: a simulator.
    pub fn all_hosts(self, host: impl Into<String>) -> Self {
        let host = host.into();
        self.merchant_hosts([host.clone()]).platform_host(host)
    }

    /// How long one host may take to accept a connection, TLS included; 3 s.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one try may take from the first byte to the last; 10 s.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The longest answer that is read, in bytes; 1 MiB.
    pub const fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Lets `http://` through to hosts other than loopback, where everybody on
    /// the way can read orders, openids and the `AppSecret`. For a simulator in
    /// another container, never for WeChat.
    pub const fn danger_allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Where time and nonces come from; the machine.
    pub fn outside(mut self, outside: Arc<dyn Outside>) -> Self {
        self.outside = outside;
        self
    }

    /// An observer of every message, secrets included: see [`Wire`].
    pub fn wire(mut self, wire: Arc<dyn Wire>) -> Self {
        self.wire = Some(wire);
        self
    }

    /// The merchant's certificate with its private key, both PEM: shown where WeChat asks for one, as
    /// for refunds of APIv2 ([`Call::shows_certificate`](suanpan_wechat::Call::shows_certificate)).
    ///
    /// # Errors
    /// [`Error::Setup`] where the two cannot be read.
    pub fn certificate(mut self, certificate: &str, private_key: &str) -> Result<Self, Error> {
        let pem = format!("{certificate}\n{private_key}");
        self.identity = Some(reqwest::Identity::from_pem(pem.as_bytes()).map_err(Error::Setup)?);
        Ok(self)
    }

    /// Further certificate authorities to trust, PEM: that of a proxy on the way out, or of a simulator's TLS port.
    ///
    /// # Errors
    /// [`Error::Setup`] where they cannot be read.
    pub fn trust(mut self, pem: &str) -> Result<Self, Error> {
        let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes());
        self.roots.extend(roots.map_err(Error::Setup)?);
        Ok(self)
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error::BaseUrl`] for an address that cannot be used, [`Error::Setup`]
    /// where the machine has no CA certificates.
    pub fn build(self) -> Result<Client, Error> {
        let base = |given: &String| Base::parse(given, self.plain_http);
        let none = Error::BaseUrl { given: String::new(), why: "at least one is needed" };
        let (first, spares) = self.merchant_hosts.split_first().ok_or(none)?;
        let spares = spares.iter().map(base).collect::<Result<_, _>>()?;
        let merchant = Hosts { first: base(first)?, spares };
        let platform = Hosts { first: base(&self.platform_host)?, spares: Vec::new() };

        let mut http = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            // WeChat closes an idle connection after 8 s (`Keep-Alive: timeout=8`). Let go
            // of it before, or a question meets a closing door and its outcome is unknown.
            .pool_idle_timeout(Duration::from_secs(6))
            // WeChat does not redirect; whoever does wants our signature elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        let all = || merchant.all().chain(platform.all());
        if all().all(Base::is_loopback) {
            // A proxy cannot see our loopback.
            http = http.no_proxy();
        }
        if all().all(Base::is_plain) {
            // Nothing speaks TLS: do not load the machine's certificates, it may have none.
            http = http.tls_certs_only([]);
        } else if !self.roots.is_empty() {
            http = http.tls_certs_merge(self.roots);
        }
        if let Some(identity) = self.identity {
            http = http.identity(identity);
        }
        let http = http.build().map_err(Error::Setup)?;

        Ok(Client::new(Inner {
            http,
            merchant,
            platform,
            max_answer: self.max_answer,
            outside: self.outside,
            wire: self.wire,
        }))
    }
}

/// The first host, and the spare in another city.
const MERCHANT_HOSTS: [&str; 2] =
    ["https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com"];
const PLATFORM_HOST: &str = "https://api.weixin.qq.com";
