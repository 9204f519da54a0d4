//! The bills of a day: asked for, and kept as they came.

use std::sync::Arc;

use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;

use crate::Error;
use crate::account::Account;
use crate::gateway::bills::{self, Asked};
use crate::store::{Bill, BillKind};
use crate::world::World;

/// A bill, or why there is none.
#[derive(Clone, Debug)]
pub(super) enum Sheet {
    /// The file as it came; `id` where it was kept before.
    File { bytes: Arc<[u8]>, kept: Option<String> },
    /// Nothing happened that day.
    Nothing,
    /// It cannot be had, and the day is compared without it.
    Without(String),
    /// Not now.
    NotYet(String),
}

/// Asks for a bill; where WeChat does not give it, the one that was kept is good, too.
pub(super) async fn ask(
    world: &World,
    account: &Account,
    day: BillDate,
    kind: BillKind,
) -> Result<Sheet, Error> {
    let (why, for_good) = match bills::bill(world, account, day, kind).await? {
        Asked::File(bytes) => return Ok(Sheet::File { bytes: bytes.into(), kept: None }),
        Asked::Nothing => return Ok(Sheet::Nothing),
        Asked::Creating => ("WeChat is still making the bill".to_owned(), false),
        Asked::Refused(why) => (why, true),
        Asked::Lost(why) => (why, false),
    };
    if let Some((bill, bytes)) = kept(world, &account.mchid, day, kind).await? {
        return Ok(Sheet::File { bytes: bytes.into(), kept: Some(bill.id) });
    }
    Ok(match kind {
        // Without it the purse is not compared, and everything else is.
        BillKind::FundFlow if for_good => Sheet::Without(why),
        BillKind::FundFlow | BillKind::Trade => Sheet::NotYet(why),
    })
}

/// The newest bill of a day and kind that was kept, with its bytes as they came.
///
/// # Errors
/// Those of the store.
pub async fn kept(
    world: &World,
    mchid: &MchId,
    day: BillDate,
    kind: BillKind,
) -> Result<Option<(Bill, Vec<u8>)>, Error> {
    let unit = (mchid.clone(), day, kind);
    let found =
        world.store.look(unit, |tx, (mchid, day, kind)| Box::pin(tx.bill_of(mchid, *day, *kind)));
    let Some(bill) = found.await? else { return Ok(None) };
    let mut bytes = Vec::with_capacity(usize::try_from(bill.length).unwrap_or_default());
    for seq in 0_i64.. {
        let unit = (bill.id.clone(), seq);
        let part = world.store.look(unit, |tx, (id, seq)| Box::pin(tx.bill_part(id, *seq)));
        match part.await? {
            Some(part) => bytes.extend_from_slice(&part),
            None => break,
        }
    }
    // Some parts may have been deleted because they are too old.
    let whole = i64::try_from(bytes.len()).ok() == Some(bill.length);
    Ok(whole.then_some((bill, bytes)))
}

/// Keeps a bill as it came, a few parts in a transaction so that nobody waits; answers its id.
pub(super) async fn keep(
    world: &World,
    mchid: &MchId,
    day: BillDate,
    kind: BillKind,
    bytes: &[u8],
) -> Result<String, Error> {
    let sha256 = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes));
    let unit = (mchid.clone(), day, kind);
    let before =
        world.store.look(unit, |tx, (mchid, day, kind)| Box::pin(tx.bill_of(mchid, *day, *kind)));
    if let Some(before) = before.await?.filter(|before| before.sha256 == sha256) {
        return Ok(before.id);
    }
    let bill = Bill {
        id: world.id("bil_"),
        mchid: mchid.clone(),
        day,
        kind,
        sha256,
        length: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        fetched_at: world.now(),
    };
    world.store.write(bill.clone(), |tx, bill| Box::pin(tx.bill_coming(bill))).await?;
    let parts: Vec<&[u8]> = bytes.chunks(PART).collect();
    for (some, seq) in parts.chunks(AT_ONCE).zip((0_i64..).step_by(AT_ONCE)) {
        let some: Vec<Vec<u8>> = some.iter().map(|part| part.to_vec()).collect();
        let unit = (bill.id.clone(), seq, some);
        let put = world
            .store
            .write(unit, |tx, (id, seq, some)| Box::pin(tx.bill_parts_put(id, *seq, some)));
        put.await?;
    }
    world.store.write(bill.clone(), |tx, bill| Box::pin(tx.bill_kept(bill))).await?;
    Ok(bill.id)
}

/// In bytes.
const PART: usize = 64 << 10;
/// How many parts one transaction puts in.
const AT_ONCE: usize = 16;
