//! The journal: every change of every order with its cause. Append only.

use super::{Row, StoreError, Tx};
use crate::ids::OrderId;
use crate::timeline::Entry;
use crate::vals;

impl Tx {
    /// Appends a line to an order's journal. `at` is in unix microseconds; where a later line was written first, by
    /// another node say, the line has the time of that one, so that the story runs forward.
    pub async fn journal_put(
        &mut self,
        order: &OrderId,
        at: i64,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        let detail = (!entry.detail.is_empty())
            .then(|| serde_json::Value::Object(entry.detail.clone()).to_string());
        let args = vals![order.as_str(), at, entry.step.as_str(), &entry.change, detail];
        self.exec(PUT, &args).await.map(drop)
    }

    /// Appends a line unless the last one says the same; answers whether it did.
    pub async fn journal_put_news(
        &mut self,
        order: &OrderId,
        at: i64,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        let last = self.row(LAST, &vals![order.as_str()]).await?;
        let last = last.map(|row| Ok::<_, StoreError>((row.text("step")?, row.text("change")?)));
        let said = last.transpose()?;
        if said.is_some_and(|(step, change)| step == entry.step.as_str() && change == entry.change)
        {
            return Ok(false);
        }
        self.journal_put(order, at, entry).await.map(|()| true)
    }

    /// An order's journal, oldest first, each line with its time.
    pub async fn journal(&mut self, order: &OrderId) -> Result<Vec<(i64, Entry)>, StoreError> {
        self.rows(ALL, &vals![order.as_str()]).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<(i64, Entry), StoreError> {
    let detail = row.opt_text("detail")?;
    let detail = detail.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let entry = Entry { step: row.parse("step")?, change: row.text("change")?, detail };
    Ok((row.int("at")?, entry))
}

// The number is the order's own: writers are serialised, or the primary key tells them to try again.
const PUT: &str = "INSERT INTO journal (order_id, seq, at, step, change, detail)
    SELECT $1, COALESCE(MAX(seq), 0) + 1, CASE WHEN MAX(at) > $2 THEN MAX(at) ELSE $2 END, $3, $4, $5
    FROM (SELECT seq, at FROM journal WHERE order_id = $1 ORDER BY seq DESC LIMIT 1) AS last";
const LAST: &str = "SELECT step, change FROM journal WHERE order_id = $1 ORDER BY seq DESC LIMIT 1";
const ALL: &str = "SELECT at, step, change, detail FROM journal WHERE order_id = $1 ORDER BY seq";
