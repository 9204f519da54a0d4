//! The people of the console: read, put in, changed.

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
    /// How often he was changed.
    pub version: i64,
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
            version: row.int("version")?,
        })
    }
}

const PUT: &str = "INSERT INTO operator (id, name, role, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
const BY_ID: &str = "SELECT * FROM operator WHERE id = $1";
