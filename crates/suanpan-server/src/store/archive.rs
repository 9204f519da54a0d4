//! Orders that have come to their end, with all that belongs to them: found, written down, removed.
//!
//! What is removed leaves a stone with its numbers. An order is removed only
//! as it was written down: the text is made again in the same transaction, and
//! whatever has changed since stays.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use suanpan_wechat::MchId;

use super::{StoreError, TABLES, Table, Tx, Val};
use crate::ids::OrderId;
use crate::vals;

/// The rows of one table that belong to an order.
struct Part {
    table: &'static Table,
    find: String,
    remove: String,
}

static PARTS: LazyLock<Vec<Part>> = LazyLock::new(|| {
    let part = |&(name, belongs): &(&str, &str)| {
        let table = TABLES.iter().find(|table| table.name == name)?;
        let (columns, key) = (table.columns.join(", "), table.key_names().join(", "));
        Some(Part {
            table,
            find: format!("SELECT {columns} FROM {name} WHERE {belongs} ORDER BY {key}"),
            remove: format!("DELETE FROM {name} WHERE {belongs}"),
        })
    };
    LIST.iter().filter_map(part).collect()
});

/// Which rows are an order's, those first that refer to others.
pub(super) const LIST: &[(&str, &str)] = &[
    ("shipment", "order_id = $1"),
    ("refund_key", "refund_id IN (SELECT id FROM refund WHERE order_id = $1)"),
    ("refund", "order_id = $1"),
    ("refund_request", "order_id = $1"),
    ("delivery_attempt", "event_id IN (SELECT id FROM event WHERE order_id = $1)"),
    ("due", "order_id = $1"),
    ("event", "order_id = $1"),
    ("inbox", "order_id = $1"),
    ("journal", "order_id = $1"),
    ("attempt", "order_id = $1"),
    ("orders", "id = $1"),
];

/// An order as it is written down: one line of JSON, the same each time as long as nothing changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Written {
    /// The line, without its end.
    pub line: String,
    /// How many rows of each table are in it.
    pub rows: Vec<(&'static str, u64)>,
    /// What was paid, and what went back, in fen.
    pub sums: (i64, i64),
}

/// What became of an order that stands in a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Removal {
    /// It is in that file and no longer here.
    Archived,
    /// It has changed since it was written down, so it stays, and that line counts for nothing.
    Changed,
}

/// A file of archived orders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ArchiveFile {
    /// Its name, without its folder.
    pub name: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The orders in it have rested since this time, unix microseconds.
    pub before: i64,
}

/// What is left of a number of an archived order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stone {
    /// The order.
    pub order_id: OrderId,
    /// Of a payment: the transaction that paid it; of a refund: its id.
    pub known: Option<String>,
}

/// The kinds of numbers that stay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Number {
    /// `out_trade_no`.
    Payment,
    /// `out_refund_no`.
    Refund,
    /// The merchant's own reference of a refund.
    RefundReference,
}

impl Number {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::RefundReference => "refund_reference",
        }
    }
}

impl Tx {
    /// Orders that have rested since `before`, oldest first, behind this place (creation time and id); each with its place.
    ///
    /// They are paid or closed; nothing of them waits, for us, for WeChat, for the merchant's system or for a person.
    pub async fn archivable(
        &mut self,
        before: i64,
        behind: &(i64, String),
        limit: i64,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        let args = vals![before, behind.0, &behind.1, limit];
        let rows = self.rows(AT_REST, &args).await?;
        rows.iter().map(|row| Ok((row.int("created_at")?, row.text("id")?))).collect()
    }

    /// The order with all that belongs to it; `None` where it is not at rest.
    pub async fn archive_write(
        &mut self,
        order_id: &str,
        before: i64,
    ) -> Result<Option<Written>, StoreError> {
        if self.row(IS_AT_REST, &vals![before, order_id]).await?.is_none() {
            return Ok(None);
        }
        let (mut tables, mut counts, mut sums) = (Map::new(), Vec::new(), (0, 0));
        for part in PARTS.iter() {
            let rows = self.rows(&part.find, &vals![order_id]).await?;
            if part.table.name == "orders"
                && let Some(order) = rows.first()
            {
                sums = (order.int("amount")?, order.int("amount_refunded")?);
            }
            counts.push((part.table.name, u64::try_from(rows.len()).unwrap_or(u64::MAX)));
            let rows = rows.into_iter().map(|row| object(part.table, row.into_values()));
            tables.insert(part.table.name.to_owned(), Value::Array(rows.collect()));
        }
        let line = json!({ "order_id": order_id, "tables": tables }).to_string();
        Ok(Some(Written { line, rows: counts, sums }))
    }

    /// Removes an order that is still as the line says that has this SHA-256.
    pub async fn archive_remove(
        &mut self,
        order_id: &OrderId,
        sha256: &[u8],
        file: &ArchiveFile,
        now: i64,
    ) -> Result<Removal, StoreError> {
        let Some(written) = self.archive_write(order_id.as_str(), file.before).await? else {
            let gone = self.row(IN_FILE, &vals![order_id.as_str(), &file.name]).await?;
            return Ok(gone.map_or(Removal::Changed, |_| Removal::Archived));
        };
        if digest(&SHA256, written.line.as_bytes()).as_ref() != sha256 {
            return Ok(Removal::Changed);
        }
        let order = self.order(order_id).await?.ok_or(StoreError::Stale { what: "order" })?;
        let view = json!(order.view()).to_string();
        let stone =
            vals![order_id.as_str(), order.mchid.as_str(), &order.reference, &file.name, view, now];
        self.exec(STONE, &stone).await?;
        for numbers in [PAYMENTS, REFUNDS, REFUND_REFERENCES] {
            self.exec(numbers, &vals![order_id.as_str()]).await?;
        }
        for part in PARTS.iter() {
            self.exec(&part.remove, &vals![order_id.as_str()]).await?;
        }
        Ok(Removal::Archived)
    }

    /// The file whose orders are not all gone from here.
    pub async fn archive_open(&mut self) -> Result<Option<ArchiveFile>, StoreError> {
        let row = self.row(OPEN, &[]).await?;
        row.map(|row| {
            let (name, sha256) = (row.text("name")?, row.text("sha256")?);
            Ok(ArchiveFile { name, sha256, before: row.int("before_at")? })
        })
        .transpose()
    }

    /// From now on the orders of this file go; [`StoreError::Conflict`] where those of another one do.
    pub async fn archive_begin(&mut self, file: &ArchiveFile, now: i64) -> Result<(), StoreError> {
        let args = vals![&file.name, &file.sha256, file.before, now];
        self.exec(BEGIN, &args).await.map(drop)
    }

    /// So many of them are gone, all but those that have changed.
    pub async fn archive_end(
        &mut self,
        file: &ArchiveFile,
        archived: i64,
    ) -> Result<(), StoreError> {
        self.exec(END, &vals![&file.name, archived]).await.map(drop)
    }

    /// The file in which an order is that was archived.
    pub async fn archived(&mut self, order_id: &OrderId) -> Result<Option<String>, StoreError> {
        let row = self.row(FILE, &vals![order_id.as_str()]).await?;
        row.map(|row| row.text("file")).transpose()
    }

    /// The order as callers saw it last, before it was archived; JSON.
    pub async fn archived_view(
        &mut self,
        order_id: &OrderId,
    ) -> Result<Option<String>, StoreError> {
        let row = self.row(FILE, &vals![order_id.as_str()]).await?;
        row.map(|row| row.text("view")).transpose()
    }

    /// The archived order that a merchant account knows by this reference.
    pub async fn archived_by_reference(
        &mut self,
        mchid: &MchId,
        reference: &str,
    ) -> Result<Option<OrderId>, StoreError> {
        let row = self.row(BY_REFERENCE, &vals![mchid.as_str(), reference]).await?;
        row.map(|row| row.parse("order_id")).transpose()
    }

    /// What is left of a number of an archived order.
    pub async fn archived_number(
        &mut self,
        mchid: &MchId,
        kind: Number,
        number: &str,
    ) -> Result<Option<Stone>, StoreError> {
        let row = self.row(NUMBER, &vals![mchid.as_str(), kind.as_str(), number]).await?;
        row.map(|row| Ok(Stone { order_id: row.parse("order_id")?, known: row.opt_text("known")? }))
            .transpose()
    }

    /// A payment came for a number that nobody had paid. `false`: one came before.
    pub async fn archived_paid(
        &mut self,
        mchid: &MchId,
        out_trade_no: &str,
        transaction_id: &str,
    ) -> Result<bool, StoreError> {
        let args = vals![mchid.as_str(), out_trade_no, transaction_id];
        Ok(self.exec(PAID, &args).await? == 1)
    }
}

/// A row by the names of its columns; bytes in base64.
fn object(table: &Table, values: Vec<Val>) -> Value {
    let value = |value| match value {
        Val::Null => Value::Null,
        Val::Int(value) => value.into(),
        Val::Text(text) => text.into(),
        Val::Blob(bytes) => json!({ "base64": STANDARD.encode(bytes) }),
    };
    let members = table.columns.iter().zip(values);
    Value::Object(members.map(|(name, it)| ((*name).to_owned(), value(it))).collect())
}

// Paid or closed, and nothing of it waits or has happened since $1.
const AT_REST: &str = "SELECT id, created_at FROM orders
    WHERE created_at < $1 AND (created_at, id) > ($2, $3) AND status IN ('paid', 'closed')
    AND NOT EXISTS (SELECT 1 FROM journal WHERE order_id = orders.id AND at >= $1)
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE order_id = orders.id AND state IN ('created', 'prepaid'))
    AND NOT EXISTS (SELECT 1 FROM refund WHERE order_id = orders.id AND state IN ('processing', 'abnormal'))
    AND NOT EXISTS (SELECT 1 FROM shipment WHERE order_id = orders.id
        AND state IN ('waiting', 'uploading', 'uploaded', 'refused'))
    AND NOT EXISTS (SELECT 1 FROM due WHERE order_id = orders.id AND state <> 'done')
    AND NOT EXISTS (SELECT 1 FROM inbox WHERE order_id = orders.id AND verdict = 'unmatched')
    ORDER BY created_at, id LIMIT $4";
// The same rule for one.
const IS_AT_REST: &str = "SELECT id FROM orders
    WHERE id = $2 AND created_at < $1 AND status IN ('paid', 'closed')
    AND NOT EXISTS (SELECT 1 FROM journal WHERE order_id = orders.id AND at >= $1)
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE order_id = orders.id AND state IN ('created', 'prepaid'))
    AND NOT EXISTS (SELECT 1 FROM refund WHERE order_id = orders.id AND state IN ('processing', 'abnormal'))
    AND NOT EXISTS (SELECT 1 FROM shipment WHERE order_id = orders.id
        AND state IN ('waiting', 'uploading', 'uploaded', 'refused'))
    AND NOT EXISTS (SELECT 1 FROM due WHERE order_id = orders.id AND state <> 'done')
    AND NOT EXISTS (SELECT 1 FROM inbox WHERE order_id = orders.id AND verdict = 'unmatched')";

const STONE: &str =
    "INSERT INTO archived_order (order_id, mchid, reference, file, view, archived_at)
    VALUES ($1, $2, $3, $4, $5, $6)";
const PAYMENTS: &str = "INSERT INTO archived_number (mchid, kind, number, order_id, known)
    SELECT mchid, 'payment', out_trade_no, order_id, transaction_id FROM attempt WHERE order_id = $1";
const REFUNDS: &str = "INSERT INTO archived_number (mchid, kind, number, order_id, known)
    SELECT mchid, 'refund', out_refund_no, order_id, id FROM refund WHERE order_id = $1";
const REFUND_REFERENCES: &str = "INSERT INTO archived_number (mchid, kind, number, order_id, known)
    SELECT mchid, 'refund_reference', reference, order_id, id FROM refund
    WHERE order_id = $1 AND reference IS NOT NULL";
const IN_FILE: &str = "SELECT file FROM archived_order WHERE order_id = $1 AND file = $2";
const OPEN: &str = "SELECT name, sha256, before_at FROM archive_file WHERE state = 'open'";
const BEGIN: &str = "INSERT INTO archive_file (name, state, sha256, before_at, made_at)
    VALUES ($1, 'open', $2, $3, $4)";
const END: &str =
    "UPDATE archive_file SET state = 'done', archived = $2 WHERE name = $1 AND state = 'open'";
const FILE: &str = "SELECT file, view FROM archived_order WHERE order_id = $1";
const BY_REFERENCE: &str =
    "SELECT order_id FROM archived_order WHERE mchid = $1 AND reference = $2";
const NUMBER: &str = "SELECT order_id, known FROM archived_number
    WHERE mchid = $1 AND kind = $2 AND number = $3";
const PAID: &str = "UPDATE archived_number SET known = $3
    WHERE mchid = $1 AND kind = 'payment' AND number = $2 AND known IS NULL";
