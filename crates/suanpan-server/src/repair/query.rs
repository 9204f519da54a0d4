//! When a notification or an answer was lost: ask WeChat how an attempt stands.
//!
//! What it answers counts as much as a notification: it is signed, and it is
//! compared in the same way before it moves anything.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use suanpan_client::Outcome;
use suanpan_ledger::AttemptEvent;
use suanpan_wechat::{Payment, TradeState};

use crate::account::Account;
use crate::error::chain;
use crate::flow::paid::{Matched, Settled, Settling};
use crate::flow::prepay::ended;
use crate::ids::OrderId;
use crate::order::{Attempt, Order};
use crate::store::NewDue;
use crate::timeline::{Entry, Step};
use crate::world::World;
use crate::{Error, flow, gateway};

/// How an attempt stands at WeChat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// WeChat holds the money, and so does our book now.
    Paid,
    /// It can still be paid.
    Open,
    /// It came to its end without money.
    Ended,
    /// WeChat does not know the number (yet).
    Absent,
    /// Nobody can tell.
    Unknown,
}

/// Asks WeChat, and stores what it says.
///
/// # Errors
/// Those of the store, and [`Error::Config`]; a lost answer is [`Standing::Unknown`].
pub async fn query(world: &World, account: &Account, attempt: &Attempt) -> Result<Standing, Error> {
    let payment = match gateway::query(world, account, attempt).await? {
        Outcome::Done(done) => done.answer,
        Outcome::Rejected(no) if ABSENT.contains(&gateway::refusal_code(&no)) => {
            say(world, attempt, "WeChat does not know the number").await?;
            return Ok(Standing::Absent);
        }
        Outcome::Rejected(no) => {
            say(world, attempt, &format!("refused: {}", chain(&no.error))).await?;
            return Ok(Standing::Unknown);
        }
        Outcome::Unknown(doubt) => {
            tracing::warn!(order_id = %attempt.order_id, cause = chain(&doubt.error), "a query was lost");
            return Ok(Standing::Unknown);
        }
    };
    match payment.state {
        TradeState::Success | TradeState::Refund => paid(world, attempt, payment).await,
        TradeState::Closed | TradeState::Revoked | TradeState::PayError => {
            ended(world, attempt, AttemptEvent::Closed, payment.state.as_str()).await?;
            Ok(Standing::Ended)
        }
        TradeState::NotPay | TradeState::UserPaying | TradeState::Accept | TradeState::Other(_) => {
            say(world, attempt, payment.state.as_str()).await?;
            Ok(Standing::Open)
        }
    }
}

async fn paid(world: &World, attempt: &Attempt, payment: Payment) -> Result<Standing, Error> {
    let order = flow::order::find(world, &attempt.order_id).await?;
    let matched = match Matched::new(attempt.clone(), &order, payment) {
        Ok(matched) => matched,
        Err(mismatch) => {
            tracing::error!(order_id = %order.id, %mismatch, code = "SP-NOTIFY-MISMATCH", "a payment does not fit its order");
            say(world, attempt, &format!("ALARM: {mismatch}; the order did not move")).await?;
            return Ok(Standing::Unknown);
        }
    };
    let settling = Settling {
        step: Step::Query,
        proof: format!("asked for {}", attempt.out_trade_no),
        now: world.now(),
        dice: Arc::clone(&world.dice),
    };
    let unit = (matched, settling);
    let settled = world.store.write(unit, |tx, (matched, settling)| {
        Box::pin(async move { tx.settle(matched, settling).await })
    });
    if let Settled::Moved(entry) = settled.await? {
        entry.log(&order.id);
    }
    Ok(Standing::Paid)
}

/// Asks about everything of an order that may have been paid; answers the order as it is then.
///
/// # Errors
/// [`Error::NotFound`], and those of the store. Where WeChat is in doubt the order is answered as we know it.
pub async fn confirm(world: &World, id: &OrderId) -> Result<Order, Error> {
    let order = flow::order::find(world, id).await?;
    if order.transaction_id.is_some() {
        return Ok(order);
    }
    let attempts =
        world.store.look(id.clone(), |tx, id| Box::pin(async move { tx.attempts(id).await }));
    let account = world.account(&order.mchid)?;
    // Also those that are closed: the payer may have been faster than our close.
    for attempt in attempts.await?.iter().take(RECENT) {
        if query(world, account, attempt).await? == Standing::Paid {
            break;
        }
    }
    flow::order::find(world, id).await
}

/// Puts a query in for a little later, and the reason for it into the journal.
pub(crate) async fn soon(world: &World, attempt: &Attempt, why: &str) -> Result<(), Error> {
    let entry = Entry::new(Step::Query, format!("{}: {why}; asking soon", attempt.out_trade_no));
    let id = world.id("due_");
    let unit = (attempt.clone(), id, entry.clone(), world.now());
    let put = world.store.write(unit, |tx, (attempt, id, entry, now)| {
        Box::pin(async move {
            tx.journal_put(&attempt.order_id, *now, entry).await?;
            let body = serde_json::json!(Work { attempt_id: attempt.id.clone() }).to_string();
            tx.due_put(&NewDue {
                id,
                kind: QUERY,
                key: &format!("{QUERY}:{id}"),
                pool: QUERY,
                lane: None,
                body: &body,
                order_id: Some(attempt.order_id.as_str()),
                due_at: now.saturating_add(FIRST_WAIT),
                created_at: *now,
            })
            .await
        })
    });
    put.await?;
    entry.log(&attempt.order_id);
    Ok(())
}

/// Does a query that was put in. `false`: WeChat is still in doubt, so try again.
pub(crate) async fn due(world: &World, body: &str) -> Result<bool, Error> {
    let work: Work = serde_json::from_str(body).map_err(|_| Error::Broken)?;
    let attempt =
        world.store.look(work.attempt_id, |tx, id| Box::pin(async move { tx.attempt(id).await }));
    let Some(attempt) = attempt.await? else { return Ok(true) };
    if !attempt.state.is_live() {
        return Ok(true);
    }
    let account = world.account(&attempt.mchid)?;
    Ok(query(world, account, &attempt).await? != Standing::Unknown)
}

async fn say(world: &World, attempt: &Attempt, what: &str) -> Result<(), Error> {
    let entry = Entry::new(Step::Query, format!("asked for {}: {what}", attempt.out_trade_no));
    world.journal(&attempt.order_id, entry).await
}

/// The kind of due work that asks WeChat.
pub(crate) const QUERY: &str = "query";

#[derive(Deserialize, Serialize)]
struct Work {
    attempt_id: String,
}

/// The order does not exist: APIv3 and APIv2.
const ABSENT: [&str; 2] = ["ORDER_NOT_EXIST", "ORDERNOTEXIST"];
/// How many attempts of one order are asked about.
const RECENT: usize = 5;
/// Five seconds: by then WeChat knows what it did.
const FIRST_WAIT: i64 = 5_000_000;
