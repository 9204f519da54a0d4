//! What is kept no longer.

use super::{StoreError, Tx};
use crate::vals;

/// Until when what is of no use any more was made; all in unix microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Horizon {
    /// Now.
    pub now: i64,
    /// Idempotency keys that were first used before this time.
    pub keys: i64,
    /// Console links, sessions and replaced secrets of endpoints whose time was over before this time.
    pub expired: i64,
    /// Notifications that arrived before this time, and that nobody has to look at.
    pub inbox: i64,
    /// Work that was put in before this time and is done, deliveries with their tries among it.
    pub done: i64,
    /// Messages that arrived before this time and are not WeChat's, or cannot be proven to be.
    pub refused: i64,
    /// WeChat's bills that were fetched before this time.
    pub bills: i64,
}

impl Tx {
    /// Deletes a few rows of each kind; answers how many, and whether there may be more.
    pub async fn purge(&mut self, horizon: &Horizon) -> Result<(u64, bool), StoreError> {
        let Horizon { now, keys, expired, inbox, done, refused, bills } = *horizon;
        // Of the rows that go next; so that none of them outlives its delivery.
        let tries = self.exec(TRIES, &vals![done, BATCH]).await?;
        let gone = [
            self.exec(KEYS, &vals![keys, now, BATCH]).await?,
            self.exec(LINKS, &vals![expired, BATCH]).await?,
            self.exec(SESSIONS, &vals![expired, BATCH]).await?,
            self.exec(SECRETS, &vals![expired, BATCH]).await?,
            self.exec(INBOX, &vals![inbox, BATCH]).await?,
            self.exec(REFUSED, &vals![refused, BATCH]).await?,
            self.exec(DONE, &vals![done, BATCH]).await?,
            self.bill_parts_purge(bills, PARTS).await?,
            self.bills_purge(bills, BATCH).await?,
        ];
        let full = u64::try_from(BATCH).unwrap_or(u64::MAX);
        let full_of_parts = u64::try_from(PARTS).unwrap_or(u64::MAX);
        let more = gone.iter().any(|gone| *gone == full || *gone == full_of_parts);
        Ok((gone.into_iter().fold(tries, u64::saturating_add), more))
    }
}

/// How many rows of a kind one transaction deletes at most: it holds up all others as long as it lasts.
const BATCH: i64 = 200;
/// The same of parts of bills, each of 64 KiB.
const PARTS: i64 = 50;

// Not what is running at this moment.
const KEYS: &str = "DELETE FROM idempotency WHERE (api_key_id, key) IN (
    SELECT api_key_id, key FROM idempotency
    WHERE created_at < $1 AND (status IS NOT NULL OR lease_until <= $2)
    ORDER BY created_at LIMIT $3)";
const LINKS: &str = "DELETE FROM console_link WHERE hash IN (
    SELECT hash FROM console_link WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
const SESSIONS: &str = "DELETE FROM console_session WHERE hash IN (
    SELECT hash FROM console_session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
const SECRETS: &str = "DELETE FROM webhook_old_secret WHERE (endpoint_id, secret) IN (
    SELECT endpoint_id, secret FROM webhook_old_secret
    WHERE signs_until < $1 ORDER BY signs_until LIMIT $2)";
// What fits no order of ours waits for a person, however long that takes.
const INBOX: &str = "DELETE FROM inbox WHERE id IN (
    SELECT id FROM inbox WHERE received_at < $1 AND verdict <> 'unmatched'
    ORDER BY received_at, id LIMIT $2)";
const TRIES: &str = "DELETE FROM delivery_attempt WHERE due_id IN (
    SELECT id FROM due WHERE state = 'done' AND created_at < $1 ORDER BY created_at, id LIMIT $2)";
// Its key is free again then. Nobody puts in a second time what is as old.
const DONE: &str = "DELETE FROM due WHERE id IN (
    SELECT id FROM due WHERE state = 'done' AND created_at < $1 ORDER BY created_at, id LIMIT $2)";
const REFUSED: &str = "DELETE FROM inbox WHERE id IN (
    SELECT id FROM inbox WHERE received_at < $1 AND verdict = 'refused'
    ORDER BY received_at, id LIMIT $2)";
