//! A person asks for a refund; above the limit a second one approves it.
//!
//! What was decided and what follows from it are one transaction: the request,
//! the refund with its number, and the line in the audit log. Whoever dies
//! behind it has lost nothing, since the refund's own work goes on from there;
//! and whoever decides twice finds it decided.

use suanpan_ledger::{Overdrawn, refund as summed};
use suanpan_wechat::Fen;

use super::begin::{Begun, Draft, NewRefund, refused};
use super::carry_out;
use crate::Error;
use crate::audit::{self, By};
use crate::config::ApiVersion;
use crate::ids::OrderId;
use crate::order::Order;
use crate::people::Refusal;
use crate::refund::Refund;
use crate::store::{Decision, RefundRequest, StoreError, Tx};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// A refund as a form asks for it.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Drawn when the form was made, so that the same form asks once: [`new_id`].
    pub id: String,
    /// The order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Fen,
    /// Why; the payer reads it.
    pub reason: String,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Asked {
    /// It was begun, and WeChat was asked for it.
    Begun(Box<Refund>),
    /// It waits for a second person, under this id.
    Waiting(String),
    /// It was asked for before by the same form, and declined.
    Declined(String),
}

/// The id of a request that is to be asked for.
pub fn new_id(world: &World) -> String {
    world.id("rrq_")
}

/// Asks for a refund.
///
/// # Errors
/// As [`start`](super::start).
pub async fn ask(world: &World, by: By, ask: Ask) -> Result<Asked, Error> {
    if !ask.id.starts_with("rrq_") || 64 < ask.id.len() {
        return Err(Error::field("id", "is not of a form of this console"));
    }
    let order = order(world, &ask.order_id).await?;
    let new = NewRefund {
        amount: Some(ask.amount),
        reason: Some(ask.reason.clone()),
        ..NewRefund::default()
    };
    let draft = draft(world, &order, new)?;
    let unit = (draft, ask, by, world.people.second_person_above, world.now());
    let asked = world.store.write(unit, |tx, (draft, ask, by, above, now)| {
        Box::pin(async move { tx.refund_ask(draft, ask, by, *above, *now).await })
    });
    match asked.await? {
        Said::Begun(begun) => Ok(Asked::Begun(Box::new(begun_now(world, begun).await?))),
        Said::Waiting(id) => Ok(Asked::Waiting(id)),
        Said::Before(RefundRequest { id, decision: None, .. }) => Ok(Asked::Waiting(id)),
        Said::Before(RefundRequest { id, decision: Some(decision), .. }) => {
            match decision.refund_id {
                Some(refund) => Ok(Asked::Begun(Box::new(super::find(world, &refund).await?))),
                None => Ok(Asked::Declined(id)),
            }
        }
        Said::Overdrawn(overdrawn) => Err(Error::Overdrawn(overdrawn)),
        Said::NotPaid => Err(Error::OrderNotPaid),
        Said::AnotherForm => Err(Error::KeyReused),
    }
}

/// Approves a request of somebody else: the refund begins.
///
/// # Errors
/// [`Refusal::OwnRequest`], [`Refusal::Decided`], and as [`start`](super::start).
pub async fn approve(world: &World, by: By, id: &str, note: &str) -> Result<Refund, Error> {
    let request = find(world, id).await?;
    let order = order(world, &request.order_id).await?;
    let new = NewRefund {
        amount: Some(request.amount),
        reason: Some(request.reason),
        transaction_id: Some(request.transaction_id),
        ..NewRefund::default()
    };
    let draft = draft(world, &order, new)?;
    let unit = (draft, request.id, by, note.trim().to_owned(), world.now());
    let approved = world.store.write(unit, |tx, (draft, id, by, note, now)| {
        Box::pin(async move { tx.refund_approve(draft, id, by, note, *now).await })
    });
    begun_now(world, approved.await??).await
}

/// Declines a request of somebody; also one's own, which takes it back.
///
/// # Errors
/// [`Refusal::Decided`].
pub async fn decline(world: &World, by: By, id: &str, note: &str) -> Result<(), Error> {
    let request = find(world, id).await?;
    let unit = (request.id, by, note.trim().to_owned(), world.now());
    let declined = world.store.write(unit, |tx, (id, by, note, now)| {
        Box::pin(async move { tx.refund_decline(id, by, note, *now).await })
    });
    Ok(declined.await??)
}

/// The request of this id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(world: &World, id: &str) -> Result<RefundRequest, Error> {
    let found = world
        .store
        .look(id.to_owned(), |tx, id| Box::pin(async move { tx.refund_request(id).await }));
    found.await?.ok_or(Error::NotFound { what: "refund request" })
}

async fn order(world: &World, id: &OrderId) -> Result<Order, Error> {
    let found = world.store.look(id.clone(), |tx, id| Box::pin(async move { tx.order(id).await }));
    found.await?.ok_or(Error::NotFound { what: "order" })
}

fn draft(world: &World, order: &Order, new: NewRefund) -> Result<Draft, Error> {
    let account = world.account(&order.mchid)?;
    if account.api == ApiVersion::V2 {
        // Rather now than when it is stored and cannot be asked for.
        world.certified(&account.mchid)?;
    }
    Ok(Draft::new(world, order, new)?.asked_for_by_the_caller())
}

/// The transaction is durable: WeChat is asked at once.
async fn begun_now(world: &World, begun: Begun) -> Result<Refund, Error> {
    let Begun::Stored(refund, entry) = begun else { return Err(refused(begun, true)) };
    entry.log(&refund.order_id);
    carry_out(world, *refund).await
}

/// What a transaction made of a request.
enum Said {
    Begun(Begun),
    Waiting(String),
    Before(RefundRequest),
    Overdrawn(Overdrawn),
    NotPaid,
    AnotherForm,
}

impl Tx {
    async fn refund_ask(
        &mut self,
        draft: &Draft,
        ask: &Ask,
        by: &By,
        above: Option<Fen>,
        now: i64,
    ) -> Result<Said, StoreError> {
        if let Some(before) = self.refund_request(&ask.id).await? {
            let same = before.order_id == ask.order_id && before.amount == ask.amount;
            return Ok(if same { Said::Before(before) } else { Said::AnotherForm });
        }
        let order = self.order(&ask.order_id).await?;
        let order = order.ok_or(StoreError::Stale { what: "order" })?;
        let Some(transaction_id) = order.transaction_id.clone() else { return Ok(Said::NotPaid) };
        let who = (by.operator.id.clone().unwrap_or_default(), by.operator.name.clone());
        let mut request = RefundRequest {
            id: ask.id.clone(),
            order_id: order.id.clone(),
            transaction_id,
            amount: ask.amount,
            reason: ask.reason.trim().to_owned(),
            asked_by: who.clone(),
            asked_at: now,
            decision: None,
        };
        let line = by
            .entry("refund.ask", order.id.as_str())
            .because(&request.reason)
            .with(serde_json::json!({ "request": request.id, "amount": ask.amount.get() }));

        // Not this one alone: many small ones are a large one.
        let earlier = self.refunds(&order.id).await?.into_iter().filter(|earlier| {
            earlier.transaction_id == request.transaction_id && earlier.state.holds_money()
        });
        let total = order.amount;
        let held =
            earlier.map(|one| one.amount).try_fold(Fen::ZERO, |sum, one| summed(total, sum, one));
        let sum = match summed(total, held.unwrap_or(total), ask.amount) {
            Ok(sum) => sum,
            Err(overdrawn) => return Ok(Said::Overdrawn(overdrawn)),
        };
        if above.is_some_and(|above| above < sum) {
            self.refund_request_put(&request).await?;
            let text =
                format!("{} {} asked for; waits for a second person", ask.amount, order.currency);
            let entry = Entry::new(Step::Refund, text).with("request", request.id.as_str());
            self.journal_put(&order.id, now, &entry).await?;
            self.audit(&line, now).await?;
            return Ok(Said::Waiting(request.id));
        }
        let begun = self.refund_begin(draft).await?;
        if let Begun::Stored(refund, _) = &begun {
            let refund_id = Some(refund.id.clone());
            request.decision = Some(Decision { by: who, at: now, note: None, refund_id });
            self.refund_request_put(&request).await?;
            self.audit(&line, now).await?;
        }
        Ok(Said::Begun(begun))
    }

    async fn refund_approve(
        &mut self,
        draft: &Draft,
        id: &str,
        by: &By,
        note: &str,
        now: i64,
    ) -> Result<Result<Begun, Refusal>, StoreError> {
        let request = self.waiting(id).await?;
        let Some(request) = request else { return Ok(Err(Refusal::Decided)) };
        let who = (by.operator.id.clone().unwrap_or_default(), by.operator.name.clone());
        if request.asked_by.0 == who.0 {
            return Ok(Err(Refusal::OwnRequest));
        }
        let begun = self.refund_begin(draft).await?;
        if let Begun::Stored(refund, _) = &begun {
            let refund_id = Some(refund.id.clone());
            let decision = Decision { by: who, at: now, note: Some(note.to_owned()), refund_id };
            self.refund_request_decide(id, &decision).await?;
            self.audit(&decided(by, "refund.approve", &request).because(note), now).await?;
        }
        Ok(Ok(begun))
    }

    async fn refund_decline(
        &mut self,
        id: &str,
        by: &By,
        note: &str,
        now: i64,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let request = self.waiting(id).await?;
        let Some(request) = request else { return Ok(Err(Refusal::Decided)) };
        let who = (by.operator.id.clone().unwrap_or_default(), by.operator.name.clone());
        let decision = Decision { by: who, at: now, note: Some(note.to_owned()), refund_id: None };
        self.refund_request_decide(id, &decision).await?;
        let entry = Entry::new(Step::Refund, format!("{} is declined", request.amount));
        let entry = entry.with("request", id);
        self.journal_put(&request.order_id, now, &entry).await?;
        self.audit(&decided(by, "refund.decline", &request).because(note), now).await?;
        Ok(Ok(()))
    }

    async fn waiting(&mut self, id: &str) -> Result<Option<RefundRequest>, StoreError> {
        let request = self.refund_request(id).await?;
        Ok(request.filter(|request| request.decision.is_none()))
    }
}

fn decided(by: &By, action: &'static str, request: &RefundRequest) -> audit::Entry {
    by.entry(action, request.order_id.as_str())
        .with(serde_json::json!({ "request": request.id, "amount": request.amount.get() }))
}
