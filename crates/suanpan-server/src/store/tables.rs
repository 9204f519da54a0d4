//! All tables that hold a business, and how the rows of any of them are read and written.
//!
//! A table or column that is not in this list is not moved, so a test compares
//! it with what the migrations make, on both engines. Not in it, since they
//! belong to a database and not to a business: `migration`, `migration_lease`
//! and `moving`.

use std::sync::LazyLock;

use super::{StoreError, Tx, Val};
use crate::vals;

/// A table, with its columns and the statements about all of them.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; those of the primary key come first.
    pub columns: Vec<&'static str>,
    /// How many columns the primary key has.
    pub keys: usize,
    /// Which columns are amounts of fen, whose sums are compared.
    pub amounts: Vec<&'static str>,
    first: String,
    next: String,
    last: String,
    put: String,
}

/// The tables, those first that others refer to.
pub static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| LIST.iter().map(Table::new).collect());

impl Table {
    // SQL is never put together of what comes from outside, and this is not: all of its words stand in `LIST`.
    fn new(&(name, keys, columns, amounts): &Listed) -> Self {
        let places = |count: usize, from: usize| {
            let places = (0..count).map(|place| format!("${}", place.saturating_add(from)));
            places.collect::<Vec<_>>().join(", ")
        };
        let columns: Vec<_> = columns.split_whitespace().collect();
        let key = columns.get(..keys).unwrap_or_default();
        let down: Vec<_> = key.iter().map(|column| format!("{column} DESC")).collect();
        let (all, key, down) = (columns.join(", "), key.join(", "), down.join(", "));
        let (behind, values) = (places(keys, 2), places(columns.len(), 1));
        Self {
            name,
            columns,
            keys,
            amounts: amounts.split_whitespace().collect(),
            first: format!("SELECT {all} FROM {name} ORDER BY {key} LIMIT $1"),
            next: format!(
                "SELECT {all} FROM {name} WHERE ({key}) > ({behind}) ORDER BY {key} LIMIT $1"
            ),
            last: format!("SELECT {key} FROM {name} ORDER BY {down} LIMIT 1"),
            put: format!("INSERT INTO {name} ({all}) VALUES ({values})"),
        }
    }

    /// The columns of the primary key.
    pub fn key_names(&self) -> &[&'static str] {
        self.columns.get(..self.keys).unwrap_or_default()
    }

    /// The key of a row: its first values.
    pub fn key<'a>(&self, row: &'a [Val]) -> &'a [Val] {
        row.get(..self.keys).unwrap_or_default()
    }

    /// The columns that are amounts, as places in a row.
    pub fn amount_places(&self) -> impl Iterator<Item = usize> {
        self.amounts.iter().filter_map(|amount| self.columns.iter().position(|it| it == amount))
    }
}

impl Tx {
    /// Up to `limit` rows in the order of the key, behind the row with the key `after`; each with its values in the order
    /// of the columns.
    pub async fn page(
        &mut self,
        table: &'static Table,
        after: Option<&[Val]>,
        limit: i64,
    ) -> Result<Vec<Vec<Val>>, StoreError> {
        let rows = match after {
            None => self.rows(&table.first, &vals![limit]).await?,
            Some(key) => {
                let args: Vec<_> = [Val::from(limit)].into_iter().chain(key.to_vec()).collect();
                self.rows(&table.next, &args).await?
            }
        };
        Ok(rows.into_iter().map(super::Row::into_values).collect())
    }

    /// The greatest key of the table.
    pub async fn last_key(
        &mut self,
        table: &'static Table,
    ) -> Result<Option<Vec<Val>>, StoreError> {
        Ok(self.row(&table.last, &[]).await?.map(super::Row::into_values))
    }

    /// Puts rows in as they are, each with its values in the order of the columns.
    pub async fn put_rows(
        &mut self,
        table: &'static Table,
        rows: &[Vec<Val>],
    ) -> Result<(), StoreError> {
        self.each(&table.put, rows).await
    }
}

/// Name, how many columns are its key, columns, amounts.
type Listed = (&'static str, usize, &'static str, &'static str);

const LIST: &[Listed] = &[
    ("api_key", 1, "id hash label created_at revoked_at prefix", ""),
    (
        "orders",
        1,
        "id reference mchid app amount amount_refunded currency description status payer_openid trade_type metadata
         created_at expires_at paid_at transaction_id version",
        "amount amount_refunded",
    ),
    (
        "attempt",
        1,
        "id order_id mchid appid out_trade_no openid fingerprint request state prepay_id prepay_at transaction_id paid_at
         created_at version sub_mchid sp_appid request_id",
        "",
    ),
    (
        "refund",
        1,
        "id order_id attempt_id mchid appid out_trade_no transaction_id out_refund_no reference amount total currency
         reason request state refund_id received_account problem created_at accepted_at succeeded_at version",
        "amount",
    ),
    ("refund_key", 1, "name fingerprint refund_id", ""),
    (
        "shipment",
        1,
        "order_id attempt_id policy automatic state goods parcels serial tries upload_time order_state problem paid_at
         deadline shipped_at reminded_at asked_at created_at version",
        "",
    ),
    ("journal", 2, "order_id seq at step change detail", ""),
    ("event", 1, "id order_id type body created_at", ""),
    ("inbox", 1, "id mchid received_at dedupe_key headers body verdict problem order_id", ""),
    (
        "webhook_endpoint",
        1,
        "id url events secret created_at deleted_at source disabled_at disabled_reason",
        "",
    ),
    ("webhook_old_secret", 2, "endpoint_id secret signs_until", ""),
    (
        "delivery_attempt",
        1,
        "id event_id endpoint_id at status latency_micros problem due_id",
        "",
    ),
    (
        "due",
        1,
        "id kind key pool lane body order_id state due_at lease_by lease_until attempt last_error created_at",
        "",
    ),
    (
        "idempotency",
        2,
        "api_key_id key fingerprint status body created_at owner lease_until effect",
        "",
    ),
    ("console_link", 1, "hash created_at expires_at used_at kind operator_id", ""),
    ("console_session", 1, "hash created_at expires_at operator_id seen_at address", ""),
    (
        "operator",
        1,
        "id name role password totp totp_new totp_step created_at disabled_at version",
        "",
    ),
    ("audit", 1, "seq at operator_id operator_name address action object reason detail hash", ""),
    (
        "refund_request",
        1,
        "id order_id transaction_id amount reason asked_by asked_name asked_at state decided_by decided_name decided_at
         note refund_id",
        "amount",
    ),
    ("setting", 1, "name value", ""),
    (
        "access_token",
        1,
        "appid sealed expires_at epoch lease_by lease_until forced_at forced_since forced_times",
        "",
    ),
    ("archive_file", 1, "name state sha256 before_at made_at archived", ""),
    ("archived_order", 1, "order_id mchid reference file view archived_at", ""),
    ("archived_number", 3, "mchid kind number order_id known", ""),
    ("bill", 1, "id mchid day kind state sha256 length fetched_at", ""),
    ("bill_part", 2, "bill_id seq bytes", ""),
    (
        "reconciliation",
        2,
        "mchid day state problem trade_bill fund_bill our_payments our_paid our_refunds our_refunded their_payments
         their_paid their_refunds their_refunded their_fee came_in went_out more carried run checked_at",
        "our_paid our_refunded their_paid their_refunded",
    ),
    (
        "difference",
        1,
        "id mchid day kind subject order_id refund_id ours theirs detail state note moved_by moved_at found_at gone_at run
         version",
        "",
    ),
    ("platform_certificate", 2, "mchid serial pem not_before not_after fetched_at", ""),
];
