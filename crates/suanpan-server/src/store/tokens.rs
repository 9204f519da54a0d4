//! The tokens of the mini program platform: one row for each app, and a lease on it.
//!
//! Of many nodes that want a new token, one gets the lease and asks WeChat. What
//! it brings back counts only if the row still names it and the same epoch: a
//! holder that was paused until another one took over changes nothing.

use suanpan_wechat::AppId;

use super::{Row, StoreError, Tx, Val};
use crate::vals;

/// The row of an app.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenRow {
    /// The token, encrypted; `None`: there is none yet.
    pub sealed: Option<Vec<u8>>,
    /// Until when WeChat takes it, in unix microseconds.
    pub expires_at: i64,
    /// Which token this is, counted from 1; 0: none yet.
    pub epoch: i64,
    /// Until when somebody is fetching a new one, in unix microseconds.
    pub lease_until: i64,
}

/// The right to fetch the token that follows that of `epoch`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenLease {
    /// The app.
    pub appid: AppId,
    /// Who holds it; another name each time, so nobody speaks for its former self.
    pub holder: String,
    /// The epoch of the token that is to be replaced.
    pub epoch: i64,
}

impl Tx {
    /// The token of an app.
    pub async fn token(&mut self, appid: &AppId) -> Result<Option<TokenRow>, StoreError> {
        self.row(TOKEN, &vals![appid.as_str()]).await?.as_ref().map(TokenRow::read).transpose()
    }

    /// Takes the lease until `until`; `false`: somebody else holds it, or the epoch has passed. Times in unix
    /// microseconds.
    pub async fn token_lease(
        &mut self,
        lease: &TokenLease,
        now: i64,
        until: i64,
    ) -> Result<bool, StoreError> {
        self.exec(MAKE, &vals![lease.appid.as_str()]).await?;
        let args = vals![lease.appid.as_str(), &lease.holder, lease.epoch, now, until];
        Ok(self.exec(LEASE, &args).await? == 1)
    }

    /// Counts a forced refresh and extends the lease for it; `false`: it is not ours any more, or WeChat's limits forbid
    /// it.
    pub async fn token_force(
        &mut self,
        lease: &TokenLease,
        now: i64,
        until: i64,
        limits: ForceLimits,
    ) -> Result<bool, StoreError> {
        let (last, first) = (now.saturating_sub(limits.gap), now.saturating_sub(limits.day));
        let args = vals![
            lease.appid.as_str(),
            &lease.holder,
            lease.epoch,
            now,
            until,
            last,
            first,
            limits.most,
        ];
        Ok(self.exec(FORCE, &args).await? == 1)
    }

    /// Stores the new token and ends the lease; `false`: another holder took over, and nothing is stored.
    pub async fn token_store(
        &mut self,
        lease: &TokenLease,
        sealed: &[u8],
        expires_at: i64,
    ) -> Result<bool, StoreError> {
        let sealed = Val::Blob(sealed.to_vec());
        let args = vals![lease.appid.as_str(), &lease.holder, lease.epoch, sealed, expires_at];
        Ok(self.exec(STORE, &args).await? == 1)
    }

    /// Ends the lease without a new token.
    pub async fn token_release(&mut self, lease: &TokenLease) -> Result<(), StoreError> {
        self.exec(RELEASE, &vals![lease.appid.as_str(), &lease.holder]).await.map(drop)
    }
}

/// How often WeChat lets a token be killed.
#[derive(Clone, Copy, Debug)]
pub struct ForceLimits {
    /// The least time between two, in microseconds.
    pub gap: i64,
    /// How long a day is, in microseconds; it begins with the first one.
    pub day: i64,
    /// The most in one day.
    pub most: i64,
}

impl TokenRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let is_empty = *row.value("sealed")? == Val::Null;
        Ok(Self {
            sealed: if is_empty { None } else { Some(row.blob("sealed")?) },
            expires_at: row.int("expires_at")?,
            epoch: row.int("epoch")?,
            lease_until: row.int("lease_until")?,
        })
    }
}

const TOKEN: &str = "SELECT * FROM access_token WHERE appid = $1";
const MAKE: &str = "INSERT INTO access_token (appid) VALUES ($1) ON CONFLICT (appid) DO NOTHING";
const LEASE: &str = "UPDATE access_token SET lease_by = $2, lease_until = $5
    WHERE appid = $1 AND epoch = $3 AND lease_until <= $4";
const FORCE: &str = "UPDATE access_token SET lease_until = $5, forced_at = $4,
        forced_times = CASE WHEN forced_since <= $7 THEN 1 ELSE forced_times + 1 END,
        forced_since = CASE WHEN forced_since <= $7 THEN $4 ELSE forced_since END
    WHERE appid = $1 AND lease_by = $2 AND epoch = $3 AND forced_at <= $6
      AND (forced_since <= $7 OR forced_times < $8)";
const STORE: &str = "UPDATE access_token SET sealed = $4, expires_at = $5, epoch = epoch + 1,
        lease_by = NULL, lease_until = 0
    WHERE appid = $1 AND lease_by = $2 AND epoch = $3";
const RELEASE: &str = "UPDATE access_token SET lease_by = NULL, lease_until = 0
    WHERE appid = $1 AND lease_by = $2";
