//! Rows with odd values for every table that there is, as the schema allows them.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;
use suanpan_server::outside::{Dice, SeededDice};

/// What the tables are like.
pub(super) struct Schema {
    pub(super) tables: BTreeMap<String, Vec<Column>>,
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) key: bool,
    kind: String,
    optional: bool,
}

/// Reads it from a file.
pub(super) fn schema(file: &Path) -> Schema {
    let connection = Connection::open(file).unwrap();
    let sql = "SELECT m.name, p.name, p.pk > 0, p.type, p.\"notnull\" = 0
        FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p
        WHERE m.type = 'table' ORDER BY m.name, p.cid";
    let mut statement = connection.prepare(sql).unwrap();
    let read = statement.query_map([], |row| {
        let (name, key, kind, optional) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        Ok((row.get::<_, String>(0)?, Column { name, key, kind, optional }))
    });
    let mut tables: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (table, column) in read.unwrap().map(Result::unwrap) {
        tables.entry(table).or_default().push(column);
    }
    Schema { tables }
}

/// Makes rows up.
pub(super) struct Odd<'a> {
    pub(super) schema: &'a Schema,
    pub(super) dice: &'a SeededDice,
}

impl Odd<'_> {
    /// Puts up to so many rows into each table; what a unique key refuses is left out.
    pub(super) fn fill(&self, file: &Path, rows: usize) {
        let connection = Connection::open(file).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = ON; BEGIN").unwrap();
        let (first, rest): (Vec<_>, Vec<_>) =
            self.schema.tables.keys().partition(|name| PARENTS.contains(&name.as_str()));
        // `attempt` refers to `orders`, and is before it in the alphabet.
        for table in first.into_iter().rev().chain(rest) {
            if ["migration", "moving"].contains(&table.as_str()) {
                continue;
            }
            let columns = &self.schema.tables[table];
            let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
            let places: Vec<_> = (1..=names.len()).map(|place| format!("?{place}")).collect();
            let sql = format!(
                "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
                names.join(", "),
                places.join(", ")
            );
            let parents = |name: &str| -> Vec<String> {
                let sql = format!("SELECT id FROM {name}");
                let mut statement = connection.prepare(&sql).unwrap();
                let ids = statement.query_map([], |row| row.get(0)).unwrap();
                ids.map(Result::unwrap).collect()
            };
            let (orders, attempts) = (parents("orders"), parents("attempt"));
            let mut statement = connection.prepare(&sql).unwrap();
            for _ in 0..rows {
                let row = columns.iter().map(|column| match column.name.as_str() {
                    "order_id" if REFERS.contains(&table.as_str()) => self.one_of(&orders),
                    "attempt_id" if REFERS.contains(&table.as_str()) => self.one_of(&attempts),
                    _ => self.value(table, column),
                });
                let row: Vec<_> = row.collect();
                statement.execute(rusqlite::params_from_iter(row)).unwrap();
            }
        }
        connection.execute_batch("COMMIT").unwrap();
    }

    fn value(&self, table: &str, column: &Column) -> Value {
        if let Some(words) = words(table, &column.name) {
            return Value::Text((*self.pick(words)).to_owned());
        }
        if column.optional && self.dice.below(3) == 0 {
            return Value::Null;
        }
        match (column.kind.as_str(), column.name.as_str()) {
            // All above `amount`, and all of them positive, as the tables have it.
            ("BIGINT", "total") => Value::Integer(i64::MAX),
            ("BIGINT", "amount" | "amount_refunded") => {
                Value::Integer(*self.pick(&[1, 990, 1 << 53, (1 << 53) + 1, i64::MAX]))
            }
            ("BIGINT", _) if column.key => Value::Integer(self.dice.below(i64::MAX)),
            ("BIGINT", _) => Value::Integer(*self.pick(&[0, 1, -1, i64::MIN, i64::MAX, 1 << 53])),
            ("BLOB", _) => Value::Blob(self.bytes()),
            // Some keys are odd, and the others, so that there are enough of them, are odd at their end.
            ("TEXT", _) if column.key && self.dice.below(20) != 0 => {
                Value::Text(format!("{}{}", self.dice.below(i64::MAX), self.pick(TEXTS)))
            }
            ("TEXT", _) => Value::Text(match self.dice.below(30) {
                0 => "茶".repeat(20_000),
                _ => (*self.pick(TEXTS)).to_owned(),
            }),
            (kind, name) => panic!("{table}.{name} is {kind}, and nobody says how to fill it"),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let length = *self.pick(&[0, 1, 31, 5000]);
        let mut bytes = vec![0; length];
        self.dice.fill(&mut bytes);
        if self.dice.below(2) == 0 { vec![0; length] } else { bytes }
    }

    fn one_of(&self, ids: &[String]) -> Value {
        Value::Text(self.pick(ids).clone())
    }

    fn pick<'v, T>(&self, values: &'v [T]) -> &'v T {
        let count = i64::try_from(values.len()).unwrap();
        &values[usize::try_from(self.dice.below(count)).unwrap()]
    }
}

/// The columns that take only some words.
fn words(table: &str, column: &str) -> Option<&'static [&'static str]> {
    Some(match (table, column) {
        ("orders", "status") => &["unpaid", "paying", "paid", "closed"],
        ("attempt", "state") => &["created", "prepaid", "paid", "closed", "failed"],
        ("refund", "state") => &["processing", "succeeded", "closed", "abnormal"],
        ("due", "state") => &["ready", "done", "dead"],
        ("shipment", "policy") => &["virtual", "self_pickup", "express"],
        ("shipment", "state") => &["waiting", "uploading", "uploaded", "shipped", "settled"],
        ("bill", "kind") => &["trade", "fund_flow"],
        ("bill", "state") => &["coming", "kept"],
        ("reconciliation", "state") => &["waiting", "failed", "done"],
        ("difference", "state") => &["open", "explained", "repaired"],
        ("archive_file", "state") => &["open", "done"],
        ("operator", "role") => &["viewer", "cashier", "finance", "admin"],
        ("refund_request", "state") => &["waiting", "approved", "declined"],
        ("archived_number", "kind") => &["payment", "refund", "refund_reference"],
        _ => return None,
    })
}

const PARENTS: &[&str] = &["orders", "attempt"];
/// The tables whose `order_id` and `attempt_id` have to be there.
const REFERS: &[&str] = &["attempt", "refund", "shipment", "journal"];

const TEXTS: &[&str] = &[
    "",
    " ",
    "tea",
    "龙井一杯",
    "🀄🍵",
    "e\u{301}",
    "é",
    "it's \"so\" \\ and \\x00 \\N",
    "%_$1{blob}{skip}?",
    "\u{1}\t\r\n\u{7f}\u{feff}\u{10ffff}",
    "0",
    "-1",
    "1e3",
    "NULL",
    "ﬁ İ ß",
];
