//! The payment backend: orders, payments, notifications, webhooks.
//!
//! A payment is six steps, one file each, in [`flow`]: login, order, prepay,
//! second sign, notify, webhook. When a step was lost, [`repair`] asks WeChat.
//! The rule of all of them: read, decide, store in one transaction, and only
//! then speak.
//!
//! ```text
//! http/ ──▶ flow/, repair/ ──▶ store/       what is true
//!                        └──▶ gateway.rs    what WeChat is asked
//! due.rs ─▶ flow/webhook, repair/query      what time starts
//! keys.rs                                   WeChat's keys: fetched, kept, replaced
//!                └────────▶ receivers/      the merchant's own systems
//! ```
//!
//! [`Server::open`] reads keys, opens the database and binds the port, so that
//! whatever is wrong is wrong at start; [`Server::run`] serves until told to stop.
//!
//! An application that has Suanpan inside opens a server, puts its own routes beside it
//! ([`Server::beside`]), and calls the steps with its [`Server::world`]: one process,
//! one port. `examples/embed.rs` is a shop of that kind.

pub mod access;
pub mod account;
pub mod archive;
pub mod audit;
pub mod config;
pub mod doctor;
pub mod due;
mod error;
pub mod explain;
pub mod flow;
mod gateway;
pub mod http;
pub mod ids;
mod keys;
mod metrics;
pub mod moving;
pub mod order;
pub mod outside;
pub mod people;
mod purge;
mod receivers;
pub mod reconciliation;
pub mod refund;
mod reload;
pub mod repair;
mod request;
pub mod shipment;
pub mod store;
pub mod timeline;
pub mod token;
mod world;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use config::Config;
pub use error::{Error, Kind, chain};
pub use reload::{Reloaded, Reloader};
/// The client that asks WeChat, and with it the protocol: [`client::wechat`].
pub use suanpan_client as client;
pub use world::{Seams, World};

/// A server that is ready to run.
#[derive(Debug)]
pub struct Server {
    world: Arc<World>,
    listener: TcpListener,
    address: SocketAddr,
    config: Config,
    first_api_key: Option<String>,
    beside: axum::Router,
}

impl Server {
    /// Reads keys, opens and migrates the database, binds the port.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Listen`], and those of the store.
    pub async fn open(config: Config, seams: Seams) -> Result<Self, Error> {
        let listen = config.server.listen;
        let bound = TcpListener::bind(listen).await;
        let listener = bound.map_err(|cause| Error::Listen { address: listen, cause })?;
        let address =
            listener.local_addr().map_err(|cause| Error::Listen { address: listen, cause })?;

        let url = format!("http://{}", reachable(address));
        let world = World::opened(&config, seams, url).await?;
        flow::endpoints::adopt_configured(&world, &config).await?;
        purge::plan(&world).await?;
        repair::reconcile::plan(&world, &world.accounts()).await?;
        let first_api_key = access::first_api_key(&world).await?;
        let beside = axum::Router::new();
        Ok(Self { world, listener, address, config, first_api_key, beside })
    }

    /// Serves an application's own routes on the same port. What limits a request of ours (its size, its time, how many at
    /// once) does not hold for these: they come with layers of their own.
    ///
    /// A path of [`http::routes`] must not be among them, nor a fallback: the router panics.
    #[must_use]
    pub fn beside(mut self, routes: axum::Router) -> Self {
        self.beside = self.beside.merge(routes);
        self
    }

    /// The address that is listened on, as this machine reaches it.
    pub fn url(&self) -> String {
        format!("http://{}", reachable(self.address))
    }

    /// The API key of a new database: shown once, at its first start.
    pub fn first_api_key(&self) -> Option<&str> {
        self.first_api_key.as_deref()
    }

    /// What takes over a configuration that has changed.
    pub fn reloader(&self) -> Reloader {
        Reloader::new(Arc::clone(&self.world), &self.config)
    }

    /// What the steps need, for whoever embeds the server.
    pub const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// A link that signs one browser in to the console, once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn console_link(&self) -> Result<String, Error> {
        let token = access::new_console_link(&self.world).await?;
        Ok(format!("{}/console?setup={token}", self.world.public_url))
    }

    /// A link that makes the first operator of a database that has none, once; `None` where there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_up_link(&self) -> Result<Option<String>, Error> {
        let token = access::first_operator_link(&self.world).await?;
        Ok(token.map(|token| access::set_up_address(&self.world.public_url, &token)))
    }

    /// Serves until `shutdown` is done; then finishes what is under way, and closes the database.
    ///
    /// # Errors
    /// [`Error::Broken`] where a part of the server panicked.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let (stop, stopped) = watch::channel(false);
        let until = |mut stopped: watch::Receiver<bool>| async move {
            // A sender that is gone means stop, too.
            drop(stopped.wait_for(|stopped| *stopped).await);
        };
        let worker = tokio::spawn(due::work(Arc::clone(&self.world), until(stopped.clone())));
        let keeper = tokio::spawn(keys::watch(Arc::clone(&self.world), until(stopped.clone())));
        let stopping = http::console::Stopping(stopped.clone());
        let router = http::routes::router(Arc::clone(&self.world), &self.config)
            .layer(axum::Extension(stopping))
            .merge(self.beside);
        let most = self.config.server.max_connections;
        let served =
            tokio::spawn(http::connections::serve(self.listener, router, most, until(stopped)));

        shutdown.await;
        tracing::info!("stopping: no new requests, finishing those under way");
        stop.send_replace(true);
        let patience = Duration::from_secs(self.config.server.shutdown_seconds);
        let ended = tokio::time::timeout(patience, async {
            (served.await, worker.await.and(keeper.await))
        })
        .await;
        self.world.store.close().await;
        match ended {
            Ok((Ok(()), Ok(()))) => Ok(()),
            Ok((Err(_), _) | (_, Err(_))) => Err(Error::Broken),
            Err(_) => {
                // What is cut off here is safe: nothing was acknowledged that is not stored.
                tracing::warn!(
                    "some requests took longer than server.shutdown_seconds and were cut off"
                );
                Ok(())
            }
        }
    }
}

/// `0.0.0.0` is every address of this machine, and none that can be called.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        IpAddr::V4(_) | IpAddr::V6(_) => address,
    }
}
