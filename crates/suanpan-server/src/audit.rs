//! What people did, for whoever has to know later.
//!
//! A line is written in the transaction of the change that it tells of, or,
//! where the change is made by WeChat, before WeChat is asked. The lines are a
//! chain: each has the SHA-256 of itself and of the hash before it. Whoever
//! changes one, or takes one out, would have to write all later ones anew, and
//! then they differ from any export that was taken before.

use serde_json::Value;

use crate::Error;
use crate::access::sha256_hex;
use crate::store::Store;

/// Something that somebody did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Who.
    pub operator: Who,
    /// From which address.
    pub address: String,
    /// What, as a word that never changes: `refund.ask`.
    pub action: &'static str,
    /// To what: the id of an order, an operator, a date.
    pub object: String,
    /// Why, in his own words.
    pub reason: Option<String>,
    /// What else is worth knowing. No secret, no openid.
    pub detail: Option<Value>,
}

/// Somebody, at an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct By {
    /// Who.
    pub operator: Who,
    /// From which address.
    pub address: String,
}

impl By {
    /// A line for the audit log: he does this, to that.
    pub fn entry(&self, action: &'static str, object: impl Into<String>) -> Entry {
        Entry {
            operator: self.operator.clone(),
            address: self.address.clone(),
            action,
            object: object.into(),
            reason: None,
            detail: None,
        }
    }
}

/// Who did something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Who {
    /// The id of an operator; `None`: whoever has the machine's command line.
    pub id: Option<String>,
    /// His name at that time.
    pub name: String,
}

impl Entry {
    /// The same with the words of whoever did it.
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// The same with more to know.
    pub fn with(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }
}

impl Who {
    /// Whoever has the machine's command line.
    pub fn command_line() -> Self {
        Self { id: None, name: "suanpan operators".to_owned() }
    }
}

/// A line of the audit log, as it is kept. Times are unix microseconds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Its number: 1, 2, 3, …
    pub seq: i64,
    /// When.
    pub at: i64,
    /// Who.
    pub operator: Who,
    /// From which address.
    pub address: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// Why.
    pub reason: Option<String>,
    /// More, as JSON.
    pub detail: Option<String>,
    /// The hash of the line before it and of this one.
    pub hash: String,
}

impl Line {
    /// The hash that a line with this content has behind a line with that hash.
    pub fn hash_after(&self, before: &str) -> String {
        let Self { seq, at, operator, address, action, object, reason, detail, hash: _ } = self;
        // A JSON list says where one text ends and the next begins.
        let content = serde_json::json!([
            before,
            seq,
            at,
            operator.id,
            operator.name,
            address,
            action,
            object,
            reason,
            detail
        ]);
        sha256_hex(content.to_string().as_bytes())
    }
}

/// What a look at the chain has found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    /// How many lines were looked at.
    pub lines: u64,
    /// Whether these are all that there are.
    pub whole: bool,
    /// The number of the first line that does not follow from the one before it.
    pub broken_at: Option<i64>,
    /// The hash of the last line: to be compared with one that was kept elsewhere.
    pub last: Option<String>,
}

/// Looks whether each line follows from the one before it: all of them, or the newest few thousand.
///
/// # Errors
/// Those of the store.
pub async fn check(store: &Store, whole: bool) -> Result<Checked, Error> {
    let last = store.look((), |tx, ()| Box::pin(tx.audit_last())).await?;
    let Some(last) = last else {
        return Ok(Checked { lines: 0, whole: true, broken_at: None, last: None });
    };
    let first = if whole { 0 } else { last.seq.saturating_sub(RECENT).max(0) };
    let mut checked =
        Checked { lines: 0, whole: first == 0, broken_at: None, last: Some(last.hash) };
    let mut before = match first {
        0 => Some((0_i64, BEGINNING.to_owned())),
        // The line before those that are looked at is believed.
        _ => None,
    };
    let mut after = first;
    loop {
        let lines = store
            .look(after, |tx, after| Box::pin(async move { tx.audit_after(*after, BATCH).await }));
        let lines = lines.await?;
        let Some(newest) = lines.last() else { return Ok(checked) };
        after = newest.seq;
        for line in lines {
            if let Some((seq, hash)) = &before {
                checked.lines = checked.lines.saturating_add(1);
                if line.seq != seq.saturating_add(1) || line.hash != line.hash_after(hash) {
                    checked.broken_at = Some(line.seq);
                    return Ok(checked);
                }
            }
            before = Some((line.seq, line.hash));
        }
    }
}

/// How many lines are looked at if not all are.
const RECENT: i64 = 2000;
/// How many are read at once.
const BATCH: i64 = 500;
/// What stands for the hash before the first line.
pub const BEGINNING: &str = "suanpan";

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            seq: 7,
            at: 1_767_225_600_000_000,
            operator: Who { id: Some("op_1".to_owned()), name: "小算".to_owned() },
            address: "203.0.113.9".to_owned(),
            action: "refund.ask".to_owned(),
            object: "ord_1".to_owned(),
            reason: None,
            detail: Some("{}".to_owned()),
            hash: String::new(),
        }
    }

    #[test]
    fn whatever_is_changed_in_a_line_changes_its_hash() {
        let line = line();
        let hash = line.hash_after(BEGINNING);
        assert_eq!(line.clone().hash_after(BEGINNING), hash);
        assert_ne!(line.hash_after("other"), hash);
        let changed = [
            Line { seq: 8, ..line.clone() },
            Line { at: 0, ..line.clone() },
            Line { operator: Who::command_line(), ..line.clone() },
            Line {
                address: "203.0.113.".to_owned(),
                action: "9refund.ask".to_owned(),
                ..line.clone()
            },
            Line { object: "ord_2".to_owned(), ..line.clone() },
            Line { reason: Some(String::new()), ..line.clone() },
            Line { detail: None, ..line.clone() },
        ];
        for changed in changed {
            assert_ne!(changed.hash_after(BEGINNING), hash, "{changed:?}");
        }
        // The hash that it has says nothing about the one that it should have.
        assert_eq!(Line { hash: "x".to_owned(), ..line }.hash_after(BEGINNING), hash);
    }
}
