//! The truth: every order, payment and notification, and how each may change.
//!
//! All changes go through [`Ledger::commit`], which first writes them to the file
//! and then believes them; so a restart over the same folder finds everything,
//! and notifications that nobody acknowledged go on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use suanpan_wechat::{AppId, Fen, MchId, OpenId, OutRefundNo, OutTradeNo, PrepayId, TransactionId};

use crate::Error;
use crate::bill::Planted;
use crate::credentials::Api;
use crate::gateway::platform::Shipment;
use crate::keep::Keep;
use crate::refund::{Refund, RefundKey};
use crate::registry::{Registry, openid};
use crate::switches::Switches;

/// How long a `prepay_id` opens the payment sheet, in seconds.
pub(crate) const PREPAY_LIFE: i64 = 2 * 3600;

/// Whose order: merchant and number. APIv2 and APIv3 share one book.
pub(crate) type OrderKey = (MchId, OutTradeNo);

/// An order.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) mchid: MchId,
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) appid: AppId,
    /// Partner mode: for whom it was placed.
    #[serde(default)]
    pub(crate) sub: Option<Sub>,
    /// Which API placed it: the payment and the notification speak the same.
    pub(crate) api: Api,
    /// APIv2: `MD5` or `HMAC-SHA256`.
    pub(crate) sign_type: Option<String>,
    /// What was asked, to compare with when it is asked again.
    pub(crate) request: Value,
    pub(crate) amount: Fen,
    pub(crate) description: String,
    pub(crate) openid: OpenId,
    pub(crate) notify_url: String,
    pub(crate) attach: Option<String>,
    pub(crate) device_info: Option<String>,
    /// Unix seconds, as all times here.
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) closed_at: Option<i64>,
    pub(crate) transaction_id: Option<TransactionId>,
    /// A refund of it was taken, perhaps of a part.
    #[serde(default)]
    pub(crate) refunded: bool,
    /// Oldest first.
    pub(crate) prepays: Vec<Prepay>,
}

/// The sub-merchant of an order that a partner placed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Sub {
    pub(crate) mchid: MchId,
    /// Its own mini program, where the order names it.
    pub(crate) appid: Option<AppId>,
    /// Whether the payer is named as that mini program knows them.
    pub(crate) payer_is_its: bool,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    NotPaid,
    Paid,
    Closed,
}

impl State {
    /// `trade_state`.
    const fn word(self) -> &'static str {
        match self {
            Self::NotPaid => "NOTPAY",
            Self::Paid => "SUCCESS",
            Self::Closed => "CLOSED",
        }
    }

    /// `trade_state_desc`.
    const fn words(self) -> &'static str {
        match self {
            Self::NotPaid => "订单未支付",
            Self::Paid => "支付成功",
            Self::Closed => "订单已关闭",
        }
    }
}

/// A `prepay_id` with its age.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Prepay {
    pub(crate) id: PrepayId,
    pub(crate) issued_at: i64,
}

impl Order {
    /// Its place in the book.
    pub(crate) fn key(&self) -> OrderKey {
        (self.mchid.clone(), self.out_trade_no.clone())
    }

    /// The mini program that the payer pays in.
    pub(crate) fn payer_app(&self) -> &AppId {
        let its = self.sub.as_ref().filter(|sub| sub.payer_is_its);
        its.and_then(|sub| sub.appid.as_ref()).unwrap_or(&self.appid)
    }

    /// Whether it was placed for this sub-merchant, or for nobody else.
    pub(crate) fn is_for(&self, sub_mchid: Option<&str>) -> bool {
        self.sub.as_ref().map(|sub| sub.mchid.as_str()) == sub_mchid
    }

    /// Where it stands at this moment.
    pub(crate) fn state(&self, now: i64, switches: &Switches) -> State {
        if self.transaction_id.is_some() {
            State::Paid
        } else if self.closed_at.is_some()
            || (self.is_expired(now) && switches.expired_order_is_closed)
        {
            State::Closed
        } else {
            State::NotPaid
        }
    }

    /// `trade_state`, and the words for it: REFUND also where only a part went back.
    pub(crate) fn trade_state(
        &self,
        now: i64,
        switches: &Switches,
    ) -> (&'static str, &'static str) {
        match self.state(now, switches) {
            State::Paid if self.refunded => ("REFUND", "订单发生过退款"),
            state @ (State::NotPaid | State::Paid | State::Closed) => (state.word(), state.words()),
        }
    }

    /// Whether the last moment to pay is over.
    pub(crate) const fn is_expired(&self, now: i64) -> bool {
        self.expires_at <= now
    }

    /// The `prepay_id` that still opens the sheet.
    pub(crate) fn young_prepay(&self, now: i64) -> Option<&PrepayId> {
        let last = self.prepays.last()?;
        (now < last.issued_at.saturating_add(PREPAY_LIFE)).then_some(&last.id)
    }
}

/// Money that moved.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Payment {
    pub(crate) transaction_id: TransactionId,
    pub(crate) mchid: MchId,
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) user: String,
    pub(crate) amount: Fen,
    pub(crate) paid_at: i64,
}

/// What WeChat owes the merchant to tell.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Notification {
    pub(crate) id: String,
    pub(crate) mchid: MchId,
    pub(crate) out_trade_no: OutTradeNo,
    pub(crate) transaction_id: TransactionId,
    /// It tells of this refund; of the payment where it is none.
    #[serde(default)]
    pub(crate) refund: Option<OutRefundNo>,
    pub(crate) url: String,
    pub(crate) created_at: i64,
    /// When the next try is due, unix microseconds; none where it is told or given up.
    pub(crate) due_at: Option<i64>,
    pub(crate) acknowledged: bool,
    /// How many of the tries counted towards the schedule.
    pub(crate) turn: usize,
    /// A fault has put it off already.
    pub(crate) put_off: bool,
    /// It goes out once another order's has: a fault wants it so.
    pub(crate) waits_for_another: bool,
    pub(crate) tries: Vec<Try>,
}

/// One try to tell it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Try {
    /// Unix microseconds.
    pub(crate) at: i64,
    /// The fault that was played.
    pub(crate) fault: Option<String>,
    /// The HTTP status of the answer.
    pub(crate) status: Option<u16>,
    /// The answer, cut.
    pub(crate) answer: Option<String>,
    pub(crate) acknowledged: bool,
    /// Why it does not count as acknowledged, or what is odd about it.
    pub(crate) note: Option<String>,
}

/// A change, as it stands in the file: the whole new value.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    Order(Box<Order>),
    Payment(Box<Payment>),
    Refund(Box<Refund>),
    Notification(Box<Notification>),
    /// A user who was not seeded.
    User(String),
    /// How far the clock was advanced, in microseconds.
    Ahead(i64),
    Switches(Box<Switches>),
    Shipment(Box<Shipment>),
    /// A difference in a bill.
    Plant(Box<Planted>),
}

/// Who an openid is.
#[derive(Clone, Debug)]
pub(crate) struct Payer {
    pub(crate) user: String,
    pub(crate) appid: AppId,
}

/// The book.
#[derive(Debug)]
pub(crate) struct Ledger {
    keep: Keep,
    apps: Vec<AppId>,
    pub(crate) orders: BTreeMap<OrderKey, Order>,
    pub(crate) payments: BTreeMap<TransactionId, Payment>,
    pub(crate) refunds: BTreeMap<RefundKey, Refund>,
    pub(crate) notifications: BTreeMap<String, Notification>,
    pub(crate) users: BTreeSet<String>,
    pub(crate) ahead: i64,
    pub(crate) switches: Switches,
    pub(crate) shipments: BTreeMap<TransactionId, Shipment>,
    pub(crate) plants: Vec<Planted>,
    prepays: HashMap<PrepayId, OrderKey>,
    payers: HashMap<OpenId, Payer>,
    due: BTreeSet<(i64, String)>,
    waiting: BTreeSet<String>,
    on_the_way: usize,
}

impl Ledger {
    /// Reads the file, and writes it again without what is outdated.
    pub(crate) fn open(data: &Path, registry: &Registry) -> Result<Self, Error> {
        let (keep, records) = Keep::open(data)?;
        let mut ledger = Self {
            keep,
            apps: registry.apps.keys().cloned().collect(),
            orders: BTreeMap::new(),
            payments: BTreeMap::new(),
            refunds: BTreeMap::new(),
            notifications: BTreeMap::new(),
            users: BTreeSet::new(),
            ahead: 0,
            switches: Switches::default(),
            shipments: BTreeMap::new(),
            plants: Vec::new(),
            prepays: HashMap::new(),
            payers: HashMap::new(),
            due: BTreeSet::new(),
            waiting: BTreeSet::new(),
            on_the_way: 0,
        };
        for user in &registry.users {
            ledger.apply(Record::User(user.clone()));
        }
        for record in records {
            ledger.apply(record);
        }
        let records = ledger.records();
        ledger.keep.rewrite(&records)?;
        Ok(ledger)
    }

    /// Writes the changes, then believes them: all or none.
    pub(crate) fn commit(&mut self, records: Vec<Record>) -> io::Result<()> {
        self.keep.append(&records)?;
        for record in records {
            self.apply(record);
        }
        Ok(())
    }

    /// The order that a `prepay_id` was given for.
    pub(crate) fn order_of_prepay(&self, prepay_id: &str) -> Option<&Order> {
        let prepay_id = PrepayId::parse(prepay_id).ok()?;
        self.orders.get(self.prepays.get(&prepay_id)?)
    }

    /// Who an openid is.
    pub(crate) fn payer(&self, openid: &OpenId) -> Option<&Payer> {
        self.payers.get(openid)
    }

    /// When the next notification is due, unix microseconds.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Those that wait for another to go out first.
    pub(crate) fn waiting(&self) -> Vec<Notification> {
        self.waiting.iter().filter_map(|id| self.notifications.get(id).cloned()).collect()
    }

    /// Whether nothing is due, and nothing is on the way.
    pub(crate) fn is_quiet(&self, now_micros: i64) -> bool {
        self.on_the_way == 0 && self.next_due().is_none_or(|at| now_micros < at)
    }

    /// A notification that was taken has come back.
    pub(crate) const fn came_back(&mut self) {
        self.on_the_way = self.on_the_way.saturating_sub(1);
    }

    /// Takes the notifications that are due: each comes back by [`Ledger::came_back`].
    pub(crate) fn take_due(&mut self, now_micros: i64) -> Vec<Notification> {
        let later = self.due.split_off(&(now_micros.saturating_add(1), String::new()));
        let due = std::mem::replace(&mut self.due, later);
        self.on_the_way = self.on_the_way.saturating_add(due.len());
        for (_, id) in &due {
            // It goes out by itself: another one must not send it a second time.
            self.waiting.remove(id);
        }
        due.iter().filter_map(|(_, id)| self.notifications.get(id).cloned()).collect()
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Order(order) => {
                for prepay in &order.prepays {
                    self.prepays.insert(prepay.id.clone(), order.key());
                }
                self.orders.insert(order.key(), *order);
            }
            Record::Payment(payment) => {
                self.payments.insert(payment.transaction_id.clone(), *payment);
            }
            Record::Refund(refund) => {
                self.refunds.insert(refund.key(), *refund);
            }
            Record::Notification(notification) => {
                let id = notification.id.clone();
                if let Some(old) = self.notifications.insert(id.clone(), *notification)
                    && let Some(at) = old.due_at
                {
                    self.due.remove(&(at, id.clone()));
                }
                let due_at = self.notifications.get(&id).and_then(|new| new.due_at);
                let waits = self.notifications.get(&id).is_some_and(|new| new.waits_for_another);
                if waits {
                    self.waiting.insert(id.clone());
                } else {
                    self.waiting.remove(&id);
                }
                self.due.extend(due_at.map(|at| (at, id)));
            }
            Record::User(user) => {
                for appid in &self.apps {
                    let payer = Payer { user: user.clone(), appid: appid.clone() };
                    self.payers.insert(openid(appid, &user), payer);
                }
                self.users.insert(user);
            }
            Record::Ahead(ahead) => self.ahead = ahead,
            Record::Switches(switches) => self.switches = *switches,
            Record::Shipment(shipment) => {
                self.shipments.insert(shipment.transaction_id.clone(), *shipment);
            }
            Record::Plant(planted) => self.plants.push(*planted),
        }
    }

    /// Everything, as it would be written anew.
    fn records(&self) -> Vec<Record> {
        let orders = self.orders.values().cloned().map(|order| Record::Order(Box::new(order)));
        let payments = self.payments.values().cloned();
        let refunds = self.refunds.values().cloned();
        let notifications = self.notifications.values().cloned();
        [Record::Ahead(self.ahead), Record::Switches(Box::new(self.switches.clone()))]
            .into_iter()
            .chain(self.users.iter().cloned().map(Record::User))
            .chain(orders)
            .chain(payments.map(|payment| Record::Payment(Box::new(payment))))
            .chain(refunds.map(|refund| Record::Refund(Box::new(refund))))
            .chain(notifications.map(|told| Record::Notification(Box::new(told))))
            .chain(self.shipments.values().cloned().map(|sent| Record::Shipment(Box::new(sent))))
            .chain(self.plants.iter().cloned().map(|planted| Record::Plant(Box::new(planted))))
            .collect()
    }
}
