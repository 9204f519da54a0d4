//! The book of refunds: one for APIv2 and APIv3, numbers are unique per merchant.
//!
//! Sources: pay.weixin.qq.com/doc/v3/merchant/4013071036 for the limits (a year,
//! 50 refunds of one payment, the sum within it); the same number again is the same
//! refund, and with other parameters refused.

use serde_json::Value;
use suanpan_wechat::{Fen, OutRefundNo, OutTradeNo, RefundId, TransactionId};

use crate::clock::SECOND;
use crate::credentials::Api;
use crate::dice;
use crate::ledger::{Ledger, Notification, Order, Record};
use crate::refund::{End, Refund, RefundKey};
use crate::registry::Merchant;
use crate::world::World;

/// A refund as it is asked for.
pub(crate) struct Wanted {
    pub(crate) transaction_id: Option<String>,
    pub(crate) out_trade_no: Option<String>,
    pub(crate) out_refund_no: OutRefundNo,
    /// Partner mode: whose order it says that it is.
    pub(crate) sub_mchid: Option<String>,
    pub(crate) api: Api,
    pub(crate) request: Value,
    pub(crate) total: Fen,
    pub(crate) amount: Fen,
    pub(crate) reason: Option<String>,
    pub(crate) notify_url: Option<String>,
}

/// Why the book says no.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum No {
    /// There is no such order, or it is not paid.
    Unknown,
    /// The number stands for another refund, or the amounts are not the order's.
    Differs,
    /// More would go back than came.
    TooMuch,
    /// 50 refunds of one payment.
    TooMany,
    /// A minute has to lie between two refunds of one payment.
    TooSoon,
    /// Paid more than a year ago.
    TooOld,
    /// The merchant's balance is short.
    NotEnough,
    /// The book cannot be written.
    Broken,
}

/// Takes a refund, or finds the same one again.
pub(crate) fn refund(world: &World, merchant: &Merchant, wanted: Wanted) -> Result<Refund, No> {
    let now = world.now();
    let mut ledger = world.ledger.lock();
    let order = paid_order(&ledger, merchant, &wanted).ok_or(No::Unknown)?;
    let key = (merchant.mchid.clone(), wanted.out_refund_no.clone());
    if let Some(known) = ledger.refunds.get(&key) {
        let same = known.api == wanted.api && known.request == wanted.request;
        return if same { Ok(known.clone()) } else { Err(No::Differs) };
    }
    let (order, transaction_id) = (order.0.clone(), order.1);
    may(&ledger, &order, &transaction_id, &wanted, now)?;

    let refund_id = RefundId::parse(&dice::refund_id(&*world.outside));
    let ends = ledger.switches.refund_ends;
    let after = i64::from(ledger.switches.refund_seconds);
    let refund = Refund {
        refund_id: refund_id.map_err(|_| No::Broken)?,
        mchid: merchant.mchid.clone(),
        sub_mchid: order.sub.as_ref().map(|sub| sub.mchid.clone()),
        appid: order.appid.clone(),
        out_refund_no: wanted.out_refund_no,
        out_trade_no: order.out_trade_no.clone(),
        transaction_id,
        api: wanted.api,
        request: wanted.request,
        total: wanted.total,
        amount: wanted.amount,
        reason: wanted.reason,
        notify_url: wanted.notify_url,
        created_at: now,
        ends,
        ends_at: (ends != End::Never).then(|| now.saturating_add(after)),
    };
    let mut records = vec![Record::Refund(Box::new(refund.clone()))];
    records.extend(notification(world, &refund).map(|told| Record::Notification(Box::new(told))));
    // Also after a part went back.
    records.push(Record::Order(Box::new(Order { refunded: true, ..order })));
    world.commit(&mut ledger, records).map_err(|_| No::Broken)?;
    Ok(refund)
}

/// Decides how a refund ends, `after` so many seconds; and owes the merchant the news.
pub(crate) fn decide(world: &World, key: &RefundKey, ends: End, after: i64) -> Result<Refund, No> {
    let now = world.now();
    let mut ledger = world.ledger.lock();
    let refund = ledger.refunds.get(key).cloned().ok_or(No::Unknown)?;
    let ends_at = (ends != End::Never).then(|| now.saturating_add(after));
    let refund = Refund { ends, ends_at, ..refund };
    // What was owed of the end that does not come is not told; one that is out is out.
    let old = ledger.notifications.values().filter(|told| {
        told.refund.as_ref() == Some(&refund.out_refund_no) && told.mchid == refund.mchid
    });
    let mut records: Vec<_> = old
        .map(|told| Record::Notification(Box::new(Notification { due_at: None, ..told.clone() })))
        .collect();
    records.push(Record::Refund(Box::new(refund.clone())));
    records.extend(notification(world, &refund).map(|told| Record::Notification(Box::new(told))));
    world.commit(&mut ledger, records).map_err(|_| No::Broken)?;
    Ok(refund)
}

/// The order and its payment: WeChat's number counts where both are given.
fn paid_order<'l>(
    ledger: &'l Ledger,
    merchant: &Merchant,
    wanted: &Wanted,
) -> Option<(&'l Order, TransactionId)> {
    let order = match (&wanted.transaction_id, &wanted.out_trade_no) {
        (Some(id), _) => {
            let payment = ledger.payments.get(&TransactionId::parse(id).ok()?)?;
            ledger.orders.get(&(payment.mchid.clone(), payment.out_trade_no.clone()))?
        }
        (None, Some(number)) => {
            let number = OutTradeNo::parse(number).ok()?;
            ledger.orders.get(&(merchant.mchid.clone(), number))?
        }
        (None, None) => return None,
    };
    let ours = order.mchid == merchant.mchid && order.is_for(wanted.sub_mchid.as_deref());
    order.transaction_id.clone().filter(|_| ours).map(|id| (order, id))
}

/// The limits.
fn may(
    ledger: &Ledger,
    order: &Order,
    transaction_id: &TransactionId,
    wanted: &Wanted,
    now: i64,
) -> Result<(), No> {
    if wanted.total != order.amount || order.amount < wanted.amount {
        return Err(No::Differs);
    }
    let paid_at = ledger.payments.get(transaction_id).map_or(now, |payment| payment.paid_at);
    if paid_at.saturating_add(YEAR) < now {
        return Err(No::TooOld);
    }
    let earlier: Vec<_> =
        ledger.refunds.values().filter(|one| one.transaction_id == *transaction_id).collect();
    if MOST <= earlier.len() {
        return Err(No::TooMany);
    }
    let wait = i64::from(ledger.switches.refund_wait_seconds);
    if earlier.iter().any(|one| now < one.created_at.saturating_add(wait)) {
        return Err(No::TooSoon);
    }
    let gone = earlier.iter().filter(|one| one.ends != End::Closed || !one.is_over(now));
    let sum = gone.map(|one| one.amount).try_fold(wanted.amount, Fen::checked_add);
    if sum.is_none_or(|sum| order.amount < sum) {
        return Err(No::TooMuch);
    }
    if ledger.switches.merchant_balance_is_short {
        return Err(No::NotEnough);
    }
    Ok(())
}

/// The refund of this number, if its order is the merchant's, placed for this sub-merchant.
pub(crate) fn find<'l>(
    ledger: &'l Ledger,
    merchant: &Merchant,
    sub_mchid: Option<&str>,
    number: OutRefundNo,
) -> Option<&'l Refund> {
    let refund = ledger.refunds.get(&(merchant.mchid.clone(), number))?;
    refund.is_for(sub_mchid).then_some(refund)
}

/// What is owed to the merchant; nothing where no address was given.
fn notification(world: &World, refund: &Refund) -> Option<Notification> {
    Some(Notification {
        id: dice::notification_id(&*world.outside),
        mchid: refund.mchid.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        transaction_id: refund.transaction_id.clone(),
        refund: Some(refund.out_refund_no.clone()),
        url: refund.notify_url.clone()?,
        created_at: refund.ends_at?,
        due_at: Some(refund.ends_at?.saturating_mul(SECOND)),
        acknowledged: false,
        turn: 0,
        put_off: false,
        waits_for_another: false,
        tries: Vec::new(),
    })
}

impl Refund {
    fn is_over(&self, now: i64) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
    }
}

/// In seconds.
const YEAR: i64 = 365 * 24 * 3600;
const MOST: usize = 50;
