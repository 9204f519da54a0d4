//! Step 2 of 6, order: what is owed, by our own book.
//!
//! Only the merchant's system makes an order; what a mini program sends names
//! one and decides nothing.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use suanpan_ledger::OrderStatus;
use suanpan_wechat::{AppId, Fen, OpenId};
use utoipa::ToSchema;

use crate::Error;
use crate::ids::OrderId;
use crate::order::Order;
use crate::store::{Once, OrderFilter};
use crate::timeline::{Entry, Step};
use crate::world::World;

/// 新订单；不认识的字段会被拒绝。/ An order as the merchant's system asks for it; unknown members are refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// 商户自己的单号，每个商户号内唯一 / the merchant's own number, unique per merchant account
    #[schema(min_length = 1, max_length = 64, example = "tea-1")]
    reference: String,
    /// 应付金额，整数分；`1.0` 和 `"990"` 都会被拒绝 / what is owed, in whole fen; `1.0` and `"990"` are refused
    #[schema(value_type = i64, minimum = 1, maximum = 2_147_483_647_i64, example = 990)]
    amount: Fen,
    /// 付款人在收银台看到的文字 / what the payer reads on the payment sheet
    #[schema(min_length = 1, max_length = 127, example = "龙井一杯")]
    description: String,
    /// 在哪个小程序里付；不写就是第一个 / the mini program that it is paid in; left out: the first one
    #[schema(value_type = Option<String>, example = "wx2421b1c4370ec43b")]
    app: Option<AppId>,
    /// 过了这个时间就不能再付，最多 90 天 / until when it can be paid, 90 days at most
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-01-01T02:00:00Z")]
    expires_at: Option<Timestamp>,
    /// 只允许这个 openid 付 / the only one who may pay it
    #[schema(value_type = Option<String>, max_length = 128, example = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")]
    payer_openid: Option<OpenId>,
    /// 只能是 JSAPI / must be JSAPI
    #[schema(pattern = "^JSAPI$", example = "JSAPI")]
    trade_type: Option<String>,
    /// 商户自己的 JSON 对象，至多 4096 字节，原样返回 / the merchant's own JSON object of 4096 bytes at most, given back as it came
    #[schema(value_type = Option<Object>, example = json!({ "table": 7 }))]
    metadata: Option<Box<RawValue>>,
}

impl NewOrder {
    /// What every order has; it is paid in the default app, and does not expire.
    pub const fn new(reference: String, amount: Fen, description: String) -> Self {
        Self {
            reference,
            amount,
            description,
            app: None,
            expires_at: None,
            payer_openid: None,
            trade_type: None,
            metadata: None,
        }
    }
}

/// Makes an order, or finds the one that an earlier run of the same request has made.
///
/// # Errors
/// [`Error::Field`] for a value that breaks its rule, [`Error::ReferenceTaken`].
#[tracing::instrument(name = "order", skip_all)]
pub async fn create(world: &World, new: NewOrder, once: &Once) -> Result<Order, Error> {
    if let Some(made) = once.effect() {
        return find(world, &made.parse().map_err(|_| Error::Broken)?).await;
    }
    let order = parse(world, new)?;
    let text = format!("created: {} {}, {}", order.amount, order.currency, order.reference);
    let entry = Entry::new(Step::Order, text).with("amount", order.amount.get());
    let unit = (order.clone(), entry.clone(), once.clone());
    let taken = world.store.write(unit, |tx, (order, entry, once)| {
        Box::pin(async move {
            if let Some(taken) = tx.order_by_reference(&order.mchid, &order.reference).await? {
                return Ok(Some(taken.id));
            }
            if let Some(id) = tx.archived_by_reference(&order.mchid, &order.reference).await? {
                return Ok(Some(id));
            }
            tx.order_put(order).await?;
            tx.journal_put(&order.id, order.created_at, entry).await?;
            tx.expire(order).await?;
            tx.made(once, order.id.as_str()).await?;
            Ok(None)
        })
    });
    match taken.await? {
        Some(id) => Err(Error::ReferenceTaken { id }),
        None => {
            entry.log(&order.id);
            Ok(order)
        }
    }
}

/// The order of this id.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderArchived`].
pub async fn find(world: &World, id: &OrderId) -> Result<Order, Error> {
    let found = world.store.look(id.clone(), |tx, id| {
        Box::pin(async move {
            match tx.order(id).await? {
                Some(order) => Ok((Some(order), None)),
                None => Ok((None, tx.archived(id).await?)),
            }
        })
    });
    match found.await? {
        (Some(order), _) => Ok(order),
        (None, Some(file)) => Err(Error::OrderArchived { file }),
        (None, None) => Err(Error::NotFound { what: "order" }),
    }
}

/// Orders, newest first.
///
/// # Errors
/// Those of the store.
pub async fn list(world: &World, filter: OrderFilter) -> Result<Vec<Order>, Error> {
    let orders =
        world.store.look(filter, |tx, filter| Box::pin(async move { tx.orders(filter).await }));
    Ok(orders.await?)
}

/// Whether somebody may still begin to pay it. `now` in unix microseconds.
pub(crate) fn payable(order: &Order, now: i64) -> Result<(), Error> {
    match order.status {
        OrderStatus::Closed => Err(Error::OrderClosed),
        OrderStatus::Paid => Err(Error::OrderPaid),
        OrderStatus::Unpaid | OrderStatus::Paying if order.has_expired(now) => {
            Err(Error::OrderExpired)
        }
        OrderStatus::Unpaid | OrderStatus::Paying => Ok(()),
    }
}

fn parse(world: &World, new: NewOrder) -> Result<Order, Error> {
    let now = world.now();
    let accounts = world.accounts();
    let app = new.app.unwrap_or_else(|| accounts.default_app().clone());
    let (account, _) = accounts.of_app(&app).ok_or_else(|| {
        Error::field("app", format!("names {app}, which no merchant account here has"))
    })?;
    let expires_at = new.expires_at.map(Timestamp::as_microsecond);
    if expires_at.is_some_and(|at| at <= now || now.saturating_add(LONGEST) < at) {
        return Err(Error::field("expires_at", "must lie ahead, by 90 days at most"));
    }
    if !(1..=MOST).contains(&new.amount.get()) {
        return Err(Error::field("amount", format!("must be 1 to {MOST} fen")));
    }
    if new.trade_type.as_deref().is_some_and(|trade_type| trade_type != "JSAPI") {
        return Err(Error::field("trade_type", "must be JSAPI, the one of mini programs"));
    }
    let metadata = new.metadata.map(|json| json.get().to_owned());
    if let Some(text) = &metadata
        && (text.len() > METADATA_BYTES || !text.starts_with('{'))
    {
        let rule = format!("must be a JSON object of at most {METADATA_BYTES} bytes");
        return Err(Error::field("metadata", rule));
    }

    let id = world.dice.order_id(now);
    Ok(Order {
        id: id.parse().map_err(|_| Error::Broken)?,
        reference: text("reference", new.reference, 64)?,
        mchid: account.mchid.clone(),
        app,
        amount: new.amount,
        amount_refunded: Fen::ZERO,
        currency: "CNY".to_owned(),
        description: text("description", new.description, 127)?,
        status: OrderStatus::Unpaid,
        payer_openid: new.payer_openid,
        trade_type: "JSAPI".to_owned(),
        metadata,
        created_at: now,
        expires_at,
        paid_at: None,
        transaction_id: None,
        version: 0,
    })
}

/// A text that WeChat can carry and a page can show: no control characters, none that turn the direction of writing.
pub(crate) fn text(field: &'static str, text: String, most: usize) -> Result<String, Error> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > most {
        return Err(Error::field(field, format!("must have 1 to {most} characters")));
    }
    let bad = |char: char| {
        char.is_control()
            || matches!(char, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}')
    };
    if text.chars().any(bad) {
        return Err(Error::field(field, "must not hold control characters"));
    }
    Ok(text)
}

/// APIv3's `amount.total` is a 32-bit integer.
const MOST: i64 = 2_147_483_647;
const METADATA_BYTES: usize = 4096;
/// 90 days in microseconds, the most that WeChat's JSAPI page allows.
const LONGEST: i64 = 90 * 24 * 60 * 60 * 1_000_000;
