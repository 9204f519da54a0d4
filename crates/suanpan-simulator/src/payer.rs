//! Step 4 seen from the other side: `wx.requestPayment` on the payer's phone.
//!
//! WeChat's client opens the payment sheet only where all five texts are right;
//! where they are not, it says little. This one says which field is wrong, and
//! why. Then the payer decides: pays, cancels, has no money, or puts the phone
//! away without a decision.

mod wrong;

use serde::Serialize;
use serde_json::Value;
use suanpan_wechat::TransactionId;

use crate::dice;
use crate::ledger::{Notification, Order, PREPAY_LIFE, Payment, Record, State};
use crate::registry::openid;
use crate::world::World;

/// What the mini program hears, and what only the developer does.
#[derive(Debug, Serialize)]
pub(crate) struct Reply {
    /// WeChat's word; empty where the payer never decides and nothing is heard.
    #[serde(rename = "errMsg")]
    err_msg: String,
    /// The field that is wrong, a colon, and what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// That field alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// What should have been signed; an APIv2 key in it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
}

/// A field that is wrong.
#[derive(Debug)]
pub(crate) struct Wrong {
    field: &'static str,
    why: String,
    /// What the mini program hears after `requestPayment:fail `.
    heard: String,
    expected: Option<String>,
}

impl Wrong {
    fn new(field: &'static str, heard: &str, why: impl Into<String>) -> Self {
        Self { field, why: why.into(), heard: heard.to_owned(), expected: None }
    }

    /// The client refuses the object before it looks at what it says.
    fn parameter(field: &'static str, kind: &str) -> Self {
        let heard =
            format!("parameter error: parameter.{field} should be String instead of {kind};");
        Self { heard, ..Self::new(field, "", format!("should be a String, and is {kind}")) }
    }
}

/// The five texts, and the app that the phone stands in.
#[derive(Debug)]
pub(crate) struct Five {
    app_id: String,
    time_stamp: String,
    nonce_str: String,
    package: String,
    sign_type: String,
    pay_sign: String,
}

/// What the payer does with the sheet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Pay,
    Cancel,
    Insufficient,
    Leave,
}

impl Outcome {
    /// The contract's words; a phone without a word pays.
    pub(crate) fn parse(word: Option<&str>) -> Option<Self> {
        match word {
            None | Some("pay") => Some(Self::Pay),
            Some("cancel") => Some(Self::Cancel),
            Some("insufficient") => Some(Self::Insufficient),
            Some("leave") => Some(Self::Leave),
            Some(_) => None,
        }
    }
}

/// Plays `wx.requestPayment`.
pub(crate) fn request_payment(
    world: &World,
    user: &str,
    object: &Value,
    outcome: Outcome,
) -> Reply {
    match sheet(world, user, object).and_then(|order| decide(world, user, &order, outcome)) {
        Ok(heard) => Reply { err_msg: heard.to_owned(), why: None, field: None, expected: None },
        Err(Wrong { field, why, heard, expected }) => Reply {
            err_msg: format!("requestPayment:fail {heard}"),
            why: Some(format!("{field}: {why}")),
            field: Some(field),
            expected,
        },
    }
}

/// Checks everything; gives the order that the sheet shows.
fn sheet(world: &World, user: &str, object: &Value) -> Result<Order, Wrong> {
    let five = read(object)?;
    let Some(prepay_id) = five.package.strip_prefix("prepay_id=") else {
        let why = "should be `prepay_id=` and the prepay_id";
        return Err(Wrong::new("package", "缺少参数 total_fee", why));
    };
    if five.time_stamp.len() != 10 || !five.time_stamp.bytes().all(|byte| byte.is_ascii_digit()) {
        let why = format!("should be unix seconds, ten digits, and is {:?}", five.time_stamp);
        return Err(Wrong::new("timeStamp", "支付验证签名失败", why));
    }
    if five.nonce_str.is_empty() || five.nonce_str.len() > 32 {
        let why = "should have 1 to 32 characters";
        return Err(Wrong::new("nonceStr", "支付验证签名失败", why));
    }
    let order = world.ledger.lock().order_of_prepay(prepay_id).cloned();
    let order = order.ok_or_else(|| {
        let why = format!("no order has the prepay_id {prepay_id:?}");
        Wrong::new("package", "缺少参数 total_fee", why)
    })?;
    wrong::check(world, &order, &five)?;

    if openid(order.payer_app(), user) != order.openid {
        let why = format!("the order was placed for another payer, and {user} holds this phone");
        return Err(Wrong::new("user", "支付验证签名失败", why));
    }
    is_open(world, &order, prepay_id)?;
    Ok(order)
}

/// Whether the sheet still takes money.
fn is_open(world: &World, order: &Order, prepay_id: &str) -> Result<(), Wrong> {
    let now = world.now();
    if order.transaction_id.is_some() {
        return Err(Wrong::new("package", "该订单已支付", "the order is paid already"));
    }
    if order.closed_at.is_some() {
        return Err(Wrong::new("package", "该订单已关闭", "the order is closed"));
    }
    if order.is_expired(now) {
        return Err(Wrong::new("package", "订单已过期", "the order's time_expire is over"));
    }
    let prepay = order.prepays.iter().find(|prepay| prepay.id.as_str() == prepay_id);
    let issued_at = prepay.map_or(0, |prepay| prepay.issued_at);
    if issued_at.saturating_add(PREPAY_LIFE) <= now {
        let why = "the prepay_id is older than two hours: order again with the same parameters";
        return Err(Wrong::new("package", "prepay_id已过期", why));
    }
    Ok(())
}

fn decide(
    world: &World,
    user: &str,
    order: &Order,
    outcome: Outcome,
) -> Result<&'static str, Wrong> {
    match outcome {
        Outcome::Pay => pay(world, user, order).map(|()| "requestPayment:ok"),
        Outcome::Cancel => Ok("requestPayment:fail cancel"),
        Outcome::Insufficient => Ok("requestPayment:fail (余额不足)"),
        Outcome::Leave => Ok(""),
    }
}

/// The money moves, and a notification is owed: one change of the ledger.
fn pay(world: &World, user: &str, order: &Order) -> Result<(), Wrong> {
    let broken = || Wrong::new("package", "系统繁忙", "the simulator cannot write its ledger");
    let now = world.now();
    let id = TransactionId::parse(&dice::transaction_id(&*world.outside)).map_err(|_| broken())?;
    let mut ledger = world.ledger.lock();
    // Two phones can press the button at once.
    let current = ledger.orders.get(&order.key()).ok_or_else(broken)?.clone();
    if current.state(now, &ledger.switches) != State::NotPaid {
        return Err(Wrong::new("package", "该订单已支付", "the order is no longer unpaid"));
    }

    let payment = Payment {
        transaction_id: id.clone(),
        mchid: order.mchid.clone(),
        out_trade_no: order.out_trade_no.clone(),
        user: user.to_owned(),
        amount: order.amount,
        paid_at: now,
    };
    let notification = Notification {
        id: dice::notification_id(&*world.outside),
        mchid: order.mchid.clone(),
        out_trade_no: order.out_trade_no.clone(),
        transaction_id: id.clone(),
        refund: None,
        url: order.notify_url.clone(),
        created_at: now,
        due_at: Some(world.clock.now_micros()),
        acknowledged: false,
        turn: 0,
        put_off: false,
        waits_for_another: false,
        tries: Vec::new(),
    };
    let paid = Order { transaction_id: Some(id), ..current };
    let records = vec![
        Record::Order(Box::new(paid)),
        Record::Payment(Box::new(payment)),
        Record::Notification(Box::new(notification)),
    ];
    world.commit(&mut ledger, records).map_err(|_| broken())
}

/// All five must be strings; `signType` may be absent, then it is MD5.
fn read(object: &Value) -> Result<Five, Wrong> {
    let text = |field: &'static str| match object.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        None => Err(Wrong::parameter(field, "Undefined")),
        Some(Value::Null) => Err(Wrong::parameter(field, "Null")),
        Some(Value::Bool(_)) => Err(Wrong::parameter(field, "Boolean")),
        Some(Value::Number(_)) => Err(Wrong::parameter(field, "Number")),
        Some(Value::Array(_)) => Err(Wrong::parameter(field, "Array")),
        Some(Value::Object(_)) => Err(Wrong::parameter(field, "Object")),
    };
    Ok(Five {
        time_stamp: text("timeStamp")?,
        nonce_str: text("nonceStr")?,
        package: text("package")?,
        sign_type: match object.get("signType") {
            None => "MD5".to_owned(),
            Some(_) => text("signType")?,
        },
        pay_sign: text("paySign")?,
        app_id: text("appId")?,
    })
}
