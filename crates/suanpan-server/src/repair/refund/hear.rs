//! What WeChat says of a refund, by whichever way, and what it moves: refund, order's sum, journal and event in one transaction.

use serde_json::json;
use suanpan_ledger::{
    Impossible, Outcome, RefundEvent, RefundState, ShippingEvent, refund as summed,
};
use suanpan_wechat as wechat;
use suanpan_wechat::Fen;

use crate::Error;
use crate::flow::paid::{Settled, Settling};
use crate::metrics::store::{Moved, api};
use crate::order::{Order, rfc3339};
use crate::refund::Refund;
use crate::store::{Event, StoreError, Tx};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// Takes what WeChat says under its signature, and compares before it moves anything.
pub(crate) async fn hear(
    world: &World,
    refund: &Refund,
    told: &wechat::Refund,
    settling: &Settling,
) -> Result<(), Error> {
    if let Err(mismatch) = refund.compare(told) {
        tracing::error!(order_id = %refund.order_id, %mismatch, code = "SP-NOTIFY-MISMATCH", "a refund does not fit");
        let text = format!("ALARM: {}: {mismatch}; nothing moved", refund.out_refund_no);
        let entry = Entry::new(settling.step, text);
        return world.journal(&refund.order_id, entry).await;
    }
    let unit = (refund.id.clone(), told.clone(), settling.clone());
    let heard = world.store.write(unit, |tx, (id, told, settling)| {
        Box::pin(async move { tx.refund_hear(id, told, settling).await })
    });
    if let Settled::Moved(entries) = heard.await? {
        entries.iter().for_each(|entry| entry.log(&refund.order_id));
    }
    Ok(())
}

/// Closes a refund that WeChat refused and does not know.
pub(super) async fn close(
    world: &World,
    refund: &Refund,
    settling: &Settling,
    problem: &str,
) -> Result<(), Error> {
    let unit = (refund.id.clone(), settling.clone(), problem.to_owned());
    let closed = world.store.write(unit, |tx, (id, settling, problem)| {
        Box::pin(async move {
            let refund = tx.refund(id).await?.ok_or(StoreError::Stale { what: "refund" })?;
            let after = Refund { problem: Some(problem.clone()), ..refund.clone() };
            tx.refund_move(&refund, after, RefundEvent::Closed, settling).await
        })
    });
    if let Settled::Moved(entries) = closed.await? {
        entries.iter().for_each(|entry| entry.log(&refund.order_id));
    }
    Ok(())
}

/// Keeps why a refund does not get on, for whoever looks.
pub(super) async fn note(world: &World, refund: &Refund, problem: &str) -> Result<(), Error> {
    let entry = Entry::new(Step::Refund, format!("{}: {problem}", refund.out_refund_no))
        .with("refund_id", refund.id.as_str());
    let unit = (refund.id.clone(), problem.to_owned(), entry.clone(), world.now());
    let noted = world.store.write(unit, |tx, (id, problem, entry, now)| {
        Box::pin(async move {
            let refund = tx.refund(id).await?.ok_or(StoreError::Stale { what: "refund" })?;
            // The same every few hours for ten days is one line.
            if refund.state.is_final() || refund.problem.as_ref() == Some(problem) {
                return Ok(false);
            }
            tx.journal_put(&refund.order_id, *now, entry).await?;
            tx.refund_update(&Refund { problem: Some(problem.clone()), ..refund }).await?;
            Ok(true)
        })
    });
    if noted.await? {
        entry.log(&refund.order_id);
    }
    Ok(())
}

impl Tx {
    /// Moves a refund by what WeChat says of it. It was compared before.
    pub async fn refund_hear(
        &mut self,
        id: &str,
        told: &wechat::Refund,
        settling: &Settling,
    ) -> Result<Settled, StoreError> {
        let refund = self.refund(id).await?.ok_or(StoreError::Stale { what: "refund" })?;
        let Some(event) = RefundEvent::of(&told.status) else { return Ok(Settled::Known) };
        let mut after = refund.clone();
        after.refund_id = Some(told.refund_id.clone());
        after.received_account = told.received_account.clone().or(after.received_account);
        after.accepted_at = after.accepted_at.or(Some(settling.now));
        after.problem = None;
        if event == RefundEvent::Succeeded {
            let at = told.success_time.and_then(|seconds| seconds.checked_mul(1_000_000));
            after.succeeded_at = after.succeeded_at.or(at).or(Some(settling.now));
        }
        self.refund_move(&refund, after, event, settling).await
    }

    /// Stores a move: `after` is the refund as it is to be, but for its state.
    async fn refund_move(
        &mut self,
        refund: &Refund,
        after: Refund,
        event: RefundEvent,
        settling: &Settling,
    ) -> Result<Settled, StoreError> {
        let (order_id, now) = (&refund.order_id, settling.now);
        let state = match refund.state.apply(event) {
            Ok(Outcome::Moved(state)) => state,
            // Accepted for the first time is no move, and yet worth a line.
            Ok(Outcome::Known) if refund.accepted_at.is_none() && !refund.state.is_final() => {
                self.refund_update(&after).await?;
                let entry = line(&after, settling, "accepted");
                self.journal_put(order_id, now, &entry).await?;
                return Ok(Settled::Moved(vec![entry]));
            }
            Ok(Outcome::Known) => return Ok(Settled::Known),
            Err(impossible) => return self.refund_alarm(refund, impossible, settling).await,
        };
        let after = Refund { state, ..after };
        self.refund_update(&after).await?;
        self.moved(Moved::Refund(api(&after.request), state));
        let entry = line(&after, settling, &format!("{} → {state}", refund.state));
        self.journal_put(order_id, now, &entry).await?;
        if state == RefundState::Succeeded {
            self.refund_counted(&after, now).await?;
        }
        if let Some(kind) = kind(state) {
            self.event_put(&told_of(kind, &after, settling)).await?;
        }
        Ok(Settled::Moved(vec![entry]))
    }

    /// Adds up what went back of the order's own payment. A second payment of it that went back is no refund of what was owed.
    async fn refund_counted(&mut self, refund: &Refund, now: i64) -> Result<(), StoreError> {
        let order = self.order(&refund.order_id).await?;
        let order: Order = order.ok_or(StoreError::Stale { what: "order" })?;
        let refunds = self.refunds(&order.id).await?;
        let done = refunds.iter().filter(|one| {
            one.state == RefundState::Succeeded
                && Some(&one.transaction_id) == order.transaction_id.as_ref()
        });
        let sum = done
            .map(|one| one.amount)
            .try_fold(Fen::ZERO, |sum, amount| summed(order.amount, sum, amount));
        // The guard of the sum and WeChat's own hold it below what was paid.
        let sum = sum.unwrap_or(order.amount);
        if sum == order.amount_refunded {
            return Ok(());
        }
        self.order_refunded(&order, sum).await?;
        if sum == order.amount {
            let why = "all of the money went back";
            self.shipping_moved(&order.id, ShippingEvent::Refunded, why, now).await?;
        }
        Ok(())
    }

    async fn refund_alarm(
        &mut self,
        refund: &Refund,
        impossible: Impossible,
        settling: &Settling,
    ) -> Result<Settled, StoreError> {
        tracing::error!(order_id = %refund.order_id, code = impossible.code(), %impossible, "a refund cannot go there");
        let entry = line(refund, settling, &format!("ALARM: {impossible}; nothing moved"));
        self.journal_put(&refund.order_id, settling.now, &entry).await?;
        Ok(Settled::Known)
    }
}

/// What the merchant's system is told; nothing of one that is on its way.
const fn kind(state: RefundState) -> Option<&'static str> {
    match state {
        RefundState::Processing => None,
        RefundState::Succeeded => Some("refund.succeeded"),
        RefundState::Closed => Some("refund.closed"),
        RefundState::Abnormal => Some("refund.abnormal"),
    }
}

fn told_of(kind: &str, refund: &Refund, settling: &Settling) -> Event {
    let body = json!({ "type": kind, "timestamp": rfc3339(settling.now), "data": refund.view() });
    Event {
        id: settling.dice.id("evt_", settling.now),
        order_id: Some(refund.order_id.to_string()),
        kind: kind.to_owned(),
        body: body.to_string(),
        created_at: settling.now,
    }
}

fn line(refund: &Refund, settling: &Settling, what: &str) -> Entry {
    let number = &refund.out_refund_no;
    let proof = &settling.proof;
    // The proof of what we asked names the number already.
    let text = if proof.contains(number.as_str()) {
        format!("{proof}: {} {what}", refund.amount)
    } else {
        format!("{proof}: {number}, {} {what}", refund.amount)
    };
    Entry::new(settling.step, text)
        .with("refund_id", refund.id.as_str())
        .with("out_refund_no", number.as_str())
        .with_some("wechat_request_id", settling.wechat_request_id.as_deref())
}
