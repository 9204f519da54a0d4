//! How the days of the accounts stand beside WeChat's bills, and our own side of a day.

use suanpan_wechat::bill::BillDate;
use suanpan_wechat::{Fen, MchId};

use super::{Row, StoreError, Tx};
use crate::reconciliation::{Day, Ours, Purses};
use crate::vals;

/// A payment or a refund of ours, as a bill should list it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Booked {
    /// The attempt's or the refund's id.
    pub id: String,
    /// The order.
    pub order_id: String,
    /// Its number at WeChat.
    pub number: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// How much.
    pub amount: Fen,
    /// When it was paid, or when WeChat took the refund; in unix microseconds.
    pub at: i64,
}

impl Tx {
    /// Stores how a day stands.
    pub async fn reconciliation_put(&mut self, day: &Day) -> Result<(), StoreError> {
        let carried = serde_json::to_string(&day.carried).unwrap_or_default();
        let args = vals![
            day.mchid.as_str(),
            day.day.to_string(),
            day.state.as_str(),
            day.problem.as_deref(),
            day.trade_bill.as_deref(),
            day.fund_bill.as_deref(),
            day.ours.payments,
            day.ours.paid,
            day.ours.refunds,
            day.ours.refunded,
            day.theirs.payments,
            day.theirs.paid,
            day.theirs.refunds,
            day.theirs.refunded,
            day.theirs.fee,
            day.theirs.came_in,
            day.theirs.went_out,
            day.more,
            carried,
            day.run,
            day.checked_at,
        ];
        self.exec(PUT, &args).await.map(drop)
    }

    /// How the day of an account stands; `None`: nobody has looked at it.
    pub async fn reconciliation(
        &mut self,
        mchid: &MchId,
        day: BillDate,
    ) -> Result<Option<Day>, StoreError> {
        let row = self.row(ONE, &vals![mchid.as_str(), day.to_string()]).await?;
        row.as_ref().map(Day::read).transpose()
    }

    /// How the days from `first` to `last` stand, of all accounts, in their order.
    pub async fn reconciliations(
        &mut self,
        first: BillDate,
        last: BillDate,
    ) -> Result<Vec<Day>, StoreError> {
        let rows = self.rows(RANGE, &vals![first.to_string(), last.to_string()]).await?;
        rows.iter().map(Day::read).collect()
    }

    /// The payments that were made from `after` (time and id) on and before `end`, up to `limit`, oldest first.
    pub async fn booked_payments(
        &mut self,
        mchid: &MchId,
        after: &(i64, String),
        end: i64,
        limit: i64,
    ) -> Result<Vec<Booked>, StoreError> {
        let args = vals![mchid.as_str(), after.0, &after.1, end, limit];
        self.rows(PAYMENTS, &args).await?.iter().map(Booked::read).collect()
    }

    /// The refunds that WeChat took, and that have not come to nothing, from `after` (time and id) on and before `end`, up to `limit`, oldest first.
    pub async fn booked_refunds(
        &mut self,
        mchid: &MchId,
        after: &(i64, String),
        end: i64,
        limit: i64,
    ) -> Result<Vec<Booked>, StoreError> {
        let args = vals![mchid.as_str(), after.0, &after.1, end, limit];
        self.rows(REFUNDS, &args).await?.iter().map(Booked::read).collect()
    }
}

impl Day {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let carried = row.text("carried")?;
        Ok(Self {
            mchid: row.parse("mchid")?,
            day: row.parse("day")?,
            state: row.parse("state")?,
            problem: row.opt_text("problem")?,
            trade_bill: row.opt_text("trade_bill")?,
            fund_bill: row.opt_text("fund_bill")?,
            ours: Ours {
                payments: row.int("our_payments")?,
                paid: row.int("our_paid")?,
                refunds: row.int("our_refunds")?,
                refunded: row.int("our_refunded")?,
            },
            theirs: Purses {
                payments: row.int("their_payments")?,
                paid: row.int("their_paid")?,
                refunds: row.int("their_refunds")?,
                refunded: row.int("their_refunded")?,
                fee: row.int("their_fee")?,
                came_in: row.int("came_in")?,
                went_out: row.int("went_out")?,
            },
            more: row.int("more")?,
            carried: serde_json::from_str(&carried).unwrap_or_default(),
            run: row.int("run")?,
            checked_at: row.opt_int("checked_at")?,
        })
    }
}

impl Booked {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            order_id: row.text("order_id")?,
            number: row.text("number")?,
            transaction_id: row.opt_text("transaction_id")?.unwrap_or_default(),
            amount: row.fen("amount")?,
            at: row.int("at")?,
        })
    }
}

const PUT: &str = "INSERT INTO reconciliation (mchid, day, state, problem, trade_bill, fund_bill,
        our_payments, our_paid, our_refunds, our_refunded, their_payments, their_paid, their_refunds,
        their_refunded, their_fee, came_in, went_out, more, carried, run, checked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
    ON CONFLICT (mchid, day) DO UPDATE SET state = $3, problem = $4, trade_bill = $5, fund_bill = $6,
        our_payments = $7, our_paid = $8, our_refunds = $9, our_refunded = $10, their_payments = $11,
        their_paid = $12, their_refunds = $13, their_refunded = $14, their_fee = $15, came_in = $16,
        went_out = $17, more = $18, carried = $19, run = $20, checked_at = $21";
const ONE: &str = "SELECT * FROM reconciliation WHERE mchid = $1 AND day = $2";
const RANGE: &str =
    "SELECT * FROM reconciliation WHERE day >= $1 AND day <= $2 ORDER BY day, mchid";
const PAYMENTS: &str = "SELECT attempt.id, attempt.order_id, attempt.out_trade_no AS number,
        attempt.transaction_id, attempt.paid_at AS at, orders.amount
    FROM attempt JOIN orders ON orders.id = attempt.order_id
    WHERE attempt.mchid = $1 AND (attempt.paid_at, attempt.id) > ($2, $3) AND attempt.paid_at < $4
    ORDER BY attempt.paid_at, attempt.id LIMIT $5";
const REFUNDS: &str =
    "SELECT id, order_id, out_refund_no AS number, transaction_id, accepted_at AS at, amount
    FROM refund
    WHERE mchid = $1 AND (accepted_at, id) > ($2, $3) AND accepted_at < $4 AND state <> 'closed'
    ORDER BY accepted_at, id LIMIT $5";
