//! A day of ours beside the bill that WeChat makes of it: what agrees, and each thing that does not.
//!
//! Pure: the bill and what we hold come in, findings go out. What is done about
//! them is in [`repair::reconcile`](crate::repair::reconcile).
//!
//! | what                                             | here                |
//! |--------------------------------------------------|---------------------|
//! | the payments and refunds of a day, in one pass   | [`Book`]            |
//! | the fee of a line                                | `fees`              |
//! | what the trade bill says should be in the purse  | [`Purse`]           |
//! | a difference, as it is kept and shown            | [`Difference`]      |

mod book;
mod day;
mod difference;
mod fees;
mod purse;

pub use book::{Billed, BilledBack, Book, Finding, Theirs};
pub use day::{Carried, Day, DayState, Ours, Purses};
pub use difference::{Difference, DifferenceKind, DifferenceState, Found, UnknownWord};
pub use purse::{Flows, Purse};

use std::io::{BufRead, BufReader};

use flate2::bufread::MultiGzDecoder;

/// The text of a bill, unpacked as it is read where it came packed.
pub fn unpacked(bytes: &[u8]) -> Box<dyn BufRead + '_> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::new(MultiGzDecoder::new(bytes)))
    } else {
        Box::new(bytes)
    }
}
