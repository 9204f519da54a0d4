//! Why a business does not move, and what to do about it.

use crate::store::StoreError;

/// Why a business does not move.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// Both addresses lead to one database, or the move is asked for the wrong way round.
    #[error(
        "the business would move from a database to itself, or back to where it is leaving from"
    )]
    Same,
    /// There is nothing to move.
    #[error("{place} is not a database of Suanpan")]
    NoSource {
        /// The source.
        place: String,
    },
    /// The source is itself the target of a move that is not at its end.
    #[error("not all of the business has come to the source from {place} yet")]
    Unfinished {
        /// From where it comes.
        place: String,
    },
    /// The business goes to another database than this one, or has gone there.
    #[error("the business has moved to {place}, or is on its way there")]
    Elsewhere {
        /// Where it goes.
        place: String,
    },
    /// The target belongs to a business already.
    #[error("{place} holds rows already, in `{table}`")]
    InUse {
        /// The target.
        place: String,
        /// A table that is not empty.
        table: &'static str,
    },
    /// It has begun, and went no further.
    #[error("the move stopped at `{table}`")]
    Interrupted {
        /// The table.
        table: &'static str,
        /// Why not.
        #[source]
        cause: StoreError,
    },
    /// There is no move to abandon.
    #[error("the business is not moving from this database")]
    NotMoving,
    /// The business works at its new place.
    #[error("the business has moved, and may have been at work there since")]
    AtItsEnd,
    /// A database cannot be worked with.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MoveError {
    /// A stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Same => "SP-MOVE-SAME",
            Self::NoSource { .. } => "SP-MOVE-NO-SOURCE",
            Self::Unfinished { .. } => "SP-MOVE-UNFINISHED",
            Self::Elsewhere { .. } => "SP-MOVE-ELSEWHERE",
            Self::InUse { .. } => "SP-MOVE-IN-USE",
            Self::Interrupted { .. } => "SP-MOVE-INTERRUPTED",
            Self::NotMoving => "SP-MOVE-NOT-MOVING",
            Self::AtItsEnd => "SP-MOVE-AT-ITS-END",
            Self::Store(cause) => cause.code(),
        }
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Same => {
                "name the database that the business is in with --from, and a new one with --to"
            }
            Self::NoSource { .. } => "check the address after --from; it has not been made",
            Self::Unfinished { .. } => {
                "finish that move first: run it again, it goes on where it was"
            }
            Self::Elsewhere { .. } => {
                "name that database after --to; a move that came to nothing is ended with --abandon first"
            }
            Self::InUse { .. } => {
                "name a database after --to that is new: two businesses cannot be put together, and nothing was changed"
            }
            Self::Interrupted { .. } => {
                "mend the cause and run the same command again: it goes on where it was, and both databases stay closed until then"
            }
            Self::NotMoving => "nothing to do: nodes can be started on it as before",
            Self::AtItsEnd => {
                "go on with the target: what was written there since is not in the source"
            }
            Self::Store(cause) => cause.remedy(),
        }
    }

    /// Whether the move has begun, so that the databases are closed to writers.
    pub const fn is_midway(&self) -> bool {
        matches!(self, Self::Interrupted { .. })
    }
}
