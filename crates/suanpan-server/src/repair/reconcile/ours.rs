//! Our side of a day: loaded page by page into the book, and looked through once more for what the bill lacks.

use serde_json::json;
use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;

use super::listed_before;
use super::sort::Sorted;
use crate::Error;
use crate::order::rfc3339;
use crate::reconciliation::{Book, DifferenceKind, Found, Ours};
use crate::store::Booked;
use crate::world::World;

/// What we hold of a day, and its sums.
pub(super) async fn load(
    world: &World,
    mchid: &MchId,
    day: BillDate,
) -> Result<(Book, Ours), Error> {
    let (mut book, mut ours) = (Book::default(), Ours::default());
    let mut pages = Pages::new(mchid, day);
    while let Some((side, page)) = pages.next(world).await? {
        for booked in page {
            let (count, sum) = match side {
                Side::Payments => {
                    book.payment(&booked.number, &booked.transaction_id, booked.amount);
                    (&mut ours.payments, &mut ours.paid)
                }
                Side::Refunds => {
                    book.refund(&booked.number, booked.amount);
                    (&mut ours.refunds, &mut ours.refunded)
                }
            };
            *count = count.saturating_add(1);
            *sum = sum.saturating_add(booked.amount.get());
        }
    }
    Ok((book, ours))
}

/// Tells what the bill lacks of ours; answers what is of the last minutes, and so may be in the next bill.
pub(super) async fn missing(
    world: &World,
    mchid: &MchId,
    day: BillDate,
    book: &Book,
    sorted: &mut Sorted,
) -> Result<Vec<String>, Error> {
    late_before(world, mchid, day, sorted).await?;
    if book.is_all_listed() {
        return Ok(Vec::new());
    }
    let listed = listed_before(world, mchid, day).await?;
    let (mut late, mut pages) = (Vec::new(), Pages::new(mchid, day));
    let soon_over = pages.end.saturating_sub(MARGIN);
    while let Some((side, page)) = pages.next(world).await? {
        for booked in page {
            let in_bill = match side {
                Side::Payments => book.lists_payment(&booked.number),
                Side::Refunds => book.lists_refund(&booked.number),
            };
            let name = side.name(&booked.number);
            if in_bill || listed.contains(&name) || sorted.is_settled(&name) {
                continue;
            }
            if soon_over <= booked.at {
                late.push(name);
            } else {
                sorted.found(lacking(side, &booked));
            }
        }
    }
    Ok(late)
}

/// What the day before has left to this bill, and is not in it either.
async fn late_before(
    world: &World,
    mchid: &MchId,
    day: BillDate,
    sorted: &mut Sorted,
) -> Result<(), Error> {
    let Some(before) = day.yesterday() else { return Ok(()) };
    let unit = (mchid.clone(), before);
    let before =
        world.store.look(unit, |tx, (mchid, day)| Box::pin(tx.reconciliation(mchid, *day)));
    let late = before.await?.map(|before| before.carried.late).unwrap_or_default();
    let late: Vec<_> = late.into_iter().filter(|name| !sorted.is_elsewhere(name)).collect();
    if late.is_empty() {
        return Ok(());
    }
    let mut pages = Pages::new(mchid, day);
    (pages.after.0, pages.end) = (pages.after.0.saturating_sub(MARGIN), day_start(day));
    while let Some((side, page)) = pages.next(world).await? {
        for booked in page.iter().filter(|booked| late.contains(&side.name(&booked.number))) {
            sorted.found(lacking(side, booked));
        }
    }
    Ok(())
}

fn lacking(side: Side, booked: &Booked) -> Found {
    let (kind, refund_id) = match side {
        Side::Payments => (DifferenceKind::MissingThere, None),
        Side::Refunds => (DifferenceKind::RefundMissingThere, Some(booked.id.clone())),
    };
    let detail = json!({
        "ours": { "at": rfc3339(booked.at), "transaction_id": booked.transaction_id, "amount": booked.amount },
    });
    Found {
        order_id: Some(booked.order_id.clone()),
        refund_id,
        ours: Some(booked.amount.get()),
        ..Found::new(kind, &booked.number, detail)
    }
}

/// Payments, then refunds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Payments,
    Refunds,
}

impl Side {
    fn name(self, number: &str) -> String {
        match self {
            Self::Payments => format!("p:{number}"),
            Self::Refunds => format!("r:{number}"),
        }
    }
}

/// The pages of our side of a day.
struct Pages {
    mchid: MchId,
    start: i64,
    end: i64,
    side: Option<Side>,
    after: (i64, String),
}

impl Pages {
    fn new(mchid: &MchId, day: BillDate) -> Self {
        let start = day_start(day);
        let end = day.tomorrow().map_or(i64::MAX, day_start);
        Self {
            mchid: mchid.clone(),
            start,
            end,
            side: Some(Side::Payments),
            after: (start, String::new()),
        }
    }

    async fn next(&mut self, world: &World) -> Result<Option<(Side, Vec<Booked>)>, Error> {
        while let Some(side) = self.side {
            let unit = (self.mchid.clone(), self.after.clone(), self.end);
            let page = match side {
                Side::Payments => {
                    let look = world.store.look(unit, |tx, (mchid, after, end)| {
                        Box::pin(tx.booked_payments(mchid, after, *end, PAGE))
                    });
                    look.await?
                }
                Side::Refunds => {
                    let look = world.store.look(unit, |tx, (mchid, after, end)| {
                        Box::pin(tx.booked_refunds(mchid, after, *end, PAGE))
                    });
                    look.await?
                }
            };
            if let Some(last) = page.last() {
                self.after = (last.at, last.id.clone());
                return Ok(Some((side, page)));
            }
            self.after = (self.start, String::new());
            self.side = (side == Side::Payments).then_some(Side::Refunds);
        }
        Ok(None)
    }
}

fn day_start(day: BillDate) -> i64 {
    day.start().saturating_mul(1_000_000)
}

/// How many rows one look takes: a few milliseconds, so that nobody waits.
const PAGE: i64 = 2_000;
/// Ten minutes in microseconds: our clock and WeChat's may disagree for less, or the signatures would fail.
const MARGIN: i64 = 600_000_000;
