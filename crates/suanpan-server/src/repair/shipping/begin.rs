//! A shipment begins with the payment, and an upload with the words of the merchant: each in one transaction with its work.

use suanpan_ledger::{Outcome, ShippingEvent, ShippingState};

use super::{FIRST_WAIT, HANDS_OFF, SHIPPING, WITHIN, key};
use crate::flow::paid::Settling;
use crate::order::{Attempt, Order};
use crate::shipment::ShippingPolicy;
use crate::shipment::{Goods, Logistics, Shipment};
use crate::store::{NewDue, Once, StoreError, Tx};
use crate::timeline::{Entry, Step, clock};

impl Tx {
    /// The order is paid: notes until when WeChat wants to be told, and has it told by itself where that is the policy.
    pub(crate) async fn shipping_begins(
        &mut self,
        order: &Order,
        attempt: &Attempt,
        settling: &Settling,
        by_itself: bool,
    ) -> Result<Option<Entry>, StoreError> {
        let now = settling.now;
        let Some(mut shipment) = begun(order, attempt, settling.shipping, now) else {
            return Ok(None);
        };
        shipment.automatic &= by_itself;
        if !self.shipment_put(&shipment).await? {
            return Ok(None);
        }
        let who = if shipment.automatic { "by itself" } else { "when the merchant says what" };
        let text = format!(
            "{} {who}; WeChat wants to know by {}",
            shipment.policy.as_str(),
            clock(shipment.deadline)
        );
        let entry = Entry::new(Step::Shipping, text);
        self.journal_put(&order.id, now, &entry).await?;
        let due_at = shipment.paid_at.saturating_add(FIRST_WAIT).max(now);
        self.shipping_work(&shipment, due_at, now).await?;
        Ok(Some(entry))
    }

    async fn shipping_work(
        &mut self,
        shipment: &Shipment,
        due_at: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        let order = shipment.order_id.as_str();
        let due = NewDue {
            id: &format!("due_ship_{}_{order}", shipment.serial),
            kind: SHIPPING,
            key: &key(shipment),
            pool: SHIPPING,
            lane: None,
            body: &serde_json::json!({ "serial": shipment.serial }).to_string(),
            order_id: Some(order),
            due_at,
            created_at: now,
        };
        self.due_put(&due).await.map(drop)
    }

    /// The merchant says what is shipped: stores it with the work that sees it through, should whoever asks WeChat at once
    /// die before it is done.
    pub(super) async fn shipping_asked(
        &mut self,
        order: &Order,
        policy: ShippingPolicy,
        goods: &Goods,
        now: i64,
        once: &Once,
    ) -> Result<Asked, StoreError> {
        let Some(attempt) = self.paid_by(order).await? else { return Ok(Asked::Final) };
        // Paid before the app had a policy: it begins now.
        if let Some(shipment) = begun(order, &attempt, policy, now) {
            self.shipment_put(&shipment).await?;
        }
        let shipment = self.shipment(&order.id).await?;
        let shipment = shipment.ok_or(StoreError::Stale { what: "shipment" })?;
        if order.amount <= order.amount_refunded {
            return Ok(Asked::Final);
        }
        let same = shipment.goods.as_ref() == Some(goods)
            && match shipment.state {
                ShippingState::Uploading => true,
                // A correction that was refused is said again on purpose.
                ShippingState::Uploaded | ShippingState::Shipped => shipment.problem.is_none(),
                ShippingState::Waiting
                | ShippingState::Confirmed
                | ShippingState::Settled
                | ShippingState::Refunded
                | ShippingState::NotManaged
                | ShippingState::Refused => false,
            };
        match shipment.state.apply(ShippingEvent::Asked) {
            Err(_) => Ok(Asked::Final),
            Ok(_) if same => {
                self.made(once, &made(&shipment)).await?;
                Ok(Asked::Same)
            }
            Ok(Outcome::Known) => Ok(Asked::Running),
            Ok(Outcome::Moved(state)) => {
                let mut after = shipment;
                after.state = state;
                after.goods = Some(goods.clone());
                after.serial = after.serial.saturating_add(1);
                after.tries = 0;
                after.problem = None;
                self.shipment_update(&after).await?;
                let entry =
                    Entry::new(Step::Shipping, format!("the merchant ships {}", goods.words()));
                self.journal_put(&order.id, now, &entry).await?;
                self.shipping_work(&after, now.saturating_add(HANDS_OFF), now).await?;
                self.made(once, &made(&after)).await?;
                Ok(Asked::Stored(entry))
            }
        }
    }

    /// The attempt that WeChat holds the money of.
    pub(super) async fn paid_by(&mut self, order: &Order) -> Result<Option<Attempt>, StoreError> {
        let mut attempts = self.attempts(&order.id).await?.into_iter();
        Ok(attempts.find(|attempt| {
            attempt.transaction_id.is_some() && attempt.transaction_id == order.transaction_id
        }))
    }
}

/// What a request under an Idempotency-Key has said, for a repeat of it.
fn made(shipment: &Shipment) -> String {
    format!("{SHIPPING}:{}", shipment.serial)
}

/// What came of the merchant's words.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// It is stored, and WeChat is to be told.
    Stored(Entry),
    /// It was said before.
    Same,
    /// Another upload is under way.
    Running,
    /// Nothing can be changed any more.
    Final,
}

/// The shipment as it begins; `None` where nothing is shipped.
fn begun(order: &Order, attempt: &Attempt, policy: ShippingPolicy, now: i64) -> Option<Shipment> {
    let logistics = match policy {
        ShippingPolicy::None => return None,
        ShippingPolicy::Virtual => Some(Logistics::Virtual),
        ShippingPolicy::SelfPickup => Some(Logistics::SelfPickup),
        ShippingPolicy::Express => None,
    };
    let paid_at = order.paid_at.unwrap_or(now);
    Some(Shipment {
        order_id: order.id.clone(),
        attempt_id: attempt.id.clone(),
        policy,
        automatic: logistics.is_some(),
        state: ShippingState::Waiting,
        goods: logistics.map(|logistics| Goods::in_words(logistics, &order.description)),
        parcels: Vec::new(),
        serial: 0,
        tries: 0,
        upload_time: 0,
        order_state: None,
        problem: None,
        paid_at,
        deadline: paid_at.saturating_add(WITHIN),
        shipped_at: None,
        reminded_at: None,
        asked_at: None,
        created_at: now,
        version: 0,
    })
}
