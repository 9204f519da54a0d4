//! WeChat is told what is shipped, since it holds the money of many mini programs until it knows.
//!
//! A shipment begins in the transaction that pays the order, with the work that
//! sees it through. What is virtual or fetched is told by itself, ten seconds
//! later; express waits for the merchant. WeChat learns of a payment only some
//! time after it (10060001), so it is told again, often at first, to the
//! deadline. The one correction that WeChat takes must not be wasted: an answer
//! that was lost is followed by a question (`get_order`) before it is told again.
//!
//! Source: developers.weixin.qq.com, "小程序发货信息管理服务".

mod begin;
mod error;
mod goods;
mod managed;
mod remind;
mod upload;

use std::sync::Arc;

use serde::Deserialize;
use suanpan_ledger::{OrderStatus, SHIPPED, SHIPPING as TRIES, ShippingEvent, ShippingState};

use crate::error::chain;
use crate::ids::OrderId;
use crate::order::{Attempt, Order};
use crate::shipment::Shipment;
use crate::store::{Claim, Once, ShipmentFilter, StoreError, Tx};
use crate::timeline::{Entry, Step};
use crate::world::World;
use crate::{Error, due as work, flow};

use begin::Asked;
use upload::Uploaded;

pub use error::ShippingError;
pub use goods::NewGoods;
pub(crate) use managed::Managed;
pub use remind::remind;

/// The shipment of an order; `None`: nothing is shipped for it, or not yet. With `refresh` WeChat is asked first.
///
/// # Errors
/// Those of the store; with `refresh` those of [`token::ask`](crate::token::ask), [`Error::Refused`] and
/// [`Error::Unknown`].
pub async fn find(
    world: &World,
    order: &OrderId,
    refresh: bool,
) -> Result<Option<Shipment>, Error> {
    let Some(found) = load(world, order).await? else { return Ok(None) };
    if refresh && found.shipment.state != ShippingState::NotManaged {
        upload::ask(world, &found).await?;
    }
    let found =
        world.store.look(order.clone(), |tx, id| Box::pin(async move { tx.shipment(id).await }));
    Ok(found.await?)
}

/// Shipments, the earliest deadline first.
///
/// # Errors
/// Those of the store.
pub async fn list(world: &World, filter: ShipmentFilter) -> Result<Vec<Shipment>, Error> {
    let found =
        world.store.look(filter, |tx, filter| Box::pin(async move { tx.shipments(filter).await }));
    Ok(found.await?)
}

/// The merchant says what is shipped: stores it, and tells WeChat at once. A doubt is no error: the shipment is
/// `uploading`, and WeChat is asked and told again.
///
/// What an earlier run of the same request has said is not said again: a correction may have been made since.
///
/// # Errors
/// What the words break; [`Error::Shipping`]; [`Error::Refused`] where WeChat refused them for good.
pub async fn ship(
    world: &World,
    order: &OrderId,
    new: NewGoods,
    once: &Once,
) -> Result<Shipment, Error> {
    if once.effect().is_some() {
        return find(world, order, false).await?.ok_or(Error::Broken);
    }
    let order = flow::order::find(world, order).await?;
    if order.status != OrderStatus::Paid {
        return Err(Error::OrderNotPaid);
    }
    let policy = world.shipping(&order.app);
    if policy == crate::shipment::ShippingPolicy::None {
        return Err(ShippingError::Off.into());
    }
    let goods = new.read(policy, &order.description)?;
    // Afresh: WeChat may have begun to manage the app a minute ago. Where it cannot say, the upload will show.
    if matches!(world.managed.ask(world, &order.app).await, Ok(false)) {
        return Err(ShippingError::NotManaged.into());
    }
    let unit = (order.clone(), policy, goods, world.now(), once.clone());
    let asked = world.store.write(unit, |tx, (order, policy, goods, now, once)| {
        Box::pin(async move { tx.shipping_asked(order, *policy, goods, *now, once).await })
    });
    match asked.await? {
        Asked::Stored(entry) => entry.log(&order.id),
        Asked::Same => {
            return find(world, &order.id, false).await?.ok_or(Error::Broken);
        }
        Asked::Running => return Err(ShippingError::Running.into()),
        Asked::Final => return Err(ShippingError::Final.into()),
    }
    let found = load(world, &order.id).await?.ok_or(Error::Broken)?;
    match upload::upload(world, &found).await {
        Ok(Uploaded::Refused(operation, refusal)) => {
            return Err(Error::Refused { operation, refusal });
        }
        Ok(Uploaded::Told) => {}
        Ok(Uploaded::Later(problem)) => note(world, &found.shipment, &problem).await?,
        // It is stored, and its work goes on.
        Err(error @ (Error::Token { .. } | Error::Unknown { .. } | Error::Unwritable { .. })) => {
            note(world, &found.shipment, &chain(&error)).await?;
        }
        Err(error) => return Err(error),
    }
    find(world, &order.id, false).await?.ok_or(Error::Broken)
}

/// A shipment with what WeChat knows it by.
#[derive(Clone, Debug)]
struct Found {
    shipment: Shipment,
    order: Order,
    attempt: Attempt,
    /// All of the money is back, or on its way.
    is_going_back: bool,
}

async fn load(world: &World, order: &OrderId) -> Result<Option<Found>, Error> {
    let found = world.store.look(order.clone(), |tx, id| {
        Box::pin(async move {
            let Some(shipment) = tx.shipment(id).await? else { return Ok(None) };
            let order = tx.order(id).await?.ok_or(StoreError::Stale { what: "order" })?;
            let attempt = tx.attempt(&shipment.attempt_id).await?;
            let attempt = attempt.ok_or(StoreError::Stale { what: "attempt" })?;
            let refunds = tx.refunds(id).await?;
            let live = refunds.iter().filter(|refund| {
                refund.state.holds_money()
                    && Some(&refund.transaction_id) == order.transaction_id.as_ref()
            });
            let back: i64 = live.map(|refund| refund.amount.get()).fold(0, i64::saturating_add);
            let is_going_back = order.amount.get() <= back;
            Ok(Some(Found { shipment, order, attempt, is_going_back }))
        })
    });
    Ok(found.await?)
}

#[derive(Deserialize)]
struct Work {
    serial: i64,
}

/// Does the due work of a shipment: tells WeChat, or asks how it stands.
pub(crate) async fn due(world: &World, claim: &Claim) -> Result<(), Error> {
    let job: Work = serde_json::from_str(&claim.body).map_err(|_| Error::Broken)?;
    let id: Option<OrderId> = claim.order_id.as_deref().and_then(|id| id.parse().ok());
    let Some(found) = load(world, &id.ok_or(Error::Broken)?).await? else {
        return work::done(world, claim).await;
    };
    // A later upload has work of its own.
    if found.shipment.serial != job.serial {
        return work::done(world, claim).await;
    }
    match found.shipment.state {
        ShippingState::Waiting | ShippingState::Uploading => match tell(world, &found).await {
            Ok(Next::Over) => work::done(world, claim).await,
            Ok(Next::Later(problem)) => later(world, claim, &found, &problem).await,
            Ok(Next::Look) => look_later(world, claim, &found.shipment).await,
            Err(error @ (Error::Token { .. } | Error::Unknown { .. } | Error::Refused { .. })) => {
                later(world, claim, &found, &chain(&error)).await
            }
            Err(error) => Err(error),
        },
        ShippingState::Shipped | ShippingState::Confirmed => {
            match upload::ask(world, &found).await {
                Ok(_)
                | Err(Error::Token { .. } | Error::Unknown { .. } | Error::Refused { .. }) => {
                    look_later(world, claim, &found.shipment).await
                }
                Err(error) => Err(error),
            }
        }
        ShippingState::Uploaded
        | ShippingState::Settled
        | ShippingState::Refunded
        | ShippingState::NotManaged
        | ShippingState::Refused => work::done(world, claim).await,
    }
}

/// What is to be done after WeChat was told, or was not.
enum Next {
    /// Nothing.
    Over,
    /// To tell it again.
    Later(String),
    /// To ask how it stands, some day.
    Look,
}

async fn tell(world: &World, found: &Found) -> Result<Next, Error> {
    if found.order.amount <= found.order.amount_refunded {
        moved(world, &found.shipment, ShippingEvent::Refunded, "all of the money went back")
            .await?;
        return Ok(Next::Over);
    }
    if found.is_going_back {
        return Ok(Next::Later("all of the money is on its way back".to_owned()));
    }
    if !world.managed.of(world, &found.order.app).await? {
        let why = "WeChat does not manage this app; nothing is to be told";
        moved(world, &found.shipment, ShippingEvent::Freed, why).await?;
        return Ok(Next::Over);
    }
    if found.shipment.state == ShippingState::Waiting && !found.shipment.automatic {
        return Ok(Next::Over);
    }
    Ok(match upload::upload(world, found).await? {
        Uploaded::Told => Next::Look,
        Uploaded::Refused(..) => Next::Over,
        Uploaded::Later(problem) => Next::Later(problem),
    })
}

/// Once more, by the schedule, at the deadline at the latest; then it is left to a person.
async fn later(world: &World, claim: &Claim, found: &Found, problem: &str) -> Result<(), Error> {
    let (shipment, now) = (&found.shipment, world.now());
    if shipment.deadline <= now && found.shipment.created_at.saturating_add(WITHIN) <= now {
        let why = format!("not told by its deadline: {problem}");
        moved(world, shipment, ShippingEvent::Refused, &why).await?;
        return work::done(world, claim).await;
    }
    note(world, shipment, problem).await?;
    let wait = TRIES.after_or_last(claim.attempt, world.dice.below(1000));
    let at = now.saturating_add(wait.saturating_mul(1_000_000));
    let last = shipment.deadline.max(shipment.created_at.saturating_add(WITHIN));
    work::put_back(world, claim, at.min(last), problem).await
}

/// Looks again when it has been on its way for some days; not for ever.
async fn look_later(world: &World, claim: &Claim, before: &Shipment) -> Result<(), Error> {
    let found = load(world, &before.order_id).await?;
    let shipment = found.map(|found| found.shipment);
    let from = shipment.as_ref().and_then(|shipment| shipment.shipped_at);
    let is_over = shipment.is_none_or(|shipment| {
        !matches!(shipment.state, ShippingState::Shipped | ShippingState::Confirmed)
    });
    let Some(from) = from.filter(|_| !is_over) else { return work::done(world, claim).await };
    let age = world.now().saturating_sub(from);
    if LOOKED_AFTER <= age {
        return work::done(world, claim).await;
    }
    let at = from.saturating_add(SHIPPED.next(age, world.dice.below(1000)));
    work::put_back(world, claim, at, "it is on its way").await
}

/// Moves a shipment, with a line in the journal; a move that was made before is none.
async fn moved(
    world: &World,
    shipment: &Shipment,
    event: ShippingEvent,
    why: &str,
) -> Result<(), Error> {
    let unit = (shipment.order_id.clone(), event, without_trace(why), world.now());
    let moved = world.store.write(unit, |tx, (id, event, why, now)| {
        Box::pin(async move { tx.shipping_moved(id, *event, why, *now).await })
    });
    if let Some(entry) = moved.await? {
        entry.log(&shipment.order_id);
    }
    Ok(())
}

/// Keeps why a shipment does not get on; the same again is one line.
async fn note(world: &World, shipment: &Shipment, problem: &str) -> Result<(), Error> {
    let entry = Entry::new(Step::Shipping, without_trace(problem));
    let unit = (shipment.order_id.clone(), Arc::new(entry.clone()), world.now());
    let noted = world.store.write(unit, |tx, (id, entry, now)| {
        Box::pin(async move {
            let shipment = tx.shipment(id).await?.ok_or(StoreError::Stale { what: "shipment" })?;
            if !shipment.state.is_open() || shipment.problem.as_ref() == Some(&entry.change) {
                return Ok(false);
            }
            tx.journal_put(id, *now, entry).await?;
            let problem = Some(entry.change.clone());
            tx.shipment_update(&Shipment { problem, ..shipment }).await?;
            Ok(true)
        })
    });
    if noted.await? {
        entry.log(&shipment.order_id);
    }
    Ok(())
}

/// WeChat's words without the `rid` that it puts into each of its answers: the same no reads the same. The log has it.
fn without_trace(words: &str) -> String {
    let Some((before, after)) = words.split_once(", rid: ") else { return words.to_owned() };
    let after = after.trim_start_matches(|char: char| char.is_ascii_hexdigit() || char == '-');
    format!("{before}{after}")
}

impl Tx {
    /// The one way that a shipment moves, but for the merchant's own words. `None`: it did not.
    pub(crate) async fn shipping_moved(
        &mut self,
        id: &OrderId,
        event: ShippingEvent,
        why: &str,
        now: i64,
    ) -> Result<Option<Entry>, StoreError> {
        let Some(shipment) = self.shipment(id).await? else { return Ok(None) };
        let Ok(suanpan_ledger::Outcome::Moved(state)) = shipment.state.apply(event) else {
            return Ok(None);
        };
        let entry = Entry::new(Step::Shipping, format!("{why}, {} → {state}", shipment.state));
        let is_refused = event == ShippingEvent::Refused;
        let problem = is_refused.then(|| why.to_owned());
        let is_shipped = state == ShippingState::Shipped;
        let shipped_at = shipment.shipped_at.or_else(|| is_shipped.then_some(now));
        self.shipment_update(&Shipment { state, problem, shipped_at, ..shipment }).await?;
        self.journal_put(id, now, &entry).await?;
        Ok(Some(entry))
    }
}

/// The kind of due work that sees a shipment through.
pub(crate) const SHIPPING: &str = "shipping";

fn key(shipment: &Shipment) -> String {
    format!("{SHIPPING}:{}:{}", shipment.order_id, shipment.serial)
}

/// In microseconds.
const SECOND: i64 = 1_000_000;
/// WeChat hears of a payment ten seconds after it at the earliest.
const FIRST_WAIT: i64 = 10 * SECOND;
/// When the work begins that whoever calls does himself at once.
const HANDS_OFF: i64 = 60 * SECOND;
/// Two days: then WeChat sends `trade_manage_remind_shipping`.
const WITHIN: i64 = 48 * 3600 * SECOND;
/// Thirty days: by then WeChat has confirmed it by itself.
const LOOKED_AFTER: i64 = 30 * 86_400 * SECOND;

#[cfg(test)]
mod tests {
    #[test]
    fn the_same_no_reads_the_same() {
        let no = "10060001 支付单不存在, rid: a661dcf8-694359ea-bac7dded (HTTP 200)";
        assert_eq!(super::without_trace(no), "10060001 支付单不存在 (HTTP 200)");
        assert_eq!(super::without_trace("no answer"), "no answer");
    }
}
