//! The backend as a process of its own, so that it can be killed as a machine kills it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::problem::Problem;

/// A running `suanpan serve`. It does not outlive us.
#[derive(Debug)]
pub(super) struct Backend {
    child: Child,
    /// Where it is reached.
    pub(super) url: String,
    /// The key of a new database.
    pub(super) api_key: Option<String>,
}

impl Backend {
    /// Starts this very program as `serve`, and waits until it listens. What it logs goes to a file beside its database.
    pub(super) async fn start(config: &Path, listen: &str) -> Result<Self, Problem> {
        let (config, listen) = (config.to_owned(), listen.to_owned());
        let started = tokio::task::spawn_blocking(move || serve(&config, &listen)).await;
        started.map_err(|cause| Problem::bug(cause.to_string()))?
    }

    /// Its number among the processes.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it from one instruction to the next: SIGKILL cannot be caught.
    pub(super) fn kill(mut self) -> Result<ExitStatus, Problem> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map_err(|cause| Problem::machine("cannot kill the backend", &cause))
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(config: &Path, listen: &str) -> Result<Backend, Problem> {
    let cannot = |cause| Problem::machine("cannot start the backend", &cause);
    let log: PathBuf = config.with_file_name("serve.log");
    let file = File::options().create(true).append(true).open(&log).map_err(cannot)?;
    let mut child = Command::new(std::env::current_exe().map_err(cannot)?)
        .args(["serve", "--listen", listen, "--config"])
        .arg(config)
        // An answer that does not come is given up soon, or the story would drag.
        .env("SUANPAN_WECHAT__TIMEOUT_SECONDS", "2")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(file)
        .spawn()
        .map_err(cannot)?;
    let mut line = String::new();
    let heard = child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
    let mut backend = Backend { child, url: String::new(), api_key: None };
    heard.transpose().map_err(cannot)?;
    let ready: Value = serde_json::from_str(&line).map_err(|_| Problem {
        cause: std::fs::read_to_string(&log).ok(),
        ..Problem::bug("the backend never was ready")
    })?;
    let said = |name: &str| ready.get(name).and_then(Value::as_str).map(str::to_owned);
    backend.url = said("url").unwrap_or_default();
    backend.api_key = said("api_key");
    Ok(backend)
}
