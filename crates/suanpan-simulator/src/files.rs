//! Files that only their owner may read: keys, secrets, the ledger.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::Path;

use crate::Error;

/// Reads a text.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::file("read", path))
}

/// Makes a folder and those above it; for their owner only, where they are new.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(Error::file("make", path))
}

/// Takes the folder for this process, until the file is dropped or the process dies: two that append to one ledger
/// would each believe half of it.
pub(crate) fn take_folder(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    private(&mut options);
    let file = options.open(&path).map_err(Error::file("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::File { verb: "lock", path, source }),
    }
}

/// Writes a file whole or not at all: beside it first, then in its place.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let beside = path.with_extension("new");
    // What a crash left there could have another mode.
    let _ = fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let written = options.open(&beside).and_then(|mut file| file.write_all(content));
    written.and_then(|()| fs::rename(&beside, path)).map_err(Error::file("write", path))
}

/// Mode 0600, where the system knows modes.
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
}
