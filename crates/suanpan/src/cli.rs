//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// 算盘 Suanpan: a self-hosted payment backend for WeChat Mini Programs.
///
/// Start with `suanpan demo` (one whole payment in the terminal) or
/// `suanpan dev` (a shop, a phone and a backend that stay up).
#[derive(Debug, Parser)]
#[command(name = "suanpan", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Walk one payment by APIv3 and one by APIv2, step by step, in the terminal.
    Demo(Demo),
    /// Simulator, backend and a demo shop on this machine; stays up.
    Dev(Dev),
    /// The backend, for real.
    Serve(Serve),
    /// A WeChat on this machine, for any backend in any language; stays up.
    Simulator(Simulator),
    /// Bring the database to this version's shape.
    Migrate(Migrate),
}

/// `suanpan demo`
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// One JSON object instead of the story.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `suanpan dev`
#[derive(Args, Debug)]
pub(crate) struct Dev {
    /// Where keys and databases are kept.
    #[arg(long, value_name = "DIR", default_value = ".suanpan")]
    pub(crate) data: PathBuf,
    /// Where the backend listens; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where the simulator listens; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090")]
    pub(crate) simulator_listen: SocketAddr,
    /// Where the demo shop listens; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) shop_listen: SocketAddr,
    #[command(flatten)]
    pub(crate) log: LogFormat,
}

/// `suanpan serve`
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// The configuration, TOML; every key can also come as `SUANPAN_…` from the environment.
    #[arg(long, value_name = "FILE", env = "SUANPAN_CONFIG")]
    pub(crate) config: PathBuf,
    /// Listen here instead of where the configuration says; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Use this database instead of the configuration's, such as `sqlite:/var/lib/suanpan.db`.
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
}

/// `suanpan simulator`
#[derive(Args, Debug)]
pub(crate) struct Simulator {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090")]
    pub(crate) listen: SocketAddr,
    /// Where keys, `credentials.json` and `suanpan.toml` are kept.
    #[arg(long, value_name = "DIR", default_value = ".suanpan/simulator")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) log: LogFormat,
}

/// `suanpan migrate`
#[derive(Args, Debug)]
pub(crate) struct Migrate {
    /// The configuration, TOML.
    #[arg(long, value_name = "FILE", env = "SUANPAN_CONFIG")]
    pub(crate) config: PathBuf,
    /// Use this database instead of the configuration's.
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Only say what is missing; exits 1 where something is.
    #[arg(long)]
    pub(crate) check: bool,
    /// One JSON object instead of words.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How the log looks.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LogFormat {
    /// The log on standard error as JSON, one object a line.
    #[arg(long)]
    pub(crate) log_json: bool,
}
