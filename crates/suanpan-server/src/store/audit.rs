//! The audit log: appended to, read, never changed.

use super::{Row, StoreError, Tx};
use crate::audit::{BEGINNING, Entry, Line, Who};
use crate::vals;

impl Tx {
    /// Appends a line. `now` is in unix microseconds; where a later line was written first, by another node say, the line
    /// has the time of that one.
    pub async fn audit(&mut self, entry: &Entry, now: i64) -> Result<(), StoreError> {
        let last = self.audit_last().await?;
        let (seq, before) =
            last.as_ref().map_or((0, BEGINNING), |last| (last.seq, last.hash.as_str()));
        let mut line = Line {
            seq: seq.saturating_add(1),
            at: last.as_ref().map_or(now, |last| now.max(last.at)),
            operator: entry.operator.clone(),
            address: entry.address.clone(),
            action: entry.action.to_owned(),
            object: entry.object.clone(),
            reason: entry.reason.clone(),
            detail: entry.detail.as_ref().map(ToString::to_string),
            hash: String::new(),
        };
        line.hash = line.hash_after(before);
        let args = vals![
            line.seq,
            line.at,
            line.operator.id.as_deref(),
            &line.operator.name,
            &line.address,
            &line.action,
            &line.object,
            line.reason.as_deref(),
            line.detail.as_deref(),
            &line.hash,
        ];
        self.exec(PUT, &args).await.map(drop)
    }

    /// Up to `limit` lines that fit, newest first.
    pub async fn audit_lines(
        &mut self,
        filter: &AuditFilter,
        limit: i64,
    ) -> Result<Vec<Line>, StoreError> {
        let AuditFilter { operator, object, before } = filter;
        let rows = match (operator, object) {
            (None, None) => self.rows(LINES, &vals![*before, limit]).await,
            (Some(name), None) => self.rows(OF_OPERATOR, &vals![*before, limit, name]).await,
            (None, Some(object)) => self.rows(OF_OBJECT, &vals![*before, limit, object]).await,
            (Some(name), Some(object)) => {
                self.rows(OF_BOTH, &vals![*before, limit, name, object]).await
            }
        };
        rows?.iter().map(Line::read).collect()
    }

    /// Up to `limit` lines behind this number, oldest first.
    pub async fn audit_after(&mut self, seq: i64, limit: i64) -> Result<Vec<Line>, StoreError> {
        self.rows(AFTER, &vals![seq, limit]).await?.iter().map(Line::read).collect()
    }

    /// The newest line.
    pub async fn audit_last(&mut self) -> Result<Option<Line>, StoreError> {
        self.row(LAST, &[]).await?.as_ref().map(Line::read).transpose()
    }
}

/// Which lines.
#[derive(Clone, Debug)]
pub struct AuditFilter {
    /// Those of somebody with this name.
    pub operator: Option<String>,
    /// Those about this.
    pub object: Option<String>,
    /// Those with a lower number.
    pub before: i64,
}

impl Line {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.int("seq")?,
            at: row.int("at")?,
            operator: Who { id: row.opt_text("operator_id")?, name: row.text("operator_name")? },
            address: row.text("address")?,
            action: row.text("action")?,
            object: row.text("object")?,
            reason: row.opt_text("reason")?,
            detail: row.opt_text("detail")?,
            hash: row.text("hash")?,
        })
    }
}

// All have a number above 0: said, so that the index is gone down and not the table through.
const LAST: &str = "SELECT * FROM audit WHERE seq > 0 ORDER BY seq DESC LIMIT 1";
const PUT: &str = "INSERT INTO audit
    (seq, at, operator_id, operator_name, address, action, object, reason, detail, hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const LINES: &str = "SELECT * FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
const OF_OPERATOR: &str = "SELECT * FROM audit WHERE operator_name = $3 AND seq < $1
    ORDER BY seq DESC LIMIT $2";
const OF_OBJECT: &str =
    "SELECT * FROM audit WHERE object = $3 AND seq < $1 ORDER BY seq DESC LIMIT $2";
const OF_BOTH: &str = "SELECT * FROM audit WHERE operator_name = $3 AND object = $4 AND seq < $1
    ORDER BY seq DESC LIMIT $2";
const AFTER: &str = "SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
