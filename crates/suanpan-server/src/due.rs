//! Work that time starts: the one worker that claims what is due and has it done.
//!
//! It looks when the clock says that something is due, when this process has
//! committed something, and once a second in any case, since another process
//! commits unseen. Each piece of work is a task of its own, under a lease: who
//! dies with it is replaced when the lease ends. What may be slow together (one
//! receiver, WeChat) is a pool with its own hands, so a dead receiver holds up
//! nobody else.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use suanpan_ledger::{
    BILL as BILL_SCHEDULE, QUERY as QUERY_SCHEDULE, REFUND as REFUND_SCHEDULE, Schedule,
    WEBHOOK as WEBHOOK_SCHEDULE,
};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::Error;
use crate::error::chain;
use crate::flow::webhook;
use crate::ids::OrderId;
use crate::purge;
use crate::repair::{close, reconcile, refund, shipping, watch};
use crate::store::{Claim, StoreError, WEBHOOK};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// Does what is due, until `stopped`; then finishes what is under way and returns.
///
/// Dropped instead, it leaves its work to others, who take it when the leases end.
pub async fn work(world: Arc<World>, stopped: impl Future<Output = ()>) {
    let mut stopped = pin!(stopped);
    let mut commits = world.store.commits();
    // New in each life: a name that is taken again would speak for its former self.
    let mut worker = Worker {
        name: world.id("wrk_"),
        looks: 0,
        unknown: Vec::new(),
        world,
        tasks: JoinSet::new(),
        busy: BTreeMap::new(),
    };
    loop {
        // Before the look, so that what is committed during it wakes us again.
        commits.mark_unchanged();
        let until = match worker.hand_out().await {
            Ok(until) => until,
            // The store is closed last; without it there is no work.
            Err(StoreError::Closed) => break,
            Err(error) => {
                tracing::warn!(error = chain(&error), "due work could not be claimed");
                worker.world.now().saturating_add(POLL)
            }
        };
        let clock = Arc::clone(&worker.world.clock);
        tokio::select! {
            biased;
            () = &mut stopped => break,
            Some(ended) = worker.tasks.join_next() => worker.ended(ended.ok()),
            Ok(()) = commits.changed() => {}
            () = clock.sleep_until(until) => {}
        }
    }
    while let Some(ended) = worker.tasks.join_next().await {
        worker.ended(ended.ok());
    }
}

/// When to try again, in seconds from now; `None`: all tries of this schedule are used up.
pub(crate) fn wait_after(world: &World, schedule: Schedule, claim: &Claim) -> Option<i64> {
    schedule.after(claim.attempt, world.dice.below(1000))
}

struct Worker {
    name: String,
    /// How often it looked: each look claims under a name of its own.
    looks: u64,
    /// The names of those whose claims may be stored, and were not told to us.
    unknown: Vec<String>,
    world: Arc<World>,
    /// Each answers its pool.
    tasks: JoinSet<String>,
    /// How many hands of each pool are busy.
    busy: BTreeMap<String, i64>,
}

impl Worker {
    /// Claims what is due as far as there are hands for it, and starts it; answers when to look again.
    async fn hand_out(&mut self) -> Result<i64, StoreError> {
        self.give_back().await?;
        let now = self.world.now();
        let mut until = now.saturating_add(POLL);
        // Looked up before it is claimed: a claim is a commit, and commits wake us.
        let pools = self
            .world
            .store
            .look(now, |tx, now| Box::pin(async move { tx.due_pools(*now).await }))
            .await?;
        let mut wanted = Vec::new();
        let busy: i64 = self.busy.values().sum();
        let mut room = MOST.saturating_sub(busy);
        for (pool, at) in pools {
            let busy = self.busy.get(&pool).copied().unwrap_or_default();
            let free = HANDS.saturating_sub(busy).min(room);
            match at {
                Some(at) if now < at => until = until.min(at),
                Some(_) if 0 < free => {
                    room = room.saturating_sub(free);
                    wanted.push((pool, free));
                }
                // When a hand is free again, its task has ended, and that wakes us.
                Some(_) | None => {}
            }
        }
        if wanted.is_empty() {
            return Ok(until);
        }
        self.looks = self.looks.saturating_add(1);
        let holder = format!("{}_{}", self.name, self.looks);
        let unit = (holder.clone(), wanted, now);
        let claims = self.world.store.write(unit, |tx, (holder, wanted, now)| {
            Box::pin(async move {
                let (lease_until, mut claims) = (now.saturating_add(LEASE), Vec::new());
                for (pool, free) in wanted {
                    claims.extend(tx.due_claim(holder, pool, *now, lease_until, *free).await?);
                }
                Ok(claims)
            })
        });
        let claims = claims.await;
        if let Err(StoreError::Unknown { .. }) = &claims {
            self.unknown.push(holder);
        }
        for claim in claims? {
            let busy = self.busy.entry(claim.pool.clone()).or_default();
            *busy = busy.saturating_add(1);
            let world = Arc::clone(&self.world);
            self.tasks.spawn(async move {
                // Whatever happens to it, its hand is free again.
                drop(AssertUnwindSafe(perform(&world, &claim)).catch_unwind().await);
                claim.pool
            });
        }
        Ok(until)
    }

    /// What was claimed in a commit whose answer never came is in nobody's hands: it need not wait for its lease to end.
    async fn give_back(&mut self) -> Result<(), StoreError> {
        while let Some(holder) = self.unknown.last() {
            let given = self.world.store.write(holder.clone(), |tx, holder| {
                Box::pin(async move { tx.due_give_back(holder).await })
            });
            given.await?;
            self.unknown.pop();
        }
        Ok(())
    }

    fn ended(&mut self, mut pool: Option<String>) {
        // All that have ended by now share one look.
        loop {
            if let Some(pool) = pool.take()
                && let Some(busy) = self.busy.get_mut(&pool)
            {
                *busy = busy.saturating_sub(1);
                if *busy == 0 {
                    self.busy.remove(&pool);
                }
            }
            match self.tasks.try_join_next() {
                Some(next) => pool = next.ok(),
                None => return,
            }
        }
    }
}

/// Does one piece of work; if that goes wrong, sees to it that it is tried again.
async fn perform(world: &World, claim: &Claim) {
    let span = tracing::error_span!(
        "work",
        kind = claim.kind,
        due_id = claim.id,
        order_id = claim.order_id
    );
    let work = once(world, claim).instrument(span);
    let problem = match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => chain(&error),
        // The panic itself is in the log, with its place.
        Err(_) => "a bug in Suanpan".to_owned(),
    };
    tracing::error!(due_id = claim.id, kind = claim.kind, problem, "due work failed");
    let put = match claim.kind.as_str() {
        WEBHOOK => again(world, claim, WEBHOOK_SCHEDULE, &problem).await,
        // Money depends on these: whatever is wrong, they go on until it is right.
        watch::QUERY | close::EXPIRE | shipping::SHIPPING => {
            persist(world, claim, QUERY_SCHEDULE, &problem).await
        }
        // It is the same row for ever, so its tries mean nothing.
        purge::PURGE => persist(world, claim, QUERY_SCHEDULE, &problem).await,
        refund::REFUND => again(world, claim, REFUND_SCHEDULE, &problem).await,
        reconcile::RECONCILE => again(world, claim, BILL_SCHEDULE, &problem).await,
        _ => again(world, claim, QUERY_SCHEDULE, &problem).await,
    };
    if let Err(error) = put {
        // The lease ends by itself, and then it is tried again.
        tracing::warn!(due_id = claim.id, error = chain(&error), "the failure could not be stored");
    }
}

async fn once(world: &World, claim: &Claim) -> Result<(), Error> {
    match claim.kind.as_str() {
        WEBHOOK => webhook::deliver(world, claim).await,
        watch::QUERY => watch::due(world, claim).await,
        close::EXPIRE => close::expired(world, claim).await,
        purge::PURGE => purge::due(world, claim).await,
        refund::REFUND if refund::due(world, &claim.body).await? => done(world, claim).await,
        refund::REFUND => again(world, claim, REFUND_SCHEDULE, "it is not at its end").await,
        shipping::SHIPPING => shipping::due(world, claim).await,
        reconcile::RECONCILE => reconcile::due(world, claim).await,
        _ => foreign(world, claim).await,
    }
}

/// It is done.
pub(crate) async fn done(world: &World, claim: &Claim) -> Result<(), Error> {
    let done = world
        .store
        .write(claim.clone(), |tx, claim| Box::pin(async move { tx.due_done(claim).await }));
    done.await?;
    Ok(())
}

/// Puts it back for later, or leaves it to a person when the schedule is used up.
async fn again(
    world: &World,
    claim: &Claim,
    schedule: Schedule,
    problem: &str,
) -> Result<(), Error> {
    let now = world.now();
    if let Some(wait) = wait_after(world, schedule, claim) {
        let at = now.saturating_add(wait.saturating_mul(1_000_000));
        return put_back(world, claim, at, problem).await;
    }
    let step = match claim.kind.as_str() {
        WEBHOOK => Step::Webhook,
        refund::REFUND => Step::Refund,
        _ => Step::Query,
    };
    let text = format!("{} given up after {} tries: {problem}", claim.kind, claim.attempt);
    let order: Option<OrderId> = claim.order_id.as_ref().and_then(|id| id.parse().ok());
    let unit = (claim.clone(), problem.to_owned(), order, Entry::new(step, text), now);
    let given_up = world.store.write(unit, |tx, (claim, problem, order, entry, now)| {
        Box::pin(async move {
            let ours = tx.due_give_up(claim, problem).await?;
            if let (true, Some(order)) = (ours, order) {
                tx.journal_put(order, *now, entry).await?;
            }
            Ok(ours)
        })
    });
    if given_up.await? {
        tracing::error!(due_id = claim.id, kind = claim.kind, problem, "due work was given up");
    }
    Ok(())
}

/// Puts it back for later, as often as it takes: after the last wait of the schedule, that one again and again.
pub(crate) async fn persist(
    world: &World,
    claim: &Claim,
    schedule: Schedule,
    problem: &str,
) -> Result<(), Error> {
    let wait = schedule.after_or_last(claim.attempt, world.dice.below(1000));
    put_back(world, claim, world.now().saturating_add(wait.saturating_mul(1_000_000)), problem)
        .await
}

/// Work of a kind that this program does not know: a newer one beside it may.
async fn foreign(world: &World, claim: &Claim) -> Result<(), Error> {
    tracing::warn!(due_id = claim.id, kind = claim.kind, "due work of an unknown kind is left");
    put_back(world, claim, world.now().saturating_add(LEASE), "of a kind that is not known").await
}

/// Once more, at this time.
pub(crate) async fn put_back(
    world: &World,
    claim: &Claim,
    at: i64,
    problem: &str,
) -> Result<(), Error> {
    let unit = (claim.clone(), at, problem.to_owned());
    let put = world.store.write(unit, |tx, (claim, at, problem)| {
        Box::pin(async move { tx.due_retry(claim, *at, problem).await })
    });
    put.await?;
    Ok(())
}

/// The kinds of work that there are.
pub(crate) const KINDS: [&str; 7] = [
    WEBHOOK,
    watch::QUERY,
    close::EXPIRE,
    purge::PURGE,
    refund::REFUND,
    shipping::SHIPPING,
    reconcile::RECONCILE,
];

/// How many pieces of work of one pool are under way at a time.
const HANDS: i64 = 64;
/// How many are under way at a time in all: a hundred receivers that are down must not fill the memory.
const MOST: i64 = 1024;
/// How long a piece of work is one worker's, in microseconds: longer than a delivery may take.
const LEASE: i64 = 60_000_000;
/// How long another process's commit may go unseen, in microseconds.
const POLL: i64 = 1_000_000;
