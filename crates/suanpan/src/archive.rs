//! `suanpan archive`: moves orders that have rested for years into files.

use std::path::Path;

use serde_json::json;
use suanpan_server::archive::{self, ArchiveError, Archived, Filed, Progress, Request};
use suanpan_server::outside::{Clock as _, SystemClock, SystemDice};
use suanpan_server::store::Database;

use crate::cli::Archive;
use crate::problem::Problem;
use crate::{Verdict, serve, talk};

/// Archives what rests; with `--dry-run` only counts it.
pub(crate) async fn run(arguments: &Archive) -> Result<Verdict, Problem> {
    let config = serve::load(&arguments.setup.config, arguments.setup.database.as_deref())?;
    let database = Database::parse(&config.database.url, &config.base);
    let database = database.map_err(|error| Problem::store(&error))?;
    let clock = SystemClock::new();
    let before = match (&arguments.before, config.retention.orders_days) {
        (Some(day), _) => archive::beijing_day(day)
            .ok_or_else(|| Problem::usage(format!("{day:?} is not a day such as 2025-01-31")))?,
        (None, Some(days)) => archive::days_before(clock.now_micros(), days),
        (None, None) => {
            return Err(Problem::usage(
                "name a day with --before, or set retention.orders_days".to_owned(),
            ));
        }
    };
    if arguments.dry_run {
        let orders = archive::count(&database, before, clock.now_micros()).await;
        let orders = orders.map_err(|error| Problem::archive(&error))?;
        if arguments.json {
            talk::json(&json!({ "dry_run": true, "orders": orders }));
        } else {
            talk::out(format_args!(
                "可以归档 {orders} 个订单，什么都没有动 / {orders} orders would go, nothing was changed"
            ));
        }
        return Ok(Verdict::Good);
    }
    let folder = arguments.to.clone().or_else(|| config.archive_folder()).ok_or_else(|| {
        Problem::usage("name a folder with --to, or set retention.archive_folder".to_owned())
    })?;
    let archived = into(&database, before, &folder, &clock).await;
    let archived = archived.map_err(|error| Problem::archive(&error))?;
    if arguments.json {
        let file = |file: &Filed| json!({ "name": file.name, "sha256": file.sha256 });
        let files: Vec<_> = archived.files.iter().map(file).collect();
        let Archived { orders, changed, .. } = archived;
        talk::json(&json!({ "orders": orders, "changed": changed, "files": files }));
    } else {
        let Archived { orders, changed, .. } = archived;
        talk::out(format_args!(
            "归档 {orders} 个订单 / {orders} orders archived; {changed} 个中途变了，留在库里 / {changed} have changed and stay"
        ));
    }
    Ok(Verdict::Good)
}

async fn into(
    database: &Database,
    before: i64,
    folder: &Path,
    clock: &SystemClock,
) -> Result<Archived, ArchiveError> {
    let request = Request { database, before, folder, orders_in_a_file: archive::ORDERS_IN_A_FILE };
    let tell = |progress: Progress<'_>| match progress {
        Progress::Written(file) => talk::err(format_args!("写好了 / written  {file}")),
        Progress::Removed(file, orders) => {
            talk::err(format_args!("移走了 / removed  {file}: {orders}"));
        }
    };
    archive::run(request, clock, &SystemDice, tell).await
}
