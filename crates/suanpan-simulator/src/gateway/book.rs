//! The order book: one for APIv2 and APIv3, numbers are unique per merchant.
//!
//! Source: "商户订单号重复" is how WeChat refuses a number that comes again with
//! other parameters, or over the other API; a number that was paid or closed is
//! used up for ever.

use suanpan_wechat::PrepayId;

use crate::dice;
use crate::ledger::{Order, OrderKey, Prepay, Record, State};
use crate::world::World;

/// Seven days: how long an order without `time_expire` can be paid.
pub(crate) const USUAL_LIFE: i64 = 7 * 24 * 3600;

/// Why the book says no.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum No {
    /// Paid already.
    Paid,
    /// Closed already.
    Closed,
    /// The number stands for another order.
    Duplicate,
    /// There is no such order.
    Unknown,
    /// It was ordered a moment ago.
    TooYoung,
    /// The book cannot be written.
    Broken,
}

/// Places an order, or finds the same one again; gives its `prepay_id`.
pub(crate) fn place(world: &World, wanted: Order) -> Result<PrepayId, No> {
    let now = world.now();
    let mut ledger = world.ledger.lock();
    let switches = &ledger.switches;
    let mut order = match ledger.orders.get(&wanted.key()) {
        None => wanted,
        Some(known) => match known.state(now, switches) {
            State::Paid => return Err(No::Paid),
            State::Closed => return Err(No::Closed),
            State::NotPaid if known.api != wanted.api || known.request != wanted.request => {
                return Err(No::Duplicate);
            }
            State::NotPaid => Order { sign_type: wanted.sign_type, ..known.clone() },
        },
    };
    let young = order.young_prepay(now).cloned();
    if let Some(prepay_id) = young
        && !switches.repeated_order_renews_prepay_id
    {
        return Ok(prepay_id);
    }

    let text = dice::prepay_id(&*world.outside, now);
    let prepay_id = PrepayId::parse(&text).map_err(|_| No::Broken)?;
    order.prepays.push(Prepay { id: prepay_id.clone(), issued_at: now });
    let placed = world.commit(&mut ledger, vec![Record::Order(Box::new(order))]);
    placed.map(|()| prepay_id).map_err(|_| No::Broken)
}

/// Closes an order that is not paid, at least `wait` seconds old; a partner names the sub-merchant.
/// Only says so where it is to `pretend`.
pub(crate) fn close(
    world: &World,
    key: &OrderKey,
    sub_mchid: Option<&str>,
    wait: u32,
    pretend: bool,
) -> Result<(), No> {
    if pretend {
        return Ok(());
    }
    let now = world.now();
    let mut ledger = world.ledger.lock();
    let order = ledger.orders.get(key).filter(|order| order.is_for(sub_mchid));
    let order = order.ok_or(No::Unknown)?;
    if order.state(now, &ledger.switches) == State::Paid {
        return Err(No::Paid);
    }
    if order.closed_at.is_some() {
        return Err(No::Closed);
    }
    if now < order.created_at.saturating_add(i64::from(wait)) {
        return Err(No::TooYoung);
    }
    let closed = Order { closed_at: Some(now), ..order.clone() };
    world.commit(&mut ledger, vec![Record::Order(Box::new(closed))]).map_err(|_| No::Broken)
}
