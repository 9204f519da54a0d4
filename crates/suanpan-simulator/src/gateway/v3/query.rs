//! How an order stands: the answer to a query, and the inside of a notification.
//!
//! Source: pay.weixin.qq.com/doc/v3/merchant/4012791900. The merchant is named in
//! the query, and so in the signature.

use http::StatusCode;
use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::v3::{Transaction, TransactionAmount, TransactionPayer, TransactionScene};
use suanpan_wechat::{OutTradeNo, TransactionId};

use super::super::Heard;
use super::{Granted, Refusal, refusal};
use crate::ledger::{Ledger, Order};
use crate::registry::Merchant;
use crate::world::World;

/// By the merchant's number: any state.
pub(super) fn by_number(
    world: &World,
    heard: &Heard,
    merchant: &Merchant,
) -> Result<Granted, Refusal> {
    same_merchant(heard, merchant)?;
    let number = heard.segment(4);
    let number = OutTradeNo::parse(&number)
        .map_err(|_| Refusal::order_number("url", "out_trade_no", &number))?;
    let ledger = world.ledger.lock();
    let order = ledger.orders.get(&(merchant.mchid.clone(), number));
    tell(&ledger, order, world.now())
}

/// By WeChat's number: only what is paid has one.
pub(super) fn by_id(world: &World, heard: &Heard, merchant: &Merchant) -> Result<Granted, Refusal> {
    same_merchant(heard, merchant)?;
    let id = heard.segment(4);
    let ledger = world.ledger.lock();
    let payment = TransactionId::parse(&id).ok().and_then(|id| ledger.payments.get(&id));
    let payment = payment.filter(|payment| payment.mchid == merchant.mchid);
    let order = payment.and_then(|payment| {
        ledger.orders.get(&(payment.mchid.clone(), payment.out_trade_no.clone()))
    });
    tell(&ledger, order, world.now())
}

/// The wire form of an order as it stands.
pub(crate) fn transaction(ledger: &Ledger, order: &Order, now: i64) -> Transaction {
    let (word, words) = order.trade_state(now, &ledger.switches);
    let payment = order.transaction_id.as_ref().and_then(|id| ledger.payments.get(id));
    let paid = payment.is_some();
    let yuan = || Some("CNY".to_owned());
    Transaction {
        appid: Some(order.appid.clone()),
        mchid: Some(order.mchid.clone()),
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
        payer: Some(TransactionPayer {
            openid: paid.then(|| order.openid.clone()),
            ..TransactionPayer::default()
        }),
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

fn tell(ledger: &Ledger, order: Option<&Order>, now: i64) -> Result<Granted, Refusal> {
    let order = order.ok_or_else(Refusal::no_order)?;
    let body = serde_json::to_string(&transaction(ledger, order, now));
    body.map(|body| (StatusCode::OK, body)).map_err(|_| Refusal::broken())
}

fn same_merchant(heard: &Heard, merchant: &Merchant) -> Result<(), Refusal> {
    match heard.query_value("mchid").filter(|mchid| !mchid.is_empty()) {
        Some(mchid) => refusal::same_merchant(merchant, &mchid),
        None => {
            let message =
                "输入源“/query/mchid”映射到字段“直连商户号”必填性规则校验失败，此字段为必填项";
            Err(Refusal::parameter("query", "mchid", "".into(), message))
        }
    }
}
