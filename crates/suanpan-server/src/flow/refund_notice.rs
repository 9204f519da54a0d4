//! WeChat tells us of a refund: under its signature (APIv3), or only sealed (APIv2).
//!
//! What is signed moves the refund, as the answer to a query does. The notice of
//! APIv2 has no signature, and its cipher protects no integrity: it moves
//! nothing, and makes us ask at once. Its acknowledgement means that the
//! question is durable.

use std::sync::Arc;

use suanpan_ledger::Mismatch;
use suanpan_wechat as wechat;
use suanpan_wechat::v2::{self, Fields, RefundNotice};
use suanpan_wechat::v3::{Notification, RefundNotification};
use suanpan_wechat::{MchId, OutRefundNo};

use crate::Error;
use crate::account::Account;
use crate::flow::late;
use crate::flow::notify::{Acknowledgement, Refused, foreign, refuse};
use crate::flow::paid::{Settled, Settling};
use crate::refund::Refund;
use crate::repair;
use crate::shipment::ShippingPolicy;
use crate::store::{Arrival, Number, Remark, Verdict};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// A notification that tells of a refund, opened.
pub(super) struct RefundTold {
    /// The merchant that it names.
    mchid: MchId,
    /// What it tells, and whether that is proven.
    told: wechat::Refund,
    signed: bool,
    dedupe_key: String,
    proof: String,
    acknowledgement: Acknowledgement,
}

/// Opens a notice of APIv2.
pub(super) fn open_v2(fields: &Fields, account: &Account) -> Result<RefundTold, Error> {
    let keys = account.v2().ok_or_else(|| foreign("this merchant account has no APIv2 key"))?;
    let notice = RefundNotice::open(fields, keys.key).map_err(Error::Notification)?;
    let told = notice.refund();
    Ok(RefundTold {
        dedupe_key: format!("v2:{}:{}", told.refund_id, told.status),
        proof: "an unsigned notice".to_owned(),
        mchid: notice.mch_id,
        told,
        signed: false,
        acknowledgement: Acknowledgement::Xml(v2::acknowledge()),
    })
}

/// Opens an envelope of APIv3 that was verified.
pub(super) fn open_v3(
    envelope: Notification,
    account: &Account,
    proof: String,
) -> Result<RefundTold, Error> {
    let keys = account.v3().ok_or_else(|| foreign("this merchant account has no APIv3 keys"))?;
    let notification =
        RefundNotification::open(envelope, keys.api_v3_key).map_err(Error::Notification)?;
    let resource = &notification.refund;
    let mchid = resource.mchid.clone().or_else(|| resource.sp_mchid.clone());
    Ok(RefundTold {
        mchid: mchid.ok_or_else(|| foreign("it names no merchant"))?,
        told: resource.refund().map_err(Error::Notification)?,
        signed: true,
        dedupe_key: format!("v3:{}", notification.envelope.id),
        proof,
        acknowledgement: Acknowledgement::Empty,
    })
}

/// Looks the refund up, compares, and acts: moves it, or has WeChat asked.
pub(super) async fn take(
    world: &World,
    account: &Account,
    arrival: Arrival,
    message: RefundTold,
) -> Result<Acknowledgement, Error> {
    let unmatched = |arrival, order_id| Refused {
        arrival,
        verdict: Verdict::Unmatched,
        dedupe_key: Some(message.dedupe_key.clone()),
        order_id,
    };
    // One key of WeChat's may serve many merchants: the path decides whose inbox this is.
    let ours = message.mchid == account.mchid;
    let found = if ours { find(world, account, &message.told.out_refund_no).await? } else { None };
    let Some(refund) = found else {
        let number = message.told.out_refund_no.as_str();
        if ours
            && let Some(stone) = late::stone(world, &account.mchid, Number::Refund, number).await?
        {
            late::refunded(world, arrival, message.dedupe_key, stone).await?;
            return Ok(message.acknowledgement);
        }
        return refuse(world, unmatched(arrival, None), Error::UnmatchedRefund).await;
    };
    if let Err(mismatch) = refund.compare(&message.told) {
        alarm(world, &refund, &mismatch).await?;
        let order_id = Some(refund.order_id);
        return refuse(world, unmatched(arrival, order_id), mismatch.into()).await;
    }
    if message.signed {
        accept(world, arrival, refund, message).await
    } else {
        have_asked(world, arrival, refund, message).await
    }
}

async fn find(
    world: &World,
    account: &Account,
    number: &OutRefundNo,
) -> Result<Option<Refund>, Error> {
    let key = (account.mchid.clone(), number.clone());
    let found = world.store.look(key, |tx, (mchid, number)| {
        Box::pin(async move { tx.refund_by_number(mchid, number).await })
    });
    Ok(found.await?)
}

/// It is WeChat's word: move the refund.
async fn accept(
    world: &World,
    arrival: Arrival,
    refund: Refund,
    message: RefundTold,
) -> Result<Acknowledgement, Error> {
    let settling = Settling {
        step: Step::Notify,
        proof: message.proof,
        wechat_request_id: None,
        now: arrival.received_at,
        dice: Arc::clone(&world.dice),
        shipping: ShippingPolicy::None,
    };
    let unit = (arrival, refund, message.told, settling, message.dedupe_key);
    let heard = world.store.write(unit, |tx, (arrival, refund, told, settling, key)| {
        Box::pin(async move {
            let heard = tx.refund_hear(&refund.id, told, settling).await?;
            let verdict = match &heard {
                Settled::Moved(_) => Verdict::Moved,
                Settled::Known => Verdict::Known,
            };
            let order_id = Some(&refund.order_id);
            let remark = Remark { dedupe_key: Some(key), order_id, ..Remark::default() };
            tx.inbox_put(arrival, verdict, &remark).await?;
            Ok((heard, refund.order_id.clone()))
        })
    });
    let (heard, order_id) = heard.await?;
    let verdict = match heard {
        Settled::Moved(entries) => {
            entries.iter().for_each(|entry| entry.log(&order_id));
            Verdict::Moved
        }
        Settled::Known => {
            tracing::info!(%order_id, "the notification told nothing new");
            Verdict::Known
        }
    };
    world.metrics.notified(verdict);
    Ok(message.acknowledgement)
}

/// It proves nothing: have WeChat asked at once, unless the refund is at its end.
async fn have_asked(
    world: &World,
    arrival: Arrival,
    refund: Refund,
    message: RefundTold,
) -> Result<Acknowledgement, Error> {
    let ask = !refund.state.is_final();
    let order_id = refund.order_id.clone();
    let text = format!("{}: {}; asking WeChat", message.proof, refund.out_refund_no);
    let entry = Entry::new(Step::Notify, text).with("refund_id", refund.id.as_str());
    let unit = (arrival, refund, message.dedupe_key, ask, entry.clone());
    let put = world.store.write(unit, |tx, (arrival, refund, key, ask, entry)| {
        Box::pin(async move {
            let order_id = Some(&refund.order_id);
            let remark = Remark { dedupe_key: Some(key), order_id, ..Remark::default() };
            let verdict = if *ask { Verdict::Asked } else { Verdict::Known };
            tx.inbox_put(arrival, verdict, &remark).await?;
            if *ask {
                let now = arrival.received_at;
                if repair::refund::ask_at_once(tx, refund, &arrival.id, key, now).await? {
                    tx.journal_put(&refund.order_id, now, entry).await?;
                }
            }
            Ok(())
        })
    });
    put.await?;
    let verdict = if ask { Verdict::Asked } else { Verdict::Known };
    world.metrics.notified(verdict);
    if ask {
        entry.log(&order_id);
    }
    Ok(message.acknowledgement)
}

async fn alarm(world: &World, refund: &Refund, mismatch: &Mismatch) -> Result<(), Error> {
    let order_id = &refund.order_id;
    tracing::error!(%order_id, %mismatch, code = "SP-NOTIFY-MISMATCH", "a refund does not fit");
    let text = format!("ALARM: {}: {mismatch}; nothing moved", refund.out_refund_no);
    world.journal(order_id, Entry::new(Step::Notify, text)).await
}
