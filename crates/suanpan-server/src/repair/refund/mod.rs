//! The money goes back: a refund is stored with its number, then asked for, then asked about until WeChat says how it ended.
//!
//! What must never happen is that money goes back twice. So the number is ours
//! and stored before the first call; every try uses it, with the same
//! parameters; a try whose outcome is not known is followed by a query before
//! anything else; and a refund is only given up (`closed`) when WeChat says so,
//! or refuses it under its signature and does not know the number.

mod begin;
mod hear;
pub mod request;
mod rescue;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use suanpan_client::{Outcome, Rejection};
use suanpan_wechat as wechat;

use crate::account::Account;
use crate::config::{ApiVersion, ExtraPayment};
use crate::error::chain;
use crate::flow::paid::{Matched, Settling};
use crate::order::Order;
use crate::refund::Refund;
use crate::shipment::ShippingPolicy;
use crate::store::{NewDue, Once, StoreError, Tx};
use crate::timeline::Step;
use crate::world::World;
use crate::{Error, gateway};

use begin::Started;
pub use begin::{Begun, Draft, NewRefund};
pub(crate) use hear::hear;
use hear::{close, note};
pub use rescue::{NewDestination, RescueError, rescue};

/// Starts a refund and asks WeChat for it once; it is stored whatever WeChat says.
///
/// Under a key that has started a refund before it answers that one, and asks nobody.
///
/// To start one inside another transaction, put a [`Draft`] in with
/// `Tx::refund_begin`: the worker asks for it then.
///
/// # Errors
/// What the request breaks; [`Error::Refused`] where WeChat refused it for good
/// and it is closed. A doubt is no error: the refund is `processing`, and WeChat
/// is asked again.
pub async fn start(
    world: &World,
    order: &Order,
    new: NewRefund,
    once: &Once,
) -> Result<Refund, Error> {
    let account = world.account(&order.mchid)?;
    if account.api == ApiVersion::V2 {
        // Rather now than when it is stored and cannot be asked for.
        world.certified(&account.mchid)?;
    }
    let draft = Draft::new(world, order, new)?.under(once.clone());
    match begin::begin(world, draft).await? {
        Started::New(refund) => carry_out(world, refund).await,
        Started::Again(refund) => Ok(refund),
    }
}

/// Asks WeChat for a refund that has just been stored.
async fn carry_out(world: &World, refund: Refund) -> Result<Refund, Error> {
    let account = world.account(&refund.mchid)?;
    let refusal = submit(world, &account, &refund).await?;
    let refund = find(world, &refund.id).await?;
    match refusal {
        Some((operation, refusal)) if refund.state.is_final() => {
            Err(Error::Refused { operation, refusal })
        }
        Some(_) | None => Ok(refund),
    }
}

/// What goes back should this payment turn out to be more than what is owed, where that is the policy. The transaction
/// that settles it decides.
pub(crate) fn of_extra(
    world: &World,
    order: &Order,
    matched: &Matched,
) -> Result<Option<Draft>, Error> {
    if world.extra_payment == ExtraPayment::Hold {
        return Ok(None);
    }
    let new = NewRefund {
        reason: Some(EXTRA.to_owned()),
        transaction_id: Some(matched.transaction_id().clone()),
        ..NewRefund::default()
    };
    Draft::new(world, order, new).map(Some)
}

/// The refund of this id.
///
/// # Errors
/// [`Error::NotFound`], and those of the store.
pub async fn find(world: &World, id: &str) -> Result<Refund, Error> {
    let found =
        world.store.look(id.to_owned(), |tx, id| Box::pin(async move { tx.refund(id).await }));
    found.await?.ok_or(Error::NotFound { what: "refund" })
}

/// A refusal for good, and what it refused.
type Refusal = Option<(&'static str, wechat::Refusal)>;

/// Asks WeChat for the refund, and stores what it says. Safe to repeat: the number and the parameters never change.
async fn submit(world: &World, account: &Account, refund: &Refund) -> Result<Refusal, Error> {
    let outcome = gateway::refund(world, account, refund).await?;
    let operation = outcome.trace().operation;
    match outcome {
        Outcome::Done(done) => {
            let proof = format!("asked WeChat for {}", refund.out_refund_no);
            let settling = settling(world, Step::Refund, proof, done.trace.request_id);
            hear(world, refund, &done.answer, &settling).await?;
            Ok(None)
        }
        Outcome::Unknown(doubt) => {
            let why = chain(&doubt.error);
            note(world, refund, &format!("the answer is not known ({why}); asking first")).await?;
            Ok(None)
        }
        Outcome::Rejected(no) => {
            let refused = rejected(world, account, refund, &no).await?;
            Ok(refused.map(|refusal| (operation, refusal)))
        }
    }
}

/// What a no means: some are none for good, and none is believed before WeChat was asked about the number.
async fn rejected(
    world: &World,
    account: &Account,
    refund: &Refund,
    no: &Rejection,
) -> Result<Option<wechat::Refusal>, Error> {
    let Some(refusal) = no.refusal() else {
        note(world, refund, &format!("cannot be asked for: {}", chain(&no.error))).await?;
        return Ok(None);
    };
    // A no without a proof may come from anybody, and "too often" may come after the fact.
    let later = LATER.contains(&refusal.code.as_str()) || refusal.is_too_often();
    if later || !refusal.verified {
        note(world, refund, &refusal.to_string()).await?;
        return Ok(None);
    }
    match ask(world, account, refund).await? {
        Standing::Known => Ok(None),
        Standing::Unknown => {
            note(world, refund, &refusal.to_string()).await?;
            Ok(None)
        }
        Standing::Absent => {
            let proof = format!("refused: {refusal}");
            let wechat_request_id = no.trace.request_id.clone();
            let settling = settling(world, Step::Refund, proof, wechat_request_id);
            close(world, refund, &settling, &refusal.to_string()).await?;
            Ok(Some(refusal.clone()))
        }
    }
}

/// How a refund stands at WeChat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// WeChat has it, and what it says is stored.
    Known,
    /// WeChat does not know the number, and signs that.
    Absent,
    /// Nobody can tell.
    Unknown,
}

/// Asks WeChat how a refund stands, and stores what it says.
async fn ask(world: &World, account: &Account, refund: &Refund) -> Result<Standing, Error> {
    match gateway::query_refund(world, account, refund).await? {
        Outcome::Done(done) => {
            let proof = format!("asked about {}", refund.out_refund_no);
            let settling = settling(world, Step::Query, proof, done.trace.request_id);
            hear(world, refund, &done.answer, &settling).await?;
            Ok(Standing::Known)
        }
        Outcome::Rejected(no) => {
            let absent = ABSENT.contains(&gateway::refusal_code(&no));
            let proven = no.refusal().is_some_and(|refusal| refusal.verified);
            Ok(if absent && proven { Standing::Absent } else { Standing::Unknown })
        }
        Outcome::Unknown(doubt) => {
            tracing::warn!(order_id = %refund.order_id, cause = chain(&doubt.error), "a refund's query was lost");
            Ok(Standing::Unknown)
        }
    }
}

/// Does the due work of a refund: asks about it, and asks for it again where WeChat never had it. `false`: it is not at its end.
pub(crate) async fn due(world: &World, body: &str) -> Result<bool, Error> {
    let work: Work = serde_json::from_str(body).map_err(|_| Error::Broken)?;
    let found =
        world.store.look(work.refund_id, |tx, id| Box::pin(async move { tx.refund(id).await }));
    let Some(refund) = found.await? else { return Ok(true) };
    if refund.state.is_final() {
        return Ok(true);
    }
    let account = world.account(&refund.mchid)?;
    let standing = ask(world, &account, &refund).await?;
    if work.once {
        return Ok(true);
    }
    match standing {
        // Accepted once, a number does not get lost; to ask for it again could not help.
        Standing::Absent if refund.accepted_at.is_some() => {
            tracing::error!(order_id = %refund.order_id, refund_id = refund.id, "WeChat no longer knows a refund that it had");
            note(world, &refund, "ALARM: WeChat does not know it any more").await?;
        }
        Standing::Absent => {
            submit(world, &account, &refund).await?;
        }
        Standing::Known | Standing::Unknown => {}
    }
    Ok(find(world, &refund.id).await?.state.is_final())
}

/// Has WeChat asked about a refund as soon as the transaction is durable. `false`: it is to be asked just now anyway.
pub(crate) async fn ask_at_once(
    tx: &mut Tx,
    refund: &Refund,
    cause: &str,
    says: &str,
    now: i64,
) -> Result<bool, StoreError> {
    tx.due_put(&NewDue {
        id: &format!("due_{cause}"),
        kind: REFUND,
        // A storm of notices that say the same is one question; one that says more is another.
        key: &format!("{REFUND}:{}:{says}:{}", refund.id, now.div_euclid(STORM)),
        pool: REFUND,
        lane: None,
        body: &serde_json::json!(Work { refund_id: refund.id.clone(), once: true }).to_string(),
        order_id: Some(refund.order_id.as_str()),
        due_at: now,
        created_at: now,
    })
    .await
}

fn settling(
    world: &World,
    step: Step,
    proof: String,
    wechat_request_id: Option<String>,
) -> Settling {
    let (now, dice) = (world.now(), Arc::clone(&world.dice));
    Settling { step, proof, wechat_request_id, now, dice, shipping: ShippingPolicy::None }
}

/// The kind of due work that sees a refund to its end.
pub(crate) const REFUND: &str = "refund";

#[derive(Deserialize, Serialize)]
struct Work {
    refund_id: String,
    /// Only to ask, and only once: the refund's own row sees it to its end.
    #[serde(default)]
    once: bool,
}

/// The payer reads it: "what was paid beyond the amount due goes back".
const EXTRA: &str = "多付的款项自动退回";
/// The refund does not exist: APIv3 and APIv2.
const ABSENT: [&str; 2] = ["RESOURCE_NOT_EXISTS", "REFUNDNOTEXIST"];
/// Five seconds in microseconds.
const STORM: i64 = 5_000_000;
/// Not now: the merchant's balance is short, or too much is asked at once. The same number is asked for again later.
const LATER: [&str; 4] = ["NOT_ENOUGH", "NOTENOUGH", "INVALID_REQ_TOO_MUCH", "BIZERR_NEED_RETRY"];
