//! The end of a reconciliation: sums, differences and the event in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;

use super::sort::Sorted;
use crate::Error;
use crate::order::rfc3339;
use crate::reconciliation::{Carried, Day, DayState, Found, Ours, Purses};
use crate::store::{Event, StoreError, Tx};
use crate::world::World;

/// What is stored at once.
struct Conclusion {
    day: Day,
    differences: Vec<(String, Found)>,
    event_id: String,
    now: i64,
}

/// Stores what was found, closes what was not found again, and tells of what is new. Answers the day as it stands.
pub(super) async fn conclude(world: &World, day: Day, sorted: Sorted) -> Result<Day, Error> {
    let differences = sorted.differences.into_iter().map(|found| (world.id("dif_"), found));
    let conclusion = Arc::new(Conclusion {
        day,
        differences: differences.collect(),
        event_id: world.id("evt_"),
        now: world.now(),
    });
    let stored = world
        .store
        .write(Arc::clone(&conclusion), |tx, conclusion| Box::pin(tx.conclude(conclusion)));
    let (day, new) = stored.await?;
    let differences = conclusion.differences.len();
    if new == 0 {
        tracing::info!(mchid = %day.mchid, day = %day.day, differences, "reconciled");
    } else {
        tracing::warn!(mchid = %day.mchid, day = %day.day, differences, new, code = "SP-RECONCILE-DIFFERENCE", "the bill and our book differ");
    }
    Ok(day)
}

impl Tx {
    async fn conclude(&mut self, conclusion: &Conclusion) -> Result<(Day, usize), StoreError> {
        let Conclusion { day, differences, event_id, now } = conclusion;
        let before = self.reconciliation(&day.mchid, day.day).await?;
        let run = before.map_or(0, |before| before.run).saturating_add(1);
        let mut new = 0_usize;
        for (id, found) in differences {
            let of = (&day.mchid, day.day, run);
            if self.difference_found(id, of, found, *now).await? {
                new = new.saturating_add(1);
            }
        }
        self.differences_gone(&day.mchid, day.day, run, *now).await?;
        let day = Day { run, ..day.clone() };
        self.reconciliation_put(&day).await?;
        if 0 < new {
            self.event_put(&event(event_id, &day, differences, *now)).await?;
        }
        Ok((day, new))
    }
}

/// Notes where a day stands that was not compared; what was compared before stays.
pub(super) async fn stands(
    world: &World,
    mchid: &MchId,
    day: BillDate,
    state: DayState,
    problem: &str,
) -> Result<(), Error> {
    let unit = (mchid.clone(), day, state, problem.to_owned());
    let put = world.store.write(unit, |tx, (mchid, day, state, problem)| {
        Box::pin(async move {
            let before = tx.reconciliation(mchid, *day).await?;
            if before.as_ref().is_some_and(|before| before.state == DayState::Done) {
                return Ok(());
            }
            let before = before.unwrap_or_else(|| Day {
                mchid: mchid.clone(),
                day: *day,
                state: *state,
                problem: None,
                trade_bill: None,
                fund_bill: None,
                ours: Ours::default(),
                theirs: Purses::default(),
                more: 0,
                carried: Carried::default(),
                run: 0,
                checked_at: None,
            });
            let problem = Some(problem.clone());
            tx.reconciliation_put(&Day { state: *state, problem, ..before }).await
        })
    });
    Ok(put.await?)
}

/// What the merchant's system is told of a day: how many differences of each kind, and how many of them are repaired.
fn event(id: &str, day: &Day, differences: &[(String, Found)], now: i64) -> Event {
    let mut by_kind = BTreeMap::<&str, i64>::new();
    for (_, found) in differences {
        let count = by_kind.entry(found.kind.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    let repaired = differences.iter().filter(|(_, found)| found.repaired).count();
    let data = json!({
        "mchid": day.mchid,
        "date": day.day.to_string(),
        "differences": differences.len(),
        "repaired": repaired,
        "by_kind": by_kind,
        "not_listed": day.more,
    });
    let body = json!({ "type": KIND, "timestamp": rfc3339(now), "data": data });
    Event {
        id: id.to_owned(),
        order_id: None,
        kind: KIND.to_owned(),
        body: body.to_string(),
        created_at: now,
    }
}

const KIND: &str = "reconciliation.difference";
