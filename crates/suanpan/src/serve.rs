//! `suanpan serve`: the backend.

use std::path::{Path, PathBuf};

use serde::Serialize;
use suanpan_server::config::LogFormat;
use suanpan_server::{Config, Reloaded, Reloader, Seams, Server};

use crate::cli::Serve;
use crate::log::Levels;
use crate::problem::Problem;
use crate::stop::{Hangups, Stop};
use crate::{log, talk};

/// Serves until a signal.
pub(crate) async fn run(arguments: &Serve) -> Result<(), Problem> {
    // Before anybody can know that we are here.
    let hangups = Hangups::new()?;
    let mut config = load(&arguments.setup.config, arguments.setup.database.as_deref())?;
    if let Some(listen) = arguments.listen {
        config.server.listen = listen;
    }
    let format = config.log.format;
    let (levels, traces) = log::start_traced(&config)?;
    let stop = Stop::on_signals()?;
    let server = Server::open(config, Seams::default()).await;
    let server = server.map_err(|error| Problem::server_setup(&error))?;

    tracing::info!(url = server.url(), "listening");
    let console = server.set_up_link().await.map_err(|error| Problem::server_setup(&error))?;
    // What reads a log of JSON finds the link in the ready line.
    if let (Some(link), LogFormat::Human) = (&console, format) {
        talk::err(format_args!(
            "控制台还没有操作员，用这个链接设立第一位管理员（一次有效，24 小时内）/ nobody can sign in to the console yet: this link makes the first admin, once, within a day\n  {link}"
        ));
    }
    // The port is bound: whoever reads this line can connect.
    talk::json(&Ready {
        ready: true,
        url: &server.url(),
        api_key: server.first_api_key(),
        console: console.as_deref(),
    });
    let file = arguments.setup.config.clone();
    let rereading = tokio::spawn(read_again(file, server.reloader(), levels, hangups));
    let ended = server.run(stop.wait()).await.map_err(|error| Problem::server(&error));
    rereading.abort();
    if let Some(traces) = traces {
        // It waits for the collector, on a thread of its own.
        drop(tokio::task::spawn_blocking(|| traces.finish()).await);
    }
    ended
}

/// Reads the configuration again at each SIGHUP, and says what came of it.
async fn read_again(file: PathBuf, reloader: Reloader, levels: Levels, mut hangups: Hangups) {
    loop {
        hangups.next().await;
        match reread(&file, &reloader, &levels).await {
            Ok(told) => {
                let taken = told.taken.join(" ");
                tracing::info!(taken, "the configuration was read again");
                if !told.waiting.is_empty() {
                    let settings = told.waiting.join(" ");
                    tracing::warn!(settings, "these settings have changed and wait for a restart");
                }
            }
            Err(Problem { code, detail, cause, remedy, .. }) => {
                let why: Vec<_> = [Some(detail), cause].into_iter().flatten().collect();
                // Mistakes come with their lines: one line of the log for all of them.
                let why = why.join(": ").lines().map(str::trim).collect::<Vec<_>>().join("; ");
                tracing::error!(
                    code,
                    remedy,
                    "the configuration was not taken, what was read before stays in use: {why}"
                );
            }
        }
    }
}

async fn reread(file: &Path, reloader: &Reloader, levels: &Levels) -> Result<Reloaded, Problem> {
    let config = load(file, None)?;
    let filter = log::filter(&config.log.level)?;
    let told = reloader.reload(config).await;
    let told = told.map_err(|error| Problem::server_setup(&error))?;
    levels.set(filter);
    Ok(told)
}

/// The one line on standard output.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    url: &'a str,
    /// Of a new database; it is shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    /// Of a database without operators: a link that makes the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<&'a str>,
}

/// The configuration, with the database of the command line.
pub(crate) fn load(file: &Path, database: Option<&str>) -> Result<Config, Problem> {
    let mut config = Config::load(file).map_err(|error| Problem::server_setup(&error))?;
    if let Some(url) = database {
        config.database.url = from_here(url);
    }
    Ok(config)
}

/// In a file a relative path starts at the file; on the command line it starts where we are.
pub(crate) fn from_here(url: &str) -> String {
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let path = path.filter(|path| !path.is_empty() && !path.starts_with(':'));
    let absolute = path.and_then(|path| std::path::absolute(path).ok());
    absolute.map_or_else(|| url.to_owned(), |path| format!("sqlite:{}", path.display()))
}

/// What is logged where no configuration says otherwise.
pub(crate) const LOG: (LogFormat, &str) = (LogFormat::Human, "info");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_command_line_starts_where_we_are() {
        let here = std::env::current_dir().unwrap();
        let here = here.display();
        let check = |url: &str, want: String| assert_eq!(from_here(url), want, "{url}");
        check("sqlite:tea.db", format!("sqlite:{here}/tea.db"));
        check("sqlite://tea.db", format!("sqlite:{here}/tea.db"));
        check("sqlite:/var/tea.db", "sqlite:/var/tea.db".to_owned());
        // What the store does not take is refused there, as it was typed.
        for url in ["sqlite:", "sqlite::memory:", "postgres://db/tea", "tea.db"] {
            check(url, url.to_owned());
        }
    }
}
