//! The configuration, read again while the server runs: accounts, keys, apps and the webhook endpoints of the file change,
//! what else has changed waits for the next start.
//!
//! All of it is checked before any of it is taken, so a bad file changes
//! nothing. What is under way finishes with the keys it began with: a question to WeChat, a signature, a notification.
//! Each node reads its own file.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::Error;
use crate::config::{Config, Settings, WebhooksConfig};
use crate::flow::endpoints;
use crate::repair::reconcile;
use crate::world::World;

/// Takes over what has changed in a configuration.
#[derive(Debug)]
pub struct Reloader {
    world: Arc<World>,
    started_with: Settings,
    /// One reading at a time.
    in_use: Mutex<Config>,
}

/// What has changed, by the names of the settings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reloaded {
    /// In use from now on. A file of a key may have changed without its name.
    pub taken: Vec<String>,
    /// To be used from the next start on.
    pub waiting: Vec<String>,
}

impl Reloader {
    pub(crate) fn new(world: Arc<World>, config: &Config) -> Self {
        let started_with = config.settings.clone();
        Self { world, started_with, in_use: Mutex::new(config.clone()) }
    }

    /// Takes the accounts, keys and webhook endpoints of this configuration in place of those in use.
    ///
    /// # Errors
    /// [`Error::Config`] and those of the store; nothing has changed then.
    pub async fn reload(&self, new: Config) -> Result<Reloaded, Error> {
        let mut in_use = self.in_use.lock().await;
        let names = |other: &Settings| -> Vec<_> {
            new.settings.changed(other).map(str::to_owned).collect()
        };
        let waiting = names(&self.started_with).into_iter().filter(|name| !is_taken(name));
        let taken = names(&in_use.settings).into_iter().filter(|name| is_taken(name));
        let told = Reloaded { taken: taken.collect(), waiting: waiting.collect() };

        let started = in_use.clone();
        let config = Config {
            merchants: new.merchants,
            webhooks: WebhooksConfig { endpoints: new.webhooks.endpoints, ..started.webhooks },
            base: new.base,
            settings: new.settings,
            ..started
        };
        let roster = self.world.roster_of(&config).await?;
        endpoints::adopt_configured(&self.world, &config).await?;
        let accounts = Arc::clone(&roster.accounts);
        self.world.take(roster);
        *in_use = config;
        // Last: the work may be due at once, and whoever takes it must know the account.
        reconcile::plan(&self.world, &accounts).await?;
        Ok(told)
    }
}

/// Whether a setting of this name can change while the server runs.
pub(crate) fn is_taken(name: &str) -> bool {
    TAKEN.iter().any(|group| {
        name.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
    })
}

/// What can change while the server runs; whoever keeps the log sees to its level.
const TAKEN: [&str; 3] = ["merchants", "webhooks.endpoints", "log.level"];
