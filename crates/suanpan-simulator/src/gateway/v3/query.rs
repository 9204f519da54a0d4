//! How an order stands: the answer to a query, and the inside of a notification.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012791900. The merchant is named in
//! the query, and so in the signature.

use http::StatusCode;
use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::v3::{Transaction, TransactionAmount, TransactionPayer, TransactionScene};
use suanpan_wechat::{AppId, OutTradeNo, TransactionId};

use super::super::Heard;
use super::{Granted, Refusal, partner, refusal};
use crate::ledger::{Ledger, Order, Payment};
use crate::registry::{Merchant, openid};
use crate::world::World;

/// By the merchant's number: any state.
pub(super) fn by_number(
    world: &World,
    heard: &Heard,
    merchant: &Merchant,
) -> Result<Granted, Refusal> {
    same_merchant(heard, merchant)?;
    let sub_mchid = partner::sub_in_query(world, merchant, heard)?;
    let number = partner::last_segment(heard, merchant);
    let number = OutTradeNo::parse(&number)
        .map_err(|_| Refusal::order_number("url", "out_trade_no", &number))?;
    let ledger = world.ledger.lock();
    let order = ledger.orders.get(&(merchant.mchid.clone(), number));
    let order = order.filter(|order| order.is_for(sub_mchid.as_deref()));
    tell(&ledger, order, world.now())
}

/// By WeChat's number: only what is paid has one.
pub(super) fn by_id(world: &World, heard: &Heard, merchant: &Merchant) -> Result<Granted, Refusal> {
    same_merchant(heard, merchant)?;
    let sub_mchid = partner::sub_in_query(world, merchant, heard)?;
    let id = partner::last_segment(heard, merchant);
    let ledger = world.ledger.lock();
    let payment = TransactionId::parse(&id).ok().and_then(|id| ledger.payments.get(&id));
    let payment = payment.filter(|payment| payment.mchid == merchant.mchid);
    let order = payment.and_then(|payment| {
        ledger.orders.get(&(payment.mchid.clone(), payment.out_trade_no.clone()))
    });
    let order = order.filter(|order| order.is_for(sub_mchid.as_deref()));
    tell(&ledger, order, world.now())
}

/// The wire form of an order as it stands.
pub(crate) fn transaction(ledger: &Ledger, order: &Order, now: i64) -> Transaction {
    let (word, words) = order.trade_state(now, &ledger.switches);
    let payment = order.transaction_id.as_ref().and_then(|id| ledger.payments.get(id));
    let paid = payment.is_some();
    let yuan = || Some("CNY".to_owned());
    let (sub, direct) = (order.sub.as_ref(), order.sub.is_none());
    Transaction {
        appid: direct.then(|| order.appid.clone()),
        mchid: direct.then(|| order.mchid.clone()),
        sp_appid: sub.map(|_| order.appid.clone()),
        sp_mchid: sub.map(|_| order.mchid.clone()),
        sub_appid: sub.and_then(|sub| sub.appid.clone()),
        sub_mchid: sub.map(|sub| sub.mchid.clone()),
        out_trade_no: Some(order.out_trade_no.clone()),
        transaction_id: order.transaction_id.clone(),
        trade_type: paid.then(|| "JSAPI".to_owned()),
        trade_state: Some(word.to_owned()),
        trade_state_desc: Some(words.to_owned()),
        // Paid from the balance.
        bank_type: paid.then(|| "OTHERS".to_owned()),
        attach: order.attach.clone(),
        success_time: payment.map(|payment| beijing_rfc3339(payment.paid_at)),
        // Empty while nothing is paid, as the gateway has it.
        payer: Some(payment.map_or_else(TransactionPayer::default, |paid| payer(order, paid))),
        amount: Some(TransactionAmount {
            total: Some(order.amount),
            payer_total: Some(order.amount).filter(|_| paid),
            currency: yuan(),
            payer_currency: yuan(),
        }),
        scene_info: order
            .device_info
            .clone()
            .map(|device_id| TransactionScene { device_id: Some(device_id) }),
        ..Transaction::default()
    }
}

/// The payer, as each of the apps of the order knows them.
fn payer(order: &Order, payment: &Payment) -> TransactionPayer {
    let known = |appid: &AppId| openid(appid, &payment.user);
    match &order.sub {
        None => {
            TransactionPayer { openid: Some(order.openid.clone()), ..TransactionPayer::default() }
        }
        Some(sub) => TransactionPayer {
            openid: None,
            sp_openid: Some(known(&order.appid)),
            sub_openid: sub.appid.as_ref().map(known),
        },
    }
}

fn tell(ledger: &Ledger, order: Option<&Order>, now: i64) -> Result<Granted, Refusal> {
    let order = order.ok_or_else(Refusal::no_order)?;
    let body = serde_json::to_string(&transaction(ledger, order, now));
    body.map(|body| (StatusCode::OK, body)).map_err(|_| Refusal::broken())
}

fn same_merchant(heard: &Heard, merchant: &Merchant) -> Result<(), Refusal> {
    let (pointer, title) = partner::own_number(merchant);
    let name = pointer.trim_start_matches('/');
    match heard.query_value(name).filter(|mchid| !mchid.is_empty()) {
        Some(mchid) => refusal::same_merchant(merchant, &mchid),
        None => {
            let message = format!(
                "输入源“/query/{name}”映射到字段“{title}”必填性规则校验失败，此字段为必填项"
            );
            Err(Refusal::parameter("query", name, "".into(), message))
        }
    }
}
