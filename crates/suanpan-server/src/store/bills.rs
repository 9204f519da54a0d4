//! WeChat's bills as they came, in parts.

use suanpan_wechat::MchId;
use suanpan_wechat::bill::BillDate;

use super::{Row, StoreError, Tx, Val};
use crate::vals;

/// A bill that was kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bill {
    /// Its id, `bil_…`.
    pub id: String,
    /// Whose.
    pub mchid: MchId,
    /// Of which day.
    pub day: BillDate,
    /// Which one.
    pub kind: BillKind,
    /// Of its bytes as they came.
    pub sha256: String,
    /// How many those are.
    pub length: i64,
    /// When, in unix microseconds.
    pub fetched_at: i64,
}

/// Which bill of a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BillKind {
    /// Payments and refunds.
    Trade,
    /// Each change of the purse.
    FundFlow,
}

impl BillKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::FundFlow => "fund_flow",
        }
    }
}

impl Tx {
    /// A bill begins to come; it is nobody's until [`bill_kept`](Self::bill_kept).
    pub async fn bill_coming(&mut self, bill: &Bill) -> Result<(), StoreError> {
        let args = vals![
            &bill.id,
            bill.mchid.as_str(),
            bill.day.to_string(),
            bill.kind.as_str(),
            &bill.sha256,
            bill.length,
            bill.fetched_at,
        ];
        self.exec(COMING, &args).await.map(drop)
    }

    /// The next parts of a bill, the first of them with the number `seq`.
    pub async fn bill_parts_put(
        &mut self,
        bill_id: &str,
        seq: i64,
        parts: &[Vec<u8>],
    ) -> Result<(), StoreError> {
        let parts = (seq..).zip(parts).map(|(seq, bytes)| vals![bill_id, seq, bytes.as_slice()]);
        let rows: Vec<Vec<Val>> = parts.map(Vec::from).collect();
        self.each(PART_PUT, &rows).await
    }

    /// All of it is here. Older ones of its day and kind are no longer the one.
    pub async fn bill_kept(&mut self, bill: &Bill) -> Result<(), StoreError> {
        self.exec(KEPT, &vals![&bill.id]).await.map(drop)
    }

    /// The newest bill of a day and kind that is whole.
    pub async fn bill_of(
        &mut self,
        mchid: &MchId,
        day: BillDate,
        kind: BillKind,
    ) -> Result<Option<Bill>, StoreError> {
        let args = vals![mchid.as_str(), day.to_string(), kind.as_str()];
        let row = self.row(OF_DAY, &args).await?;
        row.map(|row| Bill::read(&row, kind)).transpose()
    }

    /// A part of a bill; `None`: that was all.
    pub async fn bill_part(
        &mut self,
        bill_id: &str,
        seq: i64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.row(PART, &vals![bill_id, seq]).await?.map(|row| row.blob("bytes")).transpose()
    }

    /// Deletes a few parts of the oldest bill that was fetched before this time; answers how many.
    pub(super) async fn bill_parts_purge(
        &mut self,
        before: i64,
        batch: i64,
    ) -> Result<u64, StoreError> {
        self.exec(PARTS_PURGE, &vals![before, batch]).await
    }

    /// Deletes bills that were fetched before this time and have no parts left; answers how many.
    pub(super) async fn bills_purge(&mut self, before: i64, batch: i64) -> Result<u64, StoreError> {
        self.exec(PURGE, &vals![before, batch]).await
    }
}

impl Bill {
    fn read(row: &Row, kind: BillKind) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            mchid: row.parse("mchid")?,
            day: row.parse("day")?,
            kind,
            sha256: row.text("sha256")?,
            length: row.int("length")?,
            fetched_at: row.int("fetched_at")?,
        })
    }
}

const COMING: &str = "INSERT INTO bill (id, mchid, day, kind, state, sha256, length, fetched_at)
    VALUES ($1, $2, $3, $4, 'coming', $5, $6, $7)";
const PART_PUT: &str = "INSERT INTO bill_part (bill_id, seq, bytes) VALUES ($1, $2, $3)";
const KEPT: &str = "UPDATE bill SET state = 'kept' WHERE id = $1";
const OF_DAY: &str = "SELECT * FROM bill
    WHERE mchid = $1 AND day = $2 AND kind = $3 AND state = 'kept'
    ORDER BY fetched_at DESC, id DESC LIMIT 1";
const PART: &str = "SELECT bytes FROM bill_part WHERE bill_id = $1 AND seq = $2";
const PARTS_PURGE: &str = "DELETE FROM bill_part WHERE bill_id IN (
        SELECT id FROM bill WHERE fetched_at < $1 ORDER BY fetched_at, id LIMIT 1
    ) AND seq IN (
        SELECT seq FROM bill_part WHERE bill_id IN (
            SELECT id FROM bill WHERE fetched_at < $1 ORDER BY fetched_at, id LIMIT 1
        ) ORDER BY seq LIMIT $2)";
const PURGE: &str = "DELETE FROM bill WHERE id IN (
    SELECT id FROM bill WHERE fetched_at < $1
        AND NOT EXISTS (SELECT 1 FROM bill_part WHERE bill_id = bill.id)
    ORDER BY fetched_at, id LIMIT $2)";
