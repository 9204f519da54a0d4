//! What went wrong, for a terminal: what, cause, help, and how the process ends.

use std::error::Error;

use serde::Serialize;

/// The end of a command that did not succeed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Problem {
    /// A stable name to search for.
    pub(crate) code: String,
    /// What happened.
    pub(crate) detail: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// What to do now.
    pub(crate) remedy: String,
    /// The exit code.
    #[serde(skip)]
    pub(crate) exit: u8,
}

impl Problem {
    /// The exit code of a command that found a problem.
    pub(crate) const FOUND: u8 = 1;
    /// The exit code of bad usage or configuration: nothing was begun.
    pub(crate) const SETUP: u8 = 2;

    /// From an error with its code and remedy.
    fn new(error: &dyn Error, code: &str, remedy: &str, exit: u8) -> Self {
        Self {
            code: code.to_owned(),
            detail: error.to_string(),
            cause: error.source().map(suanpan_server::chain),
            remedy: remedy.to_owned(),
            exit,
        }
    }

    /// The backend could not begin.
    pub(crate) fn server_setup(error: &suanpan_server::Error) -> Self {
        // The store knows better what to do than the one who opens it.
        if let suanpan_server::Error::Store(error) = error {
            return Self::store(error);
        }
        Self::new(error, error.code(), error.remedy(), Self::SETUP)
    }

    /// The backend failed.
    pub(crate) fn server(error: &suanpan_server::Error) -> Self {
        Self { exit: Self::FOUND, ..Self::server_setup(error) }
    }

    /// The database is not one that can be worked with.
    pub(crate) fn store(error: &suanpan_server::store::StoreError) -> Self {
        Self::new(error, error.code(), error.remedy(), Self::SETUP)
    }

    /// Orders are not archived.
    pub(crate) fn archive(error: &suanpan_server::archive::ArchiveError) -> Self {
        Self::new(error, error.code(), error.remedy(), Self::SETUP)
    }

    /// What was typed is not what the command takes.
    pub(crate) fn usage(detail: String) -> Self {
        Self {
            code: "SP-USAGE".to_owned(),
            detail,
            cause: None,
            remedy: "run the command with --help".to_owned(),
            exit: Self::SETUP,
        }
    }

    /// A business does not move.
    pub(crate) fn moving(error: &suanpan_server::moving::MoveError) -> Self {
        let exit = if error.is_midway() { Self::FOUND } else { Self::SETUP };
        Self::new(error, error.code(), error.remedy(), exit)
    }

    /// The simulator could not begin.
    pub(crate) fn simulator_setup(error: &suanpan_simulator::Error) -> Self {
        Self::new(error, error.code(), error.remedy(), Self::SETUP)
    }

    /// The simulator failed.
    pub(crate) fn simulator(error: &suanpan_simulator::Error) -> Self {
        Self { exit: Self::FOUND, ..Self::simulator_setup(error) }
    }

    /// A file or a port of ours.
    pub(crate) fn machine(what: impl Into<String>, cause: &std::io::Error) -> Self {
        Self {
            code: "SP-MACHINE".to_owned(),
            detail: what.into(),
            cause: Some(cause.to_string()),
            remedy:
                "see that the folder of `--data` is yours and has room, and that ports are free"
                    .to_owned(),
            exit: Self::SETUP,
        }
    }

    /// A mistake in this program.
    pub(crate) fn bug(what: impl Into<String>) -> Self {
        Self {
            code: "SP-BROKEN".to_owned(),
            detail: what.into(),
            cause: None,
            remedy: "this is a mistake in Suanpan: please report it with what is on the screen"
                .to_owned(),
            exit: Self::FOUND,
        }
    }
}
