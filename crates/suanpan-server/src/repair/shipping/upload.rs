//! One upload: asked about where an answer may be lost, then told; and what WeChat says of a shipment.

use suanpan_client::Outcome;
use suanpan_ledger::ShippingEvent;
use suanpan_wechat as wechat;
use suanpan_wechat::platform::{
    GetOrder, OrderKey, OrderState, Payer, Question as _, ShippingOrder, UploadShippingInfo,
};
use suanpan_wechat::time::beijing_rfc3339_millis;

use super::{Found, without_trace};
use crate::error::chain;
use crate::shipment::{Goods, Shipment};
use crate::store::{StoreError, Tx};
use crate::timeline::Entry;
use crate::world::World;
use crate::{Error, token};

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Uploaded {
    /// WeChat has it.
    Told,
    /// Not now; why.
    Later(String),
    /// WeChat refused it for good.
    Refused(&'static str, wechat::Refusal),
}

/// Tells WeChat. Where it was told before and the answer is not known, it is asked first.
pub(super) async fn upload(world: &World, found: &Found) -> Result<Uploaded, Error> {
    let goods = found.shipment.goods.clone().ok_or(Error::Broken)?;
    if 0 < found.shipment.tries {
        match ask(world, found).await {
            Ok(told) if goods.is_in(&told.shipping) => return Ok(Uploaded::Told),
            // It has not come there, so it may be told again.
            Ok(_) => {}
            Err(Error::Refused { refusal, .. }) if refusal.code == NOT_KNOWN_YET => {}
            Err(error) => return Err(error),
        }
    }
    let Some(question) = begin(world, found, &goods).await? else {
        return Ok(Uploaded::Later("another node is just telling WeChat".to_owned()));
    };
    let operation = UploadShippingInfo::OPERATION;
    match token::ask(world, &found.order.app, &question).await? {
        Outcome::Done(_) => {
            taken(world, &found.shipment, "uploaded").await?;
            Ok(Uploaded::Told)
        }
        Outcome::Unknown(doubt) => {
            let why = chain(&doubt.error);
            Ok(Uploaded::Later(format!("the answer is not known ({why}); asking first")))
        }
        Outcome::Rejected(no) => match no.refusal() {
            None => Ok(Uploaded::Later(format!("cannot be uploaded: {}", chain(&no.error)))),
            Some(refusal) => rejected(world, found, operation, refusal).await,
        },
    }
}

/// What a no means: that it is done already, not now, or never.
async fn rejected(
    world: &World,
    found: &Found,
    operation: &'static str,
    refusal: &wechat::Refusal,
) -> Result<Uploaded, Error> {
    if DONE.contains(&refusal.code.as_str()) {
        taken(world, &found.shipment, "WeChat has it already").await?;
        return Ok(Uploaded::Told);
    }
    tracing::warn!(order_id = %found.order.id, operation, %refusal, "WeChat refused shipping information");
    if !is_final(&refusal.code) {
        return Ok(Uploaded::Later(refusal.to_string()));
    }
    // Why it is at its end is WeChat's to say: it may have been refunded, or confirmed.
    let told = ask(world, found).await.ok();
    if told.is_some_and(|told| told.order_state == OrderState::Refunded) {
        return Ok(Uploaded::Refused(operation, refusal.clone()));
    }
    let unit = (found.shipment.clone(), without_trace(&refusal.to_string()), world.now());
    let stored = world.store.write(unit, |tx, (shipment, why, now)| {
        Box::pin(async move { tx.shipping_refused(shipment, why, *now).await })
    });
    if let Some(entry) = stored.await? {
        entry.log(&found.order.id);
    }
    Ok(Uploaded::Refused(operation, refusal.clone()))
}

/// Asks WeChat how a shipment stands, and stores what it says.
///
/// # Errors
/// Those of [`token::ask`], [`Error::Refused`], [`Error::Unknown`].
pub(super) async fn ask(world: &World, found: &Found) -> Result<ShippingOrder, Error> {
    let operation = GetOrder::OPERATION;
    let question = GetOrder::new(order_key(found)?, None);
    let told = match token::ask(world, &found.order.app, &question).await? {
        Outcome::Done(done) => done.answer.order,
        Outcome::Rejected(no) => {
            return Err(match no.refusal().cloned() {
                Some(refusal) => Error::Refused { operation, refusal },
                None => Error::Unwritable { operation, cause: no.error.into() },
            });
        }
        Outcome::Unknown(doubt) => {
            return Err(Error::Unknown { operation, cause: doubt.error.into() });
        }
    };
    let unit = (found.shipment.clone(), told.clone(), world.now());
    let heard = world.store.write(unit, |tx, (shipment, told, now)| {
        Box::pin(async move { tx.shipping_heard(shipment, told, *now).await })
    });
    if let Some(entry) = heard.await? {
        entry.log(&found.order.id);
    }
    Ok(told)
}

/// By WeChat's own number, which is one for all merchants.
pub(super) fn order_key(found: &Found) -> Result<OrderKey, Error> {
    let id = found.attempt.transaction_id.clone().ok_or(Error::Broken)?;
    Ok(OrderKey::Transaction(id))
}

/// Stores that WeChat is being told; `None`: somebody else was faster.
async fn begin(
    world: &World,
    found: &Found,
    goods: &Goods,
) -> Result<Option<UploadShippingInfo>, Error> {
    let unit = (found.shipment.clone(), world.now());
    let begun = world.store.write(unit, |tx, (seen, now)| {
        Box::pin(async move { tx.shipping_speaks(seen, *now).await })
    });
    let Some(upload_time) = begun.await? else { return Ok(None) };
    let openid = found.attempt.openid.clone().ok_or(Error::Broken)?;
    Ok(Some(UploadShippingInfo {
        order_key: order_key(found)?,
        logistics_type: goods.logistics_type.wechat(),
        delivery_mode: goods.mode(),
        is_all_delivered: goods.split.then_some(goods.is_all_delivered),
        shipping_list: goods.parcels.iter().map(crate::shipment::Parcel::wechat).collect(),
        upload_time: beijing_rfc3339_millis(upload_time),
        payer: Payer { openid },
    }))
}

/// WeChat has this upload.
async fn taken(world: &World, seen: &Shipment, how: &str) -> Result<(), Error> {
    let unit = (seen.clone(), how.to_owned(), world.now());
    let taken = world.store.write(unit, |tx, (seen, how, now)| {
        Box::pin(async move { tx.shipping_taken(seen, how, *now).await })
    });
    if let Some(entry) = taken.await? {
        entry.log(&seen.order_id);
    }
    Ok(())
}

impl Tx {
    /// Notes a call that is about to go out; answers its `upload_time`, later than all before. `None`: the shipment is
    /// not as it was seen.
    async fn shipping_speaks(
        &mut self,
        seen: &Shipment,
        now: i64,
    ) -> Result<Option<i64>, StoreError> {
        let Some(mut shipment) = self.upload_of(seen).await? else { return Ok(None) };
        if shipment.tries != seen.tries {
            return Ok(None);
        }
        if let Ok(suanpan_ledger::Outcome::Moved(state)) =
            shipment.state.apply(ShippingEvent::Asked)
        {
            shipment.state = state;
        }
        shipment.tries = shipment.tries.saturating_add(1);
        shipment.upload_time = now.div_euclid(1000).max(shipment.upload_time.saturating_add(1));
        let upload_time = shipment.upload_time;
        self.shipment_update(&shipment).await?;
        Ok(Some(upload_time))
    }

    async fn shipping_taken(
        &mut self,
        seen: &Shipment,
        how: &str,
        now: i64,
    ) -> Result<Option<Entry>, StoreError> {
        let Some(mut shipment) = self.upload_of(seen).await? else { return Ok(None) };
        let Some(goods) = shipment.goods.clone() else { return Ok(None) };
        let event =
            if goods.is_all_delivered { ShippingEvent::TookAll } else { ShippingEvent::TookSome };
        if shipment.state.apply(event) == Ok(suanpan_ledger::Outcome::Known) {
            return Ok(None);
        }
        let why = format!("{how}: {}", goods.words());
        // What is shipped whole and told anew is a correction: it takes the place of all before.
        if !goods.split || shipment.shipped_at.is_some() {
            shipment.parcels.clear();
        }
        let new = goods.parcels.into_iter().filter(|parcel| !shipment.parcels.contains(parcel));
        let new: Vec<_> = new.collect();
        shipment.parcels.extend(new);
        self.shipment_update(&shipment).await?;
        self.shipping_moved(&shipment.order_id, event, &why, now).await
    }

    /// WeChat will not take this upload; it stands where it stood before.
    async fn shipping_refused(
        &mut self,
        seen: &Shipment,
        why: &str,
        now: i64,
    ) -> Result<Option<Entry>, StoreError> {
        let Some(shipment) = self.upload_of(seen).await? else { return Ok(None) };
        let event = if shipment.shipped_at.is_some() {
            ShippingEvent::TookAll
        } else if shipment.parcels.is_empty() {
            ShippingEvent::Refused
        } else {
            ShippingEvent::TookSome
        };
        let id = shipment.order_id.clone();
        let moved = self.shipping_moved(&id, event, &format!("refused: {why}"), now).await?;
        if let Some(after) = self.shipment(&id).await? {
            self.shipment_update(&Shipment { problem: Some(why.to_owned()), ..after }).await?;
        }
        Ok(moved)
    }

    /// Takes what WeChat says of a shipment.
    async fn shipping_heard(
        &mut self,
        seen: &Shipment,
        told: &ShippingOrder,
        now: i64,
    ) -> Result<Option<Entry>, StoreError> {
        let Some(mut shipment) = self.shipment(&seen.order_id).await? else { return Ok(None) };
        shipment.order_state = Some(told.order_state.number());
        shipment.asked_at = Some(now);
        self.shipment_update(&shipment).await?;
        let event = match told.order_state {
            OrderState::Received | OrderState::ToSettle => ShippingEvent::Confirmed,
            OrderState::Finished => ShippingEvent::Settled,
            OrderState::Refunded => ShippingEvent::Refunded,
            OrderState::ToShip | OrderState::Shipped | OrderState::Other(_) => {
                let has_it =
                    shipment.goods.as_ref().is_some_and(|goods| goods.is_in(&told.shipping));
                return if has_it && 0 < shipment.tries {
                    self.shipping_taken(&shipment, "WeChat says that it has it", now).await
                } else {
                    Ok(None)
                };
            }
        };
        let why = format!("WeChat says {}", told.order_state.as_str());
        self.shipping_moved(&shipment.order_id, event, &why, now).await
    }

    /// The shipment, if this upload is still the last one.
    async fn upload_of(&mut self, seen: &Shipment) -> Result<Option<Shipment>, StoreError> {
        let shipment = self.shipment(&seen.order_id).await?;
        Ok(shipment.filter(|shipment| shipment.serial == seen.serial))
    }
}

/// Whether WeChat will never take it as it is: its own parameters and states. All others are of the moment, of the token
/// or of the app's rights, and may be put right.
fn is_final(code: &str) -> bool {
    let Ok(number) = code.parse::<i64>() else { return false };
    matches!(number, 10_060_003..=10_060_032 | 268_485_194..=268_485_228 | 47_001)
}

/// The payment is not known there yet; or never, with wrong numbers.
const NOT_KNOWN_YET: &str = "10060001";
/// All of it is shipped; nothing has changed.
const DONE: [&str; 2] = ["10060002", "10060023"];
