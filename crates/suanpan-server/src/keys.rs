//! WeChat's keys: fetched, kept, and replaced while they are in use.
//!
//! WeChat signs with platform certificates that it rotates, with the WeChat Pay
//! public key, or, while a merchant migrates, with either. So certificates are
//! fetched every twelve hours and whenever a message names one that is not here;
//! what is fetched is trusted because it is sealed under the APIv3 key. They are
//! kept in the database, so that all nodes share them and a restart needs no
//! WeChat. A server without any key still starts: it says what it lacks on
//! `/readyz`, and nothing of WeChat's is believed until the keys are there.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use serde::Serialize;
use suanpan_client::Outcome;
use suanpan_wechat::Error::UnknownSerial;
use suanpan_wechat::v3::{Certificate, DownloadCertificates, KeyRing};
use suanpan_wechat::{Call, MchId, Serial};
use utoipa::ToSchema;

use crate::account::Account;
use crate::config::ApiVersion;
use crate::error::chain;
use crate::world::World;
use crate::{Error, client};

/// The keys of one account, with how they stand.
#[derive(Debug)]
pub(crate) struct Keys {
    /// In use: replaced as a whole.
    ring: KeyRing,
    /// What the configuration gives.
    configured: KeyRing,
    has_public_key: bool,
    /// Whether certificates are to be fetched by schedule.
    scheduled: bool,
    /// One fetch at a time.
    fetches: tokio::sync::Mutex<Fetches>,
    problem: Mutex<Option<Problem>>,
}

/// How fetching went so far.
#[derive(Debug, Default)]
struct Fetches {
    /// When a message with an unknown key made us ask, in unix microseconds.
    prompted_at: Option<i64>,
    /// When it made us look at what is kept.
    looked_at: Option<i64>,
    /// How many went wrong since the last that went well.
    failures: u32,
}

/// 一个商户号缺什么，该做什么。/ What an account lacks, and what to do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = AccountProblem)]
pub(crate) struct Problem {
    /// 商户号 / the merchant account
    #[schema(value_type = String, example = "1900000109")]
    pub(crate) mchid: MchId,
    /// 不变的名字 / a stable name
    #[schema(value_type = String, example = "SP-KEYS-PENDING")]
    pub(crate) code: &'static str,
    /// 发生了什么 / what happened
    pub(crate) detail: String,
    /// 现在该做什么 / what the reader can do now
    #[schema(value_type = String)]
    pub(crate) remedy: &'static str,
}

impl Keys {
    pub(crate) fn new(configured: KeyRing, scheduled: bool) -> Self {
        let has_public_key = configured.serials().any(Serial::is_public_key);
        Self {
            ring: configured.clone(),
            has_public_key,
            configured,
            scheduled,
            fetches: tokio::sync::Mutex::default(),
            problem: Mutex::new(None),
        }
    }

    /// The keys in use.
    pub(crate) const fn ring(&self) -> &KeyRing {
        &self.ring
    }

    fn has(&self, serial: &Serial) -> bool {
        self.ring.find(serial).is_ok()
    }

    fn trouble(&self, problem: Option<Problem>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// Why nothing of WeChat's can be verified, where that is so.
    pub(crate) fn problem(&self, account: &Account) -> Option<Problem> {
        if self.ring.preferred().is_some() {
            return None;
        }
        // An account of APIv2 needs none, until a message of APIv3 asks for one.
        let pending = (account.api == ApiVersion::V3).then(|| Problem {
            mchid: account.mchid.clone(),
            code: "SP-KEYS-PENDING",
            detail: "WeChat's platform certificates are not fetched yet".to_owned(),
            remedy: "wait a moment: they are being fetched",
        });
        self.last_problem().or(pending)
    }

    /// Why the keys in use cannot be renewed, where that is so: they still verify, for how long nobody knows.
    fn warning(&self) -> Option<Problem> {
        self.ring.preferred().and_then(|_| self.last_problem())
    }

    fn last_problem(&self) -> Option<Problem> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts what was fetched beside what is configured.
    fn adopt(&self, fetched: impl IntoIterator<Item = Certificate>) {
        let ring = fetched.into_iter().fold(self.configured.clone(), KeyRing::with_certificate);
        if !ring.serials().eq(self.ring.serials()) {
            self.ring.replace(ring);
        }
    }
}

/// Asks WeChat; where the answer is signed with a key that is not here, fetches it and asks once more.
///
/// Only for questions that may be asked twice: under the same number, all of ours may.
pub(crate) async fn ask<C: Call>(world: &World, account: &Account, call: &C) -> Outcome<C::Answer> {
    let outcome = world.ask(&world.client, call).await;
    let Some(client::Error::WeChat(UnknownSerial { serial, .. })) = outcome.error() else {
        return outcome;
    };
    if learn(world, account, serial, Patience::Waits).await {
        world.ask(&world.client, call).await
    } else {
        outcome
    }
}

/// What whoever needs a key does while it is being fetched for somebody else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Patience {
    /// It is an answer to a question of ours, and there are only so many of these.
    Waits,
    /// It is a notification: anybody can post one, and WeChat repeats its own.
    ComesAgain,
}

/// Looks for a key that a message named and that is not here. Answers whether it is here now.
pub(crate) async fn learn(
    world: &World,
    account: &Account,
    serial: &str,
    patience: Patience,
) -> bool {
    let (Some(keys), Ok(serial)) = (account.keys(), Serial::normalised(serial)) else {
        return false;
    };
    // The public key is never handed out by an API: an operator has to configure it.
    if serial.is_public_key() {
        return false;
    }
    if keys.has(&serial) {
        return true;
    }
    let mut fetches = match patience {
        Patience::Waits => keys.fetches.lock().await,
        Patience::ComesAgain => match keys.fetches.try_lock() {
            Ok(fetches) => fetches,
            Err(_) => return false,
        },
    };
    let now = world.now();
    let since = |at: Option<i64>, pause: i64| at.is_some_and(|at| now < at.saturating_add(pause));
    // Anybody can post a message with an invented serial: it must not make us read and ask each time.
    if keys.has(&serial) || since(fetches.looked_at, LOOKED_EVERY) {
        return keys.has(&serial);
    }
    fetches.looked_at = Some(now);
    // Another node may have been faster.
    if let Err(error) = load(world, account).await {
        tracing::warn!(mchid = %account.mchid, error = chain(&error), "the kept certificates cannot be read");
    }
    if keys.has(&serial) || since(fetches.prompted_at, PROMPTED_EVERY) {
        return keys.has(&serial);
    }
    fetches.prompted_at = Some(now);
    fetch(world, account, keys, &mut fetches).await;
    keys.has(&serial)
}

/// Takes over what this or another node has fetched; answers when that was, in unix microseconds.
///
/// # Errors
/// Those of the store.
pub(crate) async fn load(world: &World, account: &Account) -> Result<Option<i64>, Error> {
    let Some(keys) = account.keys() else { return Ok(None) };
    let wanted = (account.mchid.clone(), world.clock.now_seconds());
    let kept = world
        .store
        .look(wanted, |tx, (mchid, now)| {
            Box::pin(async move { tx.certificates(mchid, *now).await })
        })
        .await?;
    let readable = kept.iter().filter_map(|kept| Certificate::from_pem(&kept.pem).ok());
    keys.adopt(readable);
    Ok(kept.iter().map(|kept| kept.fetched_at).max())
}

/// Keeps all accounts in keys, until `stopped`.
pub(crate) async fn watch(world: Arc<World>, stopped: impl Future<Output = ()>) {
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let now = world.now();
        let seconds = world.clock.now_seconds();
        let accounts = world.accounts();
        for warning in accounts.iter().flat_map(|account| account.expiring(seconds)) {
            let Problem { mchid, code, detail, remedy } = warning;
            tracing::warn!(%mchid, code, remedy, "{detail}");
        }
        let tended = join_all(accounts.iter().map(|account| tend(&world, account))).await;
        let next = tended.into_iter().flatten().min();
        let next = next.unwrap_or(i64::MAX).min(now.saturating_add(EVERY));
        tokio::select! {
            biased;
            () = &mut stopped => return,
            // Other accounts may need other keys, at once.
            () = world.rekeyed.notified() => {}
            () = world.clock.sleep_until(next) => {}
        }
    }
}

/// Fetches the certificates of an account where it is time; answers when it is time again.
async fn tend(world: &World, account: &Account) -> Option<i64> {
    let keys = account.keys().filter(|keys| keys.scheduled)?;
    let mut fetches = keys.fetches.lock().await;
    let now = world.now();
    let fetched_at = match load(world, account).await {
        Ok(fetched_at) => fetched_at,
        Err(error) => {
            tracing::warn!(mchid = %account.mchid, error = chain(&error), "the kept certificates cannot be read");
            None
        }
    };
    let due_at = fetched_at.map_or(now, |at| at.saturating_add(EVERY));
    if now < due_at {
        return Some(due_at);
    }
    if fetch(world, account, keys, &mut fetches).await {
        return Some(now.saturating_add(EVERY));
    }
    let doubled = 1_i64.checked_shl(fetches.failures.min(10)).unwrap_or(1);
    Some(now.saturating_add(FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT)))
}

/// Asks WeChat for its certificates, keeps them and takes them into use. Answers whether it went well.
async fn fetch(world: &World, account: &Account, keys: &Keys, fetches: &mut Fetches) -> bool {
    let problem = fetched(world, account, keys).await.err();
    let went_well = problem.is_none();
    world.metrics.refreshed(went_well);
    match &problem {
        None => {
            let serials = keys.ring.serials().count();
            tracing::info!(mchid = %account.mchid, serials, "fetched WeChat's platform certificates");
        }
        Some(Problem { mchid, code, detail, remedy }) => {
            tracing::warn!(%mchid, code, remedy, "{detail}");
        }
    }
    fetches.failures = if went_well { 0 } else { fetches.failures.saturating_add(1) };
    keys.trouble(problem);
    went_well
}

async fn fetched(world: &World, account: &Account, keys: &Keys) -> Result<(), Problem> {
    let problem =
        |code, detail, remedy| Problem { mchid: account.mchid.clone(), code, detail, remedy };
    let Some(v3) = account.v3() else { return Ok(()) };
    let certificates = match world.ask(&world.client, &DownloadCertificates { account: v3 }).await {
        Outcome::Done(done) => done.answer,
        Outcome::Rejected(no) if no.refusal().is_some_and(|no| no.code == NO_CERTIFICATES) => {
            Vec::new()
        }
        Outcome::Rejected(no) => {
            let detail = format!("WeChat's platform certificates: {}", chain(&no.error));
            return Err(problem(no.code(), detail, no.remedy()));
        }
        Outcome::Unknown(doubt) => {
            let detail = format!("WeChat's platform certificates: {}", chain(&doubt.error));
            return Err(problem(doubt.code(), detail, doubt.remedy()));
        }
    };
    if certificates.is_empty() && !keys.has_public_key {
        let detail = format!(
            "merchant {} has no platform certificates: it verifies by the WeChat Pay public key",
            account.mchid
        );
        return Err(problem("SP-KEYS-PUBLIC", detail, PUBLIC_KEY_REMEDY));
    }

    let unit = (account.mchid.clone(), certificates, world.now());
    let kept = world.store.write(unit, |tx, (mchid, certificates, now)| {
        Box::pin(async move {
            for certificate in certificates {
                tx.certificate_put(mchid, certificate, *now).await?;
            }
            Ok(())
        })
    });
    let stored = match kept.await {
        Ok(()) => load(world, account).await.map(drop),
        Err(error) => Err(error.into()),
    };
    stored.map_err(|error| problem("SP-KEYS-STORE", chain(&error), error.remedy()))
}

/// What all accounts lack: nothing of WeChat's can be verified for these.
pub(crate) fn problems(world: &World) -> Vec<Problem> {
    let of = |account: &Arc<Account>| account.keys()?.problem(account);
    world.accounts().iter().filter_map(of).collect()
}

/// What will be a problem: certificates that expire soon, and keys that cannot be renewed.
pub(crate) fn warnings(world: &World) -> Vec<Problem> {
    let now = world.clock.now_seconds();
    let of = |account: &Arc<Account>| {
        let stale = account.keys().and_then(Keys::warning);
        account.expiring(now).into_iter().chain(stale)
    };
    world.accounts().iter().flat_map(of).collect()
}

const PUBLIC_KEY_REMEDY: &str = "download the WeChat Pay public key from the merchant platform (API 安全) and configure wechatpay_public_key and wechatpay_public_key_id";
/// 404 with this: "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。"
const NO_CERTIFICATES: &str = "RESOURCE_NOT_EXISTS";
/// WeChat wants it at least that often: twelve hours, in microseconds.
const EVERY: i64 = 12 * 3_600_000_000;
/// At most once a second, in microseconds.
const LOOKED_EVERY: i64 = 1_000_000;
/// At most one a minute where a message prompts it.
const PROMPTED_EVERY: i64 = 60_000_000;
/// After a failure: half a minute, then doubled.
const FIRST_WAIT: i64 = 15_000_000;
const LONGEST_WAIT: i64 = 600_000_000;
