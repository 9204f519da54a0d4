//! A day beside WeChat's bills: downloaded, compared, repaired where the bill proves a payment, and told.
//!
//! ```text
//! sheets    both bills, as they came; the hash is right            (network)
//! ours      the payments and refunds that we hold of the day       (store)
//! Book      the bill passes by once                                (pure, a thread of its own)
//! sort      what it found: ours of another day, to repair, or a difference
//! settle    paid there and open here: booked like a notification
//! conclude  sums, differences and the event in one transaction
//! ```
//!
//! To compare a day again is safe at any time, on any node: what people made of a difference stays, and what is no longer
//! there is closed.

mod conclude;
mod due;
mod ours;
mod settle;
mod sheets;
mod sort;

use std::collections::BTreeSet;
use std::sync::Arc;

use suanpan_wechat::MchId;
use suanpan_wechat::bill::{BillDate, BillError, FundBill, TradeBill};
use tokio::sync::mpsc;

use crate::Error;
use crate::account::Account;
use crate::error::chain;
use crate::reconciliation::{
    Book, Carried, Day, DayState, Difference, DifferenceKind, Finding, Flows, Found, Purse, Purses,
    Theirs, unpacked,
};
use crate::store::{BillKind, DifferenceFilter};
use crate::world::World;

pub(crate) use due::{RECONCILE, ask_again, due, plan};
use sheets::Sheet;
pub use sheets::kept;

/// How a reconciliation ended.
#[derive(Clone, Debug)]
pub enum Reconciled {
    /// The day was compared.
    Done(Box<Day>),
    /// There is no bill to compare with: why.
    NotYet(String),
}

/// Compares a day of an account with WeChat's bills, now.
///
/// # Errors
/// [`Error::NotFound`] for an account that is not configured, [`Error::Field`] for a day that is not over, and those of the
/// store.
pub async fn reconcile(world: &World, mchid: &MchId, day: BillDate) -> Result<Reconciled, Error> {
    let accounts = world.accounts();
    let account = accounts.of_merchant(mchid);
    let account = account.ok_or(Error::NotFound { what: "merchant account" })?;
    let end = day.tomorrow().map_or(i64::MAX, BillDate::start);
    if world.clock.now_seconds() < end {
        return Err(Error::field("date", "is not over in Beijing; take an earlier day"));
    }
    let trade = match sheets::ask(world, account, day, BillKind::Trade).await? {
        Sheet::NotYet(why) | Sheet::Without(why) => return not_yet(world, account, day, why).await,
        sheet @ (Sheet::File { .. } | Sheet::Nothing) => sheet,
    };
    let fund = sheets::ask(world, account, day, BillKind::FundFlow).await?;
    if let Sheet::NotYet(why) = fund {
        return not_yet(world, account, day, why).await;
    }
    compare(world, account, day, trade, fund).await
}

/// All differences of an account's day, as far as they are kept, in the order of kind and subject.
///
/// # Errors
/// Those of the store.
pub async fn differences(
    world: &World,
    mchid: &MchId,
    day: BillDate,
) -> Result<Vec<Difference>, Error> {
    let mut all: Vec<Difference> = Vec::new();
    loop {
        let after = all
            .last()
            .map(|last| (last.found.kind.as_str().to_owned(), last.found.subject.clone()));
        let filter = DifferenceFilter { mchid: mchid.clone(), day, after, limit: PAGE };
        let page = world.store.look(filter, |tx, filter| Box::pin(tx.differences(filter))).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Nothing to compare with now; what was compared before stays.
async fn not_yet(
    world: &World,
    account: &Account,
    day: BillDate,
    why: String,
) -> Result<Reconciled, Error> {
    conclude::stands(world, &account.mchid, day, DayState::Waiting, &why).await?;
    tracing::info!(mchid = %account.mchid, %day, why, "a bill is not to be had yet");
    Ok(Reconciled::NotYet(why))
}

async fn compare(
    world: &World,
    account: &Account,
    day: BillDate,
    trade: Sheet,
    fund: Sheet,
) -> Result<Reconciled, Error> {
    let (book, our_sums) = ours::load(world, &account.mchid, day).await?;
    let (sender, findings) = mpsc::channel(1024);
    let bytes = bytes_of(&trade);
    let passing = tokio::task::spawn_blocking(move || pass(book, &bytes, &sender));
    let mut sorted = sort::sort(world, &account.mchid, day, findings).await?;
    let (book, purse, passed) = passing.await.map_err(|_| Error::Broken)?;
    let theirs = match passed {
        Ok(theirs) => theirs,
        Err(error) => return not_yet(world, account, day, chain(&error)).await,
    };
    let (flows, purse_found) = match purse_of(purse, &trade, &fund, day).await? {
        Ok(compared) => compared,
        Err(error) => return not_yet(world, account, day, chain(&error)).await,
    };
    if !theirs.adds_up() {
        sorted.found(totals(&theirs));
    }
    purse_found.into_iter().for_each(|found| sorted.found(found));
    settle::settle(world, account, day, &mut sorted).await?;
    let late = ours::missing(world, &account.mchid, day, &book, &mut sorted).await?;

    let problem = match &fund {
        Sheet::Without(why) => Some(format!("without the fund-flow bill: {why}")),
        Sheet::File { .. } | Sheet::Nothing | Sheet::NotYet(_) => None,
    };
    let day = Day {
        mchid: account.mchid.clone(),
        day,
        state: DayState::Done,
        problem,
        trade_bill: keep(world, account, day, BillKind::Trade, &trade).await?,
        fund_bill: keep(world, account, day, BillKind::FundFlow, &fund).await?,
        ours: our_sums,
        theirs: sums(&theirs, &flows),
        more: sorted.more,
        carried: Carried { late, elsewhere: std::mem::take(&mut sorted.elsewhere) },
        run: 0,
        checked_at: Some(world.now()),
    };
    let day = conclude::conclude(world, day, sorted).await?;
    Ok(Reconciled::Done(Box::new(day)))
}

/// The bill passes by the book; what it says goes to whoever sorts it.
fn pass(
    mut book: Book,
    bytes: &[u8],
    findings: &mpsc::Sender<Finding>,
) -> (Book, Purse, Result<Theirs, BillError>) {
    let mut purse = Purse::default();
    if bytes.is_empty() {
        // Nothing happened that day.
        return (book, purse, Ok(Theirs::default()));
    }
    let tell = |finding| {
        // Whoever sorts has failed, and says so himself.
        drop(findings.blocking_send(finding));
    };
    let passed = TradeBill::open(unpacked(bytes))
        .and_then(|mut bill| book.pass(&mut bill, &mut purse, tell));
    (book, purse, passed)
}

/// The fund-flow bill passes by what the trade bill says should be in the purse.
async fn purse_of(
    mut purse: Purse,
    trade: &Sheet,
    fund: &Sheet,
    day: BillDate,
) -> Result<Result<(Flows, Option<Found>), BillError>, Error> {
    let Sheet::File { .. } = fund else { return Ok(Ok((Flows::default(), None))) };
    let (trade, fund) = (bytes_of(trade), bytes_of(fund));
    let compared = tokio::task::spawn_blocking(move || {
        let (start, end) = (day.start(), day.tomorrow().map_or(i64::MAX, BillDate::start));
        let mut bill = FundBill::open(unpacked(&fund))?;
        let flows = purse.pass(&mut bill, start, end)?;
        if flows.differing == 0 {
            return Ok((flows, None));
        }
        let examples = if trade.is_empty() {
            Vec::new()
        } else {
            purse.examples(&mut TradeBill::open(unpacked(&trade))?, end)?
        };
        let found = fund_flow(&flows, &examples);
        Ok((flows, Some(found)))
    });
    compared.await.map_err(|_| Error::Broken)
}

async fn keep(
    world: &World,
    account: &Account,
    day: BillDate,
    kind: BillKind,
    sheet: &Sheet,
) -> Result<Option<String>, Error> {
    match sheet {
        Sheet::File { kept: Some(id), .. } => Ok(Some(id.clone())),
        Sheet::File { bytes, kept: None } => {
            sheets::keep(world, &account.mchid, day, kind, bytes).await.map(Some)
        }
        Sheet::Nothing | Sheet::Without(_) | Sheet::NotYet(_) => Ok(None),
    }
}

fn bytes_of(sheet: &Sheet) -> Arc<[u8]> {
    match sheet {
        Sheet::File { bytes, .. } => Arc::clone(bytes),
        Sheet::Nothing | Sheet::Without(_) | Sheet::NotYet(_) => Arc::from([]),
    }
}

fn sums(theirs: &Theirs, flows: &Flows) -> Purses {
    Purses {
        payments: theirs.payments,
        paid: theirs.paid,
        refunds: theirs.refunds,
        refunded: theirs.refunded,
        fee: theirs.fee,
        came_in: flows.came_in,
        went_out: flows.went_out,
    }
}

fn totals(theirs: &Theirs) -> Found {
    let totals = theirs.totals;
    let detail = serde_json::json!({
        "lines": { "paid": theirs.paid, "refunded": theirs.refunded, "fee": theirs.fee },
        "totals": { "paid": totals.total, "refunded": totals.refund, "fee": totals.fee.get() },
    });
    Found::of_a_bill(DifferenceKind::Totals, Some(theirs.paid), Some(totals.total.get()), detail)
}

fn fund_flow(flows: &Flows, examples: &[String]) -> Found {
    let detail = serde_json::json!({ "differing": flows.differing, "examples": examples });
    Found::of_a_bill(DifferenceKind::FundFlow, Some(0), Some(flows.surplus), detail)
}

/// The numbers that the days before have listed as ours of a later one.
async fn listed_before(
    world: &World,
    mchid: &MchId,
    day: BillDate,
) -> Result<BTreeSet<String>, Error> {
    let unit = (mchid.clone(), day);
    let listed = world.store.look(unit, |tx, (mchid, day)| {
        Box::pin(async move {
            let (mut listed, mut before) = (BTreeSet::new(), day.yesterday());
            for _ in 0..DAYS_BEFORE {
                let Some(day) = before else { break };
                if let Some(day) = tx.reconciliation(mchid, day).await? {
                    listed.extend(day.carried.elsewhere);
                }
                before = day.yesterday();
            }
            Ok(listed)
        })
    });
    Ok(listed.await?)
}

/// How many differences one look takes.
const PAGE: i64 = 500;
/// A refund whose answer was lost is asked about for ten days; what WeChat took before that is in an older bill.
const DAYS_BEFORE: usize = 10;
