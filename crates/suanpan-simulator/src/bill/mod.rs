//! A day's bills: what WeChat says of it, and what it was made to say wrongly.
//!
//! Made anew whenever somebody asks, from the payments and refunds of the day, so the order of the lines is the same
//! each time. `POST /_sim/bills` plants differences, for reconciliation to find.

mod fund;
mod plant;
mod trade;

use suanpan_wechat::bill::{BillDate, BillType, Fee};
use suanpan_wechat::{Fen, MchId, RefundStatus};

use crate::ledger::{Ledger, Payment};
use crate::refund::Refund;
use crate::registry::openid;
use crate::world::World;

pub(crate) use fund::fund_flow;
pub(crate) use plant::Planted;

/// What WeChat takes of a payment, in thousandths: 0.60%.
const RATE: i64 = 6;

/// Which lines are wanted, and how free text is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) mchid: &'a MchId,
    pub(crate) date: BillDate,
    pub(crate) sub_mchid: Option<&'a str>,
    pub(crate) kind: BillType,
    /// APIv3 writes `,` in free text as `\ `; APIv2 leaves it.
    pub(crate) escapes: bool,
}

/// A payment or a refund.
#[derive(Clone, Debug)]
struct Line {
    time: i64,
    appid: String,
    sub_mchid: String,
    transaction_id: String,
    out_trade_no: String,
    openid: String,
    /// Zero in the line of a refund.
    total: Fen,
    refund: Option<Back>,
    description: String,
    attach: String,
    fee: Fee,
}

/// What goes back.
#[derive(Clone, Debug)]
struct Back {
    refund_id: String,
    out_refund_no: String,
    amount: Fen,
    status: &'static str,
}

/// The trade bill of a day; `None` where nothing happened.
pub(crate) fn trade(world: &World, wanted: Wanted<'_>) -> Option<String> {
    let ledger = world.ledger.lock();
    let mut lines = lines_of(&ledger, wanted.mchid, wanted.date);
    let date = wanted.date.to_string();
    let noon = stranger(world, wanted);
    let planted = ledger.plants.iter();
    for planted in planted.filter(|plant| plant.mchid == *wanted.mchid && plant.bill_date == date) {
        if let Some(plant) = planted.plant() {
            plant::apply(plant, &noon, &mut lines);
        }
    }
    drop(ledger);
    lines.retain(|line| {
        let of_the_kind = match wanted.kind {
            BillType::All => true,
            BillType::Success => line.refund.is_none(),
            BillType::Refund => line.refund.is_some(),
        };
        of_the_kind && wanted.sub_mchid.is_none_or(|sub| sub == line.sub_mchid)
    });
    if lines.is_empty() {
        return None;
    }
    lines.sort_by(|a, b| (a.time, &a.transaction_id).cmp(&(b.time, &b.transaction_id)));
    Some(trade::written(&lines, wanted))
}

/// The payments that were made and the refunds that were taken on a day, in no order.
fn lines_of(ledger: &Ledger, mchid: &MchId, date: BillDate) -> Vec<Line> {
    let (start, end) = (date.start(), date.tomorrow().map_or(i64::MAX, BillDate::start));
    let payments = ledger.payments.values();
    let payments = payments.filter(|paid| paid.mchid == *mchid && within(paid.paid_at, start, end));
    let refunds = ledger.refunds.values();
    let refunds =
        refunds.filter(|refund| refund.mchid == *mchid && within(refund.created_at, start, end));
    let mut lines: Vec<Line> = payments.filter_map(|paid| line_of(ledger, paid)).collect();
    lines.extend(refunds.filter_map(|refund| {
        let payment = ledger.payments.get(&refund.transaction_id)?;
        Some(Line {
            time: refund.created_at,
            total: Fen::ZERO,
            refund: Some(back(refund, end)),
            fee: given_back(refund.amount),
            ..line_of(ledger, payment)?
        })
    }));
    lines
}

const fn within(time: i64, start: i64, end: i64) -> bool {
    start <= time && time < end
}

fn line_of(ledger: &Ledger, payment: &Payment) -> Option<Line> {
    let order = ledger.orders.get(&(payment.mchid.clone(), payment.out_trade_no.clone()))?;
    let sub = order.sub.as_ref().map(|sub| sub.mchid.to_string());
    Some(Line {
        time: payment.paid_at,
        appid: order.appid.to_string(),
        sub_mchid: sub.unwrap_or_else(|| "0".to_owned()),
        transaction_id: payment.transaction_id.to_string(),
        out_trade_no: payment.out_trade_no.to_string(),
        openid: openid(&order.appid, &payment.user).as_str().to_owned(),
        total: payment.amount,
        refund: None,
        description: order.description.clone(),
        attach: order.attach.clone().unwrap_or_default(),
        fee: fee_of(payment.amount),
    })
}

fn back(refund: &Refund, end: i64) -> Back {
    let status = match refund.status(end) {
        RefundStatus::Success => "SUCCESS",
        RefundStatus::Closed => "FAIL",
        RefundStatus::Abnormal => "CHANGE",
        RefundStatus::Processing | RefundStatus::Other(_) => "PROCESSING",
    };
    Back {
        refund_id: refund.refund_id.to_string(),
        out_refund_no: refund.out_refund_no.to_string(),
        amount: refund.amount,
        status,
    }
}

/// Whole fen, rounded, as WeChat takes it.
fn fee_of(amount: Fen) -> Fee {
    let fen = amount.get().saturating_mul(RATE).saturating_add(500).div_euclid(1000);
    Fee::new(fen.saturating_mul(1000))
}

/// What WeChat gives back of it.
fn given_back(amount: Fen) -> Fee {
    Fee::new(fee_of(amount).get().saturating_neg())
}

/// What a payment looks like that nobody made, at noon.
fn stranger(world: &World, wanted: Wanted<'_>) -> Line {
    let merchant = world.registry.merchant(wanted.mchid.as_str());
    let app = merchant.and_then(|merchant| merchant.apps.first());
    Line {
        time: wanted.date.start().saturating_add(12 * 3600),
        appid: app.map(ToString::to_string).unwrap_or_default(),
        sub_mchid: "0".to_owned(),
        transaction_id: String::new(),
        out_trade_no: String::new(),
        openid: String::new(),
        total: Fen::ZERO,
        refund: None,
        description: "收款".to_owned(),
        attach: String::new(),
        fee: Fee::ZERO,
    }
}
