//! Whether two databases hold the same, row by row.

use aws_lc_rs::digest::{Context, SHA256};

use super::page;
use crate::store::{Store, StoreError, Table, Val};

/// One table on both sides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Compared {
    /// Its name.
    pub table: &'static str,
    /// Its columns of amounts, in the order of the sums.
    pub amounts: &'static [&'static str],
    /// Where the business comes from.
    pub source: Tally,
    /// Where it goes.
    pub target: Tally,
}

impl Compared {
    /// Whether they are the same.
    pub fn is_same(&self) -> bool {
        self.source == self.target
    }
}

/// All rows of a table, counted, summed up and digested.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tally {
    /// How many rows.
    pub rows: u64,
    /// The sum of each column of amounts, in fen.
    pub sums: Vec<i128>,
    /// SHA-256 over every value of every row in the order of the key, in hexadecimal.
    pub sha256: String,
}

/// Reads both sides from end to end.
pub(super) async fn table(
    table: &'static Table,
    source: &Store,
    target: &Store,
) -> Result<Compared, StoreError> {
    let (source, target) = tokio::join!(tally(source, table), tally(target, table));
    Ok(Compared { table: table.name, amounts: &table.amounts, source: source?, target: target? })
}

async fn tally(store: &Store, table: &'static Table) -> Result<Tally, StoreError> {
    let places: Vec<_> = table.amount_places().collect();
    let (mut digest, mut rows) = (Context::new(&SHA256), 0_u64);
    let mut sums = vec![0_i128; places.len()];
    let mut after = None;
    loop {
        let page = page(store, table, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(table.key(last).to_vec());
        for row in &page {
            rows = rows.saturating_add(1);
            row.iter().for_each(|value| digest_value(&mut digest, value));
            for (sum, place) in sums.iter_mut().zip(&places) {
                if let Some(Val::Int(fen)) = row.get(*place) {
                    *sum = sum.saturating_add(i128::from(*fen));
                }
            }
        }
    }
    Ok(Tally { rows, sums, sha256: hex::encode(digest.finish()) })
}

/// Kind, length, bytes: no two rows look alike that are not.
fn digest_value(digest: &mut Context, value: &Val) {
    let number;
    let (kind, bytes): (u8, &[u8]) = match value {
        Val::Null => (b'0', &[]),
        Val::Int(value) => {
            number = value.to_be_bytes();
            (b'i', &number)
        }
        Val::Text(text) => (b't', text.as_bytes()),
        Val::Blob(bytes) => (b'b', bytes.as_slice()),
    };
    digest.update(&[kind]);
    digest.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    digest.update(bytes);
}
