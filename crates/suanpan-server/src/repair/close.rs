//! Before another attempt, when the merchant closes an order, and when its time is over: close at WeChat.
//!
//! The payer may be paying at this very moment. So the last word is WeChat's:
//! it is asked before the close and once more after it, and what it calls paid
//! is paid, whatever we wanted.

use suanpan_client::Outcome;
use suanpan_ledger::{OrderStatus, QUERY as DOUBTS};

use crate::account::Account;
use crate::config::ApiVersion;
use crate::error::chain;
use crate::flow::prepay::{Ending, ended};
use crate::ids::OrderId;
use crate::order::{Attempt, Order, rfc3339};
use crate::repair::query::{Standing, query};
use crate::repair::watch::soon;
use crate::store::{Claim, Event, NewDue, StoreError, Tx};
use crate::timeline::{Entry, Step};
use crate::world::World;
use crate::{Error, due, flow, gateway};

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closed {
    /// Nobody can pay it any more.
    Done,
    /// The payer was faster.
    Paid,
}

/// Closes an attempt at WeChat, unless it is paid.
///
/// # Errors
/// [`Error::CloseTooSoon`] and [`Error::Refused`] where WeChat will not close it
/// now, [`Error::Unknown`] where nobody can tell; then it stays as it is, and
/// WeChat is asked again.
pub async fn close(world: &World, account: &Account, attempt: &Attempt) -> Result<Closed, Error> {
    for _ in 0..ROUNDS {
        if let Some(closed) = try_close(world, account, attempt).await? {
            return Ok(closed);
        }
    }
    Err(Error::Busy)
}

/// `None`: it came to WeChat while it was being closed, and is to be closed once more.
async fn try_close(
    world: &World,
    account: &Account,
    attempt: &Attempt,
) -> Result<Option<Closed>, Error> {
    let known = match query(world, account, attempt).await? {
        Standing::Paid => return Ok(Some(Closed::Paid)),
        Standing::Ended => return Ok(Some(Closed::Done)),
        Standing::Open | Standing::Unknown => true,
        // The order may be on its way to it.
        Standing::Absent => false,
    };
    let outcome = gateway::close(world, account, attempt).await?;
    let operation = outcome.trace().operation;
    let refused = match outcome {
        Outcome::Done(_) if known => {
            ended(world, attempt, Ending::Closed, "closed at WeChat").await?;
            return Ok(Some(Closed::Done));
        }
        Outcome::Unknown(doubt) => {
            soon(world, attempt, "the answer to the close is not known").await?;
            return Err(Error::Unknown { operation, cause: doubt.error.into() });
        }
        // APIv3 says yes also to a number that it does not know: nothing is closed, and it may still come.
        Outcome::Done(_) => None,
        Outcome::Rejected(no) => Some(no),
    };
    // Whatever the answer: how it stands decides, not how a refusal is spelled.
    match (query(world, account, attempt).await?, refused) {
        (Standing::Paid, _) => Ok(Some(Closed::Paid)),
        (Standing::Ended, _) => Ok(Some(Closed::Done)),
        (Standing::Absent, _) => {
            // Not a close: since it was asked, another node may have placed it and given its sheet away. That one stays
            // live; the model check found this.
            ended(world, attempt, Ending::Refused, "WeChat never had it").await?;
            Ok(Some(Closed::Done))
        }
        (Standing::Open | Standing::Unknown, None) => Ok(None),
        (Standing::Open | Standing::Unknown, Some(no)) => Err(match no.refusal().cloned() {
            Some(refusal) if is_too_soon(world, attempt) && !refusal.is_too_often() => {
                Error::CloseTooSoon { until: closable_from(attempt), refusal }
            }
            Some(refusal) => Error::Refused { operation, refusal },
            None => Error::Unwritable { operation, cause: no.error.into() },
        }),
    }
}

/// Closes an attempt once more that we hold as closed, and that WeChat would still take money for.
pub(crate) async fn again(
    world: &World,
    account: &Account,
    attempt: &Attempt,
) -> Result<(), Error> {
    let how = match gateway::close(world, account, attempt).await? {
        Outcome::Done(_) => "closed once more".to_owned(),
        Outcome::Rejected(no) => format!("not closed: {}", chain(&no.error)),
        Outcome::Unknown(doubt) => format!("perhaps closed: {}", chain(&doubt.error)),
    };
    let text = format!("{}: still open at WeChat; {how}", attempt.out_trade_no);
    world.journal(&attempt.order_id, Entry::new(Step::Close, text)).await
}

/// APIv2 closes no order within five minutes (pay.weixin.qq.com/doc/v2/merchant, "关闭订单"). Not every host holds people
/// to it, so it is tried in any case; this only explains the refusal.
fn is_too_soon(world: &World, attempt: &Attempt) -> bool {
    gateway::api_of(attempt) == ApiVersion::V2 && world.now() < closable_from(attempt)
}

fn closable_from(attempt: &Attempt) -> i64 {
    attempt.created_at.saturating_add(FIVE_MINUTES)
}

/// Closes an order for good, its live attempt first. A closed one stays closed.
///
/// # Errors
/// [`Error::OrderPaid`] where the payer was faster, and those of [`close`].
pub async fn close_order(world: &World, id: &OrderId) -> Result<Order, Error> {
    close_for(world, id, "closed by the merchant").await
}

/// The same where a person at the console closes it.
///
/// # Errors
/// As [`close_order`].
pub async fn close_by_hand(world: &World, id: &OrderId) -> Result<Order, Error> {
    close_for(world, id, "closed at the console").await
}

async fn close_for(world: &World, id: &OrderId, why: &str) -> Result<Order, Error> {
    let order = flow::order::find(world, id).await?;
    match order.status {
        OrderStatus::Closed => return Ok(order),
        OrderStatus::Paid => return Err(Error::OrderPaid),
        OrderStatus::Unpaid | OrderStatus::Paying => {}
    }
    let account = world.account(&order.mchid)?;
    for attempt in live(world, id).await? {
        if close(world, &account, &attempt).await? == Closed::Paid {
            return Err(Error::OrderPaid);
        }
    }
    finish(world, id, why).await
}

async fn live(world: &World, id: &OrderId) -> Result<Vec<Attempt>, Error> {
    let attempts =
        world.store.look(id.clone(), |tx, id| Box::pin(async move { tx.attempts(id).await }));
    let mut attempts = attempts.await?;
    attempts.retain(|attempt| attempt.state.is_live());
    Ok(attempts)
}

/// The kind of due work that closes an order whose time is over.
pub(crate) const EXPIRE: &str = "expire";

impl Tx {
    /// Closes a new order when its time is over.
    pub(crate) async fn expire(&mut self, order: &Order) -> Result<(), StoreError> {
        let due = NewDue {
            id: &format!("due_{}", order.id),
            kind: EXPIRE,
            key: &expire_key(&order.id),
            pool: EXPIRE,
            lane: None,
            body: "{}",
            order_id: Some(order.id.as_str()),
            due_at: end(order, &[]),
            created_at: order.created_at,
        };
        self.due_put(&due).await.map(drop)
    }

    /// The order is paid or closed.
    pub(crate) async fn expire_never(&mut self, order: &OrderId) -> Result<(), StoreError> {
        self.due_drop(&expire_key(order)).await
    }
}

fn expire_key(order: &OrderId) -> String {
    format!("{EXPIRE}:{order}")
}

/// When nobody can pay an order any more. One without an end of its own has WeChat's: seven days, and as long for each
/// attempt.
fn end(order: &Order, live: &[Attempt]) -> i64 {
    order.expires_at.unwrap_or_else(|| {
        let begun = live.iter().map(|attempt| attempt.created_at).max().unwrap_or_default();
        begun.max(order.created_at).saturating_add(USUAL_LIFE)
    })
}

/// Closes an order whose time is over; where WeChat will not or cannot, it is tried again until it is.
pub(crate) async fn expired(world: &World, claim: &Claim) -> Result<(), Error> {
    let id: Option<OrderId> = claim.order_id.as_deref().and_then(|id| id.parse().ok());
    let id = id.ok_or(Error::Broken)?;
    let order = flow::order::find(world, &id).await?;
    let end = end(&order, &live(world, &id).await?);
    if world.now() < end {
        return due::put_back(world, claim, end, "somebody began to pay it").await;
    }
    match close_for(world, &id, "closed: nobody paid in time").await {
        Ok(_) | Err(Error::OrderPaid) => due::done(world, claim).await,
        Err(
            error @ (Error::Refused { .. }
            | Error::Unknown { .. }
            | Error::CloseTooSoon { .. }
            | Error::Busy),
        ) => due::persist(world, claim, DOUBTS, &chain(&error)).await,
        Err(error) => Err(error),
    }
}

/// Moves the order, unless an attempt began or a payment came meanwhile.
async fn finish(world: &World, id: &OrderId, why: &str) -> Result<Order, Error> {
    let entry = Entry::new(Step::Order, why);
    let unit = (id.clone(), world.now(), world.id("evt_"), entry.clone());
    let moved = world.store.write(unit, |tx, (id, now, event_id, entry)| {
        Box::pin(async move {
            let Some(order) = tx.order(id).await? else { return Ok(false) };
            let live = tx.attempts(id).await?.iter().any(|attempt| attempt.state.is_live());
            let Some(status) = suanpan_ledger::close(order.status, live) else {
                return Ok(false);
            };
            tx.order_move(&order, status).await?;
            tx.expire_never(id).await?;
            let after = Order { status, ..order };
            let body = serde_json::json!({
                "type": "order.closed", "timestamp": rfc3339(*now), "data": after.view(),
            });
            tx.event_put(&Event {
                id: event_id.clone(),
                order_id: Some(id.to_string()),
                kind: "order.closed".to_owned(),
                body: body.to_string(),
                created_at: *now,
            })
            .await?;
            tx.journal_put(id, *now, entry).await?;
            Ok(true)
        })
    });
    if moved.await? {
        entry.log(id);
    }
    let order = flow::order::find(world, id).await?;
    match order.status {
        OrderStatus::Closed => Ok(order),
        OrderStatus::Paid => Err(Error::OrderPaid),
        // A payer began to pay between our two looks: the merchant asks again.
        OrderStatus::Unpaid | OrderStatus::Paying => Err(Error::Busy),
    }
}

/// How often a number that comes while it is closed is closed.
const ROUNDS: usize = 2;
/// In microseconds.
const FIVE_MINUTES: i64 = 5 * 60 * 1_000_000;
/// Seven days, in microseconds: how long WeChat keeps an order that was placed without `time_expire`.
const USUAL_LIFE: i64 = 7 * 24 * 60 * 60 * 1_000_000;
