//! Small files that only their owner may read.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::problem::Problem;

/// The text of the file; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Problem> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Problem::machine(format!("cannot read {}", path.display()), &cause)),
    }
}

/// Writes the file whole or not at all: beside it first, then in its place.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
    written
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|cause| Problem::machine(format!("cannot write {}", path.display()), &cause))
}

/// Removes the file, where there is one.
pub(crate) fn remove(path: &Path) -> Result<(), Problem> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Problem::machine(format!("cannot remove {}", path.display()), &cause))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes the folder, and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), Problem> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|cause| Problem::machine(format!("cannot make {}", path.display()), &cause))
}
