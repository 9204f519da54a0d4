//! `suanpan dev`: everything that a developer needs, and where to click.

use std::path::Path;

use serde::Serialize;
use suanpan_server::Seams;
use suanpan_server::config::ApiVersion;

use crate::cli::Dev;
use crate::private_file;
use crate::problem::Problem;
use crate::stage::{Plan, Stage};
use crate::stop::Stop;
use crate::talk::{self, Paint};
use crate::{log, serve};

/// Stays up until a signal.
pub(crate) async fn run(arguments: &Dev) -> Result<(), Problem> {
    log::start(serve::LOG.0, serve::LOG.1)?;
    let stop = Stop::on_signals()?;
    let mut stage = Stage::open(Plan {
        data: &arguments.data,
        listen: arguments.listen,
        simulator_listen: arguments.simulator_listen,
        seams: Seams::default(),
        tape: None,
    })
    .await?;

    say(&stage, &arguments.data);
    stage.settle().await?;
    let environment = arguments.data.join(ENVIRONMENT);
    private_file::write(&environment, &exports(&stage))?;
    talk::json(&Ready {
        ready: true,
        url: &stage.url,
        simulator: &stage.simulator,
        credentials: &stage.credentials,
        api_key: &stage.api_key,
        console: &stage.console,
    });
    let broken = tokio::select! {
        () = stop.wait() => None,
        problem = stage.broken() => Some(problem),
    };
    // What is not there any more is not to be found.
    let removed = private_file::remove(&environment);
    let ended = stage.end().await.and(removed);
    broken.map_or(ended, Err)
}

/// The file in the data folder that a shell reads by `. .suanpan/env`.
const ENVIRONMENT: &str = "env";

/// All that a script has to know, each name as the documents use it.
fn exports(stage: &Stage) -> String {
    let mut lines = vec![
        export("SUANPAN_URL", &stage.url),
        export("SUANPAN_SIMULATOR", &stage.simulator),
        export("SUANPAN_SHOP", &stage.shop.url),
        export("SUANPAN_API_KEY", &stage.api_key),
        export("SUANPAN_CREDENTIALS", &stage.credentials.display().to_string()),
    ];
    for stall in &stage.stalls {
        let name = match stall.api {
            // That of an order which names no app.
            ApiVersion::V3 => "SUANPAN_APPID",
            ApiVersion::V2 => "SUANPAN_APPID_V2",
        };
        lines.push(export(name, &stall.app));
    }
    lines.concat()
}

fn export(name: &str, value: &str) -> String {
    format!("export {name}={}\n", quoted(value))
}

/// The one line on standard output.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    url: &'a str,
    simulator: &'a str,
    credentials: &'a Path,
    api_key: &'a str,
    console: &'a str,
}

fn say(stage: &Stage, data: &Path) {
    let paint = Paint::stderr();
    let line = |name: &str, what: &str, more: &str| {
        let what = format!("{}{}", paint.cyan(what), paint.dim(more));
        talk::err(format_args!("  {}{what}", talk::padded(name, 25)));
    };
    let up = |name: &str, what: &str, more: &str| {
        let what = format!("{}{}", paint.cyan(what), paint.dim(more));
        talk::err(format_args!("  {} {}{what}", paint.green("✔"), talk::padded(name, 23)));
    };
    let merchants: Vec<_> =
        stage.stalls.iter().map(|stall| format!("{} {}", stall.api, stall.mchid)).collect();
    talk::err(paint.bold(&format!("算盘 suanpan {} · development", env!("CARGO_PKG_VERSION"))));
    up("微信模拟器 simulator", &stage.simulator, &format!("   ({})", merchants.join(", ")));
    up("后端 backend", &stage.url, &format!("   (SQLite: {}/)", data.display()));
    line("打开手机 the phone", &format!("{}/phone", stage.simulator), "");
    line("订单页 orders", &stage.console, "   (一次有效 / works once)");
    line("试一试 try", &curl(stage), "");
    let environment = data.join(ENVIRONMENT).display().to_string();
    line(
        "给脚本 for scripts",
        &format!(". {}", quoted(&environment)),
        "   (SUANPAN_URL, SUANPAN_API_KEY, …)",
    );
    talk::err("");
}

/// One line that creates an order. The key stays in its file.
fn curl(stage: &Stage) -> String {
    let order = r#"{"reference":"tea-1","amount":990,"description":"龙井一杯"}"#;
    format!(
        "curl -s {}/v1/orders -H \"Authorization: Bearer $(cat {})\" -H 'Content-Type: application/json' -d '{order}'",
        stage.url,
        quoted(&stage.key_file.display().to_string()),
    )
}

/// The text as one word for a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-:".contains(char);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_word_as_it_is() {
        let check = |text: &str, want: &str| assert_eq!(quoted(text), want);
        check(".suanpan/api.key", ".suanpan/api.key");
        check("/tmp/my tea/api.key", "'/tmp/my tea/api.key'");
        check("/tmp/it's/api.key", r"'/tmp/it'\''s/api.key'");
    }
}
