//! Who is let into the console: invited, reset, given another role, kept out.
//!
//! Each change is one transaction with its line in the audit log. Whoever is
//! given another role or is kept out is signed out everywhere. An admin who can
//! sign in is always left.

use super::{Refusal, Role, name};
use crate::Error;
use crate::access::{INVITATION_LIVES, new_token, set_up_address};
use crate::audit::By;
use crate::store::{Link, Person, StoreError, Tx};
use crate::world::World;

/// Lets somebody in under this name; answers a link with which he chooses a password, once, within a day.
///
/// # Errors
/// [`Refusal::BadName`], [`Refusal::NameTaken`].
pub async fn invite(world: &World, by: By, given: &str, role: Role) -> Result<String, Error> {
    let name = name(given)?;
    let (token, hash) = new_token(world);
    let unit = (world.id("op_"), name, role, hash, by, world.now());
    let put = world.store.write(unit, |tx, (id, name, role, hash, by, now)| {
        Box::pin(async move {
            if !tx.operator_put(id, name, *role, *now).await? {
                return Ok(Err(Refusal::NameTaken));
            }
            link(tx, hash, id, *now).await?;
            let more = serde_json::json!({ "name": name, "role": role.as_str() });
            tx.audit(&by.entry("operator.invite", id).with(more), *now).await?;
            Ok(Ok(()))
        })
    });
    put.await??;
    Ok(set_up_address(&world.public_url, &token))
}

/// Takes password, codes and sessions away; answers a link with which he chooses anew, once, within a day.
///
/// The last admin is reset by whoever has the machine's command line alone: a page that shows the link can be closed.
///
/// # Errors
/// [`Error::NotFound`], [`Refusal::LastAdmin`].
pub async fn reset(world: &World, by: By, id: &str) -> Result<String, Error> {
    let (token, hash) = new_token(world);
    let unit = (id.to_owned(), hash, by, world.now());
    let done = world.store.write(unit, |tx, (id, hash, by, now)| {
        Box::pin(async move {
            let Some(person) = tx.operator(id).await? else { return Ok(Ok(false)) };
            if by.operator.id.is_some() && is_last_admin(tx, &person).await? {
                return Ok(Err(Refusal::LastAdmin));
            }
            tx.operator_reset(id).await?;
            tx.sessions_end(id).await?;
            link(tx, hash, id, *now).await?;
            tx.audit(&about(by, "operator.reset", &person), *now).await?;
            Ok(Ok(true))
        })
    });
    if !done.await?? {
        return Err(Error::NotFound { what: "operator" });
    }
    Ok(set_up_address(&world.public_url, &token))
}

/// What is changed of somebody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// He is trusted with this.
    Role(Role),
    /// He is kept out.
    Disable,
    /// He may come in again.
    Enable,
}

/// Changes what somebody may do.
///
/// # Errors
/// [`Error::NotFound`], [`Refusal::LastAdmin`].
pub async fn change(
    world: &World,
    by: By,
    id: &str,
    change: Change,
    reason: &str,
) -> Result<(), Error> {
    let reason = reason.trim().to_owned();
    let unit = (id.to_owned(), change, by, reason, world.now());
    let done = world.store.write(unit, |tx, (id, change, by, reason, now)| {
        Box::pin(async move {
            let Some(person) = tx.operator(id).await? else { return Ok(Ok(false)) };
            let stays = match change {
                Change::Role(role) => *role == Role::Admin,
                Change::Enable => true,
                Change::Disable => false,
            };
            if !stays && is_last_admin(tx, &person).await? {
                return Ok(Err(Refusal::LastAdmin));
            }
            let entry = match change {
                Change::Role(role) => {
                    tx.operator_role(id, *role).await?;
                    let more = serde_json::json!({
                        "name": person.name, "was": person.role.as_str(), "is": role.as_str(),
                    });
                    about(by, "operator.role", &person).with(more)
                }
                Change::Disable => {
                    tx.operator_disable(id, Some(*now)).await?;
                    about(by, "operator.disable", &person)
                }
                Change::Enable => {
                    tx.operator_disable(id, None).await?;
                    about(by, "operator.enable", &person)
                }
            };
            tx.sessions_end(id).await?;
            tx.audit(&entry.because(reason), *now).await?;
            Ok(Ok(true))
        })
    });
    if done.await?? { Ok(()) } else { Err(Error::NotFound { what: "operator" }) }
}

/// Whether nobody else could let people in.
async fn is_last_admin(tx: &mut Tx, person: &Person) -> Result<bool, StoreError> {
    let able =
        |one: &Person| one.role == Role::Admin && one.has_password && one.disabled_at.is_none();
    let others = tx.operators().await?;
    Ok(able(person) && !others.iter().any(|other| other.id != person.id && able(other)))
}

async fn link(tx: &mut Tx, hash: &str, id: &str, now: i64) -> Result<(), StoreError> {
    let expires_at = now.saturating_add(INVITATION_LIVES);
    tx.console_link_put(hash, &Link::Password(id.to_owned()), now, expires_at).await
}

fn about(by: &By, action: &'static str, person: &Person) -> crate::audit::Entry {
    by.entry(action, person.id.as_str()).with(serde_json::json!({ "name": person.name }))
}
