//! What can be wrong with a bill.

use std::io;

/// What can be wrong with a bill, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BillError {
    /// The bytes did not come.
    #[error("the bill cannot be read")]
    Read(#[source] io::Error),
    /// A line cannot be read. Those behind it can.
    #[error("line {line} of the bill cannot be read: {why}")]
    Line {
        /// Counted from 1, the heading.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A column that cannot be done without is not there, or the first line is no heading.
    #[error("the bill has no column {column}: its heading is {heading:?}")]
    Column {
        /// Its name.
        column: &'static str,
        /// The beginning of the first line.
        heading: String,
    },
    /// The bill ends before its totals, or they count other rows: a part of it is missing.
    #[error("the bill is not whole: {why}")]
    Cut {
        /// How that shows.
        why: String,
    },
}

impl BillError {
    /// A stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read(_) => "SP-BILL-READ",
            Self::Line { .. } => "SP-BILL-LINE",
            Self::Column { .. } => "SP-BILL-COLUMN",
            Self::Cut { .. } => "SP-BILL-CUT",
        }
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Read(_) => "check the disk, then download the bill again",
            Self::Line { .. } => {
                "look at the line in the bill that was kept; if WeChat changed its format, report it to the project"
            }
            Self::Column { .. } => {
                "check that the file is a bill of this type; if WeChat changed its format, report it to the project"
            }
            Self::Cut { .. } => "download the bill again",
        }
    }

    pub(super) fn line(line: u64, why: impl Into<String>) -> Self {
        Self::Line { line, why: why.into() }
    }
}
