//! `DIR/ledger.jsonl`: one change a line, the last one of a thing counts.
//!
//! Appended to while the simulator runs, and written anew when it starts. A crash
//! can cut the last line; it was not acknowledged to anyone, so it is dropped.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::ledger::Record;
use crate::{Error, files};

/// The file, open for appending.
#[derive(Debug)]
pub(crate) struct Keep {
    path: PathBuf,
    file: File,
}

impl Keep {
    /// Opens it, new or old, and reads what it holds.
    pub(crate) fn open(data: &Path) -> Result<(Self, Vec<Record>), Error> {
        let path = data.join("ledger.jsonl");
        let records = if path.exists() { read(&path)? } else { Vec::new() };
        let file = append_to(&path)?;
        Ok((Self { path, file }, records))
    }

    /// Puts these in place of all that it holds.
    pub(crate) fn rewrite(&mut self, records: &[Record]) -> Result<(), Error> {
        let text = lines(records).map_err(Error::file("write", &self.path))?;
        files::write_private(&self.path, &text)?;
        self.file = append_to(&self.path)?;
        Ok(())
    }

    /// Adds these, in one write.
    pub(crate) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        self.file.write_all(&lines(records)?)
    }
}

fn append_to(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    files::private(&mut options);
    options.open(path).map_err(Error::file("write", path))
}

fn lines(records: &[Record]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for record in records {
        serde_json::to_writer(&mut text, record)?;
        text.push(b'\n');
    }
    Ok(text)
}

fn read(path: &Path) -> Result<Vec<Record>, Error> {
    let text = files::read(path)?;
    let whole = text.ends_with('\n');
    let count = text.lines().count();
    let mut records = Vec::with_capacity(count);
    for (number, line) in (1..).zip(text.lines()) {
        match serde_json::from_str(line) {
            Ok(record) => records.push(record),
            Err(cause) if number == count && !whole => {
                tracing::warn!(%cause, "the last line of the ledger was cut; it is dropped");
            }
            Err(cause) => {
                let why = format!("line {number}: {cause}");
                return Err(Error::Content { path: path.to_owned(), why });
            }
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(records: &[Record]) -> Vec<&str> {
        let mut users = Vec::new();
        for record in records {
            let Record::User(user) = record else { panic!("{record:?}") };
            users.push(user.as_str());
        }
        users
    }

    #[test]
    fn what_was_appended_is_read_and_a_cut_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let (mut keep, records) = Keep::open(folder.path()).unwrap();
        assert!(records.is_empty());
        keep.append(&[Record::User("carol".into()), Record::User("dave".into())]).unwrap();

        let path = folder.path().join("ledger.jsonl");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"user\":\"er");
        std::fs::write(&path, &text).unwrap();
        let (mut keep, records) = Keep::open(folder.path()).unwrap();
        assert_eq!(users(&records), ["carol", "dave"]);

        keep.rewrite(&[Record::User("frank".into())]).unwrap();
        keep.append(&[Record::User("grace".into())]).unwrap();
        let (_, records) = Keep::open(folder.path()).unwrap();
        assert_eq!(users(&records), ["frank", "grace"]);
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        std::fs::write(&path, "{\"user\":\"carol\"}\nnonsense\n{\"user\":\"dave\"}\n").unwrap();
        let error = Keep::open(folder.path()).unwrap_err();
        assert_eq!(error.code(), "SP-SIM-CONTENT");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
