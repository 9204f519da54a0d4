//! When a notification or an answer was lost: ask WeChat how an attempt stands.
//!
//! What it answers counts as much as a notification: it is signed, and it is
//! compared in the same way before it moves anything.

use suanpan_client::Outcome;
use suanpan_wechat::{Payment, TradeState};

use crate::account::Account;
use crate::error::chain;
use crate::flow::paid::{Matched, settled};
use crate::flow::prepay::{Ending, ended};
use crate::order::Attempt;
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
    let (payment, wechat) = match gateway::query(world, account, attempt).await? {
        Outcome::Done(done) => (done.answer, done.trace.request_id),
        // Without a proof it says nothing: a number that is thought free would be paid twice.
        Outcome::Rejected(no)
            if ABSENT.contains(&gateway::refusal_code(&no))
                && no.refusal().is_some_and(|refusal| refusal.verified) =>
        {
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
        TradeState::Success | TradeState::Refund => paid(world, attempt, payment, wechat).await,
        TradeState::Closed | TradeState::Revoked | TradeState::PayError => {
            ended(world, attempt, Ending::Told, payment.state.as_str()).await?;
            Ok(Standing::Ended)
        }
        TradeState::NotPay | TradeState::UserPaying | TradeState::Accept | TradeState::Other(_) => {
            say(world, attempt, payment.state.as_str()).await?;
            Ok(Standing::Open)
        }
    }
}

async fn paid(
    world: &World,
    attempt: &Attempt,
    payment: Payment,
    wechat_request_id: Option<String>,
) -> Result<Standing, Error> {
    let order = flow::order::find(world, &attempt.order_id).await?;
    let matched = match Matched::new(attempt.clone(), &order, payment) {
        Ok(matched) => matched,
        Err(mismatch) => {
            tracing::error!(order_id = %order.id, %mismatch, code = "SP-NOTIFY-MISMATCH", "a payment does not fit its order");
            say(world, attempt, &format!("ALARM: {mismatch}; the order did not move")).await?;
            return Ok(Standing::Unknown);
        }
    };
    let proof = format!("asked for {}", attempt.out_trade_no);
    settled(world, &order, matched, (Step::Query, proof), wechat_request_id).await?;
    Ok(Standing::Paid)
}

async fn say(world: &World, attempt: &Attempt, what: &str) -> Result<(), Error> {
    let entry = Entry::new(Step::Query, format!("asked for {}: {what}", attempt.out_trade_no));
    // Whoever knows the order's id can have it asked about for days: the same again and again is one line.
    let unit = (attempt.order_id.clone(), world.now(), entry.clone());
    let put = world.store.write(unit, |tx, (order, at, entry)| {
        Box::pin(async move { tx.journal_put_news(order, *at, entry).await })
    });
    if put.await? {
        entry.log(&attempt.order_id);
    }
    Ok(())
}

/// The order does not exist: APIv3 and APIv2.
const ABSENT: [&str; 2] = ["ORDER_NOT_EXIST", "ORDERNOTEXIST"];
