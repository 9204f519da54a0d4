//! `Idempotency-Key`: who holds one, what was made under it, and what was answered.
//!
//! A request takes its key under a lease and a name of its own (`owner`). In
//! the transaction that makes its effect it says so ([`Tx::made`]), which
//! fails where somebody else has the key by now: so one key has one effect,
//! whoever dies when. A repeat that finds an effect and no answer rebuilds the
//! answer from the effect.

use super::{Row, StoreError, Tx};
use crate::access::sha256_hex;
use crate::audit;
use crate::vals;

/// A request that was sent under a key, and has the key in its hands; one that was sent without; or what a person does at
/// the console, which is noted in the audit log with its effect.
#[derive(Clone, Debug, Default)]
pub struct Once {
    hold: Option<Hold>,
    /// The line, and when; unix microseconds.
    audit: Option<Box<(audit::Entry, i64)>>,
}

#[derive(Clone, Debug)]
struct Hold {
    api_key_id: String,
    key: String,
    fingerprint: String,
    owner: String,
    effect: Option<String>,
}

/// A request that wants its key.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose key it is.
    pub api_key_id: String,
    /// The key.
    pub key: String,
    /// Names the request: another one must not have the same key.
    pub fingerprint: String,
    /// A name that no other request has.
    pub owner: String,
    /// Now, in unix microseconds.
    pub now: i64,
    /// Until when the key is this request's alone.
    pub lease_until: i64,
    /// Keys that were used before this time are forgotten.
    pub forgotten: i64,
}

/// What became of a request that wanted its key.
#[derive(Clone, Debug)]
pub enum Taken {
    /// It may run.
    Ours(Once),
    /// It was answered before; the answer held a secret and was not kept, so it is to be made again from its effect.
    Rebuild(Once),
    /// It was answered before: HTTP status and body.
    Answered(i64, String),
    /// The first one is still running.
    Running,
    /// The key is another request's.
    Other,
}

impl Once {
    /// Of a request that has just taken its key.
    pub fn of(asked: &Asked) -> Self {
        let Asked { api_key_id, key, fingerprint, owner, .. } = asked.clone();
        let hold = Hold { api_key_id, key, fingerprint, owner, effect: None };
        Self { hold: Some(hold), audit: None }
    }

    /// Of a person at the console: what he does is noted in the transaction that does it. `now` in unix microseconds.
    pub fn audited(entry: audit::Entry, now: i64) -> Self {
        Self { hold: None, audit: Some(Box::new((entry, now))) }
    }

    /// What an earlier run of this request has made: then nothing more is to be made.
    pub fn effect(&self) -> Option<&str> {
        self.hold.as_ref()?.effect.as_deref()
    }

    /// Names API key and key for ever, without showing the latter.
    pub fn name(&self) -> Option<String> {
        let hold = self.hold.as_ref()?;
        Some(sha256_hex(format!("{}\n{}", hold.api_key_id, hold.key).as_bytes()))
    }

    /// Names the request.
    pub fn fingerprint(&self) -> Option<&str> {
        self.hold.as_ref().map(|hold| hold.fingerprint.as_str())
    }
}

impl Tx {
    /// Takes a key for a request. One whose holder has not ended in time died with its process: it passes on.
    pub async fn idempotency_take(&mut self, asked: &Asked) -> Result<Taken, StoreError> {
        let Asked { api_key_id, key, fingerprint, owner, now, lease_until, forgotten } = asked;
        self.exec(FORGET, &vals![api_key_id, key, *forgotten, *now]).await?;
        let args = vals![api_key_id, key, fingerprint, owner, *lease_until, *now];
        if self.exec(TAKE, &args).await? == 1 {
            return Ok(Taken::Ours(Once::of(asked)));
        }
        let ours = |effect| {
            let Once { hold, audit } = Once::of(asked);
            Once { hold: hold.map(|hold| Hold { effect, ..hold }), audit }
        };
        let row = self.row(REMEMBERED, &vals![api_key_id, key]).await?;
        let row = row.ok_or(StoreError::Stale { what: "Idempotency-Key" })?;
        if row.text("fingerprint")? != *fingerprint {
            return Ok(Taken::Other);
        }
        let effect = row.opt_text("effect")?;
        match answer(&row)? {
            (Some(status), Some(body)) => Ok(Taken::Answered(status, body)),
            (Some(_), None) => Ok(Taken::Rebuild(ours(effect))),
            (None, _) if *now < row.int("lease_until")? => Ok(Taken::Running),
            (None, _) => {
                self.exec(TAKE_OVER, &vals![api_key_id, key, owner, *lease_until]).await?;
                Ok(Taken::Ours(ours(effect)))
            }
        }
    }

    /// Notes what a request has made, in the transaction that makes it; and a person's line in the audit log. Without a key
    /// there is nothing else to note.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where another request has the key by now: then nothing must be made here.
    pub async fn made(&mut self, once: &Once, effect: &str) -> Result<(), StoreError> {
        if let Some((entry, now)) = once.audit.as_deref() {
            self.audit(entry, *now).await?;
        }
        let Some(hold) = &once.hold else { return Ok(()) };
        let args = vals![&hold.api_key_id, &hold.key, &hold.owner, effect];
        match self.exec(MADE, &args).await? {
            1 => Ok(()),
            _ => Err(StoreError::Stale { what: "Idempotency-Key" }),
        }
    }

    /// Keeps the answer of a request; `None` for a body that holds a secret. Whoever has lost the key changes nothing.
    pub async fn idempotency_answer(
        &mut self,
        once: &Once,
        status: i64,
        body: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(hold) = &once.hold else { return Ok(()) };
        let args = vals![&hold.api_key_id, &hold.key, &hold.owner, status, body];
        self.exec(ANSWER, &args).await.map(drop)
    }

    /// Lets go of the key of a request that failed: a repeat runs at once, and finds what this one has made.
    pub async fn idempotency_release(&mut self, once: &Once) -> Result<(), StoreError> {
        let Some(hold) = &once.hold else { return Ok(()) };
        let args = vals![&hold.api_key_id, &hold.key, &hold.owner];
        if self.exec(RELEASE, &args).await? == 0 {
            self.exec(RELEASE_MADE, &args).await?;
        }
        Ok(())
    }

    /// The refund that was made under a key of this name, whenever that was: its id and the request's fingerprint.
    pub async fn refund_of_key(
        &mut self,
        name: &str,
    ) -> Result<Option<(String, String)>, StoreError> {
        let row = self.row(REFUND_OF, &vals![name]).await?;
        row.map(|row| Ok((row.text("refund_id")?, row.text("fingerprint")?))).transpose()
    }

    /// Binds a refund to the key that made it, for ever.
    pub async fn refund_key_put(&mut self, once: &Once, refund_id: &str) -> Result<(), StoreError> {
        let (Some(name), Some(fingerprint)) = (once.name(), once.fingerprint()) else {
            return Ok(());
        };
        self.exec(REFUND_KEY_PUT, &vals![name, fingerprint, refund_id]).await.map(drop)
    }
}

fn answer(row: &Row) -> Result<(Option<i64>, Option<String>), StoreError> {
    Ok((row.opt_int("status")?, row.opt_text("body")?))
}

const FORGET: &str = "DELETE FROM idempotency WHERE api_key_id = $1 AND key = $2
    AND created_at < $3 AND (status IS NOT NULL OR lease_until <= $4)";
const TAKE: &str =
    "INSERT INTO idempotency (api_key_id, key, fingerprint, owner, lease_until, created_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (api_key_id, key) DO NOTHING";
const REMEMBERED: &str = "SELECT fingerprint, effect, lease_until, status, body
    FROM idempotency WHERE api_key_id = $1 AND key = $2";
const TAKE_OVER: &str = "UPDATE idempotency SET owner = $3, lease_until = $4
    WHERE api_key_id = $1 AND key = $2 AND status IS NULL";
const MADE: &str = "UPDATE idempotency SET effect = $4
    WHERE api_key_id = $1 AND key = $2 AND owner = $3 AND status IS NULL";
const ANSWER: &str = "UPDATE idempotency SET status = $4, body = $5
    WHERE api_key_id = $1 AND key = $2 AND owner = $3";
const RELEASE: &str = "DELETE FROM idempotency
    WHERE api_key_id = $1 AND key = $2 AND owner = $3 AND status IS NULL AND effect IS NULL";
const RELEASE_MADE: &str = "UPDATE idempotency SET lease_until = 0
    WHERE api_key_id = $1 AND key = $2 AND owner = $3 AND status IS NULL";
const REFUND_OF: &str = "SELECT refund_id, fingerprint FROM refund_key WHERE name = $1";
const REFUND_KEY_PUT: &str =
    "INSERT INTO refund_key (name, fingerprint, refund_id) VALUES ($1, $2, $3)";
