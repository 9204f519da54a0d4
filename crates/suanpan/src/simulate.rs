//! `suanpan simulator`: a WeChat on this machine, for a backend in any language.

use std::path::Path;

use serde::Serialize;
use suanpan_simulator::{Options, Simulator};

use crate::problem::Problem;
use crate::stop::Stop;
use crate::{cli, log, serve, talk};

/// Serves until a signal.
pub(crate) async fn run(arguments: &cli::Simulator) -> Result<(), Problem> {
    log::start(serve::LOG.0, serve::LOG.1)?;
    let stop = Stop::on_signals()?;
    let options = Options {
        tls_listen: arguments.tls_listen,
        ..Options::new(arguments.data.clone(), arguments.listen)
    };
    let simulator = Simulator::open(options).await;
    let simulator = simulator.map_err(|error| Problem::simulator_setup(&error))?;

    let ready = Ready {
        ready: true,
        url: simulator.base_url(),
        tls_url: simulator.tls_url(),
        credentials: simulator.credentials_path(),
        config: simulator.config_path(),
    };
    say(&ready);
    talk::json(&ready);
    simulator.serve(stop.wait()).await.map_err(|error| Problem::simulator(&error))
}

/// The one line on standard output.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_url: Option<String>,
    credentials: &'a Path,
    config: &'a Path,
}

fn say(ready: &Ready<'_>) {
    let paint = talk::Paint::stderr();
    let line = |name: &str, what: &str| {
        talk::err(format_args!("  {}{}", talk::padded(name, 25), paint.cyan(what)));
    };
    let config = ready.config.display();
    talk::err(paint.bold(&format!("算盘 suanpan {} · simulator", env!("CARGO_PKG_VERSION"))));
    line("微信模拟器 simulator", ready.url);
    if let Some(tls_url) = &ready.tls_url {
        line("双向 TLS mutual TLS", tls_url);
    }
    line("打开手机 the phone", &format!("{}/phone", ready.url));
    line("商户资料 credentials", &ready.credentials.display().to_string());
    line("启动后端 a backend", &format!("suanpan serve --config {config}"));
}
