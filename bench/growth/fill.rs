//! Makes a long history out of a few real orders.
//!
//! The orders are paid, refunded and closed by the real server. All their rows are read back, and each is written again
//! as often as it takes, with other ids and at other times: so the history has the shape that the server writes, whatever
//! that is by then. An id that is not known to be one stops the filling, at a unique index.

use std::collections::BTreeMap;

use suanpan_server::store::{Database, Row, Store, StoreError, Tx, Val};

use crate::Filled;
use crate::common::Failure;

/// In microseconds.
pub(crate) const DAY: i64 = 86_400_000_000;
/// How long the server keeps notifications.
const INBOX: i64 = 399 * DAY;
/// So many orders are written in one transaction.
const CHUNK: i64 = 20_000;

/// The tables that grow, each with what ties its rows to an order, and the columns that name something once.
const TABLES: [(&str, &str, &[&str]); 9] = [
    ("orders", "id = $1", &["id", "reference", "transaction_id"]),
    ("attempt", "order_id = $1", &["id", "out_trade_no", "prepay_id"]),
    ("inbox", "order_id = $1", &["id", "dedupe_key"]),
    ("refund", "order_id = $1", &["id", "out_refund_no", "refund_id", "reference"]),
    ("shipment", "order_id = $1", &[]),
    ("journal", "order_id = $1", &[]),
    ("event", "order_id = $1", &["id"]),
    ("due", "order_id = $1", &["id"]),
    ("delivery_attempt", "event_id IN (SELECT id FROM event WHERE order_id = $1)", &["id"]),
];

/// One real order as SQL that writes copies of it.
struct Template {
    /// Which copies are of this one: those whose number, modulo 100, is in between.
    share: (i64, i64),
    statements: Vec<(&'static str, Option<Vec<u8>>)>,
}

/// Writes orders in the image of these, each with its share of a hundred: as many, over as many days, as `like` says. Of so
/// many hundreds one is whole; of the others only the order is written, so that ten millions fit on a disk.
pub(crate) async fn fill(
    database: &Database,
    orders: &[(String, i64)],
    like: &Filled,
    now: i64,
    mut progress: impl FnMut(i64),
) -> Result<(), Failure> {
    let count = like.count;
    let of_sqlite = matches!(database, Database::Lite(_));
    let store = Store::open(database, now).await?;
    let mut templates = Vec::new();
    let mut from = 0_i64;
    for (order, share) in orders {
        let until = from.saturating_add(*share);
        let statements = statements(&store, order, of_sqlite, like).await?;
        templates.push(Template { share: (from, until), statements });
        from = until;
    }
    let templates = std::sync::Arc::new(templates);
    let mut first = 0_i64;
    while first < count {
        let until = first.saturating_add(CHUNK).min(count);
        let unit = (std::sync::Arc::clone(&templates), first, until);
        let written = store.write(unit, |tx, (templates, first, until)| {
            Box::pin(async move {
                for template in templates.iter() {
                    copy(tx, template, *first, *until).await?;
                }
                Ok(())
            })
        });
        written.await?;
        first = until;
        progress(first);
    }
    let analyzed = store.write((), |tx, ()| {
        Box::pin(async move {
            // PostgreSQL does it by itself, after a while.
            if matches!(tx, Tx::Pg(_)) { tx.exec("ANALYZE", &[]).await.map(drop) } else { Ok(()) }
        })
    });
    analyzed.await?;
    store.close().await;
    Ok(())
}

async fn copy(tx: &mut Tx, template: &Template, first: i64, until: i64) -> Result<(), StoreError> {
    for (sql, bytes) in &template.statements {
        let numbers = [first, until, template.share.0, template.share.1].map(Val::Int);
        let bytes = bytes.clone().map(Val::Blob);
        let args: Vec<Val> = numbers.into_iter().chain(bytes).collect();
        tx.exec(sql, &args).await?;
    }
    Ok(())
}

/// A statement for each row of an order.
async fn statements(
    store: &Store,
    order: &str,
    of_sqlite: bool,
    like: &Filled,
) -> Result<Vec<(&'static str, Option<Vec<u8>>)>, Failure> {
    let mut rows = Vec::new();
    for (table, of_order, names) in TABLES {
        let columns = columns(store, table, of_sqlite).await?;
        let select: &'static str = format!("SELECT * FROM {table} WHERE {of_order}").leak();
        let args = [Val::Text(order.to_owned())];
        let look = store.look((select, args), |tx, (select, args)| {
            Box::pin(async move { tx.rows(select, args).await })
        });
        rows.extend(look.await?.into_iter().map(|row| (table, columns.clone(), names, row)));
    }
    let mut ids = BTreeMap::new();
    for (table, _, names, row) in &rows {
        for name in *names {
            if let Val::Text(id) = row.value(name)? {
                ids.entry(id.clone()).or_insert_with(|| another(table, name, id));
            }
        }
    }
    // An id that has another one in it changes with that one.
    let all: Vec<String> = ids.keys().cloned().collect();
    ids.retain(|id, _| !all.iter().any(|part| part != id && id.contains(part.as_str())));

    let mut statements = Vec::new();
    for (table, columns, _, row) in &rows {
        statements.push(statement(table, columns, row, &ids, of_sqlite, like)?);
    }
    Ok(statements)
}

/// The expression for the id that stands in the place of this one in copy `k`: as long, and in the order of the copies.
fn another(table: &str, name: &str, id: &str) -> String {
    // What the merchant names himself is in no order; what WeChat numbers is told apart at its end.
    if name == "reference" {
        return format!("'{}-' || r", table.trim_end_matches('s'));
    }
    if ["transaction_id", "prepay_id", "refund_id"].contains(&name) {
        let kept: String = id.chars().take(id.chars().count().saturating_sub(12)).collect();
        return format!("'{kept}' || k");
    }
    let (prefix, rest) = id
        .rsplit_once('_')
        .map_or(("", id), |(prefix, rest)| (id.get(..=prefix.len()).unwrap_or_default(), rest));
    format!("'{prefix}' || k || '{}'", rest.get(12..).unwrap_or_default())
}

fn statement(
    table: &str,
    columns: &[String],
    row: &Row,
    ids: &BTreeMap<String, String>,
    of_sqlite: bool,
    like: &Filled,
) -> Result<(&'static str, Option<Vec<u8>>), Failure> {
    let (mut values, mut blob) = (Vec::new(), None);
    for column in columns {
        values.push(match row.value(column)? {
            Val::Null => "NULL".to_owned(),
            // A time; everything else that is a number is small.
            Val::Int(at) if *at > 1_000_000_000_000_000 => format!("{at} + at"),
            Val::Int(number) => number.to_string(),
            Val::Text(text) => expression(text, ids),
            Val::Blob(bytes) => {
                blob = Some(bytes.clone());
                format!("CAST($5 AS {})", if of_sqlite { "BLOB" } else { "BYTEA" })
            }
        });
    }
    let (count, whole, step) = (like.count, like.whole, like.step());
    let kept = match table {
        "orders" => "1 = 1".to_owned(),
        "inbox" => format!("n.n >= {} AND n.n / 100 % {whole} = 0", count - INBOX.div_euclid(step)),
        _ => format!("n.n / 100 % {whole} = 0"),
    };
    let sql = format!(
        "INSERT INTO {table} ({})
        WITH RECURSIVE n(n) AS (
            SELECT CAST($1 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < CAST($2 AS BIGINT)
        ), copy AS (
            SELECT substr(CAST(1000000000000 + n.n AS TEXT), 2) AS k,
                substr(CAST(1000000000000 + (n.n * 2654435761) % 1000000000000 AS TEXT), 2) AS r,
                (n.n - {count}) * {step} AS at
            FROM n WHERE n.n % 100 >= CAST($3 AS BIGINT) AND n.n % 100 < CAST($4 AS BIGINT) AND {kept}
        )
        SELECT {} FROM copy",
        columns.join(", "),
        values.join(", ")
    );
    Ok((sql.leak(), blob))
}

/// A text in which each id is replaced.
fn expression(text: &str, ids: &BTreeMap<String, String>) -> String {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let found =
            ids.iter().filter_map(|(id, another)| Some((rest.find(id.as_str())?, id, another)));
        let Some((at, id, another)) = found.min_by_key(|(at, id, _)| (*at, usize::MAX - id.len()))
        else {
            break;
        };
        parts.push(literal(rest.get(..at).unwrap_or_default()));
        parts.push(another.clone());
        rest = rest.get(at + id.len()..).unwrap_or_default();
    }
    parts.push(literal(rest));
    parts.retain(|part| part != "''");
    if parts.is_empty() { "''".to_owned() } else { parts.join(" || ") }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The columns of a table.
async fn columns(store: &Store, table: &str, of_sqlite: bool) -> Result<Vec<String>, Failure> {
    let sql = if of_sqlite {
        format!("SELECT name FROM pragma_table_info('{table}')")
    } else {
        // As text: a name of the catalogue is of a type of its own.
        format!(
            "SELECT CAST(column_name AS TEXT) AS name FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
        )
    };
    let sql: &'static str = sql.leak();
    let look = store.look(sql, |tx, sql| Box::pin(async move { tx.rows(sql, &[]).await }));
    look.await?.iter().map(|row| Ok(row.text("name")?)).collect()
}
