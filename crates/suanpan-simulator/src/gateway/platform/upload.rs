//! `upload_shipping_info` and its combined form: the checks, in WeChat's order, and what they change.
//!
//! A payment is known here some seconds after it was made. What is shipped whole
//! may be corrected once, until the payer confirms; the same again changes nothing.

use serde::Deserialize;
use serde_json::{Map, Value};
use suanpan_wechat::AppId;

use super::shipments::{REFUNDED, Shipment, ShippedParcel, order_state, payment};
use super::{Heard, No, companies, no, read};
use crate::ledger::{Ledger, Record};
use crate::world::World;

/// By which number an order is named.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrderKey {
    pub(super) order_number_type: i64,
    pub(super) transaction_id: String,
    pub(super) mchid: String,
    pub(super) out_trade_no: String,
}

/// What is said beside the goods.
#[derive(Deserialize)]
struct One {
    #[serde(default)]
    upload_time: String,
    payer: Payer,
}

#[derive(Deserialize)]
struct Combined {
    order_key: OrderKey,
    sub_orders: Vec<Goods>,
    #[serde(default)]
    upload_time: String,
    payer: Payer,
}

/// One order and what is sent for it.
#[derive(Deserialize)]
struct Goods {
    order_key: OrderKey,
    #[serde(default)]
    logistics_type: i64,
    #[serde(default)]
    delivery_mode: i64,
    is_all_delivered: Option<bool>,
    #[serde(default)]
    shipping_list: Vec<Parcel>,
}

#[derive(Deserialize)]
struct Payer {
    #[serde(default)]
    openid: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parcel {
    tracking_no: String,
    express_company: String,
    item_desc: String,
    contact: Option<Contact>,
}

#[derive(Deserialize)]
struct Contact {
    consignor_contact: Option<String>,
    receiver_contact: Option<String>,
}

/// Answers `upload_shipping_info`.
pub(super) fn one(world: &World, appid: &AppId, heard: &Heard) -> Result<Map<String, Value>, No> {
    let (asked, goods): (One, Goods) = (read(heard)?, read(heard)?);
    let mut ledger = world.ledger.lock();
    let upload =
        Upload { world, appid, openid: &asked.payer.openid, upload_time: &asked.upload_time };
    let shipment = upload.ship(&ledger, &goods)?;
    store(world, &mut ledger, vec![shipment])
}

/// Answers `upload_combined_shipping_info`: all parts, or none.
pub(super) fn combined(
    world: &World,
    appid: &AppId,
    heard: &Heard,
) -> Result<Map<String, Value>, No> {
    let asked: Combined = read(heard)?;
    check_key(&asked.order_key)?;
    if asked.sub_orders.is_empty() {
        return Err(no(10_060_014, "参数错误: sub_orders 不能为空"));
    }
    let mut ledger = world.ledger.lock();
    let upload =
        Upload { world, appid, openid: &asked.payer.openid, upload_time: &asked.upload_time };
    let mut shipments = Vec::new();
    for sub in &asked.sub_orders {
        if sub.order_key.order_number_type != asked.order_key.order_number_type {
            return Err(no(268_485_194, "order_number_type 与合单不一致"));
        }
        shipments.push(upload.ship(&ledger, sub)?);
    }
    store(world, &mut ledger, shipments)
}

fn store(
    world: &World,
    ledger: &mut Ledger,
    shipments: Vec<Shipment>,
) -> Result<Map<String, Value>, No> {
    let records = shipments.into_iter().map(|shipment| Record::Shipment(Box::new(shipment)));
    world.commit(ledger, records.collect()).map_err(|_| no(-1, "system error"))?;
    Ok(Map::new())
}

/// What holds for all parts of one upload.
struct Upload<'a> {
    world: &'a World,
    appid: &'a AppId,
    openid: &'a str,
    upload_time: &'a str,
}

impl Upload<'_> {
    /// The shipment as it is after this upload.
    fn ship(&self, ledger: &Ledger, goods: &Goods) -> Result<Shipment, No> {
        let key = &goods.order_key;
        check_key(key)?;
        goods.check()?;
        let uploaded_at = self.upload_time.parse::<jiff::Timestamp>().map_err(|_| {
            no(268_485_216, "上传时间格式不正确，应为 RFC 3339，如 2022-12-15T13:29:35.120+08:00")
        })?;
        let uploaded_at = uploaded_at.as_millisecond();

        let (payment, order) = payment(self.world, ledger, self.appid, key)
            .ok_or_else(|| no(10_060_001, "支付单不存在"))?;
        if order.openid.as_str() != self.openid {
            return Err(no(10_060_031, "openid 与支付者不一致"));
        }
        let old = ledger.shipments.get(&payment.transaction_id);
        let is_refunded = order_state(ledger, payment, self.world.now()) == REFUNDED;
        if is_refunded || old.is_some_and(|old| old.receipt.is_some()) {
            return Err(no(10_060_004, "支付单处于不可发货的状态"));
        }
        let parcels = goods.shipping_list.iter().map(|parcel| parcel.shipped(uploaded_at));
        let new = Shipment {
            transaction_id: payment.transaction_id.clone(),
            logistics_type: goods.logistics_type,
            delivery_mode: goods.delivery_mode,
            finished: goods.delivery_mode == 1 || goods.is_all_delivered == Some(true),
            count: 0,
            parcels: parcels.collect(),
            uploaded_at,
            reminded_at: None,
            receipt: None,
        };
        follow(old, new, ledger.switches.shipping_repeated_code)
    }
}

/// What a new upload makes of the one before.
fn follow(old: Option<&Shipment>, mut new: Shipment, repeated: i32) -> Result<Shipment, No> {
    let Some(old) = old else {
        new.count = i64::from(new.finished);
        return Ok(new);
    };
    if new.says_the_same_as(old) {
        return Err(no(repeated, "发货信息未更新"));
    }
    if new.uploaded_at <= old.uploaded_at {
        return Err(no(10_060_014, "参数错误: upload_time 须晚于上一次"));
    }
    if old.finished {
        if old.count >= 2 {
            return Err(no(10_060_003, "支付单已使用重新发货机会"));
        }
        new.count = 2;
        new.finished = true;
        return Ok(new);
    }
    // One more parcel of several.
    let more = new.parcels;
    new.parcels = old.parcels.clone();
    new.parcels.extend(more);
    if new.parcels.len() > MAX_PARCELS {
        return Err(no(10_060_024, "发货列表超过 15 条"));
    }
    new.count = i64::from(new.finished);
    Ok(new)
}

fn check_key(key: &OrderKey) -> Result<(), No> {
    match key.order_number_type {
        1 if key.mchid.is_empty() => Err(no(268_485_196, "mchid 不能为空")),
        1 if key.out_trade_no.is_empty() => Err(no(268_485_197, "out_trade_no 不能为空")),
        2 if key.transaction_id.is_empty() => Err(no(268_485_195, "transaction_id 不能为空")),
        1 | 2 => Ok(()),
        _ => Err(no(268_485_194, "订单单号类型非法")),
    }
}

impl Goods {
    fn check(&self) -> Result<(), No> {
        if !(1..=4).contains(&self.logistics_type) {
            return Err(no(10_060_005, "物流类型有误"));
        }
        match self.delivery_mode {
            1 if self.shipping_list.len() != 1 => {
                return Err(no(268_485_228, "统一发货时 shipping_list 只能有一条"));
            }
            1 => {}
            2 if self.logistics_type != EXPRESS => {
                return Err(no(10_060_006, "非快递发货时不允许分拆发货"));
            }
            2 if self.is_all_delivered.is_none() => {
                return Err(no(10_060_007, "分拆发货模式下必须填写 is_all_delivered"));
            }
            2 if self.shipping_list.is_empty() => {
                return Err(no(10_060_014, "参数错误: shipping_list 不能为空"));
            }
            2 => {}
            _ => return Err(no(268_485_224, "发货模式非法")),
        }
        if self.shipping_list.len() > MAX_PARCELS {
            return Err(no(10_060_024, "发货列表超过 15 条"));
        }
        let silent = self.shipping_list.iter().all(|parcel| parcel.item_desc.is_empty());
        if silent && self.shipping_list.len() > 1 {
            return Err(no(10_060_020, "商品描述不能全为空"));
        }
        self.shipping_list.iter().try_for_each(|parcel| parcel.check(self.logistics_type))
    }
}

impl Parcel {
    fn check(&self, logistics_type: i64) -> Result<(), No> {
        if self.item_desc.is_empty() {
            return Err(no(10_060_008, "商品描述不能为空"));
        }
        if self.item_desc.chars().count() > 120 {
            return Err(no(10_060_009, "商品描述太长"));
        }
        if self.express_company.len() > 128 {
            return Err(no(10_060_025, "物流公司编码太长"));
        }
        if self.tracking_no.len() > 128 {
            return Err(no(10_060_026, "物流单号太长"));
        }
        if logistics_type != EXPRESS {
            return Ok(());
        }
        if self.tracking_no.is_empty() {
            return Err(no(268_485_226, "快递单号不能为空"));
        }
        if self.express_company.is_empty() {
            return Err(no(268_485_227, "物流公司编码不能为空"));
        }
        if !companies::is_known(&self.express_company) {
            return Err(no(10_060_014, "参数错误: express_company 不在运力列表中"));
        }
        self.check_contact()
    }

    /// One of the two with SF; each masked, with its last four digits readable.
    fn check_contact(&self) -> Result<(), No> {
        let given = self.contact.as_ref();
        let texts = [
            given.and_then(|contact| contact.consignor_contact.as_deref()),
            given.and_then(|contact| contact.receiver_contact.as_deref()),
        ];
        if self.express_company == "SF" && texts.iter().all(Option::is_none) {
            return Err(no(10_060_014, "参数错误: 顺丰须填写 contact"));
        }
        let masked = |text: &str| {
            let last = text.len().checked_sub(4).and_then(|at| text.get(at..));
            text.contains('*')
                && text.len() <= 1024
                && last.is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if !texts.into_iter().flatten().all(masked) {
            return Err(no(10_060_014, "参数错误: 联系方式须掩码，且最后四位不掩码"));
        }
        Ok(())
    }

    fn shipped(&self, uploaded_at: i64) -> ShippedParcel {
        ShippedParcel {
            tracking_no: self.tracking_no.clone(),
            express_company: self.express_company.clone(),
            goods_desc: self.item_desc.clone(),
            uploaded_at,
        }
    }
}

const EXPRESS: i64 = 1;
const MAX_PARCELS: usize = 15;
