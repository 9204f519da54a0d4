//! What can keep the simulator from starting.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What happened, why ([`source`](std::error::Error::source)), and what to do ([`Error::remedy`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the data folder cannot be read or written.
    #[error("cannot {verb} {path}", path = path.display())]
    File {
        /// `read`, `write`, `make` or `lock`.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The network failed while serving.
    #[error("the simulator stopped serving")]
    Serve(#[source] io::Error),
    /// A file of the data folder holds something that this version did not write.
    #[error("{path} cannot be understood: {why}", path = path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another process plays WeChat over the same folder.
    #[error("another simulator uses {folder}", folder = folder.display())]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// A key or a certificate cannot be made.
    #[error("cannot make the {what}: {why}")]
    Key {
        /// What was to be made.
        what: &'static str,
        /// What the crypto library says.
        why: String,
    },
}

impl Error {
    /// A stable name: `suanpan explain SP-SIM-LISTEN` tells the whole story.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "SP-SIM-FILE",
            Self::Listen { .. } => "SP-SIM-LISTEN",
            Self::Serve(_) => "SP-SIM-SERVE",
            Self::Content { .. } => "SP-SIM-CONTENT",
            Self::InUse { .. } => "SP-SIM-IN-USE",
            Self::Key { .. } => "SP-SIM-KEY",
        }
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } => "see that the folder of `--data` exists, is yours and has room",
            Self::Listen { .. } => "stop whatever listens there, or give port 0 to take a free one",
            Self::Serve(_) => "start it again; its data is kept",
            Self::Content { .. } => {
                "put the file back as it was, or start with a new folder: `--data DIR`"
            }
            Self::InUse { .. } => {
                "stop the other `suanpan dev` or `suanpan simulator`, or give this one a folder of its own: `--data DIR`"
            }
            Self::Key { .. } => "start it again; if it stays, report it to the project",
        }
    }

    pub(crate) fn file(
        verb: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }
}
