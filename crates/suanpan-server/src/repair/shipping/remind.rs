//! The payer is reminded to confirm the receipt: once for each order, and only of what goes by express.

use suanpan_client::Outcome;
use suanpan_ledger::ShippingState;
use suanpan_wechat::platform::{NotifyConfirmReceive, Question as _};

use super::upload::order_key;
use super::{Found, ShippingError, find, load};
use crate::ids::OrderId;
use crate::shipment::{Logistics, Shipment};
use crate::store::{Once, StoreError};
use crate::timeline::{Entry, Step};
use crate::world::World;
use crate::{Error, flow, token};

/// Has WeChat remind the payer. `received_at` is when the courier handed it over, in unix microseconds.
///
/// Where the answer is lost it may be asked for again: WeChat itself reminds only once. What an earlier run of the same
/// request has done is answered as done.
///
/// # Errors
/// [`Error::Shipping`], [`Error::Refused`], [`Error::Unknown`], and those of [`token::ask`].
pub async fn remind(
    world: &World,
    order: &OrderId,
    received_at: Option<i64>,
    once: &Once,
) -> Result<Shipment, Error> {
    if once.effect().is_some() {
        return find(world, order, false).await?.ok_or(Error::Broken);
    }
    flow::order::find(world, order).await?;
    let found = load(world, order).await?.ok_or(ShippingError::NotShipped)?;
    let shipment = &found.shipment;
    if shipment.reminded_at.is_some() {
        return Err(ShippingError::Reminded.into());
    }
    let goods = shipment.goods.as_ref();
    let is_express = goods.is_some_and(|goods| goods.logistics_type == Logistics::Express);
    if shipment.state != ShippingState::Shipped || !is_express {
        return Err(ShippingError::NotShipped.into());
    }
    let operation = NotifyConfirmReceive::OPERATION;
    let received_at = received_at.unwrap_or_else(|| world.now()).div_euclid(1_000_000);
    let question = NotifyConfirmReceive::new(order_key(&found)?, None, received_at);
    match token::ask(world, &found.order.app, &question).await? {
        Outcome::Done(_) => reminded(world, &found, "the payer is reminded to confirm", once).await,
        Outcome::Rejected(no) => match no.refusal().cloned() {
            // By a call whose answer was lost, or on the merchant platform.
            Some(refusal) if refusal.code == REMINDED => {
                reminded(world, &found, "WeChat has reminded the payer before", once).await
            }
            Some(refusal) => Err(Error::Refused { operation, refusal }),
            None => Err(Error::Unwritable { operation, cause: no.error.into() }),
        },
        Outcome::Unknown(doubt) => Err(Error::Unknown { operation, cause: doubt.error.into() }),
    }
}

async fn reminded(world: &World, found: &Found, how: &str, once: &Once) -> Result<Shipment, Error> {
    let entry = Entry::new(Step::Shipping, how);
    let unit = (found.order.id.clone(), entry.clone(), world.now(), once.clone());
    let stored = world.store.write(unit, |tx, (id, entry, now, once)| {
        Box::pin(async move {
            let shipment = tx.shipment(id).await?.ok_or(StoreError::Stale { what: "shipment" })?;
            if shipment.reminded_at.is_some() {
                return Ok(None);
            }
            tx.shipment_update(&Shipment { reminded_at: Some(*now), ..shipment }).await?;
            tx.journal_put(id, *now, entry).await?;
            tx.made(once, "reminded").await?;
            tx.shipment(id).await
        })
    });
    let shipment = stored.await?.ok_or(ShippingError::Reminded)?;
    entry.log(&found.order.id);
    Ok(shipment)
}

/// The payer was reminded.
const REMINDED: &str = "10060030";
