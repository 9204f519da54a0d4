//! A business moves from one database to another, whatever their engines: every row, and none of them changed.
//!
//! ```text
//! close both to writers ─→ copy, table by table ─→ compare every row ─→ open the target
//! ```
//!
//! The source is closed first and stays closed: whoever writes there is told
//! where the business went, also a node that has been running all the while
//! (each transaction that writes looks). Rows go over in the order of their
//! keys, a few hundred in one transaction, so the greatest key in the target is
//! all there is to know of how far we are. Whoever is killed is started again.
//! The target is opened only after both sides have been read from end to end
//! and found the same.

mod compare;
mod error;

use crate::outside::{Clock, Dice};
use crate::store::{Database, Moving, Stage, Store, StoreError, TABLES, Table, Val, migrate};

pub use self::compare::{Compared, Tally};
pub use self::error::MoveError;

/// What was done.
#[derive(Debug)]
pub struct Moved {
    /// How many rows went over in this run.
    pub rows: u64,
    /// How long that took, in microseconds.
    pub micros: i64,
    /// What is in both, table by table. Empty: the move was at its end before, and the target may have changed since.
    pub tables: Vec<Compared>,
}

impl Moved {
    /// Whether both sides are the same.
    pub fn is_good(&self) -> bool {
        self.tables.iter().all(Compared::is_same)
    }
}

/// What is told while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// So many rows of this table are there by now, in this run.
    Copying(&'static str, u64),
    /// So many rows of this table went over in this run; it is complete.
    Copied(&'static str, u64),
    /// Both sides are read.
    Comparing(&'static str),
}

/// Moves the business, or goes on with it; tells about it meanwhile.
///
/// # Errors
/// [`MoveError`]. Where rows differ it is no error, but neither is the target opened.
pub async fn run(
    from: &Database,
    to: &Database,
    clock: &dyn Clock,
    dice: &dyn Dice,
    tell: impl Fn(Progress),
) -> Result<Moved, MoveError> {
    let ways = Ways::open(from, to, clock.now_micros()).await?;
    let Some(id) = ways.agree(&dice.id("mov_", clock.now_micros()), clock.now_micros()).await?
    else {
        ways.close().await;
        return Ok(Moved { rows: 0, micros: 0, tables: Vec::new() });
    };

    let began = clock.monotonic_micros();
    let stopped = |table: &Table| {
        let table = table.name;
        move |cause| MoveError::Interrupted { table, cause }
    };
    let mut rows = 0_u64;
    for table in TABLES.iter() {
        let copied = ways.copy(table, &tell).await.map_err(stopped(table))?;
        tell(Progress::Copied(table.name, copied));
        rows = rows.saturating_add(copied);
    }
    let micros = clock.monotonic_micros().saturating_sub(began);

    let mut tables = Vec::new();
    for table in TABLES.iter() {
        tell(Progress::Comparing(table.name));
        tables
            .push(compare::table(table, &ways.source, &ways.target).await.map_err(stopped(table))?);
    }
    let moved = Moved { rows, micros, tables };
    if moved.is_good() {
        let now = clock.now_micros();
        let here = ways.target.write((id, now), |tx, (id, now)| Box::pin(tx.moving_here(id, *now)));
        here.await?;
    }
    ways.close().await;
    Ok(moved)
}

/// Ends a move that came to nothing: the source takes writes again, the target never does.
///
/// # Errors
/// [`MoveError::AtItsEnd`] where the business is at work in the target, and those of the store.
pub async fn abandon(from: &Database, to: &Database, clock: &dyn Clock) -> Result<(), MoveError> {
    let ways = Ways::open(from, to, clock.now_micros()).await?;
    let moving = ways.source.look((), |tx, ()| Box::pin(tx.closed_by_move())).await?;
    let Some(moving) = moving.filter(|moving| moving.state == Stage::Leaving) else {
        return Err(MoveError::NotMoving);
    };
    if ways.target_says(&moving).await? == Some(Stage::Here) {
        return Err(MoveError::AtItsEnd);
    }
    ways.source.write(moving.id, |tx, id| Box::pin(tx.moving_stay(id))).await?;
    ways.close().await;
    Ok(())
}

/// Both databases.
struct Ways {
    source: Store,
    target: Store,
    /// How each of them is shown to people.
    places: (String, String),
}

impl Ways {
    async fn open(from: &Database, to: &Database, now: i64) -> Result<Self, MoveError> {
        let places = (from.to_string(), to.to_string());
        if from == to {
            return Err(MoveError::Same);
        }
        // A database is made where there is none, and that is meant for the target alone.
        if migrate::check(from).await?.version == 0 {
            return Err(MoveError::NoSource { place: places.0 });
        }
        let source = Store::open_to_move(from, now).await?;
        let target = Store::open_to_move(to, now).await?;
        Ok(Self { source, target, places })
    }

    /// Closes both to writers, under the id that they have or under this new one. `None`: the business has moved already.
    ///
    /// Nothing is closed before the target is known to be good.
    async fn agree(&self, new: &str, now: i64) -> Result<Option<String>, MoveError> {
        let closed = self.source.look((), |tx, ()| Box::pin(tx.closed_by_move())).await?;
        let moving = closed.unwrap_or_else(|| Moving {
            id: new.to_owned(),
            state: Stage::Leaving,
            place: self.places.1.clone(),
        });
        if moving.state != Stage::Leaving {
            return Err(MoveError::Unfinished { place: moving.place });
        }
        let said = self.target_says(&moving).await?;
        match said {
            Some(Stage::Here) => return Ok(None),
            Some(Stage::Coming) => {}
            // Two names for one database.
            Some(Stage::Leaving) => return Err(MoveError::Same),
            None => self.is_empty().await?,
        }
        let (source, target) = self.places.clone();
        let id = moving.id;
        let leave = self.source.write((id.clone(), target, now), |tx, (id, target, now)| {
            Box::pin(tx.moving_leave(id, target, *now))
        });
        leave.await?;
        // Who had begun to write before the door was shut may still be at it, and what he was told is written goes along.
        self.source.let_older_end().await?;
        if said.is_none() {
            let come = self.target.write((id.clone(), source, now), |tx, (id, source, now)| {
                Box::pin(tx.moving_come(id, source, *now))
            });
            come.await?;
        }
        Ok(Some(id))
    }

    /// What the target knows of this move. One that knows nothing of it has to be where the source says that it goes:
    /// else the business would be at two places in the end.
    async fn target_says(&self, moving: &Moving) -> Result<Option<Stage>, MoveError> {
        let said = self.target.look(moving.id.clone(), |tx, id| Box::pin(tx.moving(id))).await?;
        if said.is_none() && moving.place != self.places.1 {
            return Err(MoveError::Elsewhere { place: moving.place.clone() });
        }
        Ok(said.map(|moving| moving.state))
    }

    async fn is_empty(&self) -> Result<(), MoveError> {
        let used = self.target.look((), |tx, ()| {
            Box::pin(async move {
                if tx.closed_by_move().await?.is_some() {
                    return Ok(Some("moving"));
                }
                for table in TABLES.iter() {
                    if tx.last_key(table).await?.is_some() {
                        return Ok(Some(table.name));
                    }
                }
                Ok(None)
            })
        });
        match used.await? {
            None => Ok(()),
            Some(table) => Err(MoveError::InUse { place: self.places.1.clone(), table }),
        }
    }

    /// Copies what is behind the greatest key in the target.
    async fn copy(
        &self,
        table: &'static Table,
        tell: &impl Fn(Progress),
    ) -> Result<u64, StoreError> {
        let mut after = self.target.look((), |tx, ()| Box::pin(tx.last_key(table))).await?;
        let (mut copied, mut told) = (0_u64, 0_u64);
        loop {
            let page = page(&self.source, table, after).await?;
            let Some(last) = page.last() else { return Ok(copied) };
            after = Some(table.key(last).to_vec());
            copied = copied.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
            self.target.write(page, |tx, page| Box::pin(tx.put_rows(table, page))).await?;
            if told.saturating_add(TELL_EVERY) <= copied {
                told = copied;
                tell(Progress::Copying(table.name, copied));
            }
        }
    }

    async fn close(&self) {
        self.source.close().await;
        self.target.close().await;
    }
}

/// The next rows in the order of the key.
async fn page(
    store: &Store,
    table: &'static Table,
    after: Option<Vec<Val>>,
) -> Result<Vec<Vec<Val>>, StoreError> {
    let read = store.look(after, |tx, after| Box::pin(tx.page(table, after.as_deref(), PAGE)));
    read.await
}

/// How many rows go in one transaction. A row holds a request body at most (`server.max_body_bytes`), so this bounds the
/// memory as well.
const PAGE: i64 = 300;
/// After how many rows of a table something is said.
const TELL_EVERY: u64 = 50_000;
