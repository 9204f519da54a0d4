//! `suanpan migrate --from … --to …`: moves a business from one database to another.

use std::path::Path;

use serde::Serialize;
use suanpan_server::moving::{self, Compared, Moved, Progress, Tally};
use suanpan_server::outside::{SystemClock, SystemDice};
use suanpan_server::store::Database;

use crate::problem::Problem;
use crate::{Verdict, serve, talk};

/// Moves it, or goes on with that, and compares both databases row by row.
pub(crate) async fn run(from: &str, to: &str, as_json: bool) -> Result<Verdict, Problem> {
    let (from, to) = (database(from)?, database(to)?);
    let moved = moving::run(&from, &to, &SystemClock::new(), &SystemDice, tell).await;
    let moved = moved.map_err(|error| Problem::moving(&error))?;
    let good = moved.is_good();
    if as_json {
        talk::json(&Report::of(&moved));
    } else {
        show(&moved, &to);
    }
    Ok(if good { Verdict::Good } else { Verdict::Bad })
}

/// Ends a move that came to nothing.
pub(crate) async fn abandon(from: &str, to: &str, as_json: bool) -> Result<Verdict, Problem> {
    let (from, to) = (database(from)?, database(to)?);
    let ended = moving::abandon(&from, &to, &SystemClock::new()).await;
    ended.map_err(|error| Problem::moving(&error))?;
    if as_json {
        talk::json(&serde_json::json!({ "abandoned": true }));
    } else {
        talk::out(format_args!(
            "不搬了，{from} 可以照常用 / the move is given up, {from} is open again"
        ));
    }
    Ok(Verdict::Good)
}

fn database(url: &str) -> Result<Database, Problem> {
    let database = Database::parse(&serve::from_here(url), Path::new(""));
    database.map_err(|error| Problem::store(&error))
}

fn tell(progress: Progress) {
    match progress {
        Progress::Copying(table, rows) => {
            talk::err(format_args!("正在搬 / copying  {table}: {rows}"));
        }
        Progress::Copied(table, rows) => {
            talk::err(format_args!("搬完了 / copied   {table}: {rows}"));
        }
        Progress::Comparing(table) => talk::err(format_args!("核对 / comparing  {table}")),
    }
}

fn show(moved: &Moved, to: &Database) {
    if moved.tables.is_empty() {
        return talk::out(format_args!(
            "早已搬到 {to}，没有再核对 / it has moved to {to} before; not compared again"
        ));
    }
    let paint = talk::Paint::stdout();
    talk::out(paint.bold(&line(["表 / table", "行 / rows", "合计（分）/ sum (fen)", "SHA-256"])));
    for compared in &moved.tables {
        if compared.is_same() {
            talk::out(format_args!("{}  {}", row(compared, &compared.target), paint.green("✓")));
        } else {
            talk::out(format_args!("{}  {}", row(compared, &compared.source), paint.red("≠")));
            talk::out(row(compared, &compared.target));
        }
    }
    let speed = i128::from(moved.rows).saturating_mul(1_000_000);
    let speed = speed.checked_div(moved.micros.into()).unwrap_or_default();
    talk::out(format_args!(
        "这次搬了 {0} 行，每秒 {speed} 行 / {0} rows, {speed} a second",
        moved.rows
    ));
    if moved.is_good() {
        talk::out(
            paint
                .green(&format!("一行不差，请改用 {to} / not a row differs; from now on use {to}")),
        );
    } else {
        talk::out(paint.red(
            "两边不一样，目标库没有启用；加 --abandon 放弃，再搬到一个新库 / they differ, and the target stays closed: give up with --abandon, and move into a new one",
        ));
    }
}

fn row(compared: &Compared, tally: &Tally) -> String {
    let sums = compared.amounts.iter().zip(&tally.sums);
    let sums: Vec<_> = sums.map(|(name, sum)| format!("{name} {sum}")).collect();
    let digest: String = tally.sha256.chars().take(16).collect();
    line([compared.table, &tally.rows.to_string(), &sums.join(", "), &digest])
}

fn line(cells: [&str; 4]) -> String {
    let [table, rows, sums, digest] = cells;
    let (table, rows, sums) =
        (talk::padded(table, 22), talk::padded(rows, 12), talk::padded(sums, 52));
    format!("{table}{rows}{sums}{digest}")
}

/// For machines.
#[derive(Serialize)]
struct Report<'a> {
    same: bool,
    /// The move was at its end before; nothing was compared now.
    already: bool,
    rows: u64,
    micros: i64,
    tables: Vec<Table<'a>>,
}

#[derive(Serialize)]
struct Table<'a> {
    table: &'a str,
    same: bool,
    source: Side<'a>,
    target: Side<'a>,
}

#[derive(Serialize)]
struct Side<'a> {
    rows: u64,
    #[serde(flatten)]
    sums: std::collections::BTreeMap<&'a str, i128>,
    sha256: &'a str,
}

impl<'a> Report<'a> {
    fn of(moved: &'a Moved) -> Self {
        let side = |compared: &'a Compared, tally: &'a Tally| Side {
            rows: tally.rows,
            sums: compared.amounts.iter().copied().zip(tally.sums.iter().copied()).collect(),
            sha256: &tally.sha256,
        };
        let tables = moved.tables.iter().map(|compared| Table {
            table: compared.table,
            same: compared.is_same(),
            source: side(compared, &compared.source),
            target: side(compared, &compared.target),
        });
        Self {
            same: moved.is_good(),
            already: moved.tables.is_empty(),
            rows: moved.rows,
            micros: moved.micros,
            tables: tables.collect(),
        }
    }
}
