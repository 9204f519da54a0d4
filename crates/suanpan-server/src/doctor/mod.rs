//! Looks a configuration over as a colleague would, and says what is wrong with it and what to do.
//!
//! Each check has a stable id. They are independent: one broken thing hides
//! nothing but what cannot be looked at without it, and that is said. What the
//! program has code for (accounts, keys, addresses) is checked by that code, and
//! `config.start` is the start of `serve` itself, so that the two never differ.
//! No secret is in what is said: lengths and last four characters at most.
//!
//! ```text
//! patient ─▶ accounts ─▶ keys, certificates, platform      what is configured
//!         ─▶ files, public, webhooks, safety, start
//!         ─▶ database                                      what is stored, and what waits
//!         ─▶ net, wechat, payments, reach                  what others say to it
//!         ─▶ quality                                       WeChat's own checklist
//! ```

mod accounts;
mod certificates;
mod checks;
mod database;
mod files;
mod finding;
mod keys;
mod net;
mod page;
mod patient;
mod payments;
mod platform;
mod public;
mod quality;
mod reach;
mod safety;
mod said;
mod start;
mod webhooks;
mod wechat;

use std::path::Path;

use serde::Serialize;

use accounts::Examined;
pub use checks::{Check, Words, checks};
use finding::Chart;
pub use finding::{Finding, Mark};
pub use page::page;
use patient::Patient;
pub use said::Say;

use crate::{Error, Seams, world};

/// What is to be looked at.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Only these checks, by id or by the part before its dot; empty: all of them.
    pub only: Vec<String>,
    /// Nobody beyond this machine is asked.
    pub offline: bool,
    /// WeChat's checklist, too.
    pub quality: bool,
    /// Says why a `log.level` cannot be used: whoever writes the log knows.
    pub wrong_level: Option<fn(&str) -> Option<String>>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Line by line.
    pub checks: Vec<Finding>,
    /// How many of each.
    pub summary: Summary,
}

/// How many findings there are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Summary {
    /// As it should be.
    pub ok: usize,
    /// Will hurt some day.
    pub warn: usize,
    /// To be put right.
    pub problem: usize,
    /// Not looked at.
    pub skipped: usize,
}

/// Looks this configuration over. Nothing is changed, here and at WeChat.
///
/// # Errors
/// [`Error::Config`] for a file that is not there, [`Error::Field`] for a check that there is not.
pub async fn examine(file: &Path, wish: &Wish, seams: &Seams) -> Result<Report, Error> {
    if !file.is_file() {
        let why = "there is no such file".to_owned();
        return Err(Error::Config { place: file.display().to_string(), why });
    }
    let is_wanted = |check: &Check| {
        wish.only.is_empty() || wish.only.iter().any(|name| checks::is_named(check, name))
    };
    if let Some(stranger) =
        wish.only.iter().find(|name| !checks().iter().any(|check| checks::is_named(check, name)))
    {
        return Err(Error::field("only", format!("names {stranger:?}, which is no check")));
    }
    let mut chart = Chart::default();
    // What nobody wants to hear of is not asked for beyond this machine.
    let online = !wish.offline && checks().iter().any(|check| check.online && is_wanted(check));
    look(file, wish, online, seams, &mut chart).await;
    let found = chart.findings.into_iter();
    Ok(Report::of(found.filter(|finding| is_wanted(finding.check)).collect()))
}

async fn look(file: &Path, wish: &Wish, online: bool, seams: &Seams, chart: &mut Chart) {
    let Some(patient) = patient::read(file, chart) else {
        let is_asked = |check: &&&Check| {
            (online || !check.online) && (wish.quality || !check.id.starts_with("quality."))
        };
        let others = checks().iter().skip(1).filter(is_asked);
        return others.for_each(|check| chart.blocked(check, "", &[&checks::CONFIG_PARSES]));
    };
    files::all(&patient, chart);
    let now = seams.clock.now_seconds();
    let accounts = accounts::all(&patient, now, chart);
    public::url(&patient, chart);
    webhooks::form(&patient, chart);
    safety::all(&patient, chart);
    start::all(&patient, wish, seams, chart);
    let registered = database::all(&patient, &*seams.clock, chart).await;
    if online {
        ask(&patient, seams, accounts, chart).await;
        reach::public(&patient, &*seams.dice, chart).await;
        reach::webhooks(&patient, &registered, chart).await;
    }
    if wish.quality {
        quality::all(&patient, chart);
    }
}

/// Asks WeChat, where the client can be built: if not, `config.start` has said why.
async fn ask(patient: &Patient, seams: &Seams, accounts: Vec<Examined<'_>>, chart: &mut Chart) {
    let wechat = &patient.config.wechat;
    let client = world::client(&patient.config, seams).and_then(world::built);
    let Ok(client) = client else {
        return chart.blocked(&checks::NET_REACH, "", &[&checks::CONFIG_START]);
    };
    let reached = net::knock(&client, &wechat.platform_host, &*seams.clock, chart).await;
    wechat::apps(&client, &accounts, reached, chart).await;
    payments::accounts(&client, &*seams.dice, accounts, reached, chart).await;
}

impl Report {
    fn of(checks: Vec<Finding>) -> Self {
        let count = |mark| checks.iter().filter(|finding| finding.result == mark).count();
        let summary = Summary {
            ok: count(Mark::Ok),
            warn: count(Mark::Warn),
            problem: count(Mark::Problem),
            skipped: count(Mark::Skipped),
        };
        Self { checks, summary }
    }
}
