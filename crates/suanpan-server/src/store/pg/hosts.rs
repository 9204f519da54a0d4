//! The servers of a database: whichever takes writes is the one.
//!
//! The driver tries one after the other, too, but gives a server without an end time to speak: one that was frozen or cut
//! off between our greeting and its answer would keep us from the next one. Here each has its time.

use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::Connect;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::Config;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Error, Socket};

/// One configuration for each server, in their order.
pub(super) struct Hosts<T> {
    tls: T,
    hosts: Vec<Config>,
    /// How long one may take to let us in.
    each: Duration,
    /// The last that took writes: it is asked first.
    last: AtomicUsize,
}

impl<T> Hosts<T> {
    pub(super) const fn new(tls: T, hosts: Vec<Config>, each: Duration) -> Self {
        Self { tls, hosts, each, last: AtomicUsize::new(0) }
    }
}

impl<T> Connect for Hosts<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    /// `_config` is what all of them have in common.
    fn connect(&self, _config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(async move {
            let first = self.last.load(Ordering::Relaxed);
            let mut refusal = None;
            let in_turn = self.hosts.iter().enumerate().cycle().skip(first);
            for (number, host) in in_turn.take(self.hosts.len()) {
                match timeout(self.each, host.connect(self.tls.clone())).await {
                    Ok(Ok((client, connection))) => {
                        self.last.store(number, Ordering::Relaxed);
                        let spoken = tokio::spawn(async move {
                            if let Err(error) = connection.await {
                                tracing::debug!(%error, "a connection to the database has ended");
                            }
                        });
                        return Ok((client, spoken));
                    }
                    Ok(Err(error)) => refusal = Some(worse(refusal, error)),
                    Err(_) => {}
                }
            }
            match refusal {
                Some(error) => Err(error),
                // Not a word from any of them: the pool has a time for that, and says so.
                None => pending().await,
            }
        })
    }
}

impl<T> fmt::Debug for Hosts<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts").field("each", &self.each).finish_non_exhaustive()
    }
}

/// What a server said says more than that another one could not be reached.
fn worse(before: Option<Error>, now: Error) -> Error {
    match before {
        Some(before) if before.code().is_some() && now.code().is_none() => before,
        Some(_) | None => now,
    }
}
