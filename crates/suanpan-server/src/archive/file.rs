//! The file of archived orders: lines of JSON in gzip, for its owner alone.
//!
//! The first line says what it is, the last one how much is in it. Beside it
//! lies `NAME.sha256`, as `sha256sum --check` reads it. Until the database knows
//! of it, it is called `NAME.part`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;

use super::ArchiveError;
use crate::order::rfc3339;
use crate::outside::Dice;
use crate::store::{ArchiveFile, Written};

/// How much is in a file.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) orders: u64,
    rows: BTreeMap<&'static str, u64>,
    amount: i64,
    amount_refunded: i64,
}

impl Totals {
    pub(super) fn add(&mut self, written: &Written) {
        self.orders = self.orders.saturating_add(1);
        for (table, rows) in &written.rows {
            let sum = self.rows.entry(table).or_default();
            *sum = sum.saturating_add(*rows);
        }
        self.amount = self.amount.saturating_add(written.sums.0);
        self.amount_refunded = self.amount_refunded.saturating_add(written.sums.1);
    }
}

/// A file that is being written.
pub(super) struct Writer {
    name: String,
    path: PathBuf,
    gzip: GzEncoder<Digested>,
}

/// A file, and the digest of what went into it.
struct Digested {
    file: File,
    digest: Context,
}

impl Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.digest.update(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Writer {
    /// A new file, under a name that no other has.
    pub(super) fn begin(
        folder: &Path,
        before: i64,
        now: i64,
        dice: &dyn Dice,
    ) -> Result<Self, ArchiveError> {
        let (day, mut tail) = (rfc3339(now).to_string(), [0; 4]);
        dice.fill(&mut tail);
        let day = day.get(..10).unwrap_or_default();
        let name = format!("orders-{day}-{}.jsonl.gz", hex::encode(tail));
        let path = part(folder, &name);
        let file = Digested { file: private(&path, false)?, digest: Context::new(&SHA256) };
        let mut writer = Self { name, path, gzip: GzEncoder::new(file, Compression::default()) };
        let head =
            json!({ "suanpan_archive": 1, "made_at": rfc3339(now), "before": rfc3339(before) });
        writer.line(&head.to_string())?;
        Ok(writer)
    }

    pub(super) fn line(&mut self, line: &str) -> Result<(), ArchiveError> {
        let written =
            self.gzip.write_all(line.as_bytes()).and_then(|()| self.gzip.write_all(b"\n"));
        written.map_err(|cause| ArchiveError::file(&self.path, cause))
    }

    /// The last line; then waits until all of it is on disk. Answers its name and its SHA-256.
    pub(super) fn end(mut self, totals: &Totals) -> Result<(String, String), ArchiveError> {
        let Totals { orders, rows, amount, amount_refunded } = totals;
        let foot = json!({ "totals": {
            "orders": orders, "rows": rows, "amount": amount, "amount_refunded": amount_refunded,
        } });
        self.line(&foot.to_string())?;
        let failed = |cause| ArchiveError::file(&self.path, cause);
        let Digested { file, digest } = self.gzip.finish().map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok((self.name, hex::encode(digest.finish())))
    }
}

/// Gives a file that the database knows of its name, and reads it back: only what is as it was written is believed.
pub(super) fn settle(folder: &Path, file: &ArchiveFile) -> Result<(), ArchiveError> {
    let (part, path) = (part(folder, &file.name), folder.join(&file.name));
    let failed = |cause| ArchiveError::file(&path, cause);
    if !path.exists() {
        if !part.exists() {
            return Err(ArchiveError::Missing { path });
        }
        fs::rename(&part, &path).map_err(failed)?;
    }
    if sha256(&path).map_err(failed)? != file.sha256 {
        return Err(ArchiveError::Damaged { name: file.name.clone() });
    }
    let beside = folder.join(format!("{}.sha256", file.name));
    let text = format!("{}  {}\n", file.sha256, file.name);
    let mut sum = private(&beside, true)?;
    let written = sum.set_len(0).and_then(|()| sum.write_all(text.as_bytes()));
    written.and_then(|()| sum.sync_all()).map_err(|cause| ArchiveError::file(&beside, cause))?;
    // The names, too, have to survive a power cut.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// A file that the database did not take.
pub(super) fn forget(folder: &Path, name: &str) {
    if let Err(cause) = fs::remove_file(part(folder, name)) {
        tracing::warn!(%cause, name, "a file of an archive that came to nothing was not removed");
    }
}

/// A file that its owner alone may read. `again`: it may be there.
pub(super) fn private(path: &Path, again: bool) -> Result<File, ArchiveError> {
    let mut options = OpenOptions::new();
    options.write(true).create(again).create_new(!again);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|cause| ArchiveError::file(path, cause))
}

fn part(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.part"))
}

fn sha256(path: &Path) -> io::Result<String> {
    let (mut file, mut digest) = (File::open(path)?, Context::new(&SHA256));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(digest.finish())),
            taken => digest.update(buffer.get(..taken).unwrap_or_default()),
        }
    }
}

/// The lines of a file.
pub(super) struct Reader {
    path: PathBuf,
    lines: BufReader<GzDecoder<File>>,
}

impl Reader {
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self, ArchiveError> {
        let path = folder.join(name);
        let file = File::open(&path).map_err(|cause| ArchiveError::file(&path, cause))?;
        Ok(Self { path, lines: BufReader::new(GzDecoder::new(file)) })
    }

    /// Up to so many lines; none at its end.
    pub(super) fn next(&mut self, most: usize) -> Result<Vec<String>, ArchiveError> {
        let mut batch = Vec::with_capacity(most);
        while batch.len() < most {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line);
            if read.map_err(|cause| ArchiveError::file(&self.path, cause))? == 0 {
                break;
            }
            batch.push(line.trim_end_matches('\n').to_owned());
        }
        Ok(batch)
    }
}
