//! What a pass has found, sorted: a payment or refund of ours of another day, one to repair, or a difference.
//!
//! A bill may list a million payments of another system that shares the merchant number: those are looked up some hundred
//! at a time, and no more than [`MOST`] of them are kept.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use suanpan_ledger::RefundState;
use suanpan_wechat::bill::BillDate;
use suanpan_wechat::{Fen, MchId, OutRefundNo, OutTradeNo};
use tokio::sync::mpsc;

use crate::Error;
use crate::order::{Attempt, Order};
use crate::reconciliation::{Billed, DifferenceKind, Finding, Found};
use crate::store::{Number, StoreError, Tx};
use crate::world::World;

/// What a pass has found, so far.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// What differs.
    pub(super) differences: Vec<Found>,
    /// How many more do.
    pub(super) more: i64,
    /// Lines that belong to another day of ours.
    pub(super) elsewhere: Vec<String>,
    /// Payments that the bill proves, and that our book does not have.
    pub(super) unbooked: Vec<Unbooked>,
    settled: BTreeSet<String>,
}

/// A payment in the bill of an attempt of ours that holds no such payment.
#[derive(Clone, Debug)]
pub(super) struct Unbooked {
    pub(super) billed: Billed,
    pub(super) attempt: Attempt,
    pub(super) order: Order,
}

/// What one finding is.
enum Sort {
    Difference(Found),
    Elsewhere(String),
    Unbooked(Box<Unbooked>),
    Known,
}

impl Sorted {
    /// One more difference.
    pub(super) fn found(&mut self, found: Found) {
        if self.differences.len() < MOST {
            self.differences.push(found);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// This payment was booked from the bill just now: it is of this day, and not lacking.
    pub(super) fn is_now_settled(&mut self, out_trade_no: &str) {
        self.settled.insert(format!("p:{out_trade_no}"));
    }

    pub(super) fn is_settled(&self, name: &str) -> bool {
        self.settled.contains(name)
    }

    /// Whether this bill has listed it, although it is of another day of ours.
    pub(super) fn is_elsewhere(&self, name: &str) -> bool {
        self.elsewhere.iter().any(|known| known == name)
    }

    fn take(&mut self, sort: Sort) {
        match sort {
            Sort::Difference(found) => self.found(found),
            Sort::Elsewhere(name) if self.elsewhere.len() < MOST => self.elsewhere.push(name),
            Sort::Unbooked(unbooked) => self.unbooked.push(*unbooked),
            Sort::Elsewhere(_) | Sort::Known => {}
        }
    }
}

/// Looks up what the pass tells, until it is over.
pub(super) async fn sort(
    world: &World,
    mchid: &MchId,
    day: BillDate,
    mut findings: mpsc::Receiver<Finding>,
) -> Result<Sorted, Error> {
    let mut sorted = Sorted::default();
    let mut some = Vec::new();
    while 0 < findings.recv_many(&mut some, AT_ONCE).await {
        let unit = (mchid.clone(), day, std::mem::take(&mut some));
        let looked = world.store.look(unit, |tx, (mchid, day, some)| {
            Box::pin(async move {
                let mut sorts = Vec::with_capacity(some.len());
                for finding in some {
                    sorts.push(tx.sort(mchid, *day, finding).await?);
                }
                Ok(sorts)
            })
        });
        looked.await?.into_iter().for_each(|sort| sorted.take(sort));
    }
    Ok(sorted)
}

impl Tx {
    async fn sort(
        &mut self,
        mchid: &MchId,
        day: BillDate,
        finding: &Finding,
    ) -> Result<Sort, StoreError> {
        match finding {
            Finding::Payment(billed) => self.sort_payment(mchid, billed).await,
            Finding::Refund(billed) => self.sort_refund(mchid, billed).await,
            Finding::Twice(billed) => {
                let kind = if billed.refund.is_some() {
                    DifferenceKind::UnknownRefund
                } else {
                    DifferenceKind::UnknownPayment
                };
                let found = of_line(kind, billed, json!("listed_twice"));
                Ok(Sort::Difference(self.placed(mchid, billed, found).await?))
            }
            Finding::Amount { billed, ours } => {
                let found = amount(billed, *ours);
                Ok(Sort::Difference(self.placed(mchid, billed, found).await?))
            }
            Finding::RefundAmount { billed, ours } => {
                let found = Found {
                    ours: Some(ours.get()),
                    ..of_line(DifferenceKind::RefundAmount, billed, Value::Null)
                };
                Ok(Sort::Difference(self.placed(mchid, billed, found).await?))
            }
            Finding::Fee { billed, expected } => {
                let found = Found {
                    ours: Some(expected.get()),
                    theirs: Some(billed.fee),
                    ..of_line(DifferenceKind::Fee, billed, Value::Null)
                };
                Ok(Sort::Difference(self.placed(mchid, billed, found).await?))
            }
            Finding::Unreadable { line, why } => {
                tracing::warn!(%mchid, %day, line, why, "a line of a bill cannot be read");
                let detail = json!({ "line": line, "why": why });
                let subject = format!("line {line}");
                Ok(Sort::Difference(Found::new(DifferenceKind::Unreadable, &subject, detail)))
            }
        }
    }

    async fn sort_payment(&mut self, mchid: &MchId, billed: &Billed) -> Result<Sort, StoreError> {
        let unknown = |why: Value| of_line(DifferenceKind::UnknownPayment, billed, why);
        let Some((attempt, order)) = self.attempt_of(mchid, &billed.out_trade_no).await? else {
            let number = billed.out_trade_no.as_str();
            let stone = self.archived_number(mchid, Number::Payment, number).await?;
            return Ok(match stone {
                Some(stone) if stone.known.as_deref() == Some(&billed.transaction_id) => {
                    Sort::Known
                }
                Some(stone) => Sort::Difference(Found {
                    order_id: Some(stone.order_id.to_string()),
                    ..unknown(json!("archived"))
                }),
                None => Sort::Difference(unknown(Value::Null)),
            });
        };
        let held = attempt.transaction_id.as_ref().map(suanpan_wechat::TransactionId::as_str);
        if held != Some(&billed.transaction_id) {
            let billed = billed.clone();
            return Ok(Sort::Unbooked(Box::new(Unbooked { billed, attempt, order })));
        }
        if order.amount == billed.total {
            return Ok(Sort::Elsewhere(format!("p:{}", billed.out_trade_no)));
        }
        let found = amount(billed, order.amount);
        Ok(Sort::Difference(Found { order_id: Some(order.id.to_string()), ..found }))
    }

    async fn sort_refund(&mut self, mchid: &MchId, billed: &Billed) -> Result<Sort, StoreError> {
        let Some(back) = &billed.refund else { return Ok(Sort::Known) };
        let number = OutRefundNo::parse(&back.out_refund_no).ok();
        let ours = match &number {
            Some(number) => self.refund_by_number(mchid, number).await?,
            None => None,
        };
        if let Some(ours) = ours {
            let place = |found: Found| Found {
                order_id: Some(ours.order_id.to_string()),
                refund_id: Some(ours.id.clone()),
                ours: Some(ours.amount.get()),
                ..found
            };
            return Ok(if ours.amount != back.amount {
                let found = of_line(DifferenceKind::RefundAmount, billed, Value::Null);
                Sort::Difference(place(found))
            } else if ours.state == RefundState::Closed && back.status == "SUCCESS" {
                // We hold that it came to nothing, and the payer has the money.
                let why = json!("closed_here");
                Sort::Difference(place(of_line(DifferenceKind::RefundMissingHere, billed, why)))
            } else {
                Sort::Elsewhere(format!("r:{}", back.out_refund_no))
            });
        }
        let stone = self.archived_number(mchid, Number::Refund, &back.out_refund_no).await?;
        if stone.is_some() {
            return Ok(Sort::Known);
        }
        let order = self.attempt_of(mchid, &billed.out_trade_no).await?;
        Ok(Sort::Difference(match order {
            Some((_, order)) => Found {
                order_id: Some(order.id.to_string()),
                ..of_line(DifferenceKind::RefundMissingHere, billed, Value::Null)
            },
            None => of_line(DifferenceKind::UnknownRefund, billed, Value::Null),
        }))
    }

    /// The difference with the order, and the refund, that its line is about.
    async fn placed(
        &mut self,
        mchid: &MchId,
        billed: &Billed,
        found: Found,
    ) -> Result<Found, StoreError> {
        let order = self.attempt_of(mchid, &billed.out_trade_no).await?;
        let order_id = order.map(|(_, order)| order.id.to_string());
        let number =
            billed.refund.as_ref().and_then(|back| OutRefundNo::parse(&back.out_refund_no).ok());
        let refund = match &number {
            Some(number) => self.refund_by_number(mchid, number).await?,
            None => None,
        };
        Ok(Found { order_id, refund_id: refund.map(|refund| refund.id), ..found })
    }

    async fn attempt_of(
        &mut self,
        mchid: &MchId,
        out_trade_no: &str,
    ) -> Result<Option<(Attempt, Order)>, StoreError> {
        let Ok(number) = OutTradeNo::parse(out_trade_no) else { return Ok(None) };
        let Some(attempt) = self.attempt_by_number(mchid, &number).await? else { return Ok(None) };
        let order = self.order(&attempt.order_id).await?;
        Ok(order.map(|order| (attempt, order)))
    }
}

/// A difference that is about one line of the bill.
pub(super) fn of_line(kind: DifferenceKind, billed: &Billed, why: Value) -> Found {
    let theirs = billed.refund.as_ref().map_or(billed.total, |back| back.amount);
    let detail = json!({ "billed": billed, "why": why });
    Found { theirs: Some(theirs.get()), ..Found::new(kind, billed.number(), detail) }
}

/// A payment on both sides, and not of the same amount.
pub(super) fn amount(billed: &Billed, ours: Fen) -> Found {
    Found { ours: Some(ours.get()), ..of_line(DifferenceKind::Amount, billed, Value::Null) }
}

/// How many differences of a day are kept; the others are counted.
const MOST: usize = 10_000;
/// How many findings one look takes.
const AT_ONCE: usize = 200;
