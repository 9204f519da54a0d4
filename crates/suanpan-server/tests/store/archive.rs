//! Orders that have come to rest go into files, whole, and nothing else goes.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use suanpan_server::archive::{self, ArchiveError, Archived, Request};
use suanpan_server::outside::{ManualClock, SystemDice};
use suanpan_server::store::{Database, Store, TABLES, Table, Val};

use crate::database;
use crate::units::NEW_YEAR;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// All that is made here has rested since.
const BEFORE: i64 = NEW_YEAR + DAY;
const NOW: i64 = BEFORE + 400 * DAY;

struct Shop {
    folder: tempfile::TempDir,
    database: Database,
    store: Store,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::parse(&database::url(folder.path()), folder.path()).unwrap();
        let store = Store::open(&database, NEW_YEAR).await.unwrap();
        Self { folder, database, store }
    }

    async fn sql(&self, sql: &str, args: &[Val]) -> u64 {
        let unit = (&*sql.to_owned().leak(), args.to_vec());
        let done = self.store.write(unit, |tx, (sql, args)| Box::pin(tx.exec(sql, args)));
        done.await.unwrap()
    }

    /// A paid order with all that can belong to one, under this number.
    async fn order(&self, number: usize) -> String {
        let id = format!("ord_{number:012}");
        for sql in KIT {
            let tail = Val::Text(format!("{number:012}"));
            assert!(0 < self.sql(sql, &[tail]).await, "{sql}");
        }
        id
    }

    /// How many rows each table has, without what is said of the archive itself.
    async fn rows(&self) -> BTreeMap<&'static str, usize> {
        let mut rows = BTreeMap::new();
        for table in TABLES.iter().filter(|table| !table.name.starts_with("archive")) {
            rows.insert(table.name, self.all(table).await.len());
        }
        rows
    }

    async fn all(&self, table: &'static Table) -> Vec<Vec<Val>> {
        let read = self.store.look((), |tx, ()| Box::pin(tx.page(table, None, 100_000)));
        read.await.unwrap()
    }

    async fn archive(&self) -> Result<Archived, ArchiveError> {
        self.archive_into(self.folder.path(), 3).await
    }

    async fn archive_into(&self, folder: &Path, most: u64) -> Result<Archived, ArchiveError> {
        let request =
            Request { database: &self.database, before: BEFORE, folder, orders_in_a_file: most };
        archive::run(request, &ManualClock::at(NOW), &SystemDice, |_| {}).await
    }

    fn lines(&self, file: &str) -> Vec<Value> {
        let bytes = std::fs::File::open(self.folder.path().join(file)).unwrap();
        let mut text = String::new();
        GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Puts the orders of a file back, as somebody would who needs them again.
    async fn restore(&self, line: &Value) {
        for table in TABLES.iter() {
            let Some(rows) = line["tables"][table.name].as_array() else { continue };
            let rows = rows.iter().map(|row| {
                table.columns.iter().map(|column| match &row[*column] {
                    Value::Null => Val::Null,
                    Value::Number(number) => Val::Int(number.as_i64().unwrap()),
                    Value::String(text) => Val::Text(text.clone()),
                    Value::Object(bytes) => {
                        Val::Blob(STANDARD.decode(bytes["base64"].as_str().unwrap()).unwrap())
                    }
                    other @ (Value::Bool(_) | Value::Array(_)) => panic!("{other} in {column}"),
                })
            });
            let rows: Vec<Vec<_>> = rows.map(Iterator::collect).collect();
            let put = self.store.write(rows, |tx, rows| Box::pin(tx.put_rows(table, rows)));
            put.await.unwrap();
        }
        for stones in ["archived_order", "archived_number"] {
            let id = Val::from(line["order_id"].as_str().unwrap());
            let sql = format!("DELETE FROM {stones} WHERE order_id = $1");
            assert!(0 < self.sql(&sql, &[id]).await);
        }
    }
}

/// One order: paid, shipped, refunded in part, told, heard of by WeChat.
const KIT: [&str; 12] = [
    "INSERT INTO orders (id, reference, mchid, app, amount, amount_refunded, currency, description, status, trade_type,
        metadata, created_at, paid_at, transaction_id)
    VALUES ('ord_' || $1, 'tea-' || $1, '1900000109', 'wx2421b1c4370ec43b', 990, 90, 'CNY', '龙井🍵', 'paid', 'JSAPI',
        '{\"a\":\"\\u0000\"}', 1767225600000000, 1767225600000000, '42000' || $1)",
    "INSERT INTO attempt (id, order_id, mchid, appid, out_trade_no, fingerprint, request, state, transaction_id, created_at)
    VALUES ('att_' || $1, 'ord_' || $1, '1900000109', 'wx', 'no' || $1, 'f', '<xml/>', 'paid', '42000' || $1, 1767225600000000),
        ('old_' || $1, 'ord_' || $1, '1900000109', 'wx', 'old' || $1, 'f', '', 'closed', NULL, 1767225600000000)",
    "INSERT INTO refund (id, order_id, attempt_id, mchid, appid, out_trade_no, transaction_id, out_refund_no, reference,
        amount, total, currency, request, state, created_at)
    VALUES ('ref_' || $1, 'ord_' || $1, 'att_' || $1, '1900000109', 'wx', 'no' || $1, '42000' || $1, 're' || $1,
        'back-' || $1, 90, 990, 'CNY', '{}', 'succeeded', 1767225600000000)",
    "INSERT INTO refund_key (name, fingerprint, refund_id) VALUES ('key' || $1, 'f', 'ref_' || $1)",
    "INSERT INTO shipment (order_id, attempt_id, policy, automatic, state, parcels, paid_at, deadline, created_at)
    VALUES ('ord_' || $1, 'att_' || $1, 'virtual', 1, 'settled', '[]', 1767225600000000, 1767225600000000, 1767225600000000)",
    "INSERT INTO journal (order_id, seq, at, step, change) VALUES ('ord_' || $1, 1, 1767225600000000, 'order', ''),
        ('ord_' || $1, 2, 1767225600000001, 'notify', 'paid')",
    "INSERT INTO event (id, order_id, type, body, created_at)
    VALUES ('evt_' || $1, 'ord_' || $1, 'order.paid', '{\"amount\":990}', 1767225600000000)",
    "INSERT INTO due (id, kind, key, pool, body, order_id, state, due_at, created_at)
    VALUES ('due_' || $1, 'webhook', 'webhook:evt_' || $1 || ':whe_1', 'webhook:whe_1', '{}', 'ord_' || $1, 'done', 0, 0)",
    "INSERT INTO delivery_attempt (id, event_id, endpoint_id, at, status, latency_micros, due_id)
    VALUES ('dlv_' || $1, 'evt_' || $1, 'whe_1', 0, 200, 1, 'due_' || $1)",
    "INSERT INTO inbox (id, mchid, received_at, headers, body, verdict, order_id)
    VALUES ('ntf_' || $1, '1900000109', 0, '{}', '', 'moved', 'ord_' || $1)",
    // Whose it is nobody can say: it stays.
    "INSERT INTO inbox (id, mchid, received_at, headers, body, verdict, order_id)
    VALUES ('alien_' || $1, '1900000109', 0, '{}', '', 'refused', NULL)",
    "INSERT INTO setting (name, value) VALUES ('setting' || $1, 'ord_' || $1)",
];

/// What keeps an order where it is.
const RESTLESS: [(&str, &str); 9] = [
    ("it can still be paid", "UPDATE attempt SET state = 'prepaid' WHERE id = 'old_' || $1"),
    ("money is on its way back", "UPDATE refund SET state = 'processing' WHERE id = 'ref_' || $1"),
    ("a bank did not take it", "UPDATE refund SET state = 'abnormal' WHERE id = 'ref_' || $1"),
    ("it is not shipped", "UPDATE shipment SET state = 'waiting' WHERE order_id = 'ord_' || $1"),
    ("a webhook waits", "UPDATE due SET state = 'ready' WHERE id = 'due_' || $1"),
    ("a webhook was given up", "UPDATE due SET state = 'dead' WHERE id = 'due_' || $1"),
    ("a person must look", "UPDATE inbox SET verdict = 'unmatched' WHERE id = 'ntf_' || $1"),
    (
        "something has happened since",
        "UPDATE journal SET at = 1767312000000000 WHERE order_id = 'ord_' || $1 AND seq = 2",
    ),
    ("it is open", "UPDATE orders SET status = 'paying' WHERE id = 'ord_' || $1"),
];

/// Bytes that no text can hold: of the type that this engine has for them.
async fn odd_body(shop: &Shop, id: &str) {
    let body = Val::Blob(vec![0, 255, 10, 13, 0]);
    let id = Val::Text(id.replace("ord_", "ntf_"));
    assert_eq!(shop.sql("UPDATE inbox SET body = $1 WHERE id = $2", &[body, id]).await, 1);
}

#[tokio::test]
async fn what_rests_goes_whole_and_what_does_not_stays() {
    let shop = Shop::open().await;
    for (number, (why, change)) in RESTLESS.iter().enumerate() {
        shop.order(number).await;
        let tail = Val::Text(format!("{number:012}"));
        assert_eq!(shop.sql(change, &[tail]).await, 1, "{why}");
    }
    let young = shop.order(90).await;
    let made = "UPDATE orders SET created_at = $1 WHERE id = $2";
    assert_eq!(shop.sql(made, &[BEFORE.into(), young.into()]).await, 1);
    let stays = shop.rows().await;

    let before: Vec<Vec<Vec<Val>>> = {
        for number in 100..107 {
            odd_body(&shop, &shop.order(number).await).await;
        }
        let mut all = Vec::new();
        for table in TABLES.iter() {
            all.push(shop.all(table).await);
        }
        all
    };
    let counted = archive::count(&shop.database, BEFORE, NOW).await.unwrap();
    assert_eq!(counted, 7, "a look changes nothing");
    let archived = shop.archive().await.unwrap();
    assert_eq!((archived.orders, archived.changed, archived.files.len()), (7, 0, 3));
    // Settings and messages that are nobody's were made with the seven, and are not theirs.
    let mut left = shop.rows().await;
    for not_theirs in ["setting", "inbox"] {
        *left.get_mut(not_theirs).unwrap() -= 7;
    }
    assert_eq!(left, stays);

    let mut lines = Vec::new();
    for file in &archived.files {
        let path = shop.folder.path().join(&file.name);
        let sum = hex::encode(digest(&SHA256, &std::fs::read(&path).unwrap()));
        assert_eq!(sum, file.sha256);
        let beside = std::fs::read_to_string(path.with_extension("gz.sha256")).unwrap();
        assert_eq!(beside, format!("{sum}  {}\n", file.name));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let mut of_file = shop.lines(&file.name);
        let totals = of_file.pop().unwrap()["totals"].take();
        let orders = i64::try_from(of_file.len()).unwrap() - 1;
        assert_eq!(totals["orders"], orders);
        assert_eq!(
            (&totals["amount"], &totals["amount_refunded"]),
            (&(990 * orders).into(), &(90 * orders).into())
        );
        assert_eq!(totals["rows"]["attempt"], 2 * orders);
        assert_eq!(of_file.remove(0)["suanpan_archive"], 1);
        lines.extend(of_file);
    }
    assert_eq!(lines.len(), 7);
    // Nothing more to do.
    assert_eq!(shop.archive().await.unwrap(), Archived::default());

    // All of it is in the files: put back, it is what it was, to the byte.
    for line in &lines {
        shop.restore(line).await;
    }
    for (table, before) in TABLES.iter().zip(&before) {
        if table.name != "archive_file" {
            assert_eq!(&shop.all(table).await, before, "{}", table.name);
        }
    }
}

/// Whoever adds a table that names an order says whether it goes with it.
#[test]
fn every_table_that_names_an_order_is_thought_of() {
    let named = TABLES.iter().filter(|table| table.columns.contains(&"order_id"));
    let named: Vec<_> = named.map(|table| table.name).collect();
    let with_it =
        ["attempt", "refund", "shipment", "journal", "event", "inbox", "due", "refund_request"];
    assert_eq!(
        named,
        [&with_it[..], &["archived_order", "archived_number", "difference"]].concat()
    );
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_finished_by_the_next_one() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        let id = shop.order(number).await;
        odd_body(&shop, &id).await;
        ids.push(id);
    }
    let archived = shop.archive().await.unwrap();
    let name = archived.files[0].name.clone();
    let lines = shop.lines(&name);

    // As it is after a death with the file noted, not yet under its name, and one of its orders gone.
    shop.restore(&lines[2]).await;
    shop.restore(&lines[3]).await;
    let open = "UPDATE archive_file SET state = 'open', archived = 0 WHERE name = $1";
    assert_eq!(shop.sql(open, &[name.clone().into()]).await, 1);
    let (path, part) =
        (shop.folder.path().join(&name), shop.folder.path().join(name.clone() + ".part"));
    std::fs::rename(&path, &part).unwrap();
    // And one of them has been touched since.
    let touched = "UPDATE orders SET description = 'black tea' WHERE id = $1";
    assert_eq!(shop.sql(touched, &[ids[2].clone().into()]).await, 1);

    let again = shop.archive().await.unwrap();
    assert!(path.exists() && !part.exists());
    // The one that was touched counts for nothing in the old file, and is in a new one.
    assert_eq!((again.orders, again.changed, again.files.len()), (3, 1, 2));
    let file_of = |id: &str| {
        let id = id.parse().unwrap();
        shop.store.look(id, |tx, id| Box::pin(tx.archived(id)))
    };
    let new = again.files[1].name.clone();
    assert_eq!(file_of(&ids[0]).await.unwrap(), Some(name.clone()));
    assert_eq!(file_of(&ids[1]).await.unwrap(), Some(name));
    assert_eq!(file_of(&ids[2]).await.unwrap(), Some(new.clone()));
    let of_new = shop.lines(&new);
    assert_eq!(of_new[1]["tables"]["orders"][0]["description"], "black tea");
    assert_eq!(shop.rows().await["orders"], 0);
}

#[tokio::test]
async fn nothing_is_removed_for_a_file_that_is_not_as_it_was_written() {
    let shop = Shop::open().await;
    odd_body(&shop, &shop.order(1).await).await;
    let name = shop.archive().await.unwrap().files[0].name.clone();
    shop.restore(&shop.lines(&name)[1]).await;
    let open = "UPDATE archive_file SET state = 'open', archived = 0 WHERE name = $1";
    assert_eq!(shop.sql(open, &[name.clone().into()]).await, 1);

    let elsewhere = tempfile::tempdir().unwrap();
    let refused = shop.archive_into(elsewhere.path(), 3).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Missing { .. }), "{refused}");
    let path = shop.folder.path().join(&name);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let refused = shop.archive().await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Damaged { .. }), "{refused}");
    assert_eq!(shop.rows().await["orders"], 1);

    std::fs::write(&path, whole).unwrap();
    assert_eq!(shop.archive().await.unwrap().orders, 1);
}

#[tokio::test]
async fn one_run_at_a_time_and_none_too_early() {
    let shop = Shop::open().await;
    odd_body(&shop, &shop.order(1).await).await;
    let lock = std::fs::File::create(shop.folder.path().join(".suanpan-archive.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(shop.archive().await.unwrap_err().code(), "SP-ARCHIVE-RUNNING");
    drop(lock);

    let young = archive::count(&shop.database, archive::latest(NOW) + 1, NOW).await;
    assert_eq!(young.unwrap_err().code(), "SP-ARCHIVE-TOO-YOUNG");
    let none = shop.archive_into(Path::new("/nowhere/at/all"), 3).await.unwrap_err();
    assert_eq!(none.code(), "SP-ARCHIVE-FILE");
    assert_eq!(shop.rows().await["orders"], 1);

    assert_eq!(archive::beijing_day("2026-01-01"), Some(NEW_YEAR - 8 * 60 * 60 * 1_000_000));
    for no_day in ["", "2026-02-30", "yesterday", "2026-1-1"] {
        assert_eq!(archive::beijing_day(no_day), None, "{no_day}");
    }
}
