//! The address of a PostgreSQL database, and how its connections are set up.

use std::fmt;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::NoTls;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::form_urlencoded;

use super::super::StoreError;
use super::error::unreachable;
use super::hosts::Hosts;

/// Where a PostgreSQL database is, and as whom we come. It shows itself without user and password.
#[derive(Clone, Eq, PartialEq)]
pub struct Address {
    shown: String,
    /// One for each server; there is at least one.
    hosts: Vec<Config>,
    /// The certificates that may vouch for the server; `None`: those that this machine trusts.
    roots: Option<PathBuf>,
    /// The most connections at a time.
    connections: usize,
}

impl Address {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?OPTION=…`, with the options of libpq that
    /// `tokio-postgres` knows, `sslrootcert`, and `connections`, which is ours.
    pub(in crate::store) fn parse(url: &str, base: &Path) -> Option<Self> {
        let (head, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut sslmode, mut roots, mut connections) = (None, None, connections_of_this_machine());
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = form_urlencoded::parse(pair.as_bytes()).next()?;
            match &*name {
                "sslmode" => sslmode = Some(ssl_mode(&value)?),
                "sslrootcert" => roots = Some(base.join(&*value)),
                "connections" => connections = value.parse().ok()?,
                _ => rest.push(pair),
            }
        }
        let (scheme, place) = head.split_once("://")?;
        let (user, place) =
            place.rsplit_once('@').map_or(("", place), |(user, place)| (user, place));
        let (names, name) = place.split_once('/').unwrap_or((place, ""));
        let of = |host: &str| {
            let user = if user.is_empty() { String::new() } else { format!("{user}@") };
            format!("{scheme}://{user}{host}/{name}?{}", rest.join("&")).parse::<Config>().ok()
        };
        let mut hosts = names.split(',').map(of).collect::<Option<Vec<_>>>()?;
        if connections == 0 || hosts.iter().any(|host| host.get_hosts().is_empty()) {
            return None;
        }
        // Without a word about it: in the clear on this machine, and nowhere else.
        let near = hosts.iter().flat_map(Config::get_hosts).all(is_near);
        let unsaid = if near { SslMode::Disable } else { SslMode::Require };
        let several = 1 < hosts.len();
        for host in &mut hosts {
            host.ssl_mode(sslmode.unwrap_or(unsaid));
            with_defaults(host, query, several);
        }
        Some(Self { shown: format!("{scheme}://…@{place}"), hosts, roots, connections })
    }

    /// A pool of connections; none of them is opened yet.
    pub(super) fn pool(&self) -> Result<Pool, StoreError> {
        self.pool_of(self.hosts.clone())
    }

    /// A pool for the database that every server has, to make ours there; with the name of ours.
    pub(super) fn neighbour(&self) -> Result<Option<(Pool, &str)>, StoreError> {
        let Some(name) = self.hosts.iter().find_map(Config::get_dbname) else { return Ok(None) };
        let mut hosts = self.hosts.clone();
        for host in &mut hosts {
            host.dbname("postgres");
        }
        Ok(Some((self.pool_of(hosts)?, name)))
    }

    fn pool_of(&self, hosts: Vec<Config>) -> Result<Pool, StoreError> {
        let settings = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let common = hosts.first().cloned().unwrap_or_default();
        let each = common.get_connect_timeout().copied().unwrap_or(CONNECT);
        let all = u32::try_from(hosts.len()).map_or(each, |count| each.saturating_mul(count));
        let manager = if common.get_ssl_mode() == SslMode::Disable {
            Manager::from_connect(common, Hosts::new(NoTls, hosts, each), settings)
        } else {
            Manager::from_connect(common, Hosts::new(self.tls()?, hosts, each), settings)
        };
        let pool = Pool::builder(manager)
            .max_size(self.connections)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(all.saturating_add(Duration::from_secs(1))))
            .recycle_timeout(Some(PATIENCE))
            .runtime(Runtime::Tokio1);
        pool.build().map_err(|cause| unreachable(&self.shown, cause))
    }

    /// The server's certificate is always checked, and its name in it.
    fn tls(&self) -> Result<MakeRustlsConnect, StoreError> {
        let wrong = |cause: Box<dyn std::error::Error + Send + Sync>| {
            unreachable(&self.shown, std::io::Error::other(cause))
        };
        let provider = rustls::crypto::aws_lc_rs::default_provider().into();
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| wrong(cause.into()))?;
        let builder = match &self.roots {
            None => builder.with_platform_verifier().map_err(|cause| wrong(cause.into()))?,
            Some(file) => {
                let named = |why: String| wrong(format!("{}: {why}", file.display()).into());
                let mut roots = RootCertStore::empty();
                let certificates = CertificateDer::pem_file_iter(file);
                for certificate in certificates.map_err(|cause| named(cause.to_string()))? {
                    let certificate = certificate.map_err(|cause| named(cause.to_string()))?;
                    roots.add(certificate).map_err(|cause| named(cause.to_string()))?;
                }
                builder.with_root_certificates(roots)
            }
        };
        Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// There is no mode that encrypts and trusts anybody: `require` checks the certificate as `verify-full` does.
fn ssl_mode(word: &str) -> Option<SslMode> {
    match word {
        "disable" => Some(SslMode::Disable),
        "prefer" => Some(SslMode::Prefer),
        "require" | "verify-ca" | "verify-full" => Some(SslMode::Require),
        _ => None,
    }
}

fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// What the address does not say itself.
fn with_defaults(config: &mut Config, query: &str, several: bool) {
    let says = |name: &str| query.split('&').any(|pair| pair.starts_with(name));
    if !says("target_session_attrs=") {
        // Of several hosts the one that takes writes, also after a fail-over.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if config.get_application_name().is_none() {
        config.application_name("suanpan");
    }
    if config.get_connect_timeout().is_none() {
        // Where there is another one, sooner to that.
        config.connect_timeout(if several { CONNECT_TO_ONE_OF_MANY } else { CONNECT });
    }
    if config.get_tcp_user_timeout().is_none() {
        // A server that vanished without a word is noticed by this.
        config.tcp_user_timeout(Duration::from_secs(10));
    }
    if !says("keepalives_idle=") {
        config.keepalives_idle(Duration::from_secs(5));
    }
    if config.get_keepalives_interval().is_none() {
        // Whoever waits for an answer has nothing under way that the above could miss: a commit that waits for the
        // standby, on a machine that vanished. The system's own interval is more than a minute.
        config.keepalives_interval(Duration::from_secs(5));
    }
    if config.get_options().is_none() {
        config.options(LIMITS);
    }
}

/// The database works on a few units at a time for each core; more connections only add switching.
fn connections_of_this_machine() -> usize {
    available_parallelism().map_or(1, usize::from).saturating_mul(4).clamp(8, 32)
}

/// How long a unit waits for a connection that is free.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(5);
/// The same where there are several.
const CONNECT_TO_ONE_OF_MANY: Duration = Duration::from_secs(3);
/// No statement of ours takes long, and none may hold a lock for ever. A server that keeps to it has always spoken before
/// the session gives it up (`SILENT`). Nor does it tell at each start that a table is there already.
const LIMITS: &str = "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s \
    -c client_min_messages=warning";
