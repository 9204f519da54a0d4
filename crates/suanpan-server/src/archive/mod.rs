//! Orders that have rested for years go into files, and out of the database.
//!
//! ```text
//! write a file ─→ durable ─→ noted in the database ─→ its orders go, one by one ─→ done
//! ```
//!
//! Nothing is removed before the file with it is on disk and was read back. A
//! run that was cut off before the note has removed nothing, and its file is a
//! `.part` that nobody needs; one that was cut off later is finished by the next
//! run, from the file. The database says which file an order is in: at most one
//! file is open at a time, and a line whose order has changed since it was
//! written counts for nothing.
//!
//! What stays of an order is a stone with its numbers: its reference is never
//! used again, and money that comes late for it is known, and told.

mod error;
mod file;

use std::fs::{File, TryLockError};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::future::try_join_all;
use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;

pub use self::error::ArchiveError;
use self::file::{Reader, Totals, Writer};
use crate::ids::OrderId;
use crate::outside::{Clock, Dice};
use crate::store::{ArchiveFile, Database, Removal, Store, StoreError};

/// What to archive, and where.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The database.
    pub database: &'a Database,
    /// Orders that have rested since this time, unix microseconds.
    pub before: i64,
    /// The folder of the files; it has to be there.
    pub folder: &'a Path,
    /// How many orders go into one file at most.
    pub orders_in_a_file: u64,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Archived {
    /// The files of this run, with those that an earlier run had left.
    pub files: Vec<Filed>,
    /// How many orders are in them and no longer in the database.
    pub orders: u64,
    /// How many stand in them and have changed since: they stay in the database, and the lines count for nothing.
    pub changed: u64,
}

/// What is told while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// This file is on disk; now its orders go from the database.
    Written(&'a str),
    /// So many orders of this file are gone from the database.
    Removed(&'a str, u64),
}

/// A file that is finished.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filed {
    /// Its name in the folder.
    pub name: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// Reads a date, the beginning of that day in Beijing, as unix microseconds.
pub fn beijing_day(text: &str) -> Option<i64> {
    let date: civil::Date = text.parse().ok()?;
    let day = date.to_zoned_datetime(TimeZone::fixed(Offset::constant(8))).ok()?;
    Some(day.timestamp().as_microsecond())
}

/// The latest time that [`Request::before`] may be: WeChat gives money back for a year.
pub const fn latest(now: i64) -> i64 {
    days_before(now, SHORTEST_DAYS)
}

/// So many days before now, in unix microseconds.
pub const fn days_before(now: i64, days: i64) -> i64 {
    now.saturating_sub(days.saturating_mul(DAY))
}

/// How many orders would go. Nothing is changed.
///
/// # Errors
/// [`ArchiveError`].
pub async fn count(database: &Database, before: i64, now: i64) -> Result<u64, ArchiveError> {
    let store = open(database, before, now).await?;
    let (mut orders, mut behind) = (0_u64, START);
    loop {
        let page = page(&store, before, &behind).await?;
        let Some(last) = page.last() else { break };
        behind.clone_from(last);
        orders = orders.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
    }
    store.close().await;
    Ok(orders)
}

/// Finishes what an earlier run has begun, and archives what rests.
///
/// # Errors
/// [`ArchiveError`]. Whatever it is, nothing is lost: what is not in a file is in the database.
pub async fn run(
    request: Request<'_>,
    clock: &dyn Clock,
    dice: &dyn Dice,
    tell: impl Fn(Progress<'_>),
) -> Result<Archived, ArchiveError> {
    let store = open(request.database, request.before, clock.now_micros()).await?;
    // Held until the end of this process, whatever that is.
    let _lock = lock(request.folder)?;
    let mut archived = Archived::default();
    let left = store.look((), |tx, ()| Box::pin(tx.archive_open())).await?;
    if let Some(file) = left {
        tell(Progress::Written(&file.name));
        archived.add(finish(&store, request.folder, file, clock).await?, &tell);
    }
    let mut behind = START;
    while let Some(file) = write(&store, &request, &mut behind, clock, dice).await? {
        tell(Progress::Written(&file.name));
        archived.add(finish(&store, request.folder, file, clock).await?, &tell);
    }
    store.close().await;
    Ok(archived)
}

impl Archived {
    fn add(&mut self, (filed, orders, changed): (Filed, u64, u64), tell: &impl Fn(Progress<'_>)) {
        tell(Progress::Removed(&filed.name, orders));
        self.files.push(filed);
        self.orders = self.orders.saturating_add(orders);
        self.changed = self.changed.saturating_add(changed);
    }
}

async fn open(database: &Database, before: i64, now: i64) -> Result<Store, ArchiveError> {
    if latest(now) < before {
        return Err(ArchiveError::TooYoung);
    }
    Ok(Store::open(database, now).await?)
}

/// One run at a time in this folder.
fn lock(folder: &Path) -> Result<File, ArchiveError> {
    let path = folder.join(LOCK);
    let file = file::private(&path, true)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ArchiveError::Running),
        Err(TryLockError::Error(cause)) => Err(ArchiveError::file(&path, cause)),
    }
}

async fn page(
    store: &Store,
    before: i64,
    behind: &(i64, String),
) -> Result<Vec<(i64, String)>, StoreError> {
    let unit = (before, behind.clone());
    store.look(unit, |tx, (before, behind)| Box::pin(tx.archivable(*before, behind, PAGE))).await
}

/// Writes the next file and notes it. `None`: nothing more rests.
async fn write(
    store: &Store,
    request: &Request<'_>,
    behind: &mut (i64, String),
    clock: &dyn Clock,
    dice: &dyn Dice,
) -> Result<Option<ArchiveFile>, ArchiveError> {
    let (now, before) = (clock.now_micros(), request.before);
    let mut writer = None;
    let mut totals = Totals::default();
    while totals.orders < request.orders_in_a_file {
        let page = page(store, before, behind).await?;
        if page.is_empty() {
            break;
        }
        for place in page {
            let unit = (place.1.clone(), before);
            let written =
                store.look(unit, |tx, (id, before)| Box::pin(tx.archive_write(id, *before)));
            // It may have moved between these two looks.
            if let Some(written) = written.await? {
                let writer = match &mut writer {
                    Some(writer) => writer,
                    None => writer.insert(Writer::begin(request.folder, before, now, dice)?),
                };
                writer.line(&written.line)?;
                totals.add(&written);
            }
            *behind = place;
            if totals.orders == request.orders_in_a_file {
                break;
            }
        }
    }
    let Some(writer) = writer else { return Ok(None) };
    let (name, sha256) = writer.end(&totals)?;
    let noted = ArchiveFile { name, sha256, before };
    let unit = (noted.clone(), now);
    match store.write(unit, |tx, (file, now)| Box::pin(tx.archive_begin(file, *now))).await {
        Ok(()) => Ok(Some(noted)),
        Err(StoreError::Conflict { .. }) => {
            file::forget(request.folder, &noted.name);
            Err(ArchiveError::Running)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes the orders of a file that was noted; answers how many, and how many have changed.
async fn finish(
    store: &Store,
    folder: &Path,
    file: ArchiveFile,
    clock: &dyn Clock,
) -> Result<(Filed, u64, u64), ArchiveError> {
    file::settle(folder, &file)?;
    let mut lines = Reader::open(folder, &file.name)?;
    let (mut archived, mut changed) = (0_u64, 0_u64);
    loop {
        let batch = lines.next(AT_ONCE)?;
        if batch.is_empty() {
            break;
        }
        let now = clock.now_micros();
        let removals = batch.iter().map(|line| remove(store, line, &file, now));
        for removal in try_join_all(removals).await? {
            match removal {
                None => {}
                Some(Removal::Archived) => archived = archived.saturating_add(1),
                Some(Removal::Changed) => changed = changed.saturating_add(1),
            }
        }
    }
    let unit = (file.clone(), i64::try_from(archived).unwrap_or(i64::MAX));
    store.write(unit, |tx, (file, archived)| Box::pin(tx.archive_end(file, *archived))).await?;
    Ok((Filed { name: file.name, sha256: file.sha256 }, archived, changed))
}

/// Removes the order of a line; `None` where the line is none of an order.
async fn remove(
    store: &Store,
    line: &str,
    file: &ArchiveFile,
    now: i64,
) -> Result<Option<Removal>, ArchiveError> {
    #[derive(Deserialize)]
    struct Line {
        order_id: Option<String>,
    }
    let damaged = || ArchiveError::Damaged { name: file.name.clone() };
    let parsed: Line = serde_json::from_str(line).map_err(|_| damaged())?;
    let Some(order_id) = parsed.order_id else { return Ok(None) };
    let order_id: OrderId = order_id.parse().map_err(|_| damaged())?;
    let sha256 = digest(&SHA256, line.as_bytes()).as_ref().to_vec();
    let unit = (order_id, sha256, file.clone(), now);
    let removed = store.write(unit, |tx, (order_id, sha256, file, now)| {
        Box::pin(tx.archive_remove(order_id, sha256, file, *now))
    });
    Ok(Some(removed.await?))
}

/// As many as are read in a moment: a file of a few ten megabytes.
pub const ORDERS_IN_A_FILE: u64 = 10_000;

/// Before all orders.
const START: (i64, String) = (i64::MIN, String::new());
/// How many orders are looked for at a time.
const PAGE: i64 = 200;
/// How many orders are removed at a time, each in a transaction of its own.
const AT_ONCE: usize = 20;
/// A year and a day, and as many days as a bank holiday may last.
pub(crate) const SHORTEST_DAYS: i64 = 380;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const LOCK: &str = ".suanpan-archive.lock";
