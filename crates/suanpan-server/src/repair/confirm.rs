//! When the mini program comes back from the payment sheet: ask WeChat at once.
//!
//! Anybody who knows an order's id may ask for this as often as they like, and
//! WeChat counts our questions. So those who ask at the same time share one
//! question, and for each attempt there is one question a second (two, for who
//! asks before and after paying); whoever comes more often gets what is known.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use moka::future::Cache;

use crate::account::Account;
use crate::error::chain;
use crate::ids::OrderId;
use crate::order::{Attempt, Order};
use crate::repair::query::{Standing, query};
use crate::world::World;
use crate::{Error, flow};

/// The questions of `confirm` that are under way, and those of the last seconds. One per server.
pub(crate) struct Confirms {
    under_way: Cache<String, Standing>,
    /// Until when each attempt's seconds are used up, in unix microseconds.
    spent: Mutex<HashMap<String, i64>>,
}

/// An order after WeChat was asked about it.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// As it is now.
    pub order: Order,
    /// Whether that is what WeChat says at this moment; where not, it is what we knew: it was asked too often, or gave
    /// no clear answer.
    pub asked: bool,
}

/// Asks about everything of an order that may have been paid.
///
/// # Errors
/// [`Error::NotFound`], and those of the store. Where WeChat is in doubt the order is answered as we know it.
pub async fn confirm(world: &World, id: &OrderId) -> Result<Confirmed, Error> {
    let order = flow::order::find(world, id).await?;
    if order.transaction_id.is_some() {
        return Ok(Confirmed { order, asked: true });
    }
    let attempts =
        world.store.look(id.clone(), |tx, id| Box::pin(async move { tx.attempts(id).await }));
    let account = world.account(&order.mchid)?;
    // Also those that are closed: the payer may have been faster than our close.
    let mut asked = true;
    for attempt in attempts.await?.iter().take(RECENT) {
        match ask(world, &account, attempt).await {
            // Whatever is not known of others: nothing is more than paid.
            Some(Standing::Paid) => {
                asked = true;
                break;
            }
            Some(Standing::Open | Standing::Ended | Standing::Absent) => {}
            Some(Standing::Unknown) | None => asked = false,
        }
    }
    Ok(Confirmed { order: flow::order::find(world, id).await?, asked })
}

/// `None`: it was asked too often, or the question failed on our side.
async fn ask(world: &World, account: &Account, attempt: &Attempt) -> Option<Standing> {
    let confirms = &world.confirms;
    let shared = confirms.under_way.contains_key(&attempt.id);
    if !shared && !confirms.may_ask(&attempt.id, world.now()) {
        return None;
    }
    let question = query(world, account, attempt);
    let answered = confirms.under_way.try_get_with(attempt.id.clone(), question).await;
    // Only while it is under way: the next one is a new question.
    confirms.under_way.invalidate(&attempt.id).await;
    answered
        .inspect_err(|error: &Arc<Error>| {
            tracing::warn!(order_id = %attempt.order_id, error = chain(&**error), "an order could not be confirmed");
        })
        .ok()
}

impl Confirms {
    pub(crate) fn new() -> Self {
        Self { under_way: Cache::new(10_000), spent: Mutex::default() }
    }

    /// Takes one of the attempt's seconds; two may be taken at once.
    fn may_ask(&self, attempt_id: &str, now: i64) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let until = spent.get(attempt_id).copied().unwrap_or_default().max(now);
        if now.saturating_add(SECOND) < until {
            return false;
        }
        if MOST <= spent.len() {
            spent.retain(|_, until| now < *until);
        }
        spent.insert(attempt_id.to_owned(), until.saturating_add(SECOND));
        true
    }
}

impl fmt::Debug for Confirms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirms").finish_non_exhaustive()
    }
}

/// How many attempts of one order are asked about.
const RECENT: usize = 5;
/// In microseconds.
const SECOND: i64 = 1_000_000;
/// From so many remembered attempts on, those that have their seconds back are forgotten.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_a_second_and_two_at_once() {
        let confirms = Confirms::new();
        let asked = |at: i64| confirms.may_ask("att_1", at * SECOND / 10);
        assert_eq!([0, 0, 0, 5, 9].map(asked), [true, true, false, false, false]);
        assert_eq!([10, 10, 15, 19].map(asked), [true, false, false, false]);
        assert_eq!([20, 100, 100, 100].map(asked), [true, true, true, false]);
        assert!(confirms.may_ask("att_2", 10 * SECOND), "each attempt has its own seconds");
    }

    #[test]
    fn what_is_remembered_stays_small() {
        let confirms = Confirms::new();
        for number in 0..30_000 {
            assert!(confirms.may_ask(&format!("att_{number}"), number * SECOND));
        }
        assert!(confirms.spent.lock().unwrap().len() <= MOST);
    }
}
