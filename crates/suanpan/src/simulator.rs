//! `suanpan simulator`: a WeChat on this machine.

use std::path::Path;

use suanpan_simulator::{Options, Simulator};

use crate::error::Error;
use crate::{cli, log, ready};

pub(crate) async fn run(arguments: cli::Simulator) -> Result<(), Error> {
    log::install(arguments.log.log_json);
    let (listener, addr) = ready::listen(arguments.listen).await?;
    let url = format!("http://{addr}");
    let simulator = open(&arguments.data, &url, None)?;
    let stop = ready::stop_signal()?;

    let data = arguments.data.display();
    eprintln!("算盘 suanpan {} · simulator 微信模拟器", env!("CARGO_PKG_VERSION"));
    eprintln!("  ✔ WeChat           {url}   (api.weixin.qq.com + api.mch.weixin.qq.com)");
    eprintln!("  ✔ 凭证 credentials  {data}/credentials.json");
    eprintln!("  ✔ 后端 a backend    suanpan serve --config {data}/suanpan.toml");
    eprintln!("  打开手机 the phone  {url}/phone");

    let mut line = serde_json::Map::new();
    line.insert("url".to_owned(), url.into());
    let credentials = arguments.data.join("credentials.json");
    line.insert("credentials".to_owned(), credentials.display().to_string().into());
    line.insert(
        "config".to_owned(),
        arguments.data.join("suanpan.toml").display().to_string().into(),
    );
    ready::say(line);
    simulator.serve(listener, stop).await.map_err(|cause| stopped(&cause))
}

/// Opens a simulator's directory; makes keys and credentials on the first start.
pub(crate) fn open(
    data: &Path,
    base_url: &str,
    shop: Option<suanpan_simulator::Shop>,
) -> Result<Simulator, Error> {
    let options = Options { shop, ..Options::new(data, base_url) };
    Simulator::open(options).map_err(|cause| {
        let what = format!("cannot open the simulator's directory {}", data.display());
        Error::usage("SP-SIMULATOR-DATA", what, "check its rights, or choose another with --data")
            .because(&cause)
    })
}

/// A server that ended by itself.
pub(crate) fn stopped(cause: &(dyn std::error::Error + 'static)) -> Error {
    Error::found("SP-STOPPED", "the server stopped by itself", "see its log above").because(cause)
}
