//! Before another attempt, and when the merchant closes an order: close at WeChat.
//!
//! The payer may be paying at this very moment. So the last word is WeChat's:
//! what it calls paid is paid, whatever we wanted.

use suanpan_client::Outcome;
use suanpan_ledger::{AttemptEvent, OrderStatus};

use crate::account::Account;
use crate::flow::prepay::ended;
use crate::ids::OrderId;
use crate::order::{Attempt, Order, rfc3339};
use crate::repair::query::{Standing, query, soon};
use crate::store::Event;
use crate::timeline::{Entry, Step};
use crate::world::World;
use crate::{Error, flow, gateway};

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closed {
    /// Nobody can pay it any more.
    Done,
    /// The payer was faster.
    Paid,
}

/// Closes an attempt at WeChat.
///
/// # Errors
/// [`Error::Refused`] where WeChat will not close it now, [`Error::Unknown`]
/// where nobody can tell; then it stays as it is, and WeChat is asked again.
pub async fn close(world: &World, account: &Account, attempt: &Attempt) -> Result<Closed, Error> {
    let outcome = gateway::close(world, account, attempt).await?;
    let operation = outcome.trace().operation;
    match outcome {
        Outcome::Done(_) => {
            ended(world, attempt, AttemptEvent::Closed, "closed at WeChat").await?;
            Ok(Closed::Done)
        }
        Outcome::Unknown(doubt) => {
            soon(world, attempt, "the answer to the close is not known").await?;
            Err(Error::Unknown { operation, cause: doubt.error.into() })
        }
        // Whatever the reason: how it stands decides, not how the refusal is spelled.
        Outcome::Rejected(no) => match query(world, account, attempt).await? {
            Standing::Paid => Ok(Closed::Paid),
            Standing::Ended => Ok(Closed::Done),
            Standing::Absent => {
                ended(world, attempt, AttemptEvent::Closed, "WeChat never had it").await?;
                Ok(Closed::Done)
            }
            Standing::Open | Standing::Unknown => Err(match no.refusal() {
                Some(refusal) => Error::Refused { operation, refusal: refusal.clone() },
                None => Error::Unwritable { operation, cause: no.error.into() },
            }),
        },
    }
}

/// Closes an order for good, its live attempt first. A closed one stays closed.
///
/// # Errors
/// [`Error::OrderPaid`] where the payer was faster, and those of [`close`].
pub async fn close_order(world: &World, id: &OrderId) -> Result<Order, Error> {
    let order = flow::order::find(world, id).await?;
    match order.status {
        OrderStatus::Closed => return Ok(order),
        OrderStatus::Paid => return Err(Error::OrderPaid),
        OrderStatus::Unpaid | OrderStatus::Paying => {}
    }
    let attempts =
        world.store.look(id.clone(), |tx, id| Box::pin(async move { tx.attempts(id).await }));
    let account = world.account(&order.mchid)?;
    for attempt in attempts.await?.iter().filter(|attempt| attempt.state.is_live()) {
        if close(world, account, attempt).await? == Closed::Paid {
            return Err(Error::OrderPaid);
        }
    }
    finish(world, id).await
}

/// Moves the order, unless an attempt began or a payment came meanwhile.
async fn finish(world: &World, id: &OrderId) -> Result<Order, Error> {
    let entry = Entry::new(Step::Order, "closed by the merchant");
    let unit = (id.clone(), world.now(), world.id("evt_"), entry.clone());
    let moved = world.store.write(unit, |tx, (id, now, event_id, entry)| {
        Box::pin(async move {
            let Some(order) = tx.order(id).await? else { return Ok(false) };
            let live = tx.attempts(id).await?.iter().any(|attempt| attempt.state.is_live());
            let Some(status) = suanpan_ledger::close(order.status, live) else {
                return Ok(false);
            };
            tx.order_move(&order, status).await?;
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
