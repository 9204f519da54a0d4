//! The simulator's folder after its first start, made once for all tests.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use suanpan_simulator::{Options, Simulator};

/// Lays keys and credentials into `options.data`. A dozen RSA keys take most of a second, and were two thirds of what
/// a payment's test cost, so they are made once, by `options`; and others when the code that makes them changes, or the
/// source of the test that chooses clock and dice.
pub(crate) async fn lay(options: &Options, chosen_by: &str) {
    let made = once(options, chosen_by).await;
    std::fs::create_dir_all(&options.data).unwrap();
    copy(&made, &options.data);
}

async fn once(options: &Options, chosen_by: &str) -> PathBuf {
    let mut made_by = DefaultHasher::new();
    [
        chosen_by,
        include_str!("../../src/credentials.rs"),
        include_str!("../../src/dice.rs"),
        include_str!("../../src/keys.rs"),
        include_str!("../../src/ledger.rs"),
        include_str!("../../src/switches.rs"),
        include_str!("../../src/tls.rs"),
    ]
    .hash(&mut made_by);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join(format!("seeded-{:016x}", made_by.finish()));
    if !folder.exists() {
        let beside = tempfile::tempdir_in(target).unwrap();
        let data = beside.path().to_owned();
        Simulator::open(Options { data, ..options.clone() }).await.unwrap();
        // Another test may be faster; its folder is as good.
        if std::fs::rename(beside.path(), &folder).is_ok() {
            let _ = beside.keep();
        }
    }
    folder
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
