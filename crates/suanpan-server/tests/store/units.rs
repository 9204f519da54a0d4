//! Units of work: durable or undone, whatever their neighbours do.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use suanpan_server::store::{Database, Store, StoreError, Tx, Unit};
use suanpan_server::vals;

use crate::database;

pub(crate) const NEW_YEAR: i64 = 1_767_225_600_000_000;

pub(crate) async fn open(folder: &tempfile::TempDir) -> Store {
    open_in(folder.path()).await
}

/// The store of this folder.
pub(crate) async fn open_in(folder: &Path) -> Store {
    let database = Database::parse(&database::url(folder), folder).unwrap();
    Store::open(&database, NEW_YEAR).await.unwrap()
}

/// Writes a setting, and then does what it is told to.
struct Put {
    name: String,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    Succeed,
    Fail,
    Panic,
    Wait,
}

impl Unit for Put {
    type Out = String;

    async fn run(&self, tx: &mut Tx) -> Result<String, StoreError> {
        tx.exec("INSERT INTO setting (name, value) VALUES ($1, 'x')", &vals![&self.name]).await?;
        match self.then {
            Then::Succeed => {}
            Then::Fail => return Err(StoreError::Stale { what: "test" }),
            Then::Panic => panic!("as the test wants it"),
            Then::Wait => std::future::pending().await,
        }
        Ok(self.name.clone())
    }
}

pub(crate) async fn settings(store: &Store) -> Vec<String> {
    let read = store.look((), |tx, ()| {
        Box::pin(async move {
            let rows = tx.rows("SELECT name FROM setting ORDER BY name", &[]).await?;
            rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()
        })
    });
    read.await.unwrap()
}

#[tokio::test]
async fn a_unit_that_fails_takes_nobody_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let put = |number: usize| {
        let then = match number % 4 {
            0 => Then::Succeed,
            1 => Then::Fail,
            2 => Then::Panic,
            _ => Then::Wait,
        };
        store.run(Put { name: format!("{number:03}"), then })
    };
    let answers = join_all((0..200).map(put)).await;
    for (number, answer) in answers.iter().enumerate() {
        match number % 4 {
            0 => assert_eq!(answer.as_ref().unwrap(), &format!("{number:03}")),
            1 => assert!(matches!(answer, Err(StoreError::Stale { .. }))),
            2 => assert!(
                matches!(answer, Err(StoreError::Panicked { message }) if message.contains("wants it"))
            ),
            _ => assert!(matches!(answer, Err(StoreError::Pending))),
        }
    }
    let written = settings(&store).await;
    let wanted: Vec<_> = (0..200).step_by(4).map(|number| format!("{number:03}")).collect();
    assert_eq!(written, wanted);
    store.close().await;
}

#[tokio::test]
async fn a_key_that_is_taken_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let put = || store.run(Put { name: "same".to_owned(), then: Then::Succeed });
    let answers = join_all((0..50).map(|_| put())).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for answer in answers.into_iter().filter_map(Result::err) {
        assert!(matches!(answer, StoreError::Conflict { key } if key == "setting.name"));
    }
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let wrote = store.read(Put { name: "sly".to_owned(), then: Then::Succeed }).await;
    assert!(matches!(wrote, Err(StoreError::Sql { .. })), "{wrote:?}");
    assert!(settings(&store).await.is_empty());
}

#[tokio::test]
async fn arguments_are_bound_by_number_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let row = store.look((), |tx, ()| {
        Box::pin(async move {
            let sql = "SELECT CAST($2 AS BIGINT) AS second, $1 AS first, $2 AS again, CAST($3 AS BIGINT) AS third";
            let row = tx.row(sql, &vals!["a", 2, None::<i64>]).await?;
            let row = row.unwrap();
            Ok((row.int("second")?, row.text("first")?, row.int("again")?, row.opt_int("third")?))
        })
    });
    assert_eq!(row.await.unwrap(), (2, "a".to_owned(), 2, None));
    let few = store.look((), |tx, ()| {
        Box::pin(async move { tx.row("SELECT $1 AS a, $2 AS b", &vals!["a"]).await })
    });
    assert!(matches!(few.await, Err(StoreError::Arguments { .. })));
}

#[tokio::test]
async fn what_was_queued_is_done_before_the_end_and_nothing_after() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder).await);
    let puts: Vec<_> = (0..100)
        .map(|number| {
            let store = Arc::clone(&store);
            let unit = Put { name: format!("{number:03}"), then: Then::Succeed };
            tokio::spawn(async move { store.run(unit).await })
        })
        .collect();
    let done = join_all(puts).await;
    store.close().await;
    assert!(done.into_iter().all(|put| put.unwrap().is_ok()));
    let late = store.run(Put { name: "late".to_owned(), then: Then::Succeed }).await;
    assert!(matches!(late, Err(StoreError::Closed)));

    let again = open(&folder).await;
    assert_eq!(settings(&again).await.len(), 100);
}

#[tokio::test]
async fn two_processes_on_one_file_do_not_lose_a_unit() {
    let folder = tempfile::tempdir().unwrap();
    // Two stores share nothing but the file, as two processes do.
    let (one, two) = (open(&folder).await, open(&folder).await);
    let put = |store: &Store, name: String| {
        let store = store.clone();
        async move { store.run(Put { name, then: Then::Succeed }).await }
    };
    let ones = join_all((0..200).map(|number| put(&one, format!("one-{number:03}"))));
    let twos = join_all((0..200).map(|number| put(&two, format!("two-{number:03}"))));
    let (ones, twos) = tokio::join!(ones, twos);
    assert!(ones.iter().chain(&twos).all(Result::is_ok));
    assert_eq!(settings(&one).await.len(), 400);
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let database = Database::parse("sqlite:suanpan.db", folder.path()).unwrap();
    let store = Store::open(&database, NEW_YEAR).await.unwrap();
    store.run(Put { name: "a".to_owned(), then: Then::Succeed }).await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}
