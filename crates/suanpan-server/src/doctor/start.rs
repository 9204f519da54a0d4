//! What `serve` itself says: the same code as at a start, up to the database and the port.

use super::Wish;
use super::checks::{CONFIG_SETTINGS, CONFIG_START, PUBLIC_URL};
use super::finding::Chart;
use super::patient::{self, Patient};
use super::said::{Say, say};
use crate::config::Config;
use crate::store::Database;
use crate::{Error, Seams, world};

/// Says what no other check has named.
pub(super) fn all(patient: &Patient, wish: &Wish, seams: &Seams, chart: &mut Chart) {
    let name = patient::name(&patient.file);
    let whole = match Config::load(&patient.file) {
        Ok(whole) => whole,
        Err(_) if chart.is_bad(&CONFIG_SETTINGS, &name) => {
            return chart.blocked(&CONFIG_START, name, &[&CONFIG_SETTINGS]);
        }
        Err(_) if chart.has_problem() => return put_right_first(name, chart),
        Err(error) => return told(&error, &name, chart),
    };
    let mut is_good = true;
    let level = wish.wrong_level.and_then(|wrong| wrong(&whole.log.level));
    if let Some(why) = level {
        told(&Error::Config { place: "log.level".to_owned(), why }, &name, chart);
        is_good = false;
    }
    let has_bad_url = chart.is_bad(&PUBLIC_URL, "");
    let is_said = |error: &Error| {
        matches!(error, Error::Config { place, .. } if place == "server.public_url") && has_bad_url
    };
    for error in world::refusals(&whole, seams).into_iter().filter(|error| !is_said(error)) {
        told(&error, &name, chart);
        is_good = false;
    }
    if let Err(error) = Database::parse(&whole.database.url, &whole.base) {
        told(&error.into(), &name, chart);
        is_good = false;
    }
    match world::refuse_accounts(&whole, seams) {
        Ok(()) => {}
        Err(_) if chart.has_problem() => {
            return chart.skip(
                &CONFIG_START,
                name,
                say!("先修好上面的问题", "put the problems above right first"),
            );
        }
        Err(error) => {
            told(&error, &name, chart);
            is_good = false;
        }
    }
    if is_good {
        chart.ok(&CONFIG_START, name, say!("能", "it would"));
    }
}

/// Who has looked at each setting has said it better.
fn put_right_first(name: String, chart: &mut Chart) {
    let why = say!("先修好上面的问题", "put the problems above right first");
    chart.skip(&CONFIG_START, name, why);
}

fn told(error: &Error, name: &str, chart: &mut Chart) {
    let found = Say::same(crate::chain(error));
    let fix = Say::same(error.remedy());
    chart.problem_of(&CONFIG_START, name, (found, fix), error.code());
}
