//! Differences between WeChat's bills and us: found, found again, gone, moved by people.

use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;

use super::{Row, StoreError, Tx};
use crate::reconciliation::{Difference, DifferenceKind, DifferenceState, Found};
use crate::vals;

/// How many differences of an account's day stand so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DifferenceCount {
    /// Whose.
    pub mchid: MchId,
    /// Which day.
    pub day: BillDate,
    /// How they stand.
    pub state: DifferenceState,
    /// How many.
    pub count: i64,
}

/// Which differences of an account's day a list shows, in the order of kind and subject.
#[derive(Clone, Debug)]
pub struct DifferenceFilter {
    /// Whose.
    pub mchid: MchId,
    /// Which day.
    pub day: BillDate,
    /// Only those behind this one: its kind and subject.
    pub after: Option<(String, String)>,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// A run has found this; `true`: none of them had before. What people made of it stays, also where it was gone meanwhile.
    pub async fn difference_found(
        &mut self,
        id: &str,
        (mchid, day, run): (&MchId, BillDate, i64),
        found: &Found,
        now: i64,
    ) -> Result<bool, StoreError> {
        let state = if found.repaired { DifferenceState::Repaired } else { DifferenceState::Open };
        let detail = serde_json::to_string(&found.detail).unwrap_or_default();
        let args = vals![
            id,
            mchid.as_str(),
            day.to_string(),
            found.kind.as_str(),
            &found.subject,
            found.order_id.as_deref(),
            found.refund_id.as_deref(),
            found.ours,
            found.theirs,
            detail,
            state.as_str(),
            now,
            run,
        ];
        let row = self.row(FOUND, &args).await?;
        Ok(row.map(|row| row.int("version")).transpose()? == Some(0))
    }

    /// What this run of a day has not found any more is gone, and so put right; answers how many those are.
    pub async fn differences_gone(
        &mut self,
        mchid: &MchId,
        day: BillDate,
        run: i64,
        now: i64,
    ) -> Result<u64, StoreError> {
        self.exec(GONE, &vals![mchid.as_str(), day.to_string(), run, now]).await
    }

    /// The difference of this id.
    pub async fn difference(&mut self, id: &str) -> Result<Option<Difference>, StoreError> {
        self.row(ONE, &vals![id]).await?.as_ref().map(Difference::read).transpose()
    }

    /// The differences of a day.
    pub async fn differences(
        &mut self,
        filter: &DifferenceFilter,
    ) -> Result<Vec<Difference>, StoreError> {
        let (kind, subject) = filter.after.clone().unwrap_or_default();
        let args =
            vals![filter.mchid.as_str(), filter.day.to_string(), kind, subject, filter.limit];
        self.rows(OF_DAY, &args).await?.iter().map(Difference::read).collect()
    }

    /// How many differences the days from `first` to `last` have, by account and state.
    pub async fn difference_counts(
        &mut self,
        first: BillDate,
        last: BillDate,
    ) -> Result<Vec<DifferenceCount>, StoreError> {
        let rows = self.rows(COUNTS, &vals![first.to_string(), last.to_string()]).await?;
        let count = |row: &Row| {
            Ok(DifferenceCount {
                mchid: row.parse("mchid")?,
                day: row.parse("day")?,
                state: row.parse("state")?,
                count: row.int("count")?,
            })
        };
        rows.iter().map(count).collect()
    }

    /// How many differences nobody has dealt with.
    pub async fn differences_open(&mut self) -> Result<i64, StoreError> {
        self.row(OPEN, &[]).await?.map_or(Ok(0), |row| row.int("count"))
    }

    /// A person moves a difference that is still as he saw it, and says why.
    pub async fn difference_move(
        &mut self,
        difference: &Difference,
        state: DifferenceState,
        note: &str,
        by: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        let args = vals![&difference.id, difference.version, state.as_str(), note, by, now];
        match self.exec(MOVE, &args).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "difference" }),
        }
    }
}

impl Difference {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let (kind, state) = (row.parse::<DifferenceKind>("kind")?, row.parse("state")?);
        let detail = row.text("detail")?;
        Ok(Self {
            id: row.text("id")?,
            mchid: row.parse("mchid")?,
            day: row.parse("day")?,
            found: Found {
                kind,
                subject: row.text("subject")?,
                order_id: row.opt_text("order_id")?,
                refund_id: row.opt_text("refund_id")?,
                ours: row.opt_int("ours")?,
                theirs: row.opt_int("theirs")?,
                detail: serde_json::from_str(&detail).unwrap_or_default(),
                repaired: state == DifferenceState::Repaired,
            },
            state,
            note: row.opt_text("note")?,
            moved_by: row.opt_text("moved_by")?,
            moved_at: row.opt_int("moved_at")?,
            found_at: row.int("found_at")?,
            gone_at: row.opt_int("gone_at")?,
            version: row.int("version")?,
        })
    }
}

// What was gone and is there again is open again, unless somebody has explained it.
const FOUND: &str =
    "INSERT INTO difference (id, mchid, day, kind, subject, order_id, refund_id, ours, theirs,
        detail, state, found_at, run)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (mchid, day, kind, subject) DO UPDATE SET order_id = $6, refund_id = $7, ours = $8,
        theirs = $9, detail = $10, run = $13, gone_at = NULL, version = difference.version + 1,
        state = CASE WHEN difference.gone_at IS NOT NULL AND difference.state = 'repaired' THEN $11
            ELSE difference.state END
    RETURNING version";
const GONE: &str = "UPDATE difference SET gone_at = $4, state = 'repaired', version = version + 1
    WHERE mchid = $1 AND day = $2 AND run < $3 AND gone_at IS NULL";
const ONE: &str = "SELECT * FROM difference WHERE id = $1";
const OF_DAY: &str = "SELECT * FROM difference
    WHERE mchid = $1 AND day = $2 AND (kind, subject) > ($3, $4)
    ORDER BY kind, subject LIMIT $5";
const COUNTS: &str = "SELECT mchid, day, state, COUNT(*) AS count FROM difference
    WHERE day >= $1 AND day <= $2 GROUP BY mchid, day, state ORDER BY day, mchid, state";
const OPEN: &str = "SELECT COUNT(*) AS count FROM difference WHERE state = 'open'";
const MOVE: &str = "UPDATE difference SET state = $3, note = $4, moved_by = $5, moved_at = $6,
        version = version + 1
    WHERE id = $1 AND version = $2";
