//! `suanpan demo`: two payments from `wx.login` to the merchant's system, one of each API.
//!
//! Everything runs in this process, on free ports and in a folder that is gone
//! afterwards. It ends well only if three books agree: WeChat's, the backend's,
//! and what the merchant was told.

mod books;
mod child;
mod faults;
mod losses;
mod screen;
mod waits;
mod walk;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use suanpan_server::Seams;
use suanpan_server::config::LogFormat;

use crate::caller::Caller;
use crate::cli::Demo;
use crate::problem::Problem;
use crate::stage::{Plan, Stage};
use crate::stop::Stop;
use crate::tape::Tape;
use crate::{Verdict, log, talk};
use screen::Screen;
use walk::{Payment, Walk};

/// What the demo found, for a machine.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether all books agree.
    ok: bool,
    payments: Vec<Payment>,
}

/// Walks both payments.
pub(crate) async fn run(arguments: &Demo) -> Result<Verdict, Problem> {
    // The steps are told below, in full: the log adds only what goes wrong.
    log::start(LogFormat::Human, "warn")?;
    let stop = Stop::on_signals()?;
    let folder = tempfile::tempdir()
        .map_err(|cause| Problem::machine("cannot make a temporary folder", &cause))?;
    let screen = if arguments.json { Screen::silent() } else { Screen::stdout() };
    if arguments.faults {
        let report = faults::run(folder.path(), &screen, &stop).await?;
        if arguments.json {
            talk::json(&report);
        }
        return Ok(if report.ok { Verdict::Good } else { Verdict::Bad });
    }
    let report = in_folder(folder.path(), &screen, &stop).await?;
    if arguments.json {
        talk::json(&report);
    }
    Ok(if report.ok { Verdict::Good } else { Verdict::Bad })
}

/// Builds the stage in this folder, walks on it, and takes it down again.
async fn in_folder(folder: &Path, screen: &Screen, stop: &Stop) -> Result<Report, Problem> {
    let tape = Tape::default();
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let plan = Plan {
        data: folder,
        listen: anywhere,
        simulator_listen: anywhere,
        seams: Seams { wire: Some(Arc::new(tape.clone())), ..Seams::default() },
        tape: Some(tape.clone()),
    };
    screen.title(&format!("算盘 suanpan {} · demo", env!("CARGO_PKG_VERSION")));

    let stage = Stage::open(plan).await?;
    let walked = tokio::select! {
        walked = walk(&stage, &tape, screen) => walked,
        () = stop.wait() => Err(interrupted()),
    };
    let ended = stage.end().await;
    // Why the walk failed counts more than how the end went.
    let report = walked?;
    ended?;
    screen.verdict(report.ok);
    Ok(report)
}

async fn walk(stage: &Stage, tape: &Tape, screen: &Screen) -> Result<Report, Problem> {
    stage.settle().await?;
    let caller = Caller::new(Some(tape.clone()))?;
    let walk = Walk { stage, caller, tape, screen };
    let mut payments = Vec::new();
    for stall in &stage.stalls {
        payments.push(walk.pay(stall).await?);
    }
    let agree = payments.iter().all(|payment| payment.differences.is_empty());
    // Both APIs, or it has shown only half of what it promises.
    Ok(Report { ok: agree && payments.len() == 2, payments })
}

fn interrupted() -> Problem {
    Problem {
        code: "SP-INTERRUPTED".to_owned(),
        detail: "the demo was interrupted".to_owned(),
        cause: None,
        remedy: "run it again; nothing remains of this run".to_owned(),
        exit: Problem::FOUND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets;

    #[tokio::test]
    async fn the_demo_ends_well_and_shows_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let screen = Screen::buffer();
        let report = in_folder(folder.path(), &screen, &Stop::new()).await.unwrap();
        let shown = screen.shown() + &serde_json::to_string(&report).unwrap();
        assert!(report.ok, "{shown}");

        let secrets = secrets::of_folder(folder.path());
        for secret in &secrets {
            assert!(!shown.contains(secret.as_str()), "{secret} is in:\n{shown}");
        }
        assert!(shown.contains("session_key") && shown.contains("paySign"), "{shown}");
    }
}
