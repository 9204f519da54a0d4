//! WeChat tells us of an order that was archived: nothing is lost, and nobody is paid twice in silence.
//!
//! The order itself is in a file; here are its numbers ([`Stone`]). What they
//! know is acknowledged and changes nothing. Money that nobody knew of is kept in
//! the inbox, told as `order.overpaid`, and held: to give it back takes a person.

use serde_json::{Value, json};
use suanpan_wechat::{MchId, Payment};

use crate::Error;
use crate::order::rfc3339;
use crate::store::{Arrival, Event, Number, Remark, Stone, StoreError, Tx, Verdict};
use crate::world::World;

/// What is left of a number.
pub(super) async fn stone(
    world: &World,
    mchid: &MchId,
    kind: Number,
    number: &str,
) -> Result<Option<Stone>, Error> {
    let unit = (mchid.clone(), kind, number.to_owned());
    let found = world
        .store
        .look(unit, |tx, (mchid, kind, number)| Box::pin(tx.archived_number(mchid, *kind, number)));
    Ok(found.await?)
}

/// A genuine payment for an archived order. `false`: it is not one that can be kept here, so a person has to look.
pub(super) async fn paid(
    world: &World,
    arrival: &Arrival,
    payment: &Payment,
    dedupe_key: &str,
    stone: &Stone,
) -> Result<bool, Error> {
    let Some(transaction) = payment.transaction_id.clone().filter(|_| payment.state.is_paid())
    else {
        return Ok(false);
    };
    let transaction = transaction.as_str().to_owned();
    if stone.known.as_ref().is_some_and(|known| *known != transaction) {
        return Ok(false);
    }
    let order_id = stone.order_id.clone();
    let event = (world.id("evt_"), payment.clone(), transaction);
    let unit = (arrival.clone(), dedupe_key.to_owned(), stone.clone(), event);
    let kept = world.store.write(unit, |tx, (arrival, key, stone, (id, payment, transaction))| {
        Box::pin(async move {
            let number = payment.out_trade_no.as_str();
            let late = tx.archived_paid(&arrival.mchid, number, transaction).await?;
            if late {
                let event = tx.late_event(id, stone, payment, arrival.received_at).await?;
                tx.event_put(&event).await?;
            }
            let verdict = if late { Verdict::Moved } else { Verdict::Known };
            let order_id = Some(&stone.order_id);
            let remark = Remark { dedupe_key: Some(key), order_id, ..Remark::default() };
            tx.inbox_put(arrival, verdict, &remark).await?;
            Ok(verdict)
        })
    });
    let verdict = kept.await?;
    world.metrics.notified(verdict);
    if verdict == Verdict::Moved {
        tracing::error!(%order_id, code = "SP-ORDER-ARCHIVED", "an archived order was paid");
    } else {
        tracing::info!(%order_id, "the notification told nothing new of an archived order");
    }
    Ok(true)
}

/// A genuine word about a refund of an archived order: refunds are archived at their end, so it is a repeat.
pub(super) async fn refunded(
    world: &World,
    arrival: Arrival,
    dedupe_key: String,
    stone: Stone,
) -> Result<(), Error> {
    let unit = (arrival, dedupe_key, stone);
    let kept = world.store.write(unit, |tx, (arrival, key, stone)| {
        Box::pin(async move {
            let order_id = Some(&stone.order_id);
            let remark = Remark { dedupe_key: Some(key), order_id, ..Remark::default() };
            tx.inbox_put(arrival, Verdict::Known, &remark).await
        })
    });
    kept.await?;
    world.metrics.notified(Verdict::Known);
    Ok(())
}

impl Tx {
    /// The same as of any other money that is more than what is owed.
    async fn late_event(
        &mut self,
        id: &str,
        stone: &Stone,
        payment: &Payment,
        now: i64,
    ) -> Result<Event, StoreError> {
        let view = self.archived_view(&stone.order_id).await?.unwrap_or_default();
        let mut data: Value = serde_json::from_str(&view).unwrap_or_else(|_| json!({}));
        if let Some(data) = data.as_object_mut() {
            data.insert("reason".to_owned(), json!("paid_after_archive"));
            data.insert("extra_transaction_id".to_owned(), json!(payment.transaction_id));
            data.insert("extra_amount".to_owned(), json!(payment.total));
            data.insert("extra_refund_id".to_owned(), Value::Null);
        }
        let body = json!({ "type": LATE, "timestamp": rfc3339(now), "data": data });
        Ok(Event {
            id: id.to_owned(),
            order_id: Some(stone.order_id.to_string()),
            kind: LATE.to_owned(),
            body: body.to_string(),
            created_at: now,
        })
    }
}

const LATE: &str = "order.overpaid";
