//! Why orders are not archived, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::StoreError;

/// Why orders are not archived.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Money of these orders can still go back.
    #[error("orders can be archived 380 days after they came to rest, not earlier")]
    TooYoung,
    /// Another run is at it.
    #[error("another run of `suanpan archive` is under way")]
    Running,
    /// The file of a run that was cut off is not where it was.
    #[error("{path:?} is not there, and not all of its orders have been removed from the database")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file is not as it was written.
    #[error("{name} is not as it was written")]
    Damaged {
        /// The file, without its folder.
        name: String,
    },
    /// A file or folder cannot be used.
    #[error("{path:?} cannot be used")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: Arc<io::Error>,
    },
    /// The database cannot be worked with.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ArchiveError {
    pub(super) fn file(path: &Path, cause: io::Error) -> Self {
        Self::File { path: path.to_owned(), cause: Arc::new(cause) }
    }

    /// A stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooYoung => "SP-ARCHIVE-TOO-YOUNG",
            Self::Running => "SP-ARCHIVE-RUNNING",
            Self::Missing { .. } => "SP-ARCHIVE-MISSING",
            Self::Damaged { .. } => "SP-ARCHIVE-DAMAGED",
            Self::File { .. } => "SP-ARCHIVE-FILE",
            Self::Store(cause) => cause.code(),
        }
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::TooYoung => {
                "name an earlier date: WeChat gives money back for a year, and an archived order cannot be refunded here"
            }
            Self::Running => "wait until it has ended, and run this again",
            Self::Missing { .. } => {
                "run it with the folder of the last run, or put the file back there: it may be the only copy of some orders"
            }
            Self::Damaged { .. } => {
                "restore this file from a backup: it may be the only copy of some orders"
            }
            Self::File { .. } => "see that the folder is there, is yours, and has room",
            Self::Store(cause) => cause.remedy(),
        }
    }
}
