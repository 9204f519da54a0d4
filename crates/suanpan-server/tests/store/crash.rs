//! A process that is killed: what was acknowledged is there, and the file is whole.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use suanpan_server::vals;

use crate::database;
use crate::units::{open_in as open, settings};

/// Where the child writes; without it the child's test has nothing to do.
const FOLDER: &str = "SUANPAN_TEST_CRASH_FOLDER";

/// Writes and says what was acknowledged, until it is killed.
#[test]
fn the_child_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    let store = runtime.block_on(open(&folder));
    let (say, said) = std::sync::mpsc::channel::<u64>();
    for lane in 0..8_u64 {
        let (store, say) = (store.clone(), say.clone());
        runtime.spawn(async move {
            for number in (lane..).step_by(8) {
                let put = store.write(number.to_string(), |tx, name| {
                    Box::pin(async move {
                        let sql = "INSERT INTO setting (name, value) VALUES ($1, 'x')";
                        tx.exec(sql, &vals![name]).await
                    })
                });
                put.await.unwrap();
                say.send(number).unwrap();
            }
        });
    }
    let mut out = std::io::stdout().lock();
    for number in said {
        writeln!(out, "done {number}").unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    for round in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::the_child_that_is_killed", "--exact", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = Vec::new();
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("done ") {
                acknowledged.push(number.to_owned());
            }
            if acknowledged.len() == 200 + 37 * round {
                // SIGKILL: no destructor runs, no file is closed. What is said until then is read to the end.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();

        let store = open(folder.path()).await;
        if database::url(folder.path()).starts_with("sqlite:") {
            let whole = store.look((), |tx, ()| {
                Box::pin(async move { tx.row("PRAGMA integrity_check", &[]).await })
            });
            let whole = whole.await.unwrap().unwrap();
            assert_eq!(whole.text("integrity_check").unwrap(), "ok");
        }
        assert!(acknowledged.len() >= 200);
        let there: BTreeSet<_> = settings(&store).await.into_iter().collect();
        for name in &acknowledged {
            assert!(there.contains(name), "{name} was acknowledged, and is gone");
        }
    }
}
