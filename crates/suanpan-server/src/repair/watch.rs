//! The query schedule: an attempt is watched from its first second until nobody can pay it.
//!
//! The work is put in with the attempt, in one transaction, so a crash after any
//! instruction leaves somebody who asks. There is one row for each attempt, its
//! key says so. It ends when the attempt is final: paid, closed as WeChat itself
//! says, or refused. An answer to a close is not enough, since it may come from
//! a host that lags behind: a minute later WeChat is asked once more, and what
//! is still open is closed again.

use serde::{Deserialize, Serialize};
use suanpan_ledger::{ATTEMPT, AttemptState, OrderStatus};

use crate::Error;
use crate::account::Account;
use crate::order::{Attempt, Order};
use crate::repair::close;
use crate::repair::query::{Standing, query};
use crate::store::{Claim, NewDue, StoreError, Tx};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// The kind of due work that asks WeChat.
pub(crate) const QUERY: &str = "query";

#[derive(Deserialize, Serialize)]
struct Work {
    attempt_id: String,
}

impl Tx {
    /// Watches a new attempt.
    pub(crate) async fn watch(
        &mut self,
        attempt: &Attempt,
        now: i64,
        jitter: i64,
    ) -> Result<(), StoreError> {
        let due = NewDue {
            id: &format!("due_{}", attempt.id),
            kind: QUERY,
            key: &key(&attempt.id),
            pool: QUERY,
            lane: None,
            body: &serde_json::json!(Work { attempt_id: attempt.id.clone() }).to_string(),
            order_id: Some(attempt.order_id.as_str()),
            due_at: next(attempt, false, now, jitter),
            created_at: now,
        };
        self.due_put(&due).await.map(drop)
    }

    /// Asks about an attempt at `at` if that is sooner than planned.
    pub(crate) async fn watch_sooner(
        &mut self,
        attempt_id: &str,
        at: i64,
    ) -> Result<(), StoreError> {
        self.due_hasten(&key(attempt_id), at).await
    }

    /// The attempt is final.
    pub(crate) async fn watch_ended(&mut self, attempt_id: &str) -> Result<(), StoreError> {
        self.due_drop(&key(attempt_id)).await
    }
}

/// WeChat's answer about an attempt was lost: asks soon, and says so in the journal.
pub(crate) async fn soon(world: &World, attempt: &Attempt, why: &str) -> Result<(), Error> {
    let entry = Entry::new(Step::Query, format!("{}: {why}; asking soon", attempt.out_trade_no));
    let unit = (attempt.clone(), entry.clone(), world.now());
    let put = world.store.write(unit, |tx, (attempt, entry, now)| {
        Box::pin(async move {
            tx.journal_put(&attempt.order_id, *now, entry).await?;
            tx.watch_sooner(&attempt.id, now.saturating_add(SOON)).await
        })
    });
    put.await?;
    entry.log(&attempt.order_id);
    Ok(())
}

/// Asks about an attempt whose time has come, and plans the next look.
pub(crate) async fn due(world: &World, claim: &Claim) -> Result<(), Error> {
    let work: Work = serde_json::from_str(&claim.body).map_err(|_| Error::Broken)?;
    let found = world.store.look(work.attempt_id, |tx, id| {
        Box::pin(async move {
            let Some(attempt) = tx.attempt(id).await? else { return Ok(None) };
            let order = tx.order(&attempt.order_id).await?;
            Ok(order.map(|order| (attempt, order)))
        })
    });
    let over = match found.await? {
        Some((attempt, order)) => {
            let account = world.account(&attempt.mchid)?;
            look(world, &account, &attempt, &order).await?
        }
        None => true,
    };
    conclude(world, claim, over).await
}

/// Whether it is over: nobody can pay this attempt any more, or somebody has.
async fn look(
    world: &World,
    account: &Account,
    attempt: &Attempt,
    order: &Order,
) -> Result<bool, Error> {
    match attempt.state {
        AttemptState::Paid => Ok(true),
        AttemptState::Created | AttemptState::Prepaid if is_open(order.status) => {
            Ok(match query(world, account, attempt).await? {
                Standing::Paid | Standing::Ended => true,
                Standing::Open | Standing::Absent | Standing::Unknown => false,
            })
        }
        // Another attempt was paid although it was closed: this one must not be paid as well.
        AttemptState::Created | AttemptState::Prepaid => {
            match close::close(world, account, attempt).await {
                Ok(_)
                | Err(Error::Refused { .. } | Error::Unknown { .. } | Error::CloseTooSoon { .. }) => {
                    Ok(false)
                }
                Err(error) => Err(error),
            }
        }
        AttemptState::Closed | AttemptState::Failed => {
            Ok(match query(world, account, attempt).await? {
                Standing::Paid | Standing::Ended | Standing::Absent => true,
                Standing::Unknown => false,
                Standing::Open => {
                    close::again(world, account, attempt).await?;
                    false
                }
            })
        }
    }
}

const fn is_open(order: OrderStatus) -> bool {
    match order {
        OrderStatus::Unpaid | OrderStatus::Paying => true,
        OrderStatus::Paid | OrderStatus::Closed => false,
    }
}

/// Done, or another look. The attempt is read again: it may have moved while WeChat was asked.
async fn conclude(world: &World, claim: &Claim, over: bool) -> Result<(), Error> {
    let work: Work = serde_json::from_str(&claim.body).map_err(|_| Error::Broken)?;
    let unit = (claim.clone(), work.attempt_id, over, world.now(), jitter(world));
    let concluded = world.store.write(unit, |tx, (claim, id, over, now, jitter)| {
        Box::pin(async move {
            let attempt = tx.attempt(id).await?;
            match attempt.filter(|attempt| !*over && attempt.state != AttemptState::Paid) {
                Some(attempt) => {
                    // The order may have come to its end meanwhile: then this one is closed, and not in an hour.
                    let order = tx.order(&attempt.order_id).await?;
                    let ended = order.is_some_and(|order| !is_open(order.status));
                    let at = next(&attempt, ended, *now, *jitter);
                    tx.due_retry(claim, at, "it can still be paid, or nobody can tell").await
                }
                None => tx.due_done(claim).await,
            }
        })
    });
    concluded.await?;
    Ok(())
}

/// When to look at an attempt next, in unix microseconds.
fn next(attempt: &Attempt, ended: bool, now: i64, jitter: i64) -> i64 {
    if !attempt.state.is_live() {
        return now.saturating_add(AFTER_CLOSE);
    }
    if ended {
        return now.saturating_add(SOON);
    }
    // A new `prepay_id` opens sheets for two hours more, so the schedule begins anew.
    let from = attempt.prepay_at.unwrap_or_default().max(attempt.created_at);
    from.saturating_add(ATTEMPT.next(now.saturating_sub(from), jitter))
}

pub(crate) fn jitter(world: &World) -> i64 {
    world.dice.below(1000)
}

fn key(attempt_id: &str) -> String {
    format!("{QUERY}:{attempt_id}")
}

/// Five seconds, in microseconds: by then WeChat knows what it did.
pub(crate) const SOON: i64 = 5_000_000;
/// A minute, in microseconds: by then all of WeChat's hosts know of a close.
pub(crate) const AFTER_CLOSE: i64 = 60_000_000;
