//! `suanpan migrate`: brings a database up to date, or says what that would take.

use std::path::Path;

use serde_json::json;
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::store::{Database, migrate};

use crate::cli::Migrate;
use crate::problem::Problem;
use crate::{Verdict, moving, serve, talk};

/// Runs what is pending; with `--check` only looks, and finds a problem if something is.
pub(crate) async fn run(arguments: &Migrate) -> Result<Verdict, Problem> {
    if let (Some(from), Some(to)) = (&arguments.from, &arguments.to) {
        return if arguments.abandon {
            moving::abandon(from, to, arguments.json).await
        } else {
            moving::run(from, to, arguments.json).await
        };
    }
    // Without both of these there is a configuration, or clap has said so.
    let file = arguments.config.as_deref().unwrap_or_else(|| Path::new("suanpan.toml"));
    let config = serve::load(file, arguments.database.as_deref())?;
    let database = Database::parse(&config.database.url, &config.base);
    let database = database.map_err(|error| Problem::store(&error))?;
    if arguments.check {
        return check(&database, arguments.json).await;
    }

    let ran = migrate::apply(&database, SystemClock::new().now_micros()).await;
    let ran = ran.map_err(|error| Problem::store(&error))?;
    let standing = migrate::check(&database).await.map_err(|error| Problem::store(&error))?;
    let version = standing.version;
    if arguments.json {
        talk::json(&json!({ "version": version, "ran": ran }));
        return Ok(Verdict::Good);
    }
    for name in &ran {
        talk::out(format_args!("已执行 / ran: {name}"));
    }
    talk::out(format_args!("数据库是最新的 / the database is up to date: version {version}"));
    Ok(Verdict::Good)
}

async fn check(database: &Database, as_json: bool) -> Result<Verdict, Problem> {
    let standing = migrate::check(database).await.map_err(|error| Problem::store(&error))?;
    let (version, pending) = (standing.version, standing.pending);
    if as_json {
        talk::json(&json!({ "version": version, "pending": pending }));
    } else if pending.is_empty() {
        talk::out(format_args!("数据库是最新的 / the database is up to date: version {version}"));
    } else {
        for name in &pending {
            talk::out(format_args!("待执行 / pending: {name}"));
        }
    }
    Ok(if pending.is_empty() { Verdict::Good } else { Verdict::Bad })
}
