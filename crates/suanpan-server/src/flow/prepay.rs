//! Step 3 of 6, prepay: the order is placed at WeChat, and WeChat gives a `prepay_id`.
//!
//! An order has many attempts and at most one that is live. What an attempt
//! asks for is stored before it is sent, so a lost answer costs nothing: the
//! same number is placed again with the same parameters, and WeChat answers
//! the same. Other parameters need another number, and before that the old
//! one is closed: two sheets on two phones cannot both take the money.

use suanpan_client::Outcome;
use suanpan_ledger::{AttemptEvent, AttemptState, Begin, Serve, begin, end, serve};
use suanpan_wechat::{OpenId, OutTradeNo, PrepayId};

use crate::account::Account;
use crate::gateway::{self, Parties, Placement};
use crate::order::{Attempt, Order};
use crate::repair::query::Standing;
use crate::repair::{close, query, watch};
use crate::store::{StoreError, Tx};
use crate::timeline::{Entry, Step};
use crate::world::World;
use crate::{Error, request};

/// How the order stands after this step.
#[derive(Debug)]
pub enum Prepaid {
    /// It can be paid with this.
    Ready {
        /// The live attempt.
        attempt: Box<Attempt>,
        /// What the second sign signs.
        prepay_id: PrepayId,
    },
    /// Somebody was faster.
    AlreadyPaid,
}

/// Gets a `prepay_id` for this payer: an old one that is young enough, or a new one.
///
/// # Errors
/// [`Error::Refused`] where WeChat said no, [`Error::Unknown`] where nobody can
/// tell what it did; then the order keeps its number, and WeChat is asked again.
pub async fn prepay(world: &World, order: &Order, payer: &OpenId) -> Result<Prepaid, Error> {
    let account = world.account(&order.mchid)?;
    for _ in 0..ROUNDS {
        let wanted = wanted(world, &account, order, payer)?;
        let Some(attempt) = live_or_new(world, wanted.clone()).await? else {
            return Ok(Prepaid::AlreadyPaid);
        };
        let young = attempt.prepay_id.clone().filter(|_| is_young(world, &attempt));
        match (serve(attempt.fingerprint == wanted.fingerprint, young.is_some()), young) {
            (Serve::CloseFirst, _) => match close::close(world, &account, &attempt).await? {
                close::Closed::Paid => return Ok(Prepaid::AlreadyPaid),
                close::Closed::Done => {}
            },
            (Serve::SignAgain, Some(prepay_id)) => {
                return Ok(Prepaid::Ready { attempt: Box::new(attempt), prepay_id });
            }
            (Serve::SignAgain | Serve::Place, _) => match place(world, &account, attempt).await? {
                Placed::Ready(ready) => return Ok(ready),
                Placed::Again => {}
            },
        }
    }
    // Each round ended an attempt: somebody pays this order from many phones at once.
    Err(Error::Busy)
}

enum Placed {
    Ready(Prepaid),
    /// The attempt is at its end without money; another one may begin.
    Again,
}

/// The attempt that would serve this payer, with a number that is not used yet.
fn wanted(
    world: &World,
    account: &Account,
    order: &Order,
    payer: &OpenId,
) -> Result<Attempt, Error> {
    let number = world.dice.id("", world.now());
    let out_trade_no = OutTradeNo::parse(&number).map_err(|_| Error::Broken)?;
    let notify_url = world.notify_url(&account.mchid);
    let partner = world.accounts().of_app(&order.app).and_then(|(_, app)| app.partner.clone());
    let placement = Placement::new(
        account,
        Parties { order, payer, partner: partner.as_ref() },
        &out_trade_no,
        notify_url,
    );
    Ok(Attempt {
        id: world.id("att_"),
        order_id: order.id.clone(),
        mchid: account.mchid.clone(),
        appid: order.app.clone(),
        partner,
        openid: Some(payer.clone()),
        request: placement.to_text()?,
        // The parameters under a number that never changes: what differs is a difference.
        fingerprint: fingerprint(&placement)?,
        out_trade_no,
        state: AttemptState::Created,
        prepay_id: None,
        prepay_at: None,
        transaction_id: None,
        request_id: request::id(),
        created_at: world.now(),
        version: 0,
    })
}

fn fingerprint(placement: &Placement) -> Result<String, Error> {
    let same = OutTradeNo::parse("000000").map_err(|_| Error::Broken)?;
    let text = placement.clone().numbered(same).to_text()?;
    Ok(crate::access::sha256_hex(text.as_bytes()))
}

/// The live attempt of the order, or the wanted one, which is then stored. `None`: the order is paid.
async fn live_or_new(world: &World, wanted: Attempt) -> Result<Option<Attempt>, Error> {
    let unit = (wanted, world.now(), watch::jitter(world));
    let begun = world.store.write(unit, |tx, (wanted, now, jitter)| {
        Box::pin(join_or_store(tx, wanted, *now, *jitter))
    });
    let (found, entry) = begun.await?;
    if let Some((order, entry)) = entry {
        entry.log(&order);
    }
    match found {
        Begun::Live(attempt) => Ok(Some(*attempt)),
        Begun::Paid => Ok(None),
        Begun::Closed => Err(Error::OrderClosed),
    }
}

enum Begun {
    Live(Box<Attempt>),
    Paid,
    Closed,
}

type Said = Option<(crate::ids::OrderId, Entry)>;

async fn join_or_store(
    tx: &mut Tx,
    wanted: &Attempt,
    now: i64,
    jitter: i64,
) -> Result<(Begun, Said), StoreError> {
    let order = tx.order(&wanted.order_id).await?;
    let order = order.ok_or(StoreError::Stale { what: "order" })?;
    let attempts = tx.attempts(&order.id).await?;
    let live = attempts.into_iter().find(|attempt| attempt.state.is_live());
    let moves = match (begin(order.status, live.is_some()), live) {
        (Begin::AlreadyPaid, _) => return Ok((Begun::Paid, None)),
        (Begin::Closed, _) => return Ok((Begun::Closed, None)),
        (Begin::Join, Some(live)) => return Ok((Begun::Live(Box::new(live)), None)),
        (Begin::Join, None) => return Err(StoreError::Stale { what: "attempt" }),
        (Begin::New(moves), _) => moves,
    };

    tx.attempt_put(wanted).await?;
    // Before WeChat hears of it: whatever happens from now on, somebody will ask.
    tx.watch(wanted, now, jitter).await?;
    if let Some(status) = moves {
        tx.order_move(&order, status).await?;
    }
    let api = gateway::api_of(wanted);
    let text = format!("attempt {} by API{api}", wanted.out_trade_no);
    let entry = Entry::new(Step::Prepay, text)
        .with("out_trade_no", wanted.out_trade_no.as_str())
        .with_some("request_id", wanted.request_id.as_deref());
    tx.journal_put(&order.id, now, &entry).await?;
    Ok((Begun::Live(Box::new(wanted.clone())), Some((order.id, entry))))
}

fn is_young(world: &World, attempt: &Attempt) -> bool {
    let until = attempt.prepay_at.map(|at| at.saturating_add(world.prepay_micros));
    until.is_some_and(|until| world.now() < until)
}

/// Asks WeChat to take the attempt, and stores what it says.
async fn place(world: &World, account: &Account, attempt: Attempt) -> Result<Placed, Error> {
    let asked_at = world.clock.monotonic_micros();
    let outcome = gateway::place(world, account, &attempt).await?;
    let took = world.clock.monotonic_micros().saturating_sub(asked_at);
    let operation = outcome.trace().operation;

    match outcome {
        Outcome::Done(done) => {
            let wechat = done.trace.request_id.as_deref();
            prepared(world, attempt, done.answer, took, wechat).await
        }
        Outcome::Unknown(doubt) => {
            watch::soon(world, &attempt, &format!("the answer is not known: {doubt}")).await?;
            Err(Error::Unknown { operation, cause: doubt.error.into() })
        }
        Outcome::Rejected(no) => {
            match lives(world, account, &attempt, gateway::refusal_code(&no)).await? {
                Some(Standing::Paid) => return Ok(Placed::Ready(Prepaid::AlreadyPaid)),
                Some(Standing::Ended) => return Ok(Placed::Again),
                // It says that the number lives, and then that it does not: the next query tells.
                Some(Standing::Open | Standing::Absent | Standing::Unknown) => {
                    return Err(Error::Unknown { operation, cause: no.error.into() });
                }
                None => {}
            }
            let Some(refusal) = no.refusal().cloned() else {
                return Err(Error::Unwritable { operation, cause: no.error.into() });
            };
            // A no without a proof must not free the number: what if WeChat took the order after all? And a no
            // because we ask too often says nothing about the order.
            if refusal.verified && !refusal.is_too_often() {
                let text = format!("refused: {refusal}");
                ended(world, &attempt, Ending::Refused, &text).await?;
            } else {
                let text = format!("not placed: {refusal}");
                let entry = Entry::new(Step::Prepay, text)
                    .with_some("wechat_request_id", no.trace.request_id.as_deref());
                world.journal(&attempt.order_id, entry).await?;
            }
            Err(Error::Refused { operation, refusal })
        }
    }
}

/// Stores the `prepay_id`.
async fn prepared(
    world: &World,
    attempt: Attempt,
    prepay_id: PrepayId,
    took: i64,
    wechat_request_id: Option<&str>,
) -> Result<Placed, Error> {
    let text = format!("{prepay_id} for {}, {} ms", attempt.out_trade_no, took.div_euclid(1000));
    let entry = Entry::new(Step::Prepay, text)
        .with("prepay_id", prepay_id.as_str())
        .with("out_trade_no", attempt.out_trade_no.as_str())
        .with_some("wechat_request_id", wechat_request_id);
    let input = (attempt.id.clone(), prepay_id.clone(), world.now(), entry.clone());
    let stored = world.store.write(input, |tx, (id, prepay_id, now, entry)| {
        Box::pin(async move {
            let Some(attempt) = tx.attempt(id).await? else {
                return Err(StoreError::Stale { what: "attempt" });
            };
            // Placed again, it has a prepay_id already: the new one counts.
            if attempt.state.is_live() {
                tx.attempt_prepaid(&attempt, prepay_id, *now).await?;
                tx.watch_sooner(id, now.saturating_add(watch::SOON)).await?;
                tx.journal_put(&attempt.order_id, *now, entry).await?;
            }
            Ok(tx.attempt(id).await?.unwrap_or(attempt))
        })
    });
    let stored = stored.await?;
    match stored.state {
        AttemptState::Created | AttemptState::Prepaid => {
            entry.log(&stored.order_id);
            Ok(Placed::Ready(Prepaid::Ready { attempt: Box::new(stored), prepay_id }))
        }
        AttemptState::Paid => Ok(Placed::Ready(Prepaid::AlreadyPaid)),
        AttemptState::Closed | AttemptState::Failed => Ok(Placed::Again),
    }
}

/// WeChat will not place a number that lives already. It knows better than we how that one stands, so it is asked: a
/// refusal is not signed in every case, and must not free a number that may be paid. `None`: the number is not the
/// reason, it is refused for what it asks.
async fn lives(
    world: &World,
    account: &Account,
    attempt: &Attempt,
    code: &str,
) -> Result<Option<Standing>, Error> {
    if PAID_OR_CLOSED.contains(&code) {
        return query::query(world, account, attempt).await.map(Some);
    }
    if !USED.contains(&code) {
        return Ok(None);
    }
    match query::query(world, account, attempt).await? {
        // The number stands for something that is not this any more, and nobody can be given a sheet for it.
        Standing::Open => Ok(Some(match close::close(world, account, attempt).await? {
            close::Closed::Paid => Standing::Paid,
            close::Closed::Done => Standing::Ended,
        })),
        // Never placed: INVALID_REQUEST has many reasons.
        Standing::Absent => Ok(None),
        standing @ (Standing::Paid | Standing::Ended | Standing::Unknown) => Ok(Some(standing)),
    }
}

/// Why an attempt is at its end without money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// WeChat refused to place it.
    Refused,
    /// WeChat took our close.
    Closed,
    /// Asked how it stands, WeChat said that it is closed.
    Told,
}

/// Stores that an attempt came to its end without money.
pub(crate) async fn ended(
    world: &World,
    attempt: &Attempt,
    ending: Ending,
    why: &str,
) -> Result<(), Error> {
    let (step, event) = match ending {
        Ending::Refused => (Step::Prepay, AttemptEvent::Refused),
        Ending::Closed | Ending::Told => (Step::Close, AttemptEvent::Closed),
    };
    let entry = Entry::new(step, format!("{}: {why}", attempt.out_trade_no));
    let input = (attempt.id.clone(), event, ending, world.now(), entry.clone());
    let moved = world.store.write(input, |tx, (id, event, ending, now, entry)| {
        Box::pin(async move {
            match ending {
                Ending::Told => tx.watch_ended(id).await?,
                Ending::Closed => {
                    tx.watch_sooner(id, now.saturating_add(watch::AFTER_CLOSE)).await?;
                }
                // Only if it moves: an attempt that was placed before stays live when it is refused later, and watched.
                Ending::Refused => {}
            }
            let Some(attempt) = tx.attempt(id).await? else { return Ok(false) };
            let Some(order) = tx.order(&attempt.order_id).await? else { return Ok(false) };
            let Some(ended) = end(order.status, attempt.state, *event) else { return Ok(false) };
            tx.attempt_move(&attempt, ended.attempt).await?;
            if *ending == Ending::Refused {
                tx.watch_ended(id).await?;
            }
            if let Some(status) = ended.order {
                tx.order_move(&order, status).await?;
            }
            tx.journal_put(&attempt.order_id, *now, entry).await?;
            Ok(true)
        })
    });
    if moved.await? {
        entry.log(&attempt.order_id);
    }
    Ok(())
}

// In APIv2 without, in APIv3 with an underscore.
const PAID_OR_CLOSED: [&str; 4] = ["ORDERPAID", "ORDER_PAID", "ORDERCLOSED", "ORDER_CLOSED"];
/// "商户订单号重复": the number stands for other parameters. `INVALID_REQUEST` also says other things.
const USED: [&str; 2] = ["OUT_TRADE_NO_USED", "INVALID_REQUEST"];
/// How many attempts one request may end before it gives up.
// Two payers who tap in turns on two nodes end each other's attempts; each round is one of the other's that was served.
const ROUNDS: usize = 12;
