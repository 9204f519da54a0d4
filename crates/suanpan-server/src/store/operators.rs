//! The people of the console: read, put in, changed.

use std::fmt;

use super::{Row, StoreError, Tx};
use crate::people::Role;
use crate::vals;

/// Somebody who uses the console. Times are unix microseconds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// His id, `op_…`.
    pub id: String,
    /// The name that he signs in with.
    pub name: String,
    /// What he is trusted with.
    pub role: Role,
    /// When he was invited.
    pub created_at: i64,
    /// Since when he may not come in.
    pub disabled_at: Option<i64>,
    /// Whether he has chosen a password.
    pub has_password: bool,
    /// Whether a code of his phone is asked for.
    pub has_totp: bool,
    /// How often he was changed.
    pub version: i64,
}

/// What somebody has to show at the door. No `Debug` of its fields: they are secrets.
#[derive(Clone)]
pub struct Credentials {
    /// Who.
    pub person: Person,
    /// The hash of his password.
    pub password: Option<String>,
    /// The secret of his codes.
    pub totp: Option<String>,
    /// The secret that he was offered.
    pub totp_new: Option<String>,
}

impl Credentials {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            person: Person::read(row)?,
            password: row.opt_text("password")?,
            totp: row.opt_text("totp")?,
            totp_new: row.opt_text("totp_new")?,
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("person", &self.person).finish_non_exhaustive()
    }
}

impl Tx {
    /// Puts somebody in, unless his id or his name is taken; answers whether it did.
    pub async fn operator_put(
        &mut self,
        id: &str,
        name: &str,
        role: Role,
        now: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.exec(PUT, &vals![id, name, role.as_str(), now]).await? == 1)
    }

    /// Whether there is anybody at all: a database without is new.
    pub async fn any_operator(&mut self) -> Result<bool, StoreError> {
        Ok(self.row(ANY, &[]).await?.is_some())
    }

    /// All of them, by name.
    pub async fn operators(&mut self) -> Result<Vec<Person>, StoreError> {
        self.rows(ALL, &[]).await?.iter().map(Person::read).collect()
    }

    /// What somebody with this name has to show at the door.
    pub async fn credentials(&mut self, name: &str) -> Result<Option<Credentials>, StoreError> {
        self.row(BY_NAME, &vals![name]).await?.as_ref().map(Credentials::read).transpose()
    }

    /// What somebody with this id has to show at the door.
    pub async fn credentials_of(&mut self, id: &str) -> Result<Option<Credentials>, StoreError> {
        self.row(BY_ID, &vals![id]).await?.as_ref().map(Credentials::read).transpose()
    }

    /// From now on this is his password: the hash of it.
    pub async fn password_put(&mut self, id: &str, hash: &str) -> Result<(), StoreError> {
        self.exec(PASSWORD, &vals![id, hash]).await.map(drop)
    }

    /// A secret that is shown to him, and counts once he has shown that he has it.
    pub async fn totp_offer(&mut self, id: &str, secret: &str) -> Result<(), StoreError> {
        self.exec(TOTP_OFFER, &vals![id, secret]).await.map(drop)
    }

    /// He has shown a code of the secret that was offered: from now on it is asked for.
    pub async fn totp_enrol(
        &mut self,
        id: &str,
        secret: &str,
        step: i64,
    ) -> Result<bool, StoreError> {
        Ok(self.exec(TOTP_ENROL, &vals![id, secret, step]).await? == 1)
    }

    /// No code is asked for any more.
    pub async fn totp_remove(&mut self, id: &str) -> Result<(), StoreError> {
        self.exec(TOTP_REMOVE, &vals![id]).await.map(drop)
    }

    /// Uses a code up, by its time step. `false`: this one or a later one was used before.
    pub async fn totp_use(&mut self, id: &str, step: i64) -> Result<bool, StoreError> {
        Ok(self.exec(TOTP_USE, &vals![id, step]).await? == 1)
    }

    /// Takes password, codes and links away: a new link lets him choose anew.
    pub async fn operator_reset(&mut self, id: &str) -> Result<(), StoreError> {
        self.exec(LINKS_END, &vals![id]).await?;
        self.exec(RESET, &vals![id]).await.map(drop)
    }

    /// Gives him another role.
    pub async fn operator_role(&mut self, id: &str, role: Role) -> Result<(), StoreError> {
        self.exec(ROLE, &vals![id, role.as_str()]).await.map(drop)
    }

    /// Keeps him out since this time, or lets him in again; links that he has not used end.
    pub async fn operator_disable(
        &mut self,
        id: &str,
        since: Option<i64>,
    ) -> Result<(), StoreError> {
        self.exec(LINKS_END, &vals![id]).await?;
        self.exec(DISABLE, &vals![id, since]).await.map(drop)
    }

    /// Whoever has this id.
    pub async fn operator(&mut self, id: &str) -> Result<Option<Person>, StoreError> {
        self.row(BY_ID, &vals![id]).await?.as_ref().map(Person::read).transpose()
    }
}

impl Person {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            name: row.text("name")?,
            role: row.parse("role")?,
            created_at: row.int("created_at")?,
            disabled_at: row.opt_int("disabled_at")?,
            has_password: row.opt_text("password")?.is_some(),
            has_totp: row.opt_text("totp")?.is_some(),
            version: row.int("version")?,
        })
    }
}

const PUT: &str = "INSERT INTO operator (id, name, role, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
const BY_ID: &str = "SELECT * FROM operator WHERE id = $1";
const BY_NAME: &str = "SELECT * FROM operator WHERE name = $1";
const ANY: &str = "SELECT id FROM operator LIMIT 1";
const ALL: &str = "SELECT * FROM operator ORDER BY name";
const PASSWORD: &str = "UPDATE operator SET password = $2, version = version + 1 WHERE id = $1";
const TOTP_OFFER: &str = "UPDATE operator SET totp_new = $2 WHERE id = $1";
const TOTP_ENROL: &str = "UPDATE operator
    SET totp = totp_new, totp_new = NULL, totp_step = $3, version = version + 1
    WHERE id = $1 AND totp_new = $2";
const TOTP_REMOVE: &str = "UPDATE operator
    SET totp = NULL, totp_new = NULL, totp_step = NULL, version = version + 1 WHERE id = $1";
const TOTP_USE: &str = "UPDATE operator SET totp_step = $2
    WHERE id = $1 AND (totp_step IS NULL OR totp_step < $2)";
const RESET: &str = "UPDATE operator SET password = NULL, totp = NULL, totp_new = NULL,
        totp_step = NULL, version = version + 1 WHERE id = $1";
const LINKS_END: &str =
    "UPDATE console_link SET used_at = created_at WHERE operator_id = $1 AND used_at IS NULL";
const ROLE: &str = "UPDATE operator SET role = $2, version = version + 1 WHERE id = $1";
const DISABLE: &str = "UPDATE operator SET disabled_at = $2, version = version + 1 WHERE id = $1";
