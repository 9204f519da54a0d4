//! Everything that the parts of the simulator share.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use suanpan_wechat::{Moment, Nonce};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::faults::Faults;
use crate::gateway::Lodged;
use crate::gateway::platform::Tokens;
use crate::ledger::{Ledger, Record};
use crate::login::Logins;
use crate::registry::Registry;
use crate::requests::Requests;
use crate::switches::Switches;
use crate::{Outside, Shop, dice};

/// The shared state. No lock is ever held while something is awaited.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) outside: Arc<dyn Outside>,
    pub(crate) clock: Clock,
    pub(crate) registry: Registry,
    /// The folder of keys, credentials and the ledger.
    pub(crate) data: PathBuf,
    /// `credentials.json` as it was written last.
    pub(crate) credentials: Shared<Credentials>,
    /// `server.listen` in `suanpan.toml`.
    pub(crate) backend: SocketAddr,
    pub(crate) base_url: String,
    pub(crate) shop: Shared<Option<Shop>>,
    pub(crate) ledger: Shared<Ledger>,
    pub(crate) logins: Shared<Logins>,
    pub(crate) tokens: Shared<Tokens>,
    pub(crate) bills: Shared<Lodged>,
    pub(crate) faults: Shared<Faults>,
    pub(crate) requests: Shared<Requests>,
    /// Nonces of APIv3 requests and when they came; only where a switch wants it.
    pub(crate) nonces: Shared<HashMap<(String, String), i64>>,
    /// Counts the changes that the teller of notifications cares for.
    pub(crate) stirred: watch::Sender<u64>,
}

impl World {
    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// A new nonce.
    pub(crate) fn nonce(&self) -> Nonce {
        dice::nonce(&*self.outside)
    }

    /// The switches as they stand.
    pub(crate) fn switches(&self) -> Switches {
        self.ledger.lock().switches.clone()
    }

    /// Signs something now.
    pub(crate) fn at_now<T>(&self, sign: impl FnOnce(Moment<'_>) -> T) -> T {
        sign(Moment { now: self.clock.signing_now(), nonce: &self.nonce() })
    }

    /// Writes changes down, and wakes whoever waits for them.
    pub(crate) fn commit(&self, ledger: &mut Ledger, records: Vec<Record>) -> io::Result<()> {
        let done = ledger.commit(records);
        if let Err(cause) = &done {
            tracing::error!(%cause, "the ledger cannot be written");
        }
        self.stir();
        done
    }

    /// Wakes the teller of notifications.
    pub(crate) fn stir(&self) {
        self.stirred.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// A value behind a lock that a panic elsewhere does not close.
#[derive(Debug, Default)]
pub(crate) struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
