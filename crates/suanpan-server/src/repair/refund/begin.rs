//! A refund begins: in one transaction with its number, its place in the sum, and the work that sees it to its end.

use suanpan_ledger::{Overdrawn, RefundState, refund as summed, refundable};
use suanpan_wechat::{Fen, OutRefundNo, TransactionId};

use super::{REFUND, Work};
use crate::Error;
use crate::flow::order::text;
use crate::gateway::RefundRequest;
use crate::ids::OrderId;
use crate::order::{Attempt, Order};
use crate::refund::Refund;
use crate::store::{NewDue, Number, Once, StoreError, Tx};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// A refund as somebody asks for it.
#[derive(Clone, Debug, Default)]
pub struct NewRefund {
    /// How much; `None`: all that is left of the payment.
    pub amount: Option<Fen>,
    /// The payer reads it.
    pub reason: Option<String>,
    /// The merchant's own name for it.
    pub reference: Option<String>,
    /// Which payment; `None`: the one that the order was paid by. An order that was paid twice has another.
    pub transaction_id: Option<TransactionId>,
}

/// A refund that was checked as far as that is possible without the store.
#[derive(Clone, Debug)]
pub struct Draft {
    order_id: OrderId,
    new: NewRefund,
    id: String,
    due_id: String,
    out_refund_no: OutRefundNo,
    notify_url: String,
    now: i64,
    first_look: i64,
    once: Once,
}

/// How a refund began, or why not. In every case but the first nothing was stored.
#[derive(Clone, Debug)]
pub enum Begun {
    /// It is stored; say the line in the log when the transaction is durable.
    Stored(Box<Refund>, Entry),
    /// There is no such payment.
    NotPaid,
    /// More than is left.
    Overdrawn(Overdrawn),
    /// Nothing is left.
    NothingLeft,
    /// The payment has as many refunds as WeChat takes.
    TooMany,
    /// The reference is another refund's: its id.
    ReferenceTaken(String),
    /// The same request has begun this one before.
    Again(Box<Refund>),
    /// The Idempotency-Key has begun another refund.
    KeyReused,
}

impl Draft {
    /// Checks the texts, and draws the numbers.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub fn new(world: &World, order: &Order, new: NewRefund) -> Result<Self, Error> {
        if new.amount == Some(Fen::ZERO) {
            return Err(Error::field("amount", "must be at least 1 fen"));
        }
        let reason = new.reason.map(|reason| text("reason", reason, REASON)).transpose()?;
        if reason.as_ref().is_some_and(|reason| REASON < reason.len()) {
            let rule = format!("must have at most {REASON} bytes in UTF-8");
            return Err(Error::field("reason", rule));
        }
        let reference = new.reference.map(|own| text("reference", own, 64)).transpose()?;
        let now = world.now();
        let number = world.dice.id("", now);
        Ok(Self {
            order_id: order.id.clone(),
            new: NewRefund { reason, reference, ..new },
            id: world.id("ref_"),
            due_id: world.id("due_"),
            out_refund_no: OutRefundNo::parse(&number).map_err(|_| Error::Broken)?,
            notify_url: world.notify_url(&order.mchid),
            now,
            first_look: now,
            once: Once::default(),
        })
    }

    /// The refund is made once under this key, however often and however late it is asked for.
    pub(super) fn under(self, once: Once) -> Self {
        Self { once, ..self }
    }

    /// The work begins later: whoever begins the refund asks WeChat for it himself.
    pub(super) fn asked_for_by_the_caller(self) -> Self {
        Self { first_look: self.now.saturating_add(FIRST_WAIT), ..self }
    }
}

/// A refund that was asked for.
pub(super) enum Started {
    /// It is new, and WeChat was not asked for it yet.
    New(Refund),
    /// It was begun before under the same key; its own work sees it to its end.
    Again(Refund),
}

/// Stores a refund.
pub(super) async fn begin(world: &World, draft: Draft) -> Result<Started, Error> {
    let draft = draft.asked_for_by_the_caller();
    let names_a_payment = draft.new.transaction_id.is_some();
    let begun =
        world.store.write(draft, |tx, draft| Box::pin(async move { tx.refund_begin(draft).await }));
    match begun.await? {
        Begun::Stored(refund, entry) => {
            entry.log(&refund.order_id);
            Ok(Started::New(*refund))
        }
        Begun::Again(refund) => Ok(Started::Again(*refund)),
        begun @ (Begun::NotPaid
        | Begun::Overdrawn(_)
        | Begun::NothingLeft
        | Begun::TooMany
        | Begun::ReferenceTaken(_)
        | Begun::KeyReused) => Err(refused(begun, names_a_payment)),
    }
}

/// Why a refund did not begin.
pub(super) fn refused(begun: Begun, names_a_payment: bool) -> Error {
    match begun {
        Begun::NotPaid if names_a_payment => {
            Error::field("transaction_id", "is no payment of this order")
        }
        Begun::NotPaid => Error::OrderNotPaid,
        Begun::Overdrawn(overdrawn) => Error::Overdrawn(overdrawn),
        Begun::NothingLeft => Error::NothingLeft,
        Begun::TooMany => Error::TooManyRefunds,
        Begun::ReferenceTaken(id) => Error::RefundReferenceTaken { id },
        Begun::KeyReused => Error::KeyReused,
        // Both are a refund, and whoever asks why there is none has not looked.
        Begun::Stored(..) | Begun::Again(_) => Error::Broken,
    }
}

impl Tx {
    /// Puts a refund in, unless more would go back than came: refund, journal and due work, all of it or nothing.
    pub async fn refund_begin(&mut self, draft: &Draft) -> Result<Begun, StoreError> {
        if let Some(begun) = self.begun_before(&draft.once).await? {
            return Ok(begun);
        }
        let order = self.order(&draft.order_id).await?;
        let order = order.ok_or(StoreError::Stale { what: "order" })?;
        let Some(attempt) = self.paid_attempt(&order, draft).await? else {
            return Ok(Begun::NotPaid);
        };
        if let Some(reference) = &draft.new.reference
            && let Some(taken) = self.refund_by_reference(&attempt.mchid, reference).await?
        {
            return Ok(Begun::ReferenceTaken(taken.id));
        }
        if let Some(reference) = &draft.new.reference
            && let Some(taken) =
                self.archived_number(&attempt.mchid, Number::RefundReference, reference).await?
        {
            return Ok(Begun::ReferenceTaken(taken.known.unwrap_or_default()));
        }
        // Those of another payment of the same order have their own sum.
        let earlier = self.refunds(&order.id).await?;
        let mut earlier: Vec<_> =
            earlier.into_iter().filter(|earlier| earlier.attempt_id == attempt.id).collect();
        if MOST <= earlier.len() {
            return Ok(Begun::TooMany);
        }
        earlier.retain(|earlier| earlier.state.holds_money());
        let total = order.amount;
        let held = earlier.iter().try_fold(Fen::ZERO, |sum, one| summed(total, sum, one.amount));
        let held = held.unwrap_or(total);
        let amount = draft.new.amount.unwrap_or_else(|| refundable(total, held));
        if amount == Fen::ZERO || held == total {
            return Ok(Begun::NothingLeft);
        }
        if let Err(overdrawn) = summed(total, held, amount) {
            return Ok(Begun::Overdrawn(overdrawn));
        }

        let refund = draft.refund(&order, &attempt, amount)?;
        self.refund_put(&refund).await?;
        let text = format!("{amount} of {total} {}: {}", order.currency, refund.out_refund_no);
        let entry = Entry::new(Step::Refund, text)
            .with("refund_id", refund.id.as_str())
            .with("amount", amount.get())
            .with("out_refund_no", refund.out_refund_no.as_str());
        self.journal_put(&order.id, draft.now, &entry).await?;
        self.due_put(&NewDue {
            id: &draft.due_id,
            kind: REFUND,
            key: &format!("{REFUND}:{}", refund.id),
            pool: REFUND,
            lane: None,
            body: &serde_json::json!(Work { refund_id: refund.id.clone(), once: false })
                .to_string(),
            order_id: Some(order.id.as_str()),
            due_at: draft.first_look,
            created_at: draft.now,
        })
        .await?;
        self.refund_key_put(&draft.once, &refund.id).await?;
        self.made(&draft.once, &refund.id).await?;
        Ok(Begun::Stored(Box::new(refund), entry))
    }

    /// What the same key has begun. A key may be forgotten after a day; what it gave back is not.
    async fn begun_before(&mut self, once: &Once) -> Result<Option<Begun>, StoreError> {
        let Some(name) = once.name() else { return Ok(None) };
        let Some((id, fingerprint)) = self.refund_of_key(&name).await? else { return Ok(None) };
        if once.fingerprint() != Some(fingerprint.as_str()) {
            return Ok(Some(Begun::KeyReused));
        }
        let refund = self.refund(&id).await?.ok_or(StoreError::Stale { what: "refund" })?;
        Ok(Some(Begun::Again(Box::new(refund))))
    }

    /// The attempt that WeChat holds the money of.
    async fn paid_attempt(
        &mut self,
        order: &Order,
        draft: &Draft,
    ) -> Result<Option<Attempt>, StoreError> {
        let wanted = draft.new.transaction_id.as_ref().or(order.transaction_id.as_ref());
        let Some(wanted) = wanted else { return Ok(None) };
        let mut attempts = self.attempts(&order.id).await?.into_iter();
        Ok(attempts.find(|attempt| attempt.transaction_id.as_ref() == Some(wanted)))
    }
}

impl Draft {
    fn refund(&self, order: &Order, attempt: &Attempt, amount: Fen) -> Result<Refund, StoreError> {
        let stale = StoreError::Stale { what: "attempt" };
        let mut refund = Refund {
            id: self.id.clone(),
            order_id: order.id.clone(),
            attempt_id: attempt.id.clone(),
            mchid: attempt.mchid.clone(),
            appid: attempt.appid.clone(),
            out_trade_no: attempt.out_trade_no.clone(),
            transaction_id: attempt.transaction_id.clone().ok_or(stale)?,
            out_refund_no: self.out_refund_no.clone(),
            reference: self.new.reference.clone(),
            amount,
            total: order.amount,
            currency: order.currency.clone(),
            reason: self.new.reason.clone(),
            request: String::new(),
            state: RefundState::Processing,
            refund_id: None,
            received_account: None,
            problem: None,
            created_at: self.now,
            accepted_at: None,
            succeeded_at: None,
            version: 0,
        };
        refund.request = RefundRequest::new(attempt, &refund, &self.notify_url).to_text();
        Ok(refund)
    }
}

/// WeChat takes 80, and does not say of what; bytes are the smaller measure.
const REASON: usize = 80;
/// WeChat takes 50 refunds of one payment.
const MOST: usize = 50;
/// A minute in microseconds: refunds are asked about each minute.
const FIRST_WAIT: i64 = 60_000_000;
