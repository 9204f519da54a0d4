//! The console's links and sessions. Only hashes of them are kept.

use super::{Person, StoreError, Tx};
use crate::vals;

/// A session that is opened. Times are unix microseconds.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The hex SHA-256 of its token.
    pub hash: String,
    /// Now.
    pub now: i64,
    /// When it ends in any case.
    pub expires_at: i64,
    /// From which address.
    pub address: String,
}

/// What a one-time link does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Link {
    /// Opens a session of the operator with this id.
    Enter(String),
    /// Lets the operator with this id choose a password.
    Password(String),
    /// Makes the first operator.
    First,
}

/// What a link that lets somebody choose a password is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SetUp {
    /// The first operator, who is not there yet.
    First,
    /// Somebody who was invited, or has lost his password.
    Of(Person),
}

/// A session that lasts, and whose it is.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whose it is.
    pub person: Person,
    /// When he last did something, in unix microseconds.
    pub seen_at: i64,
}

impl Tx {
    /// Puts a one-time link in, by the hash of its token.
    pub async fn console_link_put(
        &mut self,
        hash: &str,
        link: &Link,
        now: i64,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let (kind, operator_id) = match link {
            Link::Enter(id) => ("enter", Some(id.as_str())),
            Link::Password(id) => ("password", Some(id.as_str())),
            Link::First => ("first", None),
        };
        self.exec(LINK_PUT, &vals![hash, now, expires_at, kind, operator_id]).await.map(drop)
    }

    /// What a link that lets somebody choose a password is for. `None`: it is used, too old, unknown, or there is nothing
    /// for it to do any more.
    pub async fn set_up(&mut self, hash: &str, now: i64) -> Result<Option<SetUp>, StoreError> {
        let Some(row) = self.row(SET_UP, &vals![hash, now]).await? else { return Ok(None) };
        let Some(id) = row.opt_text("operator_id")? else {
            let new = !self.any_operator().await?;
            return Ok(new.then_some(SetUp::First));
        };
        let person = self.operator(&id).await?;
        Ok(person.filter(|person| person.disabled_at.is_none()).map(SetUp::Of))
    }

    /// Uses a link up that lets somebody choose a password. `false`: it was used meanwhile.
    pub async fn set_up_use(&mut self, hash: &str, now: i64) -> Result<bool, StoreError> {
        Ok(self.exec(LINK_USE, &vals![hash, now]).await? == 1)
    }

    /// Uses a link up and opens a session of its operator. `None`: the link is used, too old or unknown, or the operator
    /// may not come in.
    pub async fn console_enter(
        &mut self,
        link_hash: &str,
        session: &NewSession,
    ) -> Result<Option<Person>, StoreError> {
        let Some(row) = self.row(LINK, &vals![link_hash, session.now]).await? else {
            return Ok(None);
        };
        let person = self.operator(&row.text("operator_id")?).await?;
        let Some(person) = person.filter(|person| person.disabled_at.is_none()) else {
            return Ok(None);
        };
        if self.exec(LINK_USE, &vals![link_hash, session.now]).await? != 1 {
            return Ok(None);
        }
        self.session_put(&person, session).await?;
        Ok(Some(person))
    }

    /// Opens a session.
    pub async fn session_put(
        &mut self,
        person: &Person,
        session: &NewSession,
    ) -> Result<(), StoreError> {
        let NewSession { hash, now, expires_at, address } = session;
        self.exec(SESSION_PUT, &vals![hash, *now, *expires_at, &person.id, address]).await.map(drop)
    }

    /// The session with this hash, if its time is not over and its operator may come in. `idle_since` is the time before
    /// which its last request must not lie; who has no password has no other way in, so that his lasts until its end.
    pub async fn session(
        &mut self,
        hash: &str,
        now: i64,
        idle_since: i64,
    ) -> Result<Option<Seen>, StoreError> {
        let row = self.row(SESSION, &vals![hash, now, idle_since]).await?;
        let read = |row| Ok(Seen { person: Person::read(&row)?, seen_at: row.int("seen_at")? });
        row.map(read).transpose()
    }

    /// Its operator did something.
    pub async fn session_seen(&mut self, hash: &str, now: i64) -> Result<(), StoreError> {
        self.exec(SESSION_SEEN, &vals![hash, now]).await.map(drop)
    }

    /// Ends a session.
    pub async fn session_end(&mut self, hash: &str) -> Result<(), StoreError> {
        self.exec(SESSION_END, &vals![hash]).await.map(drop)
    }

    /// Ends all sessions of an operator; answers how many there were.
    pub async fn sessions_end(&mut self, operator_id: &str) -> Result<u64, StoreError> {
        self.exec(SESSIONS_END, &vals![operator_id]).await
    }

    /// From where an operator is signed in, and when he last did something there: the newest first.
    pub async fn sessions_of(
        &mut self,
        operator_id: &str,
        now: i64,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = self.rows(SESSIONS, &vals![operator_id, now]).await?;
        rows.iter().map(|row| Ok((row.text("address")?, row.int("seen_at")?))).collect()
    }
}

const LINK_PUT: &str = "INSERT INTO console_link (hash, created_at, expires_at, kind, operator_id)
    VALUES ($1, $2, $3, $4, $5)";
const LINK: &str = "SELECT operator_id FROM console_link
    WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 AND kind = 'enter'
        AND operator_id IS NOT NULL";
const SET_UP: &str = "SELECT operator_id FROM console_link
    WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 AND kind IN ('password', 'first')";
const LINK_USE: &str = "UPDATE console_link SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
const SESSION_PUT: &str =
    "INSERT INTO console_session (hash, created_at, expires_at, operator_id, seen_at, address)
    VALUES ($1, $2, $3, $4, $2, $5)";
const SESSION: &str = "SELECT o.*, s.seen_at FROM console_session AS s
    JOIN operator AS o ON o.id = s.operator_id
    WHERE s.hash = $1 AND s.expires_at > $2 AND (s.seen_at >= $3 OR o.password IS NULL)
        AND o.disabled_at IS NULL";
const SESSION_SEEN: &str = "UPDATE console_session SET seen_at = $2 WHERE hash = $1";
const SESSION_END: &str = "DELETE FROM console_session WHERE hash = $1";
const SESSIONS_END: &str = "DELETE FROM console_session WHERE operator_id = $1";
const SESSIONS: &str = "SELECT address, seen_at FROM console_session
    WHERE operator_id = $1 AND expires_at > $2 ORDER BY seen_at DESC, hash LIMIT 20";
