//! Each day by itself: due from ten o'clock of the next one, once for all nodes, and again while there is no bill.
//!
//! The work of a day puts in that of the next one before anything else, so days on which nobody ran are made up for.

use serde::{Deserialize, Serialize};
use suanpan_ledger::BILL;
use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;

use super::{Reconciled, conclude, reconcile};
use crate::Error;
use crate::account::Accounts;
use crate::due::{done, put_back, wait_after};
use crate::reconciliation::DayState;
use crate::store::{Claim, NewDue, StoreError, Tx};
use crate::world::World;

/// The kind of due work that compares a day.
pub(crate) const RECONCILE: &str = "reconcile";

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Work {
    mchid: MchId,
    day: String,
}

/// Sees to it that yesterday is compared, for each account.
pub(crate) async fn plan(world: &World, accounts: &Accounts) -> Result<(), Error> {
    let yesterday = BillDate::of(world.clock.now_seconds()).and_then(BillDate::yesterday);
    let (Some(hour), Some(day)) = (world.reconcile_hour, yesterday) else { return Ok(()) };
    for account in accounts.iter() {
        let unit = (account.mchid.clone(), day, at(world, hour, day), world.now());
        let put = world.store.write(unit, |tx, (mchid, day, at, now)| {
            Box::pin(tx.reconcile_on(mchid, *day, *at, *now))
        });
        put.await?;
    }
    Ok(())
}

/// Has a day compared once more as soon as the transaction is durable; asked twice in a second, it is once.
pub(crate) async fn ask_again(
    tx: &mut Tx,
    mchid: &MchId,
    day: BillDate,
    now: i64,
) -> Result<(), StoreError> {
    let key = format!("{RECONCILE}:{mchid}:{day}:{}", now.div_euclid(1_000_000));
    tx.reconcile_by(&key, mchid, day, now, now).await.map(drop)
}

/// Compares a day whose time has come.
pub(crate) async fn due(world: &World, claim: &Claim) -> Result<(), Error> {
    let work: Work = serde_json::from_str(&claim.body).map_err(|_| Error::Broken)?;
    let day: BillDate = work.day.parse().map_err(|_| Error::Broken)?;
    let Some(hour) = world.reconcile_hour else { return done(world, claim).await };
    if world.accounts().of_merchant(&work.mchid).is_none() {
        return leave(world, claim, &work).await;
    }
    if let Some(next) = day.tomorrow() {
        let unit = (work.mchid.clone(), next, at(world, hour, next), world.now());
        let put = world.store.write(unit, |tx, (mchid, day, at, now)| {
            Box::pin(tx.reconcile_on(mchid, *day, *at, *now))
        });
        put.await?;
    }
    let Some(reconciled) = held(world, claim, reconcile(world, &work.mchid, day)).await? else {
        return Ok(());
    };
    let Reconciled::NotYet(why) = reconciled else { return done(world, claim).await };
    if let Some(wait) = wait_after(world, BILL, claim) {
        let at = world.now().saturating_add(wait.saturating_mul(1_000_000));
        return put_back(world, claim, at, &why).await;
    }
    conclude::stands(world, &work.mchid, day, DayState::Failed, &why).await?;
    let unit = (claim.clone(), why.clone());
    let given_up = world.store.write(unit, |tx, (claim, why)| Box::pin(tx.due_give_up(claim, why)));
    if given_up.await? {
        tracing::error!(mchid = %work.mchid, %day, why, code = "SP-RECONCILE-NO-BILL", "a day could not be compared");
    }
    Ok(())
}

/// An account that this node does not have: one beside it may, which has read its configuration again. As long as bills
/// are asked for; then it is taken for removed.
async fn leave(world: &World, claim: &Claim, work: &Work) -> Result<(), Error> {
    let Some(wait) = wait_after(world, BILL, claim) else { return done(world, claim).await };
    tracing::warn!(mchid = %work.mchid, day = work.day, "a day of an account that is not configured here is left");
    let at = world.now().saturating_add(wait.saturating_mul(1_000_000));
    put_back(world, claim, at, "its account is not configured here").await
}

/// Does work that may take longer than a lease: the lease is made longer while it runs. `None`: the claim is no longer ours.
async fn held<T>(
    world: &World,
    claim: &Claim,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done.map(Some),
            () = world.clock.sleep(RENEWED) => {}
        }
        let unit = (claim.clone(), world.now().saturating_add(LEASE));
        let ours =
            world.store.write(unit, |tx, (claim, until)| Box::pin(tx.due_hold(claim, *until)));
        if !ours.await? {
            return Ok(None);
        }
    }
}

/// When a day of an account is compared, in unix microseconds: some minutes after the hour, not all accounts at once.
fn at(world: &World, hour: u8, day: BillDate) -> i64 {
    let next = day.tomorrow().map_or(i64::MAX, BillDate::start);
    let seconds = i64::from(hour).saturating_mul(3600).saturating_add(world.dice.below(SPREAD));
    next.saturating_add(seconds).saturating_mul(1_000_000)
}

impl Tx {
    /// The day of an account is compared at `at`; once, whoever asks for it.
    async fn reconcile_on(
        &mut self,
        mchid: &MchId,
        day: BillDate,
        at: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        self.reconcile_by(&format!("{RECONCILE}:{mchid}:{day}"), mchid, day, at, now).await
    }

    async fn reconcile_by(
        &mut self,
        key: &str,
        mchid: &MchId,
        day: BillDate,
        at: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        let body = serde_json::json!(Work { mchid: mchid.clone(), day: day.to_string() });
        self.due_put(&NewDue {
            id: &format!("due_{key}"),
            kind: RECONCILE,
            key,
            pool: RECONCILE,
            lane: None,
            body: &body.to_string(),
            order_id: None,
            due_at: at,
            created_at: now,
        })
        .await
    }
}

/// In seconds: a quarter of an hour.
const SPREAD: i64 = 900;
/// How long the work is one worker's, in microseconds.
const LEASE: i64 = 120_000_000;
/// How often that is renewed, in microseconds: well within the lease that every claim begins with.
const RENEWED: i64 = 20_000_000;
