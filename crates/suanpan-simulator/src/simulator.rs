//! Opens a simulator, and serves it.

use std::fs::File;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::clock::{Clock, SECOND};
use crate::credentials::{self, Credentials};
use crate::ledger::Ledger;
use crate::notify::{self, Poster};
use crate::registry::Registry;
use crate::tls::{Port, Shown};
use crate::world::{Shared, World};
use crate::{Error, Outside, SystemOutside, config_file, files, http};

/// Where a server listens that is started from `suanpan.toml`.
const BACKEND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// How long what was begun may take after the shutdown, in microseconds.
const GRACE: i64 = 3 * SECOND;

/// How to open a simulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of keys, credentials and the ledger; made where it is missing.
    pub data: PathBuf,
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where it listens with TLS as well, and takes merchants' certificates; port 0 takes a free one.
    pub tls_listen: Option<SocketAddr>,
    /// The shop that the phone shows; it can also be set later.
    pub shop: Option<Shop>,
    /// `server.listen` in `suanpan.toml`; 127.0.0.1:8080 where it is not given.
    pub backend_listen: Option<SocketAddr>,
    /// Clock and dice.
    pub outside: Arc<dyn Outside>,
}

impl Options {
    /// A simulator without a shop, by the clock and the dice of the machine.
    pub fn new(data: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            data: data.into(),
            listen,
            tls_listen: None,
            shop: None,
            backend_listen: None,
            outside: Arc::new(SystemOutside),
        }
    }
}

/// A shop whose goods the phone can buy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shop {
    /// Its name, as people read it.
    pub name: String,
    /// Where it serves `/items`, `/orders` and `/events`.
    pub url: String,
    /// Where its backend serves `/miniprogram/pay`.
    pub backend_url: String,
}

/// A WeChat that is ready to be served.
#[derive(Debug)]
pub struct Simulator {
    world: Arc<World>,
    listener: TcpListener,
    tls: Option<Port>,
    credentials_path: PathBuf,
    config_path: PathBuf,
    /// The folder is ours as long as this is open.
    _lock: File,
}

impl Simulator {
    /// Binds the port, then loads who there is, or makes them at the first start.
    ///
    /// # Errors
    /// The port is taken, another simulator has the folder, or it cannot be read, written or understood.
    pub async fn open(options: Options) -> Result<Self, Error> {
        let Options { data, listen, tls_listen, shop, backend_listen, outside } = options.clone();
        let (listener, address) = bind(listen).await?;
        let base_url = format!("http://{address}");
        let tls = match tls_listen {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };

        // Making a dozen RSA keys takes about a second, which others should not wait for.
        let opening = tokio::task::spawn_blocking(move || {
            let backend = backend_listen.unwrap_or(BACKEND);
            let tls_url = tls.as_ref().map(|(_, address)| format!("https://{address}"));
            let (lock, world) = Self::read(&data, (base_url, tls_url), backend, outside)?;
            let port = tls.map(|(port, _)| Port::new(port, &data, &world.credentials.lock()));
            Ok::<_, Error>((lock, port.transpose()?, world))
        });
        let (lock, tls, world) = opening
            .await
            .map_err(|cause| Error::Key { what: "credentials", why: cause.to_string() })??;
        let simulator = Self {
            world: Arc::new(world),
            listener,
            tls,
            credentials_path: credentials::path(&options.data),
            config_path: config_file::path(&options.data),
            _lock: lock,
        };
        if let Some(shop) = shop {
            simulator.set_shop(shop);
        }
        Ok(simulator)
    }

    fn read(
        data: &Path,
        (base_url, tls_url): (String, Option<String>),
        backend: SocketAddr,
        outside: Arc<dyn Outside>,
    ) -> Result<(File, World), Error> {
        files::make_folder(data)?;
        let lock = files::take_folder(data)?;
        let now = outside.now_micros().div_euclid(SECOND);
        let credentials = Credentials::open(data, &base_url, tls_url, now, &*outside)?;
        config_file::write(data, backend, &credentials)?;
        let registry = Registry::read(data, &credentials)?;
        let ledger = Ledger::open(data, &registry)?;
        let world = World {
            clock: Clock::new(Arc::clone(&outside), ledger.ahead),
            outside,
            registry,
            data: data.to_owned(),
            credentials: Shared::new(credentials),
            backend,
            base_url,
            shop: Shared::default(),
            ledger: Shared::new(ledger),
            logins: Shared::default(),
            tokens: Shared::default(),
            bills: Shared::default(),
            faults: Shared::default(),
            requests: Shared::default(),
            nonces: Shared::default(),
            stirred: watch::Sender::new(0),
        };
        Ok((lock, world))
    }

    /// Where it is served: `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> &str {
        &self.world.base_url
    }

    /// Where it is served over TLS, if it is: `https://127.0.0.1:PORT`. `DIR/tls/ca.pem` vouches for it.
    pub fn tls_url(&self) -> Option<String> {
        self.world.credentials.lock().tls_url.clone()
    }

    /// `DIR/credentials.json`: merchants, apps and users.
    pub fn credentials_path(&self) -> &Path {
        &self.credentials_path
    }

    /// `DIR/suanpan.toml`: a server that is set up against this simulator.
    pub fn config_path(&self) -> &Path {
        &self.config_path
    }

    /// Sets the shop that the phone shows.
    pub fn set_shop(&self, shop: Shop) {
        *self.world.shop.lock() = Some(shop);
    }

    /// Serves until `shutdown` is ready; then finishes what was begun, for a few
    /// seconds at most, and stops telling. Notifications that nobody acknowledged go
    /// on at the next start.
    ///
    /// # Errors
    /// The network failed.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let poster = Poster::new()?;
        let outside = Arc::clone(&self.world.outside);
        let (asked, heard) = oneshot::channel();
        let shutdown = async move {
            shutdown.await;
            // Nobody hears it where serving has ended already.
            let _ = asked.send(());
        };
        let shutdown = shutdown.shared();
        let grace = async move {
            if heard.await.is_err() {
                std::future::pending::<()>().await;
            }
            outside.sleep_until(outside.now_micros().saturating_add(GRACE)).await;
        };

        let routes = http::routes(Arc::clone(&self.world));
        let plain = axum::serve(self.listener, routes.clone())
            .with_graceful_shutdown(shutdown.clone())
            .into_future();
        let over_tls = async {
            let Some(port) = self.tls else { return Ok(()) };
            let routes = routes.into_make_service_with_connect_info::<Shown>();
            axum::serve(port, routes).with_graceful_shutdown(shutdown).await
        };
        tokio::select! {
            served = async { tokio::try_join!(plain, over_tls) } => {
                served.map(drop).map_err(Error::Serve)
            }
            // A fault may keep a caller waiting for ever.
            () = grace => Ok(()),
            never = notify::tell(self.world, poster) => match never {},
        }
    }
}

/// Takes the port, and says at which address this machine can reach it, also where it listens on all of them.
async fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let mut address = listener.local_addr().map_err(failed)?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    Ok((listener, address))
}
