//! What was shipped: looked up, reminded of, confirmed by the payer, and told in the ledger.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::{AppId, Fen, MchId, OutTradeNo, RefundStatus, TransactionId};

use super::upload::OrderKey;
use super::{Heard, No, no, read};
use crate::ledger::{Ledger, Order, Payment, Record};
use crate::world::World;

/// After how many seconds WeChat reminds of a shipment that it has not heard of.
const SHIP_WITHIN: i64 = 48 * 3600;

/// What was uploaded for a payment.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Shipment {
    pub(crate) transaction_id: TransactionId,
    pub(super) logistics_type: i64,
    pub(super) delivery_mode: i64,
    pub(super) finished: bool,
    /// 0: not whole yet, 1: whole, 2: corrected.
    pub(super) count: i64,
    pub(super) parcels: Vec<ShippedParcel>,
    /// `upload_time` of the last upload, unix milliseconds.
    pub(super) uploaded_at: i64,
    pub(super) reminded_at: Option<i64>,
    pub(super) receipt: Option<Receipt>,
}

/// A parcel.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct ShippedParcel {
    pub(super) tracking_no: String,
    pub(super) express_company: String,
    pub(super) goods_desc: String,
    /// Unix milliseconds.
    pub(super) uploaded_at: i64,
}

/// The payer's word that it came.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Receipt {
    /// Unix seconds.
    at: i64,
}

impl Shipment {
    /// Whether an upload would change nothing but its time.
    pub(super) fn says_the_same_as(&self, old: &Self) -> bool {
        let texts = |shipment: &Self| {
            let one = |parcel: &ShippedParcel| {
                (
                    parcel.tracking_no.clone(),
                    parcel.express_company.clone(),
                    parcel.goods_desc.clone(),
                )
            };
            shipment.parcels.iter().map(one).collect::<Vec<_>>()
        };
        let way =
            |shipment: &Self| (shipment.logistics_type, shipment.delivery_mode, shipment.finished);
        way(self) == way(old) && texts(self) == texts(old)
    }
}

/// `order_state`. What went back as a whole is neither shipped nor confirmed any more.
pub(super) fn order_state(ledger: &Ledger, payment: &Payment, now: i64) -> i64 {
    let refunds = ledger.refunds.values().filter(|refund| {
        refund.transaction_id == payment.transaction_id
            && refund.status(now) == RefundStatus::Success
    });
    let back = refunds.map(|refund| refund.amount).try_fold(Fen::ZERO, Fen::checked_add);
    if back.is_none_or(|back| payment.amount <= back) {
        return REFUNDED;
    }
    match ledger.shipments.get(&payment.transaction_id) {
        Some(Shipment { receipt: Some(_), .. }) => 3,
        Some(Shipment { finished: true, .. }) => SHIPPED,
        Some(_) | None => 1,
    }
}

const SHIPPED: i64 = 2;
pub(super) const REFUNDED: i64 = 5;

/// The payment that this app may ship: paid in it, managed, and known here by now.
pub(super) fn payment<'l>(
    world: &World,
    ledger: &'l Ledger,
    appid: &AppId,
    key: &OrderKey,
) -> Option<(&'l Payment, &'l Order)> {
    let id = if key.transaction_id.is_empty() {
        let mchid = MchId::parse(&key.mchid).ok()?;
        let number = OutTradeNo::parse(&key.out_trade_no).ok()?;
        ledger.orders.get(&(mchid, number))?.transaction_id.clone()?
    } else {
        TransactionId::parse(&key.transaction_id).ok()?
    };
    let payment = ledger.payments.get(&id)?;
    let order = ledger.orders.get(&(payment.mchid.clone(), payment.out_trade_no.clone()))?;
    let wait = i64::from(ledger.switches.shipping_payment_known_after_seconds);
    let known = payment.paid_at.saturating_add(wait) <= world.now();
    let managed = ledger.switches.is_trade_managed(appid);
    (order.appid == *appid && known && managed).then_some((payment, order))
}

/// The names that everything but the upload uses.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Names {
    transaction_id: String,
    merchant_id: String,
    merchant_trade_no: String,
    received_time: i64,
}

impl Names {
    fn find<'l>(
        &self,
        world: &World,
        ledger: &'l Ledger,
        appid: &AppId,
    ) -> Result<(&'l Payment, &'l Order), No> {
        let key = OrderKey {
            transaction_id: self.transaction_id.clone(),
            mchid: self.merchant_id.clone(),
            out_trade_no: self.merchant_trade_no.clone(),
            ..OrderKey::default()
        };
        payment(world, ledger, appid, &key).ok_or_else(|| no(10_060_001, "支付单不存在"))
    }
}

/// Answers `get_order`.
pub(super) fn get(world: &World, appid: &AppId, heard: &Heard) -> Result<Map<String, Value>, No> {
    let asked: Names = read(heard)?;
    let ledger = world.ledger.lock();
    let (payment, order) = asked.find(world, &ledger, appid)?;
    Ok(Map::from_iter([("order".to_owned(), view(world, &ledger, payment, order))]))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Narrowed {
    pay_time_range: Option<Range>,
    order_state: Option<i64>,
    openid: Option<String>,
    last_index: Option<String>,
    page_size: Option<usize>,
}

#[derive(Deserialize)]
struct Range {
    begin_time: Option<i64>,
    end_time: Option<i64>,
}

/// Answers `get_order_list`: oldest first, a page at a time.
pub(super) fn list(world: &World, appid: &AppId, heard: &Heard) -> Result<Map<String, Value>, No> {
    let asked: Narrowed = read(heard)?;
    let ledger = world.ledger.lock();
    let mut payments: Vec<_> = ledger.payments.values().collect();
    payments.sort_by_key(|payment| (payment.paid_at, payment.transaction_id.clone()));
    let mut found: Vec<_> = payments
        .into_iter()
        .filter_map(|payment| {
            let key = OrderKey {
                transaction_id: payment.transaction_id.to_string(),
                ..OrderKey::default()
            };
            self::payment(world, &ledger, appid, &key)
        })
        .filter(|(payment, order)| {
            let state = order_state(&ledger, payment, world.now());
            let range = asked.pay_time_range.as_ref();
            asked.order_state.is_none_or(|wanted| wanted == state)
                && asked.openid.as_deref().is_none_or(|openid| openid == order.openid.as_str())
                && range.and_then(|range| range.begin_time).is_none_or(|at| at <= payment.paid_at)
                && range.and_then(|range| range.end_time).is_none_or(|at| payment.paid_at <= at)
        })
        .collect();
    if let Some(last) = asked.last_index.as_deref().filter(|last| !last.is_empty()) {
        let place = found.iter().position(|(payment, _)| payment.transaction_id.as_str() == last);
        let place = place.ok_or_else(|| no(10_060_011, "last_index 非法"))?;
        found.drain(..=place);
    }
    let size = asked.page_size.unwrap_or(100).clamp(1, 100);
    let has_more = found.len() > size;
    found.truncate(size);
    let last = found.last().map(|(payment, _)| payment.transaction_id.to_string());
    let page: Vec<_> =
        found.into_iter().map(|(payment, order)| view(world, &ledger, payment, order)).collect();
    Ok(Map::from_iter([
        ("last_index".to_owned(), json!(last.unwrap_or_default())),
        ("has_more".to_owned(), json!(has_more)),
        ("order_list".to_owned(), json!(page)),
    ]))
}

/// Answers `notify_confirm_receive`.
pub(super) fn remind(
    world: &World,
    appid: &AppId,
    heard: &Heard,
) -> Result<Map<String, Value>, No> {
    let asked: Names = read(heard)?;
    let mut ledger = world.ledger.lock();
    let (payment, _) = asked.find(world, &ledger, appid)?;
    let shipment = ledger.shipments.get(&payment.transaction_id);
    let shipment = shipment
        .filter(|_| order_state(&ledger, payment, world.now()) == SHIPPED)
        .ok_or_else(|| no(10_060_028, "支付单不处于已发货的状态"))?;
    if shipment.logistics_type != 1 {
        return Err(no(10_060_032, "该物流类型不支持确认收货提醒"));
    }
    if shipment.reminded_at.is_some() {
        return Err(no(10_060_030, "支付单已提醒过"));
    }
    if asked.received_time.saturating_mul(1000) < shipment.uploaded_at {
        return Err(no(10_060_029, "收货时间早于发货时间"));
    }
    let reminded = Shipment { reminded_at: Some(world.now()), ..shipment.clone() };
    let record = Record::Shipment(Box::new(reminded));
    world.commit(&mut ledger, vec![record]).map_err(|_| no(-1, "system error"))?;
    Ok(Map::new())
}

#[derive(Deserialize)]
struct AppAsked {
    #[serde(default)]
    appid: String,
}

/// Answers `is_trade_managed`.
pub(super) fn is_managed(
    world: &World,
    appid: &AppId,
    heard: &Heard,
) -> Result<Map<String, Value>, No> {
    own_app(world, appid, heard)?;
    let managed = world.switches().is_trade_managed(appid);
    Ok(Map::from_iter([("is_trade_managed".to_owned(), json!(managed))]))
}

/// Answers `is_trade_management_confirmation_completed`.
pub(super) fn is_confirmed(
    world: &World,
    appid: &AppId,
    heard: &Heard,
) -> Result<Map<String, Value>, No> {
    own_app(world, appid, heard)?;
    let managed = world.switches().is_trade_managed(appid);
    Ok(Map::from_iter([("completed".to_owned(), json!(managed))]))
}

/// Who is no third party may ask about its own app only.
fn own_app(world: &World, appid: &AppId, heard: &Heard) -> Result<(), No> {
    let asked: AppAsked = read(heard)?;
    if world.registry.app(&asked.appid).is_none() {
        return Err(no(40013, "invalid appid"));
    }
    if asked.appid != appid.as_str() {
        return Err(no(61003, "component is not authorized by this account"));
    }
    Ok(())
}

/// The payer says that it came: what `openBusinessView` of `weappOrderConfirm` does.
pub(crate) fn confirm_receipt(world: &World, transaction_id: &str) -> Option<()> {
    let id = TransactionId::parse(transaction_id).ok()?;
    let mut ledger = world.ledger.lock();
    let payment = ledger.payments.get(&id)?;
    let shipment = ledger
        .shipments
        .get(&id)
        .filter(|_| order_state(&ledger, payment, world.now()) == SHIPPED)?;
    let confirmed = Shipment { receipt: Some(Receipt { at: world.now() }), ..shipment.clone() };
    world.commit(&mut ledger, vec![Record::Shipment(Box::new(confirmed))]).ok()
}

/// How the shipping of a paid order stands, for `/_sim/ledger`.
pub(crate) fn told_shipping(ledger: &Ledger, order: &Order, now: i64) -> Value {
    let payment = order.transaction_id.as_ref().and_then(|id| ledger.payments.get(id));
    let managed = ledger.switches.is_trade_managed(&order.appid);
    let Some(payment) = payment.filter(|_| managed) else { return Value::Null };
    let shipment = ledger.shipments.get(&payment.transaction_id);
    json!({
        "order_state": order_state(ledger, payment, now),
        "ship_by": beijing_rfc3339(payment.paid_at.saturating_add(SHIP_WITHIN)),
        "logistics_type": shipment.map(|shipment| shipment.logistics_type),
        "finish_shipping_count": shipment.map_or(0, |shipment| shipment.count),
        "shipping_list": parcels(shipment),
        "reminded_at": shipment.and_then(|shipment| shipment.reminded_at).map(beijing_rfc3339),
        "received_at": shipment.and_then(|shipment| shipment.receipt).map(|receipt| beijing_rfc3339(receipt.at)),
    })
}

fn parcels(shipment: Option<&Shipment>) -> Vec<Value> {
    let one = |parcel: &ShippedParcel| {
        json!({
            "tracking_no": parcel.tracking_no,
            "express_company": parcel.express_company,
            "goods_desc": parcel.goods_desc,
            "upload_time": parcel.uploaded_at.div_euclid(1000),
            "contact": {},
        })
    };
    shipment.into_iter().flat_map(|shipment| &shipment.parcels).map(one).collect()
}

fn view(world: &World, ledger: &Ledger, payment: &Payment, order: &Order) -> Value {
    let shipment = ledger.shipments.get(&payment.transaction_id);
    let descriptions = shipment.into_iter().flat_map(|shipment| &shipment.parcels);
    let all: Vec<_> = descriptions.map(|parcel| parcel.goods_desc.as_str()).collect();
    let all = all.join(";");
    let cut: String = all.chars().take(120).collect();
    let description = if cut.len() < all.len() { format!("{cut}...") } else { all };
    json!({
        "transaction_id": payment.transaction_id,
        "merchant_id": payment.mchid,
        "sub_merchant_id": "0",
        "merchant_trade_no": payment.out_trade_no,
        "description": description,
        "paid_amount": payment.amount,
        "openid": order.openid,
        "trade_create_time": order.created_at,
        "pay_time": payment.paid_at,
        "order_state": order_state(ledger, payment, world.now()),
        "in_complaint": false,
        "shipping": {
            "delivery_mode": shipment.map_or(0, |shipment| shipment.delivery_mode),
            "logistics_type": shipment.map_or(0, |shipment| shipment.logistics_type),
            "finish_shipping": shipment.is_some_and(|shipment| shipment.finished),
            "goods_desc": description,
            "finish_shipping_count": shipment.map_or(0, |shipment| shipment.count),
            "shipping_list": parcels(shipment),
        },
    })
}
