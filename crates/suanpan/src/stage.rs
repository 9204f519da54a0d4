//! Simulator, backend and shop in one process, for `dev` and `demo`.
//!
//! ```text
//! phone ──▶ shop ──▶ backend ──▶ simulator
//!   └─────────────────▲  └──webhook──▶ shop
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use suanpan_server::outside::{Dice as _, SystemDice};
use suanpan_server::{Config, Seams, Server, access};
use suanpan_simulator::{Options, Simulator};
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::private_file;
use crate::problem::Problem;
use crate::shop::{self, Backend, Shop, Stall};
use crate::stop::Stop;
use crate::tape::Tape;

/// What the stage is to be.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// Where everything is kept.
    pub(crate) data: &'a Path,
    /// Where the backend listens.
    pub(crate) listen: SocketAddr,
    /// Where the simulator listens.
    pub(crate) simulator_listen: SocketAddr,
    /// The seams of the backend.
    pub(crate) seams: Seams,
    /// Keeps what the merchant's system asks.
    pub(crate) tape: Option<Tape>,
}

/// All three, up.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The backend.
    pub(crate) url: String,
    /// The simulator.
    pub(crate) simulator: String,
    /// The merchants' secrets.
    pub(crate) credentials: PathBuf,
    /// Where the API key is kept.
    pub(crate) key_file: PathBuf,
    /// The key with all rights.
    pub(crate) api_key: String,
    /// A link that signs one browser in, once.
    pub(crate) console: String,
    /// The merchant accounts that are sold through.
    pub(crate) stalls: Vec<Stall>,
    /// The merchant.
    pub(crate) shop: Shop,
    /// The backend, as the merchant knows it.
    pub(crate) backend: Backend,
    shop_file: PathBuf,
    server: JoinSet<Result<(), Problem>>,
    others: JoinSet<Result<(), Problem>>,
    stop_server: Stop,
    stop_others: Stop,
}

impl Stage {
    /// Starts everything. What is missing then is [`Stage::settle`].
    pub(crate) async fn open(plan: Plan<'_>) -> Result<Self, Problem> {
        private_file::make_folder(plan.data)?;
        let mut options = Options::new(plan.data.to_owned(), plan.simulator_listen);
        options.backend_listen = Some(plan.listen);
        let simulator = Simulator::open(options).await;
        let simulator = simulator.map_err(|error| Problem::simulator_setup(&error))?;
        let simulator_url = simulator.base_url().to_owned();
        let credentials = simulator.credentials_path().to_owned();
        let origins = origins(&simulator_url);

        let config = config(simulator.config_path(), plan.listen, &origins)?;
        let stalls = shop::stalls(&config);
        let setup = |error| Problem::server_setup(&error);
        let server = Server::open(config, plan.seams).await.map_err(setup)?;
        let key_file = plan.data.join("api.key");
        let api_key = api_key(&server, &key_file).await?;
        let console = reachable(&server.console_link().await.map_err(setup)?);

        let url = reachable(&server.url());
        let backend = Backend::new(Caller::new(plan.tape)?, url.clone(), &api_key);
        let shop_file = plan.data.join("shop.json");
        let (shop, listener) = Shop::open(shop::menu(&stalls), backend.clone(), &shop_file).await?;
        simulator.set_shop(suanpan_simulator::Shop {
            name: shop::NAME.to_owned(),
            url: shop.url.clone(),
            backend_url: url.clone(),
        });

        let (stop_server, stop_others) = (Stop::new(), Stop::new());
        let (mut running, mut others) = (JoinSet::new(), JoinSet::new());
        let stopped = stop_server.wait();
        running.spawn(async { server.run(stopped).await.map_err(|error| Problem::server(&error)) });
        let stopped = stop_others.wait();
        others.spawn(async {
            simulator.serve(stopped).await.map_err(|error| Problem::simulator(&error))
        });
        others.spawn(shop.clone().serve(listener, origins, stop_others.clone()));

        Ok(Self {
            url,
            simulator: simulator_url,
            credentials,
            key_file,
            api_key,
            console,
            stalls,
            shop,
            backend,
            shop_file,
            server: running,
            others,
            stop_server,
            stop_others,
        })
    }

    /// Lets the shop in: when this is done, all of it can be used.
    pub(crate) async fn settle(&self) -> Result<(), Problem> {
        self.shop.settle(&self.shop_file).await
    }

    /// Waits until one of the three ends, which none should.
    pub(crate) async fn broken(&mut self) -> Problem {
        let ended = tokio::select! {
            Some(ended) = self.server.join_next() => ended,
            Some(ended) = self.others.join_next() => ended,
            else => return Problem::bug("nothing is running"),
        };
        match ended {
            Ok(Ok(())) => Problem::bug("a part of the development environment ended by itself"),
            Ok(Err(problem)) => problem,
            Err(cause) => Problem::bug(format!("a part ended in a panic: {cause}")),
        }
    }

    /// Ends all three: the backend first, so that it can still deliver what it has to say.
    pub(crate) async fn end(mut self) -> Result<(), Problem> {
        self.stop_server.now();
        let served = drain(&mut self.server).await;
        self.stop_others.now();
        // A browser that holds a connection open is no reason to stay.
        let others = tokio::time::timeout(PATIENCE, drain(&mut self.others)).await;
        match others {
            Ok(ended) => served.and(ended),
            Err(_) => served,
        }
    }
}

async fn drain(tasks: &mut JoinSet<Result<(), Problem>>) -> Result<(), Problem> {
    let mut all = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.unwrap_or_else(|cause| Err(Problem::bug(cause.to_string())));
        all = all.and(ended);
    }
    all
}

/// The simulator's configuration, as `suanpan serve` reads it, for this address.
fn config(file: &Path, listen: SocketAddr, origins: &[String]) -> Result<Config, Problem> {
    let mut config = Config::load(file).map_err(|error| Problem::server_setup(&error))?;
    config.server.listen = listen;
    origins.clone_into(&mut config.server.cors_origins);
    // The shop is on this machine.
    config.webhooks.allow_private_networks = true;
    Ok(config)
}

/// A server that listens everywhere is reached here, too.
fn reachable(url: &str) -> String {
    url.replacen("//0.0.0.0:", "//127.0.0.1:", 1).replacen("//[::]:", "//[::1]:", 1)
}

/// How a browser may name the page of the phone.
fn origins(simulator: &str) -> Vec<String> {
    let mut origins = vec![simulator.to_owned()];
    if let Some(port) = simulator.strip_prefix("http://127.0.0.1") {
        origins.push(format!("http://localhost{port}"));
    }
    origins
}

/// The key of the last start, or a new one. The database keeps only its hash.
async fn api_key(server: &Server, file: &Path) -> Result<String, Problem> {
    let kept = private_file::read(file)?.map(|text| text.trim().to_owned());
    let key = match kept.filter(|key| key.starts_with("sk_")) {
        Some(key) => key,
        None => {
            let new = server.first_api_key().map(str::to_owned);
            let new = new.unwrap_or_else(|| SystemDice.secret("sk_"));
            private_file::write(file, &format!("{new}\n"))?;
            new
        }
    };
    let admitted = access::admit_api_key(server.world(), &key, "dev").await;
    admitted.map_err(|error| Problem::server_setup(&error))?;
    Ok(key)
}

/// How long simulator and shop may take to end.
const PATIENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_everywhere_is_one_of_here() {
        let check = |url: &str, want: &str| assert_eq!(reachable(url), want);
        check("http://0.0.0.0:8080", "http://127.0.0.1:8080");
        check("http://[::]:8080/console", "http://[::1]:8080/console");
        check("http://192.0.2.7:8080", "http://192.0.2.7:8080");
    }

    #[test]
    fn a_browser_may_say_localhost() {
        let phone = "http://127.0.0.1:9090";
        assert_eq!(origins(phone), [phone, "http://localhost:9090"]);
        assert_eq!(origins("http://192.0.2.7:9090"), ["http://192.0.2.7:9090"]);
    }
}
