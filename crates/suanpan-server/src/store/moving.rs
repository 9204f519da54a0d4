//! What a database says of a business that moves: from here, to here, or that it is here.

use super::{Row, StoreError, Tx};
use crate::vals;

/// A move, as one of the two databases knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moving {
    /// The same in both.
    pub id: String,
    /// How far it is, seen from here.
    pub state: Stage,
    /// The other database, without user and password.
    pub place: String,
}

/// How far a move is, seen from one of its two databases.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The business goes elsewhere, or has gone: nobody writes here any more.
    Leaving,
    /// Not all of it has come: nobody writes here yet.
    Coming,
    /// All of it has come.
    Here,
}

impl Moving {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let state = Stage::read(&row.text("state")?);
        Ok(Self { id: row.text("id")?, state, place: row.text("place")? })
    }
}

impl From<Moving> for StoreError {
    /// Why nothing may be written where this is said.
    fn from(moving: Moving) -> Self {
        moving.state.refusal(moving.place)
    }
}

impl Stage {
    /// One of the three words that the table takes.
    pub(super) fn read(word: &str) -> Self {
        match word {
            "leaving" => Self::Leaving,
            "coming" => Self::Coming,
            _ => Self::Here,
        }
    }

    /// Why nothing may be written.
    pub(super) fn refusal(self, place: String) -> StoreError {
        match self {
            Self::Leaving => StoreError::Moved { place },
            Self::Coming | Self::Here => StoreError::Coming { place },
        }
    }
}

impl Tx {
    /// The move for which this database is closed to writers, if it is.
    pub async fn closed_by_move(&mut self) -> Result<Option<Moving>, StoreError> {
        self.row(CLOSED, &[]).await?.as_ref().map(Moving::read).transpose()
    }

    /// What this database says of a move.
    pub async fn moving(&mut self, id: &str) -> Result<Option<Moving>, StoreError> {
        self.row(MOVING, &vals![id]).await?.as_ref().map(Moving::read).transpose()
    }

    /// The business begins to go from here; it may be on its way already.
    pub async fn moving_leave(&mut self, id: &str, to: &str, now: i64) -> Result<(), StoreError> {
        self.exec(LEAVE, &vals![id, to, now]).await.map(drop)
    }

    /// The business begins to come here.
    pub async fn moving_come(&mut self, id: &str, from: &str, now: i64) -> Result<(), StoreError> {
        self.exec(COME, &vals![id, from, now]).await.map(drop)
    }

    /// All of it has come.
    pub async fn moving_here(&mut self, id: &str, now: i64) -> Result<(), StoreError> {
        self.exec(HERE, &vals![id, now]).await.map(drop)
    }

    /// It does not go: whoever writes here may write again.
    pub async fn moving_stay(&mut self, id: &str) -> Result<(), StoreError> {
        self.exec(STAY, &vals![id]).await.map(drop)
    }
}

// Asked in each transaction that writes; at most one move is not at its end. pg/session.rs has it too.
const CLOSED: &str = "SELECT id, state, place FROM moving WHERE state <> 'here' LIMIT 1";
const MOVING: &str = "SELECT id, state, place FROM moving WHERE id = $1";
const LEAVE: &str = "INSERT INTO moving (id, state, place, began_at) VALUES ($1, 'leaving', $2, $3)
    ON CONFLICT (id) DO NOTHING";
const COME: &str = "INSERT INTO moving (id, state, place, began_at) VALUES ($1, 'coming', $2, $3)";
const HERE: &str =
    "UPDATE moving SET state = 'here', ended_at = $2 WHERE id = $1 AND state = 'coming'";
const STAY: &str = "DELETE FROM moving WHERE id = $1 AND state = 'leaving'";
