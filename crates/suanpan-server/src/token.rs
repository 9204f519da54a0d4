//! The token that calls of the mini program platform carry: one for each app, shared by all nodes.
//!
//! Who wants a token takes the one of the row while it is good. In its last five
//! minutes, when `stable_token` gives a new one and takes both, one node gets the
//! lease and asks; the others use the old one, or wait where there is none. What
//! comes back is stored only under the same lease and epoch, so a node that was
//! paused meanwhile changes nothing.
//!
//! A token that WeChat no longer takes (40001, 40014, 42001) is replaced once and
//! the question asked once more, not twice. `stable_token` in its normal mode
//! answers what is valid now, and that is enough where another system killed the
//! old one. Only if it answers the very token that was refused is it forced, which
//! kills that token for everybody: at most 20 times a day, 30 s apart.
//! Source: developers.weixin.qq.com, "getStableAccessToken".
//!
//! While WeChat gives none, nobody queues up for its answer: who has an old one
//! that is good goes on with it, and a no holds for ten seconds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use suanpan_client::Outcome;
use suanpan_wechat::platform::{Asked, IssuedToken, Question, StableToken, is_stale_token};
use suanpan_wechat::{AccessToken, AppId, AppSecret, Call, Refusal};

use crate::Error;
use crate::account::App;
use crate::error::chain;
use crate::outside::Dice;
use crate::store::{ForceLimits, TokenLease, TokenRow};
use crate::world::World;

/// Asks the platform in the name of an app, with its token; once more, with another token, where WeChat no longer takes
/// this one.
///
/// # Errors
/// [`Error::Token`] where WeChat gives no token, [`Error::Unknown`] where it does not answer to that: in both cases the
/// question itself was not asked. [`Error::Config`] for an app that is not ours.
pub async fn ask<Q: Question + Sync>(
    world: &World,
    appid: &AppId,
    question: &Q,
) -> Result<Outcome<Q::Answer>, Error> {
    let accounts = world.accounts();
    let (_, app) = accounts.of_app(appid).ok_or_else(|| Error::Config {
        place: "merchants.apps".to_owned(),
        why: format!("app {appid} is asked for, and it is gone"),
    })?;
    let Some(first) = current(world, app, None).await? else { return Err(Error::Broken) };
    let outcome = world.ask(&world.client, &Asked { question, token: &first.token }).await;
    if !outcome.wechat_code().is_some_and(is_stale_token) {
        return Ok(outcome);
    }
    tracing::warn!(
        %appid,
        epoch = first.epoch,
        wechat_code = outcome.wechat_code(),
        "WeChat no longer takes this access_token"
    );
    match current(world, app, Some(&first)).await? {
        Some(second) => {
            Ok(world.ask(&world.client, &Asked { question, token: &second.token }).await)
        }
        // There is no other to be had: its no stands.
        None => Ok(outcome),
    }
}

/// The tokens that this process holds. For each app one task fetches, and the others wait for it if they have none.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    apps: Mutex<BTreeMap<AppId, Arc<Slot>>>,
}

impl Tokens {
    fn slot(&self, appid: &AppId) -> Arc<Slot> {
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(apps.entry(appid.clone()).or_default())
    }
}

#[derive(Debug, Default)]
struct Slot {
    known: Mutex<Known>,
    /// Held by the task that fetches, for as long as WeChat takes to answer.
    fetching: tokio::sync::Mutex<()>,
}

/// What is known without asking anybody.
#[derive(Clone, Debug, Default)]
struct Known {
    held: Option<Held>,
    failed: Option<Failed>,
}

/// WeChat gave no token, and is not asked again before this time, in unix microseconds.
#[derive(Clone, Debug)]
struct Failed {
    retry_after: i64,
    no: No,
}

impl Slot {
    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, held: Option<Held>, failed: Option<Failed>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Known { held, failed };
    }
}

/// A token, and until when WeChat takes it, in unix microseconds.
#[derive(Clone, Debug)]
struct Held {
    token: AccessToken,
    expires_at: i64,
    epoch: i64,
}

/// A token that is good, other than the refused one; `None`: WeChat has no other.
async fn current(world: &World, app: &App, refused: Option<&Held>) -> Result<Option<Held>, Error> {
    let slot = world.tokens.slot(&app.appid);
    let is_good = |held: &Held, margin: i64| {
        world.now() < held.expires_at.saturating_sub(margin)
            && refused.is_none_or(|refused| refused.epoch != held.epoch)
    };
    // What can be said at once.
    let known = || {
        let Known { held, failed } = slot.known();
        if let Some(held) = held.as_ref().filter(|held| is_good(held, AHEAD)) {
            return Some(Ok(Some(held.clone())));
        }
        let failed = failed.filter(|failed| world.now() < failed.retry_after)?;
        Some(
            held.filter(|held| is_good(held, MARGIN))
                .map_or(Err(failed.no.into()), |held| Ok(Some(held))),
        )
    };
    if let Some(said) = known() {
        return said;
    }
    let _fetching = match slot.fetching.try_lock() {
        Ok(fetching) => fetching,
        Err(_) => {
            // Another task fetches the next one: the old one is good until then.
            if let Some(held) = slot.known().held.filter(|held| is_good(held, MARGIN)) {
                return Ok(Some(held));
            }
            slot.fetching.lock().await
        }
    };
    if let Some(said) = known() {
        return said;
    }
    loop {
        let row = look(world, app).await?;
        let known = row.as_ref().and_then(|row| Held::open(row, app));
        let good = known.filter(|held| is_good(held, MARGIN));
        if let Some(held) = good.as_ref().filter(|held| is_good(held, AHEAD)) {
            slot.learn(good.clone(), None);
            return Ok(Some(held.clone()));
        }
        let lease = TokenLease {
            appid: app.appid.clone(),
            holder: world.id("tok_"),
            epoch: row.as_ref().map_or(0, |row| row.epoch),
        };
        let is_ours = take(world, &lease).await?;
        if is_ours {
            match fetch(world, app, &lease, refused).await {
                Ok(Fetched::New(held)) => {
                    slot.learn(Some(held.clone()), None);
                    return Ok(Some(held));
                }
                Ok(Fetched::NoOther) => return Ok(None),
                Ok(Fetched::Fenced) => continue,
                Ok(Fetched::Failed(no)) => {
                    let retry_after = world.now().saturating_add(RETRY);
                    slot.learn(good.clone(), Some(Failed { retry_after, no: no.clone() }));
                    release(world, &lease).await?;
                    let error = Error::from(no);
                    let Some(held) = good else { return Err(error) };
                    tracing::warn!(appid = %app.appid, error = chain(&error), "the access_token was not renewed; the old one is still good");
                    return Ok(Some(held));
                }
                Err(error) => {
                    release(world, &lease).await?;
                    return Err(error);
                }
            }
        }
        // Another node fetches the next one, or has: the old one is good until then.
        if let Some(held) = good {
            return Ok(Some(held));
        }
        world.clock.sleep(POLL).await;
    }
}

enum Fetched {
    New(Held),
    /// Another node took over meanwhile.
    Fenced,
    /// WeChat answers the refused one, and must not be forced now.
    NoOther,
    /// WeChat gave none.
    Failed(No),
}

/// Why WeChat gives no token.
#[derive(Clone, Debug)]
enum No {
    Refused(Refusal),
    Unwritable(&'static str, Arc<suanpan_client::Error>),
    Unknown(&'static str, Arc<suanpan_client::Error>),
}

impl From<No> for Error {
    fn from(no: No) -> Self {
        match no {
            No::Refused(refusal) => Self::Token { refusal },
            No::Unwritable(operation, cause) => Self::Unwritable { operation, cause },
            No::Unknown(operation, cause) => Self::Unknown { operation, cause },
        }
    }
}

/// Asks WeChat for a token and stores it, under the lease.
async fn fetch(
    world: &World,
    app: &App,
    lease: &TokenLease,
    refused: Option<&Held>,
) -> Result<Fetched, Error> {
    // Before the question: so it never seems to live longer than it does.
    let mut asked_at = world.now();
    let mut issued = match stable_token(world, app, false).await {
        Ok(issued) => issued,
        Err(no) => return Ok(Fetched::Failed(no)),
    };
    let is_refused =
        |issued: &IssuedToken| refused.is_some_and(|refused| refused.token == issued.access_token);
    if is_refused(&issued) {
        if !may_force(world, lease).await? {
            tracing::error!(appid = %app.appid, "WeChat refuses the access_token that it answers, and must not be forced to another now");
            release(world, lease).await?;
            return Ok(Fetched::NoOther);
        }
        asked_at = world.now();
        issued = match stable_token(world, app, true).await {
            Ok(issued) => issued,
            Err(no) => return Ok(Fetched::Failed(no)),
        };
        if is_refused(&issued) {
            release(world, lease).await?;
            return Ok(Fetched::NoOther);
        }
    }
    let expires_at = asked_at.saturating_add(issued.expires_in.saturating_mul(1_000_000));
    let sealed = seal(&app.secret, &app.appid, &issued.access_token, &*world.dice)?;
    let unit = (lease.clone(), sealed, expires_at);
    let stored = world.store.write(unit, |tx, (lease, sealed, expires_at)| {
        Box::pin(async move { tx.token_store(lease, sealed, *expires_at).await })
    });
    if !stored.await? {
        tracing::warn!(appid = %app.appid, "another node fetched an access_token meanwhile");
        return Ok(Fetched::Fenced);
    }
    let epoch = lease.epoch.saturating_add(1);
    tracing::info!(appid = %app.appid, epoch, "a new access_token");
    Ok(Fetched::New(Held { token: issued.access_token, expires_at, epoch }))
}

async fn stable_token(world: &World, app: &App, force_refresh: bool) -> Result<IssuedToken, No> {
    let call = StableToken { app_id: &app.appid, secret: &app.secret, force_refresh };
    match world.ask(&world.client, &call).await {
        Outcome::Done(done) => Ok(done.answer),
        Outcome::Rejected(no) => Err(match no.refusal() {
            Some(refusal) => No::Refused(refusal.clone()),
            None => No::Unwritable(call.operation(), no.error.into()),
        }),
        Outcome::Unknown(doubt) => Err(No::Unknown(call.operation(), doubt.error.into())),
    }
}

async fn look(world: &World, app: &App) -> Result<Option<TokenRow>, Error> {
    let row = world
        .store
        .look(app.appid.clone(), |tx, appid| Box::pin(async move { tx.token(appid).await }));
    Ok(row.await?)
}

async fn take(world: &World, lease: &TokenLease) -> Result<bool, Error> {
    let unit = (lease.clone(), world.now(), world.now().saturating_add(world.token_lease_micros));
    let taken = world.store.write(unit, |tx, (lease, now, until)| {
        Box::pin(async move { tx.token_lease(lease, *now, *until).await })
    });
    Ok(taken.await?)
}

async fn may_force(world: &World, lease: &TokenLease) -> Result<bool, Error> {
    let now = world.now();
    let unit = (lease.clone(), now, now.saturating_add(world.token_lease_micros));
    let may = world.store.write(unit, |tx, (lease, now, until)| {
        Box::pin(async move { tx.token_force(lease, *now, *until, FORCE).await })
    });
    Ok(may.await?)
}

async fn release(world: &World, lease: &TokenLease) -> Result<(), Error> {
    let released = world
        .store
        .write(lease.clone(), |tx, lease| Box::pin(async move { tx.token_release(lease).await }));
    Ok(released.await?)
}

impl Held {
    /// `None` where the row holds none, or one that was sealed under another `AppSecret`.
    fn open(row: &TokenRow, app: &App) -> Option<Self> {
        let token = open(&app.secret, &app.appid, row.sealed.as_ref()?)?;
        Some(Self { token, expires_at: row.expires_at, epoch: row.epoch })
    }
}

/// The nonce, and the token under AES-256-GCM, bound to its app.
fn seal(
    secret: &AppSecret,
    appid: &AppId,
    token: &AccessToken,
    dice: &dyn Dice,
) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; NONCE_LEN];
    dice.fill(&mut nonce);
    let mut sealed = token.expose().as_bytes().to_vec();
    let key = key(secret).ok_or(Error::Broken)?;
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(appid.as_str().as_bytes()),
        &mut sealed,
    )
    .map_err(|_| Error::Broken)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(secret: &AppSecret, appid: &AppId, sealed: &[u8]) -> Option<AccessToken> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut body = body.to_vec();
    let aad = Aad::from(appid.as_str().as_bytes());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = key(secret)?.open_in_place(nonce, aad, &mut body).ok()?;
    AccessToken::parse(str::from_utf8(plain).ok()?).ok()
}

/// The key for what is kept of an app, from its `AppSecret`: whoever has the database alone has no token.
fn key(secret: &AppSecret) -> Option<LessSafeKey> {
    let key = Salt::new(HKDF_SHA256, b"suanpan").extract(secret.expose().as_bytes());
    let key = key.expand(&[b"access_token"], &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(key)))
}

/// In microseconds.
const SECOND: i64 = 1_000_000;
/// How long before its end a token is renewed: within the five minutes in which `stable_token` answers a new one.
const AHEAD: i64 = 290 * SECOND;
/// A token that ends within this time is none: the question has to get there.
const MARGIN: i64 = 15 * SECOND;
/// How long a no of WeChat holds before it is asked again.
const RETRY: i64 = 10 * SECOND;
/// How often a node that waits for another one's token looks.
const POLL: i64 = SECOND / 5;
/// WeChat's limits of `force_refresh`.
const FORCE: ForceLimits = ForceLimits { gap: 30 * SECOND, day: 86_400 * SECOND, most: 20 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::SeededDice;

    #[test]
    fn a_token_opens_with_its_own_secret_for_its_own_app_alone() {
        let secret = |text| AppSecret::parse(text).unwrap();
        let app = |text| AppId::parse(text).unwrap();
        let (own, tea) = (secret("s3cret"), app("wx2421b1c4370ec43b"));
        let token = AccessToken::parse("75_tokenTokenToken").unwrap();
        let sealed = seal(&own, &tea, &token, &SeededDice::new(1)).unwrap();

        assert!(!sealed.windows(5).any(|bytes| bytes == b"token"), "it is not readable");
        assert_eq!(open(&own, &tea, &sealed), Some(token));
        assert_eq!(open(&secret("other"), &tea, &sealed), None);
        assert_eq!(open(&own, &app("wx9999999999999999"), &sealed), None);
        for broken in [&sealed[..11], &sealed[..20], &[]] {
            assert_eq!(open(&own, &tea, broken), None);
        }
        let mut turned = sealed;
        *turned.last_mut().unwrap() ^= 1;
        assert_eq!(open(&own, &tea, &turned), None);
    }
}
