//! API keys and the console's sign-in links: made here, kept as hashes.

use aws_lc_rs::digest::{SHA256, digest};

use crate::Error;
use crate::audit::By;
use crate::people::Role;
use crate::store::Link;
use crate::world::World;

/// Makes an API key with all rights. It is shown once, here; the store keeps its hash.
///
/// # Errors
/// Those of the store.
pub async fn new_api_key(world: &World, label: &str) -> Result<String, Error> {
    let key = world.dice.secret("sk_");
    admit_api_key(world, &key, label).await?;
    Ok(key)
}

/// The API key of a database that is not yet open to anybody; `None` where it is. Of nodes that start on it at once only
/// one has the key.
pub(crate) async fn first_api_key(world: &World) -> Result<Option<String>, Error> {
    let key = world.dice.secret("sk_");
    let unit = (sha256_hex(key.as_bytes()), prefix(&key), world.now());
    let first = world
        .store
        .write(unit, |tx, (hash, prefix, now)| Box::pin(tx.api_key_first(hash, prefix, *now)));
    Ok(first.await?.then_some(key))
}

/// Lets this API key in; it may be in already.
///
/// # Errors
/// Those of the store.
pub async fn admit_api_key(world: &World, key: &str, label: &str) -> Result<(), Error> {
    let unit = (world.id("key_"), sha256_hex(key.as_bytes()), label.to_owned(), world.now());
    let put = world.store.write((unit, prefix(key)), |tx, ((id, hash, label, now), prefix)| {
        Box::pin(async move { tx.api_key_put(id, hash, prefix, label, *now).await })
    });
    Ok(put.await?)
}

/// Makes an API key for somebody at the console. It is shown once, here.
pub(crate) async fn new_key_by(world: &World, by: &By, label: &str) -> Result<String, Error> {
    let key = world.dice.secret("sk_");
    let unit = (world.id("key_"), sha256_hex(key.as_bytes()), label.to_owned(), world.now());
    let entry = by.entry("api-key.create", unit.0.as_str());
    let entry = entry.with(serde_json::json!({ "label": label }));
    let unit = (unit, prefix(&key), entry);
    let put = world.store.write(unit, |tx, ((id, hash, label, now), prefix, entry)| {
        Box::pin(async move {
            tx.api_key_put(id, hash, prefix, label, *now).await?;
            tx.audit(entry, *now).await
        })
    });
    put.await?;
    Ok(key)
}

/// From now on nobody gets in with this key.
pub(crate) async fn revoke_key(
    world: &World,
    by: &By,
    id: &str,
    reason: &str,
) -> Result<(), Error> {
    let entry = by.entry("api-key.revoke", id).because(reason);
    let unit = (id.to_owned(), entry, world.now());
    let revoked = world.store.write(unit, |tx, (id, entry, now)| {
        Box::pin(async move {
            let revoked = tx.api_key_revoke(id, *now).await?;
            if revoked {
                tx.audit(entry, *now).await?;
            }
            Ok(revoked)
        })
    });
    if revoked.await? { Ok(()) } else { Err(Error::NotFound { what: "API key in force" }) }
}

/// How a key begins: people tell it by that, and nobody guesses the rest.
fn prefix(key: &str) -> String {
    key.chars().take(8).collect()
}

/// The token of a new sign-in link of the console, for whoever develops: works once, for an hour, and lets in as the
/// administrator `dev`, who has no password.
///
/// # Errors
/// Those of the store.
pub async fn new_console_link(world: &World) -> Result<String, Error> {
    let token = world.dice.secret("");
    let unit = (sha256_hex(token.as_bytes()), world.now());
    let put = world.store.write(unit, |tx, (hash, now)| {
        let expires_at = now.saturating_add(LINK_LIVES);
        Box::pin(async move {
            tx.operator_put(DEVELOPER, "dev", Role::Admin, *now).await?;
            let link = Link::Enter(DEVELOPER.to_owned());
            tx.console_link_put(hash, &link, *now, expires_at).await
        })
    });
    put.await?;
    Ok(token)
}

/// The token of a link that makes the first operator, who is an admin; `None` where there is one. It works once, for a day.
pub(crate) async fn first_operator_link(world: &World) -> Result<Option<String>, Error> {
    let (token, hash) = new_token(world);
    let put = world.store.write((hash, world.now()), |tx, (hash, now)| {
        Box::pin(async move {
            if tx.any_operator().await? {
                return Ok(false);
            }
            let expires_at = now.saturating_add(INVITATION_LIVES);
            tx.console_link_put(hash, &Link::First, *now, expires_at).await?;
            Ok(true)
        })
    });
    Ok(put.await?.then_some(token))
}

/// Where a link leads that lets somebody choose a password.
pub(crate) fn set_up_address(public_url: &str, token: &str) -> String {
    format!("{public_url}/console/set-up?token={token}")
}

/// A new token of a link, and the hash of it that is kept.
pub(crate) fn new_token(world: &World) -> (String, String) {
    let token = world.dice.secret("");
    let hash = sha256_hex(token.as_bytes());
    (token, hash)
}

/// Lower-case hex of the SHA-256. A key of 256 random bits needs no salt and no slow hash.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

const DEVELOPER: &str = "op_dev";
/// A day in microseconds: for how long somebody may take to choose a password.
pub(crate) const INVITATION_LIVES: i64 = 24 * LINK_LIVES;
/// An hour in microseconds.
const LINK_LIVES: i64 = 60 * 60 * 1_000_000;
