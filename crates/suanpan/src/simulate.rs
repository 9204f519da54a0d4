//! `suanpan simulator`: a WeChat on this machine, for a backend in any language.

use serde_json::json;
use suanpan_simulator::{Options, Simulator};

use crate::problem::Problem;
use crate::stop::Stop;
use crate::{cli, log, serve, talk};

/// Serves until a signal.
pub(crate) async fn run(arguments: &cli::Simulator) -> Result<(), Problem> {
    log::start(serve::LOG.0, serve::LOG.1)?;
    let stop = Stop::on_signals()?;
    let options = Options::new(arguments.data.clone(), arguments.listen);
    let simulator = Simulator::open(options).await;
    let simulator = simulator.map_err(|error| Problem::simulator_setup(&error))?;

    let url = simulator.base_url().to_owned();
    let (credentials, config) =
        (simulator.credentials_path().to_owned(), simulator.config_path().to_owned());
    say(&url, &credentials.display().to_string(), &config.display().to_string());
    talk::json(&json!({ "ready": true, "url": url, "credentials": credentials, "config": config }));
    simulator.serve(stop.wait()).await.map_err(|error| Problem::simulator(&error))
}

fn say(url: &str, credentials: &str, config: &str) {
    let paint = talk::Paint::stderr();
    let line = |name: &str, what: &str| {
        talk::err(format_args!("  {} {}", talk::padded(name, 26), paint.cyan(what)));
    };
    talk::err(paint.bold(&format!("算盘 suanpan {} · simulator", env!("CARGO_PKG_VERSION"))));
    line("微信模拟器 simulator", url);
    line("打开手机 the phone", &format!("{url}/phone"));
    line("商户资料 credentials", credentials);
    line("后端配置 configuration", config);
    line("启动后端 a backend", &format!("suanpan serve --config {config}"));
}
