//! A payment that WeChat told of, from bytes to a paid order.
//!
//! Three types, and only the last can move an order: the bytes that came are
//! nothing; a [`Payment`] was read from a verified message; a [`Matched`]
//! payment fits the merchant, app, number, currency and amount of an attempt of
//! ours. Notification, query and bill all end here, so a payment is
//! settled the same way whoever told us first.

use std::sync::Arc;

use serde_json::json;
use suanpan_ledger::{Mismatch, News, OrderStatus, settle};
use suanpan_wechat::{Payment, TransactionId};

use crate::Error;
use crate::ids::OrderId;
use crate::metrics::store::Moved;
use crate::order::{Attempt, Order, rfc3339};
use crate::outside::Dice;
use crate::repair::refund::{self, Begun, Draft};
use crate::shipment::ShippingPolicy;
use crate::store::{Event, StoreError, Tx};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// A payment that WeChat holds as successful, and that is the one of an attempt of ours.
#[derive(Clone, Debug)]
pub struct Matched {
    attempt: Attempt,
    transaction_id: TransactionId,
    paid_at: Option<i64>,
    payment: Payment,
}

impl Matched {
    /// Compares everything that decides whether the money is ours and enough.
    ///
    /// # Errors
    /// The first thing that differs. A payment without a transaction, or one
    /// that is not successful, fits nothing.
    pub fn new(attempt: Attempt, order: &Order, payment: Payment) -> Result<Self, Mismatch> {
        attempt.expected(order).compare(&payment)?;
        let told = payment.state.as_str();
        let differs = |field, told: &str, expected: &str| Mismatch {
            field,
            told: told.to_owned(),
            expected: expected.to_owned(),
        };
        if !payment.state.is_paid() {
            return Err(differs("state", told, "SUCCESS"));
        }
        let Some(transaction_id) = payment.transaction_id.clone() else {
            return Err(differs("transaction", "none", "its number"));
        };
        let paid_at = payment.success_time.and_then(|seconds| seconds.checked_mul(1_000_000));
        Ok(Self { attempt, transaction_id, paid_at, payment })
    }

    /// WeChat's number of the payment.
    pub const fn transaction_id(&self) -> &TransactionId {
        &self.transaction_id
    }
}

/// What a payment, or a refund, did.
#[derive(Clone, Debug)]
pub enum Settled {
    /// It moved something, or was kept as a second payment; these were journaled.
    Moved(Vec<Entry>),
    /// It was known.
    Known,
}

/// When and by which step a payment is settled, and where its ids come from.
#[derive(Clone, Debug)]
pub struct Settling {
    /// Notify, query or bill.
    pub step: Step,
    /// How it was proven, for the journal.
    pub proof: String,
    /// WeChat's own name of its answer, where it was asked and gave one.
    pub wechat_request_id: Option<String>,
    /// Now, in unix microseconds.
    pub now: i64,
    /// Makes the ids of events.
    pub dice: Arc<dyn Dice>,
    /// Who says what is shipped for what is paid now.
    pub shipping: ShippingPolicy,
}

/// Settles what WeChat said when it was asked, or what its bill lists; a notification is settled together with its arrival.
///
/// # Errors
/// Those of the store, and of a refund of what is more than owed.
pub(crate) async fn settled(
    world: &World,
    order: &Order,
    matched: Matched,
    (step, proof): (Step, String),
    wechat_request_id: Option<String>,
) -> Result<Settled, Error> {
    let settling = Settling {
        step,
        proof,
        wechat_request_id,
        now: world.now(),
        dice: Arc::clone(&world.dice),
        shipping: world.shipping(&order.app),
    };
    let give_back = refund::of_extra(world, order, &matched)?;
    let unit = (matched, settling, give_back);
    let settled = world.store.write(unit, |tx, (matched, settling, back)| {
        Box::pin(async move { tx.settle(matched, settling, back.as_ref()).await })
    });
    let settled = settled.await?;
    if let Settled::Moved(entries) = &settled {
        entries.iter().for_each(|entry| entry.log(&order.id));
    }
    Ok(settled)
}

impl Tx {
    /// Moves attempt and order, and puts journal and event in: all of it, or nothing.
    ///
    /// `give_back`: the refund that begins should the money be more than what is owed.
    pub async fn settle(
        &mut self,
        matched: &Matched,
        settling: &Settling,
        give_back: Option<&Draft>,
    ) -> Result<Settled, StoreError> {
        // Read again: in this transaction, nobody else can move them.
        let attempt = self.attempt(&matched.attempt.id).await?;
        let attempt = attempt.ok_or(StoreError::Stale { what: "attempt" })?;
        let order = self.order(&attempt.order_id).await?;
        let order = order.ok_or(StoreError::Stale { what: "order" })?;
        let (transaction_id, now) = (&matched.transaction_id, settling.now);
        let paid_at = matched.paid_at.unwrap_or(now);

        let (held, of_attempt) = (order.transaction_id.as_ref(), attempt.transaction_id.as_ref());
        let moves = settle(order.status, held, attempt.state, of_attempt, transaction_id);
        if moves.attempt.is_some() {
            self.attempt_paid(&attempt, transaction_id, paid_at).await?;
            self.watch_ended(&attempt.id).await?;
        }
        if moves.order.is_some() {
            self.order_paid(&order, transaction_id, paid_at).await?;
            self.expire_never(&order.id).await?;
            // Another attempt that is live must not be paid as well: its watch closes it, at once.
            for other in self.attempts(&order.id).await? {
                if other.state.is_live() {
                    self.watch_sooner(&other.id, now).await?;
                }
            }
        }
        let told = match moves.news {
            News::Known => return Ok(Settled::Known),
            News::Paid if order.status == OrderStatus::Closed => Told::AfterClose,
            News::Paid => Told::Paid,
            News::Overpaid => Told::Twice,
        };

        let since_paid = now.saturating_sub(paid_at);
        self.moved(Moved::Learned(settling.step, since_paid));
        let after = self.order(&order.id).await?.ok_or(StoreError::Stale { what: "order" })?;
        let entry = line(told, &order, &after, matched, settling);
        self.journal_put(&order.id, now, &entry).await?;
        let mut entries = vec![entry];
        let mut refund_id = None;
        if let (Some(_), Some(draft)) = (told.reason(), give_back) {
            let (begun, entry) = self.give_back(&order.id, draft, matched, now).await?;
            entries.push(entry);
            refund_id = begun;
        }
        self.event_put(&event(told, &after, matched, refund_id.as_deref(), settling)).await?;
        if told != Told::Twice {
            // After a close the goods may be somebody else's: then a person says what is shipped.
            let by_itself = told == Told::Paid;
            entries.extend(self.shipping_begins(&after, &attempt, settling, by_itself).await?);
        }
        Ok(Settled::Moved(entries))
    }

    /// Has the money go back that is more than what is owed: decided here, asked for by the worker once this is durable.
    async fn give_back(
        &mut self,
        order_id: &OrderId,
        draft: &Draft,
        matched: &Matched,
        now: i64,
    ) -> Result<(Option<String>, Entry), StoreError> {
        let why = match self.refund_begin(draft).await? {
            Begun::Stored(refund, entry) => return Ok((Some(refund.id), entry)),
            // It has no key, so it was never begun under one.
            Begun::Again(_) | Begun::KeyReused => "it was begun before".to_owned(),
            Begun::NotPaid => "no attempt holds this payment".to_owned(),
            Begun::Overdrawn(overdrawn) => overdrawn.to_string(),
            Begun::NothingLeft => "nothing is left of it".to_owned(),
            Begun::TooMany => "it has as many refunds as WeChat takes".to_owned(),
            Begun::ReferenceTaken(id) => format!("its name is that of {id}"),
        };
        let text = format!("ALARM: {} cannot go back by itself: {why}", matched.transaction_id);
        let entry = Entry::new(Step::Refund, text);
        self.journal_put(order_id, now, &entry).await?;
        Ok((None, entry))
    }
}

/// What a payment means for the merchant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Told {
    /// What was owed.
    Paid,
    /// The order was paid before.
    Twice,
    /// The merchant was told that the order is closed, and may have sold the goods to somebody else.
    AfterClose,
}

impl Told {
    const fn event(self) -> &'static str {
        match self {
            Self::Paid => "order.paid",
            Self::Twice | Self::AfterClose => "order.overpaid",
        }
    }

    /// Why the money is more than what is owed, for a program.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Paid => None,
            Self::Twice => Some("paid_twice"),
            Self::AfterClose => Some("paid_after_close"),
        }
    }
}

/// What the merchant's system is told. The text is made once, and sent as it is for ever.
fn event(
    told: Told,
    order: &Order,
    matched: &Matched,
    refund_id: Option<&str>,
    settling: &Settling,
) -> Event {
    let mut data = json!(order.view());
    if let (Some(data), Some(reason)) = (data.as_object_mut(), told.reason()) {
        data.insert("reason".to_owned(), json!(reason));
        data.insert("extra_transaction_id".to_owned(), json!(matched.transaction_id));
        data.insert("extra_amount".to_owned(), json!(matched.payment.total));
        data.insert("extra_refund_id".to_owned(), json!(refund_id));
    }
    let id = settling.dice.id("evt_", settling.now);
    let kind = told.event();
    let body = json!({ "type": kind, "timestamp": rfc3339(settling.now), "data": data });
    Event {
        id,
        order_id: Some(order.id.to_string()),
        kind: kind.to_owned(),
        body: body.to_string(),
        created_at: settling.now,
    }
}

fn line(
    told: Told,
    before: &Order,
    after: &Order,
    matched: &Matched,
    settling: &Settling,
) -> Entry {
    let (amount, transaction) = (before.amount, &matched.transaction_id);
    let (proof, moved) = (&settling.proof, format!("{} → {}", before.status, after.status));
    let text = match told {
        Told::Paid => format!("{proof}: {amount} by {transaction}, {moved}"),
        Told::Twice => {
            format!("{proof}: {amount} once more by {transaction}; the order was paid before")
        }
        Told::AfterClose => {
            format!("{proof}: {amount} by {transaction} after the close, {moved}")
        }
    };
    Entry::new(settling.step, text)
        .with("transaction_id", transaction.as_str())
        .with("out_trade_no", matched.attempt.out_trade_no.as_str())
        .with_some("wechat_request_id", settling.wechat_request_id.as_deref())
}
