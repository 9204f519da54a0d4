//! Paid there and open here: the bill proves the payment, so it is booked by the same code as a verified notification,
//! with every check of merchant, app, number, currency and amount.

use serde_json::json;
use suanpan_wechat::bill::BillDate;
use suanpan_wechat::{AppId, MchId, Payment, TradeState, TransactionId};

use super::sort::{Sorted, Unbooked, amount, of_line};
use crate::Error;
use crate::account::Account;
use crate::flow::paid::{Matched, Settled, settled};
use crate::reconciliation::{Billed, DifferenceKind, Found};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// Books what the bill proves, and notes each as a difference: repaired, or open where something of it does not fit.
pub(super) async fn settle(
    world: &World,
    account: &Account,
    day: BillDate,
    sorted: &mut Sorted,
) -> Result<(), Error> {
    for unbooked in std::mem::take(&mut sorted.unbooked) {
        let Unbooked { billed, attempt, order } = unbooked;
        let out_trade_no = billed.out_trade_no.clone();
        let order_id = Some(order.id.to_string());
        let open = |why: String| Found {
            order_id: order_id.clone(),
            ..of_line(DifferenceKind::OpenHere, &billed, json!(why))
        };
        let payment = match told(account, &attempt.own_app().clone(), attempt.sub_app(), &billed) {
            Ok(payment) => payment,
            Err(why) => {
                sorted.found(open(why.to_owned()));
                continue;
            }
        };
        match Matched::new(attempt, &order, payment) {
            Ok(matched) => {
                let proof = format!("by the bill of {day}");
                let settled = settled(world, &order, matched, (Step::Bill, proof), None).await?;
                // Whoever was faster than us has told of it by now.
                if let Settled::Moved(_) = settled {
                    sorted.found(Found { repaired: true, ..open("booked".to_owned()) });
                }
                sorted.is_now_settled(&out_trade_no);
            }
            Err(mismatch) => {
                tracing::error!(order_id = %order.id, %mismatch, code = "SP-NOTIFY-MISMATCH", "a payment in a bill does not fit its order");
                let text = format!("ALARM: the bill of {day}: {mismatch}; the order did not move");
                let entry = Entry::new(Step::Bill, text);
                let unit = (order.id.clone(), world.now(), entry);
                let put = world.store.write(unit, |tx, (order, at, entry)| {
                    Box::pin(async move { tx.journal_put_news(order, *at, entry).await })
                });
                put.await?;
                sorted.found(if mismatch.field == "amount" {
                    Found { order_id: order_id.clone(), ..amount(&billed, order.amount) }
                } else {
                    open(mismatch.to_string())
                });
            }
        }
    }
    Ok(())
}

/// The line as a payment that WeChat tells of.
fn told(
    account: &Account,
    own_app: &AppId,
    sub_app: Option<&AppId>,
    billed: &Billed,
) -> Result<Payment, &'static str> {
    let appid = AppId::parse(&billed.appid).map_err(|_| "the line names no app")?;
    // The bill has one column for the app: in partner mode it is the partner's, or the sub-merchant's own.
    let appid = if Some(&appid) == sub_app { own_app.clone() } else { appid };
    let sub_mchid = Some(billed.sub_mchid.as_str()).filter(|text| !matches!(*text, "" | "0"));
    let mchid = if billed.mchid.is_empty() {
        account.mchid.clone()
    } else {
        MchId::parse(&billed.mchid).map_err(|_| "the line names no merchant")?
    };
    let currency = if billed.currency.is_empty() { "CNY" } else { &billed.currency };
    Ok(Payment {
        appid,
        mchid,
        sub_mchid: sub_mchid
            .map(MchId::parse)
            .transpose()
            .map_err(|_| "the line names no sub-merchant")?,
        // Of which the bill says nothing: number, merchant, app and amount have to do.
        sub_appid: sub_app.cloned(),
        out_trade_no: suanpan_wechat::OutTradeNo::parse(&billed.out_trade_no)
            .map_err(|_| "the line names no order")?,
        state: TradeState::Success,
        transaction_id: Some(
            TransactionId::parse(&billed.transaction_id)
                .map_err(|_| "the line names no transaction")?,
        ),
        openid: None,
        total: Some(billed.total),
        currency: currency.to_owned(),
        success_time: Some(billed.time),
        bank_type: None,
        attach: None,
    })
}
