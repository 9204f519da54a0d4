//! `GET /_sim/ledger`: the truth, for people and for tests.

use serde_json::{Value, json};
use suanpan_wechat::time::beijing_rfc3339;

use crate::clock::SECOND;
use crate::gateway::platform;
use crate::ledger::{Ledger, Notification, Order, Payment, Try};
use crate::refund::Refund;
use crate::world::World;

/// Everything, oldest first.
pub(crate) fn told(world: &World) -> Value {
    let now = world.now();
    let ledger = world.ledger.lock();
    let mut orders: Vec<&Order> = ledger.orders.values().collect();
    orders.sort_by_key(|order| order.created_at);
    let mut payments: Vec<&Payment> = ledger.payments.values().collect();
    payments.sort_by_key(|payment| payment.paid_at);
    let mut refunds: Vec<&Refund> = ledger.refunds.values().collect();
    refunds.sort_by_key(|refund| (refund.created_at, refund.refund_id.clone()));
    let mut notifications: Vec<&Notification> = ledger.notifications.values().collect();
    notifications.sort_by_key(|notification| notification.created_at);
    json!({
        "orders": orders.into_iter().map(|order| told_order(&ledger, order, now)).collect::<Value>(),
        "payments": payments.into_iter().map(|paid| told_payment(&ledger, paid)).collect::<Value>(),
        "refunds": refunds.into_iter().map(|refund| told_refund(refund, now)).collect::<Value>(),
        "notifications": notifications.into_iter().map(told_notification).collect::<Value>(),
    })
}

fn told_order(ledger: &Ledger, order: &Order, now: i64) -> Value {
    let prepays = order.prepays.iter().map(
        |prepay| json!({ "prepay_id": prepay.id, "issued_at": beijing_rfc3339(prepay.issued_at) }),
    );
    json!({
        "mchid": order.mchid,
        "appid": order.appid,
        "sub_mchid": order.sub.as_ref().map(|sub| &sub.mchid),
        "sub_appid": order.sub.as_ref().and_then(|sub| sub.appid.as_ref()),
        "out_trade_no": order.out_trade_no,
        "api": order.api,
        "sign_type": order.sign_type,
        "trade_state": order.trade_state(now, &ledger.switches).0,
        "amount": order.amount,
        "currency": "CNY",
        "description": order.description,
        "attach": order.attach,
        "openid": order.openid,
        "user": ledger.payer(&order.openid).map(|payer| &payer.user),
        "notify_url": order.notify_url,
        "transaction_id": order.transaction_id,
        "prepays": prepays.collect::<Value>(),
        "created_at": beijing_rfc3339(order.created_at),
        "expires_at": beijing_rfc3339(order.expires_at),
        "closed_at": order.closed_at.map(beijing_rfc3339),
        "shipping": platform::told_shipping(ledger, order, now),
    })
}

fn told_payment(ledger: &Ledger, payment: &Payment) -> Value {
    let order = ledger.orders.get(&(payment.mchid.clone(), payment.out_trade_no.clone()));
    json!({
        "transaction_id": payment.transaction_id,
        "mchid": payment.mchid,
        "appid": order.map(|order| &order.appid),
        "out_trade_no": payment.out_trade_no,
        "user": payment.user,
        "openid": order.map(|order| &order.openid),
        "amount": payment.amount,
        "currency": "CNY",
        "paid_at": beijing_rfc3339(payment.paid_at),
    })
}

/// A refund as it stands.
pub(crate) fn told_refund(refund: &Refund, now: i64) -> Value {
    json!({
        "refund_id": refund.refund_id,
        "mchid": refund.mchid,
        "sub_mchid": refund.sub_mchid,
        "appid": refund.appid,
        "out_refund_no": refund.out_refund_no,
        "out_trade_no": refund.out_trade_no,
        "transaction_id": refund.transaction_id,
        "api": refund.api,
        "status": refund.status(now).as_str(),
        "amount": refund.amount,
        "total": refund.total,
        "currency": "CNY",
        "reason": refund.reason,
        "notify_url": refund.notify_url,
        "created_at": beijing_rfc3339(refund.created_at),
        "ends": refund.ends,
        "ends_at": refund.ends_at.map(beijing_rfc3339),
        "succeeded_at": refund.success_time(now).map(beijing_rfc3339),
    })
}

fn told_notification(notification: &Notification) -> Value {
    json!({
        "id": notification.id,
        "kind": if notification.refund.is_some() { "refund" } else { "payment" },
        "mchid": notification.mchid,
        "out_trade_no": notification.out_trade_no,
        "transaction_id": notification.transaction_id,
        "out_refund_no": notification.refund,
        "url": notification.url,
        "acknowledged": notification.acknowledged,
        "created_at": beijing_rfc3339(notification.created_at),
        "next_try_at": notification.due_at.map(seconds),
        "tries": notification.tries.iter().map(told_try).collect::<Value>(),
    })
}

fn told_try(each: &Try) -> Value {
    json!({
        "at": seconds(each.at),
        "fault": each.fault,
        "status": each.status,
        "answer": each.answer,
        "acknowledged": each.acknowledged,
        "note": each.note,
    })
}

fn seconds(micros: i64) -> String {
    beijing_rfc3339(micros.div_euclid(SECOND))
}
