//! Refunds that people asked for: put in, decided, read.

use suanpan_wechat::{Fen, TransactionId};

use super::{Row, StoreError, Tx};
use crate::ids::OrderId;
use crate::vals;

/// A refund that somebody asked for in the console. Times are unix microseconds.
#[derive(Clone, Debug)]
pub struct RefundRequest {
    /// Its id: the form that asked has drawn it, so that the same form asks once.
    pub id: String,
    /// The order.
    pub order_id: OrderId,
    /// Which payment of the order.
    pub transaction_id: TransactionId,
    /// How much.
    pub amount: Fen,
    /// Why; the payer reads it.
    pub reason: String,
    /// Who asked: the id of an operator, and his name then.
    pub asked_by: (String, String),
    /// When.
    pub asked_at: i64,
    /// How it was decided; `None`: it waits for a second person.
    pub decision: Option<Decision>,
}

/// How a request was decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// Who: the id of an operator, and his name then. Whoever asked, where nobody else was needed.
    pub by: (String, String),
    /// When.
    pub at: i64,
    /// What he wrote.
    pub note: Option<String>,
    /// The refund that was begun; `None`: it was declined.
    pub refund_id: Option<String>,
}

impl Tx {
    /// Puts a request in.
    pub async fn refund_request_put(&mut self, new: &RefundRequest) -> Result<(), StoreError> {
        let decision = new.decision.as_ref();
        let args = vals![
            &new.id,
            new.order_id.as_str(),
            new.transaction_id.as_str(),
            new.amount,
            &new.reason,
            &new.asked_by.0,
            &new.asked_by.1,
            new.asked_at,
            decision.map_or("waiting", Decision::word),
            decision.map(|decision| decision.by.0.as_str()),
            decision.map(|decision| decision.by.1.as_str()),
            decision.map(|decision| decision.at),
            decision.and_then(|decision| decision.refund_id.as_deref()),
        ];
        self.exec(PUT, &args).await.map(drop)
    }

    /// Decides a request that still waits.
    pub async fn refund_request_decide(
        &mut self,
        id: &str,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        let Decision { by, at, note, refund_id } = decision;
        let args =
            vals![id, decision.word(), &by.0, &by.1, *at, note.as_deref(), refund_id.as_deref()];
        match self.exec(DECIDE, &args).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "refund request" }),
        }
    }

    /// The request of this id.
    pub async fn refund_request(&mut self, id: &str) -> Result<Option<RefundRequest>, StoreError> {
        self.row(BY_ID, &vals![id]).await?.as_ref().map(RefundRequest::read).transpose()
    }

    /// The request that a refund came from; `None`: it came by the API.
    pub async fn refund_request_of(
        &mut self,
        refund_id: &str,
    ) -> Result<Option<RefundRequest>, StoreError> {
        self.row(OF_REFUND, &vals![refund_id]).await?.as_ref().map(RefundRequest::read).transpose()
    }

    /// The requests about an order, oldest first.
    pub async fn refund_requests_of_order(
        &mut self,
        order: &OrderId,
    ) -> Result<Vec<RefundRequest>, StoreError> {
        let rows = self.rows(OF_ORDER, &vals![order.as_str()]).await?;
        rows.iter().map(RefundRequest::read).collect()
    }

    /// Up to `limit` requests that wait for a second person, oldest first.
    pub async fn refund_requests_waiting(
        &mut self,
        limit: i64,
    ) -> Result<Vec<RefundRequest>, StoreError> {
        let rows = self.rows(WAITING, &vals![limit]).await?;
        rows.iter().map(RefundRequest::read).collect()
    }
}

impl Decision {
    fn word(&self) -> &'static str {
        if self.refund_id.is_some() { "approved" } else { "declined" }
    }
}

impl RefundRequest {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let decided = row.opt_text("decided_by")?.zip(row.opt_text("decided_name")?);
        let decision = decided.map(|by| {
            let (at, note) = (row.int("decided_at")?, row.opt_text("note")?);
            Ok::<_, StoreError>(Decision { by, at, note, refund_id: row.opt_text("refund_id")? })
        });
        Ok(Self {
            id: row.text("id")?,
            order_id: row.parse("order_id")?,
            transaction_id: row.parse("transaction_id")?,
            amount: row.fen("amount")?,
            reason: row.text("reason")?,
            asked_by: (row.text("asked_by")?, row.text("asked_name")?),
            asked_at: row.int("asked_at")?,
            decision: decision.transpose()?,
        })
    }
}

const PUT: &str = "INSERT INTO refund_request (id, order_id, transaction_id, amount, reason,
        asked_by, asked_name, asked_at, state, decided_by, decided_name, decided_at, refund_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const DECIDE: &str = "UPDATE refund_request SET state = $2, decided_by = $3, decided_name = $4,
        decided_at = $5, note = $6, refund_id = $7
    WHERE id = $1 AND state = 'waiting'";
const BY_ID: &str = "SELECT * FROM refund_request WHERE id = $1";
const OF_REFUND: &str = "SELECT * FROM refund_request WHERE refund_id = $1";
const OF_ORDER: &str = "SELECT * FROM refund_request WHERE order_id = $1 ORDER BY asked_at, id";
const WAITING: &str =
    "SELECT * FROM refund_request WHERE state = 'waiting' ORDER BY asked_at, id LIMIT $1";
