//! Once an hour: what is of no use any more is deleted.
//!
//! Orders, payments, refunds, journal and events are kept for ever. Gone are
//! idempotency keys after their day, console links and sessions and replaced
//! secrets a day after their end, done work, deliveries with their tries among
//! it, after `retention.deliveries_days`, WeChat's bills after
//! `retention.bills_days`, and notifications after
//! `retention.inbox_days`, all but those that wait for a person. What was refused
//! anybody can have posted, so it is kept for a week only.

use crate::Error;
use crate::config::RetentionConfig;
use crate::due::put_back;
use crate::http::REMEMBERED;
use crate::store::{Claim, Horizon, NewDue};
use crate::world::World;

/// The kind of due work that deletes.
pub(crate) const PURGE: &str = "purge";

/// How long things are kept, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    inbox: i64,
    done: i64,
    bills: i64,
}

impl Kept {
    /// As the configuration has it.
    pub(crate) const fn of(config: &RetentionConfig) -> Self {
        Self {
            inbox: config.inbox_days.saturating_mul(DAY),
            done: config.deliveries_days.saturating_mul(DAY),
            bills: config.bills_days.saturating_mul(DAY),
        }
    }
}

/// Sees to it that the work is there, once for all nodes.
pub(crate) async fn plan(world: &World) -> Result<(), Error> {
    let put = world.store.write(world.now(), |tx, now| {
        Box::pin(async move {
            tx.due_put(&NewDue {
                id: "due_purge",
                kind: PURGE,
                key: PURGE,
                pool: PURGE,
                lane: None,
                body: "{}",
                order_id: None,
                due_at: *now,
                created_at: *now,
            })
            .await
        })
    });
    put.await?;
    Ok(())
}

/// Deletes, a few rows at a time so that nobody waits, and plans the next time.
pub(crate) async fn due(world: &World, claim: &Claim) -> Result<(), Error> {
    let now = world.now();
    let horizon = Horizon {
        now,
        keys: now.saturating_sub(REMEMBERED),
        expired: now.saturating_sub(DAY),
        inbox: now.saturating_sub(world.kept.inbox),
        done: now.saturating_sub(world.kept.done),
        refused: now.saturating_sub(WEEK),
        bills: now.saturating_sub(world.kept.bills),
    };
    let (mut rows, mut next) = (0_u64, now.saturating_add(HOUR));
    for batch in 1..=BATCHES {
        let gone = world.store.write(horizon, |tx, horizon| Box::pin(tx.purge(horizon)));
        let (gone, more) = gone.await?;
        rows = rows.saturating_add(gone);
        if !more {
            break;
        }
        if batch == BATCHES {
            next = now;
        }
    }
    if 0 < rows {
        tracing::info!(rows, "deleted what is kept no longer");
    }
    put_back(world, claim, next, "done; it comes again").await
}

const HOUR: i64 = 60 * 60 * 1_000_000;
const DAY: i64 = 24 * HOUR;
/// Longer than WeChat repeats a notification.
const WEEK: i64 = 7 * DAY;
/// How many batches one piece of work does at most: it must end before its lease.
const BATCHES: u32 = 50;
