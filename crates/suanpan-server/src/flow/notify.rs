//! Step 5 of 6, notify: WeChat tells us that the payer paid.
//!
//! WeChat repeats a notification until we acknowledge it, may send it twice and
//! in any order, and anyone can post to this address. So: verify, look the
//! attempt up, compare, move order, attempt, journal, event and inbox in one
//! transaction, and only then acknowledge. Whatever arrives is kept in the inbox
//! with a verdict, also what we refuse.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::{Map, Value};
use suanpan_ledger::Mismatch;
use suanpan_wechat::Error::{Probe, UnknownSerial};
use suanpan_wechat::v2::{self, Fields, PaymentNotice, RefundNotice};
use suanpan_wechat::v3::{Notification, PaymentNotification, RefundNotification};
use suanpan_wechat::{MchId, Payment};

use crate::Error;
use crate::account::Account;
use crate::config::ApiVersion;
use crate::flow::late;
use crate::flow::paid::{Matched, Settled, Settling};
use crate::flow::refund_notice::{self, RefundTold};
use crate::gateway;
use crate::ids::OrderId;
use crate::keys::{self, Patience};
use crate::order::{Attempt, Order};
use crate::repair::refund;
use crate::store::{Arrival, Number, Remark, Stone, Verdict};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// How WeChat wants to hear that we have it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Acknowledgement {
    /// APIv2: these bytes and nothing around them.
    Xml(&'static str),
    /// APIv3: 204, without a body.
    Empty,
}

/// What a notification turned out to be, told by its content.
enum Told {
    Payment(Box<Verified>),
    Refund(Box<RefundTold>),
}

/// A payment whose signature matched.
struct Verified {
    payment: Payment,
    dedupe_key: String,
    proof: String,
    acknowledgement: Acknowledgement,
}

/// Takes a notification: believes it or not, acts on it, and says how to acknowledge it.
///
/// # Errors
/// Whatever keeps it from being acknowledged; WeChat will repeat it. It is in
/// the inbox in any case, unless the store itself failed.
#[tracing::instrument(skip_all, fields(%mchid))]
pub async fn notify(
    world: &World,
    mchid: &MchId,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Acknowledgement, Error> {
    let accounts = world.accounts();
    let account = accounts.of_merchant(mchid).ok_or(Error::NotFound { what: "merchant" })?;
    let arrival = Arrival {
        id: world.id("ntf_"),
        mchid: mchid.clone(),
        received_at: world.now(),
        headers: kept(headers),
        body: body.to_vec(),
    };
    let refused = |arrival, verdict| Refused { arrival, verdict, dedupe_key: None, order_id: None };
    let verified = match verify_or_learn(world, account, headers, body).await {
        Ok(Told::Payment(verified)) => *verified,
        Ok(Told::Refund(message)) => {
            return refund_notice::take(world, account, arrival, *message).await;
        }
        Err(error) => return refuse(world, refused(arrival, Verdict::Refused), error).await,
    };
    let dedupe_key = Some(verified.dedupe_key.clone());
    let (attempt, order) = match find(world, account, &verified.payment).await {
        Ok(found) => found,
        Err(error) => {
            if let Some(stone) = archived(world, account, &verified.payment).await?
                && late::paid(world, &arrival, &verified.payment, &verified.dedupe_key, &stone)
                    .await?
            {
                return Ok(verified.acknowledgement);
            }
            let refused = Refused { dedupe_key, ..refused(arrival, Verdict::Unmatched) };
            return refuse(world, refused, error).await;
        }
    };
    if let Err(mismatch) = same_api(&attempt, &verified) {
        alarm(world, &order, &mismatch).await?;
        let order_id = Some(order.id);
        let refused = Refused { dedupe_key, order_id, ..refused(arrival, Verdict::Unmatched) };
        return refuse(world, refused, mismatch.into()).await;
    }
    match Matched::new(attempt, &order, verified.payment.clone()) {
        Ok(matched) => accept(world, arrival, &order, matched, verified).await,
        Err(mismatch) => {
            alarm(world, &order, &mismatch).await?;
            let order_id = Some(order.id);
            let refused = Refused { dedupe_key, order_id, ..refused(arrival, Verdict::Unmatched) };
            refuse(world, refused, mismatch.into()).await
        }
    }
}

/// Verifies; where the signature names a key that is not here, fetches WeChat's keys and looks again.
async fn verify_or_learn(
    world: &World,
    account: &Account,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Told, Error> {
    let now = world.clock.now_seconds();
    match verify(account, headers, body, now) {
        Err(Error::Notification(UnknownSerial { serial, known })) => {
            if keys::learn(world, account, &serial, Patience::ComesAgain).await {
                return verify(account, headers, body, now);
            }
            Err(Error::Notification(UnknownSerial { serial, known }))
        }
        told => told,
    }
}

/// Tells the two forms apart by content, and checks the signature before anything else.
fn verify(account: &Account, headers: &HeaderMap, body: &[u8], now: i64) -> Result<Told, Error> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'<') => verify_v2(account, body),
        Some(b'{') => verify_v3(account, headers, body, now),
        Some(_) => Err(foreign("it is neither XML nor JSON")),
        None => Err(foreign("it is empty")),
    }
}

fn verify_v2(account: &Account, body: &[u8]) -> Result<Told, Error> {
    let fields = Fields::parse(body).map_err(Error::Notification)?;
    // Refunds that were started on the merchant platform come like this to accounts of APIv3, too.
    if RefundNotice::is_told_by(&fields) {
        return refund_notice::open_v2(&fields, account).map(Box::new).map(Told::Refund);
    }
    let keys = account.v2().ok_or_else(|| foreign("this merchant account has no APIv2 key"))?;
    let notice = PaymentNotice::read(body, keys.key).map_err(Error::Notification)?;
    Ok(Told::Payment(Box::new(Verified {
        payment: notice.payment(),
        dedupe_key: format!("v2:{}", notice.transaction_id),
        proof: "verified by the APIv2 key".to_owned(),
        acknowledgement: Acknowledgement::Xml(v2::acknowledge()),
    })))
}

fn verify_v3(account: &Account, headers: &HeaderMap, body: &[u8], now: i64) -> Result<Told, Error> {
    let keys = account.v3().ok_or_else(|| foreign("this merchant account has no APIv3 keys"))?;
    let envelope =
        Notification::read(headers, body, keys.keys, now).map_err(Error::Notification)?;
    let serial = headers.get("wechatpay-serial").and_then(|serial| serial.to_str().ok());
    let proof = format!("verified by {}", serial.unwrap_or("WeChat's key"));
    if RefundNotification::is_told_by(&envelope) {
        return refund_notice::open_v3(envelope, account, proof).map(Box::new).map(Told::Refund);
    }
    // The name of the event is WeChat's, and genuine; but it tells neither of a payment nor of a refund.
    if envelope.event_type != PaymentNotification::EVENT_TYPE {
        return Err(foreign(&format!("it tells of {}", envelope.event_type)));
    }
    let notification =
        PaymentNotification::open(envelope, keys.api_v3_key).map_err(Error::Notification)?;
    Ok(Told::Payment(Box::new(Verified {
        payment: notification.transaction.payment().map_err(Error::Notification)?,
        dedupe_key: format!("v3:{}", notification.envelope.id),
        proof,
        acknowledgement: Acknowledgement::Empty,
    })))
}

/// WeChat tells of a payment in the API that its order was placed by. The keys of APIv2 and APIv3 are different
/// secrets: whoever has one cannot speak for the other.
fn same_api(attempt: &Attempt, verified: &Verified) -> Result<(), Mismatch> {
    let told = match verified.acknowledgement {
        Acknowledgement::Xml(_) => ApiVersion::V2,
        Acknowledgement::Empty => ApiVersion::V3,
    };
    let placed = gateway::api_of(attempt);
    if told == placed {
        return Ok(());
    }
    Err(Mismatch { field: "API", told: told.to_string(), expected: placed.to_string() })
}

/// The attempt that a genuine payment names, if it came to the right account.
async fn find(
    world: &World,
    account: &Account,
    payment: &Payment,
) -> Result<(Attempt, Order), Error> {
    if payment.mchid != account.mchid {
        // One key of WeChat's may serve many merchants: the path decides whose inbox this is.
        return Err(Error::Unmatched);
    }
    let key = (payment.mchid.clone(), payment.out_trade_no.clone());
    let found = world.store.look(key, |tx, (mchid, number)| {
        Box::pin(async move {
            let Some(attempt) = tx.attempt_by_number(mchid, number).await? else { return Ok(None) };
            let order = tx.order(&attempt.order_id).await?;
            Ok(order.map(|order| (attempt, order)))
        })
    });
    found.await?.ok_or(Error::Unmatched)
}

/// What is left of the number that a genuine payment names, if its order was archived.
async fn archived(
    world: &World,
    account: &Account,
    payment: &Payment,
) -> Result<Option<Stone>, Error> {
    if payment.mchid != account.mchid {
        return Ok(None);
    }
    late::stone(world, &payment.mchid, Number::Payment, payment.out_trade_no.as_str()).await
}

async fn accept(
    world: &World,
    arrival: Arrival,
    order: &Order,
    matched: Matched,
    verified: Verified,
) -> Result<Acknowledgement, Error> {
    let settling = Settling {
        step: Step::Notify,
        proof: verified.proof,
        wechat_request_id: None,
        now: arrival.received_at,
        dice: Arc::clone(&world.dice),
        shipping: world.shipping(&order.app),
    };
    let give_back = refund::of_extra(world, order, &matched)?;
    let unit = (arrival, order.id.clone(), matched, settling, give_back, verified.dedupe_key);
    let settled =
        world.store.write(unit, |tx, (arrival, order_id, matched, settling, back, key)| {
            Box::pin(async move {
                let settled = tx.settle(matched, settling, back.as_ref()).await?;
                let verdict = match &settled {
                    Settled::Moved(_) => Verdict::Moved,
                    Settled::Known => Verdict::Known,
                };
                let remark =
                    Remark { dedupe_key: Some(key), order_id: Some(order_id), ..Remark::default() };
                tx.inbox_put(arrival, verdict, &remark).await?;
                Ok(settled)
            })
        });
    let settled = settled.await?;
    let verdict =
        if matches!(settled, Settled::Moved(_)) { Verdict::Moved } else { Verdict::Known };
    world.metrics.notified(verdict);
    match settled {
        Settled::Moved(entries) => entries.iter().for_each(|entry| entry.log(&order.id)),
        Settled::Known => tracing::info!(order_id = %order.id, "the notification told nothing new"),
    }
    Ok(verified.acknowledgement)
}

/// Keeps what we do not act on, and answers why.
pub(super) async fn refuse(
    world: &World,
    mut refused: Refused,
    error: Error,
) -> Result<Acknowledgement, Error> {
    if refused.verdict == Verdict::Refused {
        // Anybody can post this: keep enough to see what it was, and no more.
        refused.arrival.body.truncate(KEPT_OF_A_REFUSED_BODY);
    }
    // A probe is WeChat's own doing: it is counted apart, so that it alarms nobody.
    if matches!(error, Error::Notification(Probe)) {
        world.metrics.probed();
    } else {
        world.metrics.notified(refused.verdict);
    }
    // Owned, so that the closure is good for any lifetime.
    let unit = (refused, error.code().to_owned());
    let kept = world.store.write(unit, |tx, (refused, code)| {
        Box::pin(async move {
            let remark = Remark {
                dedupe_key: refused.dedupe_key.as_deref(),
                problem: Some(code.as_str()),
                order_id: refused.order_id.as_ref(),
            };
            tx.inbox_put(&refused.arrival, refused.verdict, &remark).await
        })
    });
    kept.await?;
    Err(error)
}

/// A notification that moves nothing.
pub(super) struct Refused {
    pub(super) arrival: Arrival,
    pub(super) verdict: Verdict,
    pub(super) dedupe_key: Option<String>,
    pub(super) order_id: Option<OrderId>,
}

/// A genuine payment that does not fit its order: a person must look.
async fn alarm(world: &World, order: &Order, mismatch: &Mismatch) -> Result<(), Error> {
    tracing::error!(order_id = %order.id, %mismatch, code = "SP-NOTIFY-MISMATCH", "a payment does not fit its order");
    let text = format!("ALARM: {mismatch}; the order did not move");
    world.journal(&order.id, Entry::new(Step::Notify, text)).await
}

/// The headers that a verdict can be repeated from; anybody can send them, so each has its length.
fn kept(headers: &HeaderMap) -> String {
    let kept = KEPT_HEADERS.iter().filter_map(|name| {
        let bytes = headers.get(*name)?.as_bytes();
        let bytes = bytes.get(..KEPT_OF_A_HEADER).unwrap_or(bytes);
        Some(((*name).to_owned(), Value::String(String::from_utf8_lossy(bytes).into_owned())))
    });
    Value::Object(kept.collect::<Map<_, _>>()).to_string()
}

const KEPT_HEADERS: [&str; 7] = [
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-serial",
    "wechatpay-signature",
    "wechatpay-signature-type",
    "content-type",
    "user-agent",
];
/// A signature has 344 characters.
const KEPT_OF_A_HEADER: usize = 512;

/// How much of a message is kept that nobody can prove to be WeChat's, in bytes.
const KEPT_OF_A_REFUSED_BODY: usize = 1024;

pub(super) fn foreign(why: &str) -> Error {
    Error::ForeignNotification { why: why.to_owned() }
}
