//! Work that time starts: put in, claimed under a lease, finished or tried again.
//!
//! A claim is a lease, not a possession: whoever holds it past its end may find
//! that another node took the row. So each word about a claim ([`Tx::due_done`],
//! [`Tx::due_retry`], …) carries the holder and the number of the attempt, and
//! a stale one changes nothing (fencing).

use super::{Row, StoreError, Tx};
use crate::metrics::store::Moved;
use crate::vals;

/// Work to be put in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewDue<'a> {
    /// Its id, `due_…`.
    pub id: &'a str,
    /// What is to be done; says who does it.
    pub kind: &'a str,
    /// Makes it exist once: the second one with the same key is not put in, even when the first is done.
    pub key: &'a str,
    /// Rows of one pool share a number of hands: all that may be held up by the same slow system is in one.
    pub pool: &'a str,
    /// Rows of one lane are handed out one at a time, oldest first: while one of them waits for another try, those
    /// behind it wait too. `None`: no order.
    pub lane: Option<&'a str>,
    /// What its worker needs to know; JSON.
    pub body: &'a str,
    /// The order that it is about.
    pub order_id: Option<&'a str>,
    /// When, in unix microseconds.
    pub due_at: i64,
    /// Now, in unix microseconds.
    pub created_at: i64,
}

/// Work in the hands of one worker, until `lease_until`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    /// The row.
    pub id: String,
    /// What is to be done.
    pub kind: String,
    /// What made it exist once.
    pub key: String,
    /// With whom it shares hands.
    pub pool: String,
    /// What its worker needs to know; JSON.
    pub body: String,
    /// The order that it is about.
    pub order_id: Option<String>,
    /// When it became due, in unix microseconds.
    pub due_at: i64,
    /// Which try this is; 1 is the first.
    pub attempt: i64,
    /// Who holds it.
    pub lease_by: String,
    /// When the lease ends, in unix microseconds.
    pub lease_until: i64,
    /// When it was put in, in unix microseconds.
    pub created_at: i64,
}

/// How much work of one kind is not done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Backlog {
    /// What is to be done.
    pub kind: String,
    /// `ready`, or `dead` where it was given up.
    pub state: String,
    /// How many.
    pub count: i64,
}

impl Backlog {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { kind: row.text("kind")?, state: row.text("state")?, count: row.int("count")? })
    }
}

impl Tx {
    /// How much work is not done, by kind and state.
    pub async fn due_backlog(&mut self) -> Result<Vec<Backlog>, StoreError> {
        self.rows(BACKLOG, &[]).await?.iter().map(Backlog::read).collect()
    }

    /// The pools that have work, each with when its oldest became due, in unix microseconds; later than now: it waits for
    /// its time. Of a pool that serves one receiver the kind of work is before the colon.
    pub async fn due_oldest(&mut self) -> Result<Vec<(String, Option<i64>)>, StoreError> {
        let rows = self.rows(OLDEST, &[]).await?;
        rows.iter().map(|row| Ok((row.text("pool")?, row.opt_int("at")?))).collect()
    }

    /// Puts work in, in the same transaction as the reason for it. `false`: its key was there already.
    pub async fn due_put(&mut self, due: &NewDue<'_>) -> Result<bool, StoreError> {
        // Behind what waits in its lane it would only be looked at in vain.
        let ahead = match due.lane {
            Some(lane) => self.row(AHEAD, &vals![lane, due.created_at, due.id]).await?,
            None => None,
        };
        let ahead = ahead.map(|row| row.opt_int("at")).transpose()?.flatten();
        let due_at = ahead.map_or(due.due_at, |ahead| ahead.max(due.due_at));
        let args = vals![
            due.id,
            due.kind,
            due.key,
            due.pool,
            due.lane,
            due.body,
            due.order_id,
            due_at,
            due.created_at,
        ];
        Ok(self.exec(PUT, &args).await? == 1)
    }

    /// Work of this key that waits is done earlier, at `due_at`; work that nobody needs again, that is done, or that is
    /// in somebody's hands stays as it is.
    pub async fn due_hasten(&mut self, key: &str, due_at: i64) -> Result<(), StoreError> {
        self.exec(HASTEN, &vals![key, due_at]).await.map(drop)
    }

    /// Work of this key is not needed any more, whoever holds it.
    pub async fn due_drop(&mut self, key: &str) -> Result<(), StoreError> {
        self.exec(DROP, &vals![key]).await.map(drop)
    }

    /// Takes up to `limit` rows of a pool that are due at `now`, earliest first, until `lease_until`.
    ///
    /// `holder` names one process in one life: a name that a restarted process
    /// takes again would let it speak for its former self.
    pub async fn due_claim(
        &mut self,
        holder: &str,
        pool: &str,
        now: i64,
        lease_until: i64,
        limit: i64,
    ) -> Result<Vec<Claim>, StoreError> {
        let rows = self.rows(CLAIM, &vals![holder, lease_until, now, limit, pool]).await?;
        let mut claims = rows.iter().map(Claim::read).collect::<Result<Vec<_>, _>>()?;
        // RETURNING keeps no order.
        claims.sort_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));

        Ok(claims)
    }

    /// The work takes longer: it is ours until this time. `false`: the claim is no longer ours, so let go.
    pub async fn due_hold(&mut self, claim: &Claim, until: i64) -> Result<bool, StoreError> {
        let args = vals![&claim.id, &claim.lease_by, claim.attempt, until];
        Ok(self.exec(HOLD, &args).await? == 1)
    }

    /// Nothing was begun of what this holder has claimed: it is as it was before. Never to be said of a holder that has any
    /// of it in his hands.
    pub async fn due_give_back(&mut self, holder: &str) -> Result<u64, StoreError> {
        self.exec(GIVE_BACK, &vals![holder]).await
    }

    /// The work is done. `false`: the claim is no longer ours, so undo or let go.
    pub async fn due_done(&mut self, claim: &Claim) -> Result<bool, StoreError> {
        let args = vals![&claim.id, &claim.lease_by, claim.attempt];
        Ok(self.exec(DONE, &args).await? == 1)
    }

    /// It did not work: once more at `due_at`, in unix microseconds. What stands behind it in its lane waits as long, so
    /// that nobody looks at it meanwhile. `false`: the claim is no longer ours.
    pub async fn due_retry(
        &mut self,
        claim: &Claim,
        due_at: i64,
        error: &str,
    ) -> Result<bool, StoreError> {
        let args = vals![&claim.id, &claim.lease_by, claim.attempt, due_at, error];
        let ours = self.exec(RETRY, &args).await? == 1;
        if ours {
            self.exec(PUSH, &vals![&claim.id, due_at]).await?;
        }
        Ok(ours)
    }

    /// It will never work: it stays, for a person to look at. `false`: the claim is no longer ours.
    pub async fn due_give_up(&mut self, claim: &Claim, error: &str) -> Result<bool, StoreError> {
        let args = vals![&claim.id, &claim.lease_by, claim.attempt, error];
        let ours = self.exec(GIVE_UP, &args).await? == 1;
        if ours {
            self.moved(Moved::GivenUp(claim.kind.clone()));
        }
        Ok(ours)
    }

    /// The pools that have work, each with the time of its first row that nobody holds, in unix microseconds; it may be
    /// past. `None`: all that is left there is held. A hint for how long to sleep.
    pub async fn due_pools(&mut self, now: i64) -> Result<Vec<(String, Option<i64>)>, StoreError> {
        let rows = self.rows(POOLS, &vals![now]).await?;
        rows.iter().map(|row| Ok((row.text("pool")?, row.opt_int("at")?))).collect()
    }
}

impl Claim {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            kind: row.text("kind")?,
            key: row.text("key")?,
            pool: row.text("pool")?,
            body: row.text("body")?,
            order_id: row.opt_text("order_id")?,
            due_at: row.int("due_at")?,
            attempt: row.int("attempt")?,
            lease_by: row.text("lease_by")?,
            lease_until: row.int("lease_until")?,
            created_at: row.int("created_at")?,
        })
    }
}

const PUT: &str =
    "INSERT INTO due (id, kind, key, pool, lane, body, order_id, state, due_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'ready', $8, $9)
    ON CONFLICT (key) DO NOTHING";

// MATERIALIZED keeps PostgreSQL's planner from running the selection, and so the LIMIT, more than once.
const CLAIM: &str = "WITH picked AS MATERIALIZED (
        SELECT id FROM due
        WHERE state = 'ready' AND pool = $5 AND due_at <= $3 AND lease_until <= $3
          AND NOT EXISTS (SELECT 1 FROM due AS earlier
                          WHERE earlier.lane = due.lane AND earlier.state = 'ready'
                            AND (earlier.created_at < due.created_at
                                 OR (earlier.created_at = due.created_at AND earlier.id < due.id)))
        ORDER BY due_at, id LIMIT $4 {skip}
    )
    UPDATE due SET lease_by = $1, lease_until = $2, attempt = attempt + 1
    WHERE id IN (SELECT id FROM picked)
    RETURNING id, kind, key, pool, body, order_id, due_at, attempt, lease_by, lease_until, created_at";

const GIVE_BACK: &str = "UPDATE due SET lease_by = NULL, lease_until = 0, attempt = attempt - 1
    WHERE state = 'ready' AND lease_by = $1";

const HOLD: &str = "UPDATE due SET lease_until = $4
    WHERE id = $1 AND lease_by = $2 AND attempt = $3 AND state = 'ready'";

const HASTEN: &str =
    "UPDATE due SET due_at = $2 WHERE key = $1 AND state = 'ready' AND due_at > $2";

const DROP: &str = "UPDATE due SET state = 'done', lease_by = NULL, lease_until = 0
    WHERE key = $1 AND state = 'ready'";

const DONE: &str = "UPDATE due SET state = 'done', lease_by = NULL, lease_until = 0
    WHERE id = $1 AND lease_by = $2 AND attempt = $3 AND state = 'ready'";

const RETRY: &str = "UPDATE due SET due_at = $4, last_error = $5, lease_by = NULL, lease_until = 0
    WHERE id = $1 AND lease_by = $2 AND attempt = $3 AND state = 'ready'";

const AHEAD: &str = "SELECT MAX(due_at) AS at FROM due
    WHERE lane = $1 AND state = 'ready' AND (created_at, id) < ($2, $3)";

const PUSH: &str = "UPDATE due SET due_at = $2
    WHERE lane = (SELECT lane FROM due WHERE id = $1) AND state = 'ready' AND due_at < $2";

const GIVE_UP: &str =
    "UPDATE due SET state = 'dead', last_error = $4, lease_by = NULL, lease_until = 0
    WHERE id = $1 AND lease_by = $2 AND attempt = $3 AND state = 'ready'";

// Jumps from pool to pool along the index, instead of counting rows: one receiver that is down may have many thousands.
const POOLS: &str = "WITH RECURSIVE pools (pool) AS (
        SELECT MIN(pool) FROM due WHERE state = 'ready'
        UNION ALL
        SELECT (SELECT MIN(due.pool) FROM due WHERE state = 'ready' AND due.pool > pools.pool)
        FROM pools WHERE pools.pool IS NOT NULL
    )
    SELECT pool, (SELECT due_at FROM due
                  WHERE state = 'ready' AND due.pool = pools.pool AND lease_until <= $1
                    AND NOT EXISTS (SELECT 1 FROM due AS earlier
                                    WHERE earlier.lane = due.lane AND earlier.state = 'ready'
                                      AND (earlier.created_at < due.created_at
                                           OR (earlier.created_at = due.created_at AND earlier.id < due.id)))
                  ORDER BY due_at, id LIMIT 1) AS at
    FROM pools WHERE pool IS NOT NULL";
const OLDEST: &str = "WITH RECURSIVE pools (pool) AS (
        SELECT MIN(pool) FROM due WHERE state = 'ready'
        UNION ALL
        SELECT (SELECT MIN(due.pool) FROM due WHERE state = 'ready' AND due.pool > pools.pool)
        FROM pools WHERE pools.pool IS NOT NULL
    )
    SELECT pool, (SELECT due_at FROM due WHERE state = 'ready' AND due.pool = pools.pool
                  ORDER BY due_at, id LIMIT 1) AS at
    FROM pools WHERE pool IS NOT NULL";
const BACKLOG: &str = "SELECT kind, state, COUNT(*) AS count FROM due WHERE state <> 'done'
    GROUP BY kind, state ORDER BY kind, state";
