//! What a disk can do: durable writes.

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use suanpan_server::outside::{Clock as _, SystemClock};

type Failure = Box<dyn Error + Send + Sync>;

/// 4 KiB at a time, each on the disk before the next.
pub(crate) fn durable_writes_per_second(folder: &Path) -> Result<u64, Failure> {
    let mut file = File::create(folder.join("durable"))?;
    let page = [7_u8; 4096];
    let mut failed = None;
    let written = count(|| {
        if let Err(error) = file.write_all(&page).and_then(|()| file.sync_data()) {
            failed = Some(error);
        }
    });
    failed.map_or(Ok(written), |error| Err(error.into()))
}

/// How often something is done in a second.
pub(crate) fn count(mut work: impl FnMut()) -> u64 {
    let clock = SystemClock::new();
    let mut done: u64 = 0;
    while clock.monotonic_micros() < 1_000_000 {
        work();
        done = done.saturating_add(1);
    }
    done
}
