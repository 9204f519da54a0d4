//! What a day comes to: sums, counts, and what waits for a person.

use suanpan_ledger::{OrderStatus, RefundState};
use suanpan_wechat::MchId;

use super::{Row, StoreError, Tx, Verdict};
use crate::vals;

/// What one hour of a day comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hour {
    /// When it begins, in unix microseconds.
    pub at: i64,
    /// How many payments or refunds.
    pub count: i64,
    /// How much, in fen.
    pub sum: i64,
}

/// How far the orders of a day have come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Steps {
    /// Orders that were made.
    pub made: i64,
    /// Those of them for which WeChat gave a payment sheet.
    pub tried: i64,
    /// Those of them that are paid.
    pub paid: i64,
}

/// What waits for a person, or for WeChat.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Waits {
    /// Refunds of which the end is not known yet.
    pub refunds: i64,
    /// Refunds that WeChat cannot bring home.
    pub abnormal: i64,
    /// Notifications that fit no attempt, or fit it badly.
    pub unmatched: i64,
    /// Shipments that WeChat wants to hear of soon.
    pub shipments: i64,
    /// When the work that waits longest was due, in unix microseconds.
    pub oldest_due: Option<i64>,
}

impl Tx {
    /// What an account was paid from `from` until before `to` (unix microseconds), by the hour; hours without anything are
    /// left out.
    pub async fn paid_by_hour(
        &mut self,
        mchid: &MchId,
        (from, to): (i64, i64),
    ) -> Result<Vec<Hour>, StoreError> {
        self.rows(PAID, &vals![from, to, mchid.as_str()]).await?.iter().map(Hour::read).collect()
    }

    /// What came back to payers, likewise.
    pub async fn refunded_by_hour(
        &mut self,
        mchid: &MchId,
        (from, to): (i64, i64),
    ) -> Result<Vec<Hour>, StoreError> {
        let rows = self.rows(REFUNDED, &vals![from, to, mchid.as_str()]).await?;
        rows.iter().map(Hour::read).collect()
    }

    /// When an account was paid last, and when WeChat last sent it a genuine notification; in unix microseconds.
    pub async fn last_signs(
        &mut self,
        mchid: &MchId,
    ) -> Result<(Option<i64>, Option<i64>), StoreError> {
        let paid = self.row(LAST_PAID, &vals![mchid.as_str()]).await?;
        let mut heard = None;
        for genuine in [Verdict::Moved, Verdict::Known] {
            let last = self.row(LAST_HEARD, &vals![mchid.as_str(), genuine.as_str()]).await?;
            heard = heard.max(last.map(|row| row.opt_int("at")).transpose()?.flatten());
        }
        Ok((paid.map(|row| row.int("at")).transpose()?, heard))
    }

    /// How far the orders have come that were made from `from` until before `to`, in unix microseconds.
    pub async fn steps(&mut self, from: i64, to: i64) -> Result<Steps, StoreError> {
        let mut steps = Steps::default();
        for status in OrderStatus::ALL {
            let count = self.count(MADE, &vals![status.as_str(), from, to]).await?;
            steps.made = steps.made.saturating_add(count);
            match status {
                OrderStatus::Unpaid | OrderStatus::Closed => {}
                OrderStatus::Paying => steps.tried = steps.tried.saturating_add(count),
                OrderStatus::Paid => {
                    steps.tried = steps.tried.saturating_add(count);
                    steps.paid = count;
                }
            }
        }
        let in_vain = self.count(TRIED_IN_VAIN, &vals![from, to]).await?;
        steps.tried = steps.tried.saturating_add(in_vain);
        Ok(steps)
    }

    /// What waits at `now`: notifications to these accounts since `since`, shipments that are due before `soon`; all in
    /// unix microseconds.
    pub async fn waits(
        &mut self,
        merchants: &[MchId],
        now: i64,
        since: i64,
        soon: i64,
    ) -> Result<Waits, StoreError> {
        let mut unmatched: i64 = 0;
        for mchid in merchants {
            let args = vals![mchid.as_str(), Verdict::Unmatched.as_str(), since];
            unmatched = unmatched.saturating_add(self.count(UNMATCHED, &args).await?);
        }
        let pools = self.due_pools(now).await?;
        let overdue = pools.into_iter().filter_map(|(_, at)| at).filter(|at| *at < now);
        Ok(Waits {
            refunds: self.count(IN_STATE, &vals![RefundState::Processing.as_str()]).await?,
            abnormal: self.count(IN_STATE, &vals![RefundState::Abnormal.as_str()]).await?,
            unmatched,
            shipments: self.count(TO_SHIP, &vals![soon]).await?,
            oldest_due: overdue.min(),
        })
    }

    /// How many deliveries to an endpoint were given up, and how many failed and wait for another try; of each no more than
    /// 1000 are counted.
    pub async fn undelivered(&mut self, endpoint_id: &str) -> Result<(i64, i64), StoreError> {
        let pool = format!("webhook:{endpoint_id}");
        let given_up = self.count(GIVEN_UP, &vals![&pool]).await?;
        Ok((given_up, self.count(TRIED_AGAIN, &vals![&pool]).await?))
    }

    async fn count(&mut self, sql: &'static str, args: &[super::Val]) -> Result<i64, StoreError> {
        self.row(sql, args).await?.map_or(Ok(0), |row| row.int("n"))
    }
}

impl Hour {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { at: row.int("hour")?, count: row.int("n")?, sum: row.int("total")? })
    }
}

// `%`, since CockroachDB divides integers into fractions.
const PAID: &str = "SELECT hour, COUNT(*) AS n, CAST(SUM(amount) AS BIGINT) AS total FROM (
        SELECT paid_at - (paid_at - $1) % 3600000000 AS hour, amount FROM orders
        WHERE mchid = $3 AND paid_at >= $1 AND paid_at < $2
    ) AS day GROUP BY hour ORDER BY hour";
const REFUNDED: &str = "SELECT hour, COUNT(*) AS n, CAST(SUM(amount) AS BIGINT) AS total FROM (
        SELECT succeeded_at - (succeeded_at - $1) % 3600000000 AS hour, amount FROM refund
        WHERE mchid = $3 AND succeeded_at >= $1 AND succeeded_at < $2
    ) AS day GROUP BY hour ORDER BY hour";
const LAST_PAID: &str = "SELECT paid_at AS at FROM orders WHERE mchid = $1 AND paid_at > 0
    ORDER BY paid_at DESC LIMIT 1";
const LAST_HEARD: &str =
    "SELECT MAX(received_at) AS at FROM inbox WHERE mchid = $1 AND verdict = $2";
const MADE: &str = "SELECT COUNT(*) AS n FROM orders
    WHERE status = $1 AND created_at >= $2 AND created_at < $3";
// Only those that were closed need a look at their attempts: who pays or has paid had a sheet.
const TRIED_IN_VAIN: &str = "SELECT COUNT(*) AS n FROM orders
    WHERE status = 'closed' AND created_at >= $1 AND created_at < $2
      AND EXISTS (SELECT 1 FROM attempt
                  WHERE attempt.order_id = orders.id AND attempt.prepay_id IS NOT NULL)";
const IN_STATE: &str = "SELECT COUNT(*) AS n FROM refund WHERE state = $1";
const UNMATCHED: &str =
    "SELECT COUNT(*) AS n FROM inbox WHERE mchid = $1 AND verdict = $2 AND received_at >= $3";
const TO_SHIP: &str = "SELECT COUNT(*) AS n FROM shipment
    WHERE state IN ('waiting', 'uploading', 'uploaded', 'refused') AND deadline < $1";
const GIVEN_UP: &str = "SELECT COUNT(*) AS n FROM (
        SELECT id FROM due
        WHERE pool = $1 AND kind = 'webhook' AND state <> 'done' AND state = 'dead'
        ORDER BY created_at LIMIT 1000
    ) AS looked";
const TRIED_AGAIN: &str = "SELECT COUNT(*) AS n FROM (
        SELECT id FROM due
        WHERE pool = $1 AND kind = 'webhook' AND state <> 'done' AND state = 'ready'
          AND last_error IS NOT NULL
        ORDER BY created_at LIMIT 1000
    ) AS looked";
