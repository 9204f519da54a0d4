//! How a command that stays up is told to end, where the first signal asks and the second one insists; or to read its
//! configuration again.

use std::sync::Arc;

use tokio::sync::watch;

use crate::problem::Problem;

/// Whether it is time to end. Its clones are told at the same moment.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    told: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// One that nobody but [`Stop::now`] tells.
    pub(crate) fn new() -> Self {
        Self { told: Arc::new(watch::Sender::new(false)) }
    }

    /// One that SIGTERM and SIGINT tell. The second signal ends the process at once.
    pub(crate) fn on_signals() -> Result<Self, Problem> {
        let stop = Self::new();
        let mut signals =
            Signals::new().map_err(|cause| Problem::machine("cannot listen to signals", &cause))?;
        let teller = stop.clone();
        tokio::spawn(async move {
            signals.next().await;
            tracing::info!("asked to stop; a second signal ends at once");
            teller.now();
            signals.next().await;
            end_at_once();
        });
        Ok(stop)
    }

    /// Tells everybody.
    pub(crate) fn now(&self) {
        self.told.send_replace(true);
    }

    /// Waits until told.
    pub(crate) fn wait(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut told = self.told.subscribe();
        async move {
            // A teller that is gone means stop, too.
            drop(told.wait_for(|told| *told).await);
        }
    }
}

#[expect(clippy::exit, reason = "whoever asks twice does not want to wait for anything")]
fn end_at_once() -> ! {
    std::process::exit(130)
}

/// SIGHUP: what has changed on the disk is to be read again. Without somebody to hear it, it ends the process.
pub(crate) struct Hangups {
    #[cfg(unix)]
    heard: tokio::signal::unix::Signal,
}

impl Hangups {
    /// Hears them from now on.
    #[cfg(unix)]
    pub(crate) fn new() -> Result<Self, Problem> {
        let heard = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        let heard = heard.map_err(|cause| Problem::machine("cannot listen to signals", &cause))?;
        Ok(Self { heard })
    }

    /// There are none here.
    #[cfg(not(unix))]
    pub(crate) fn new() -> Result<Self, Problem> {
        Ok(Self {})
    }

    /// The next one, or several that came together.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if self.heard.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
