//! `/_sim/…`: what only a simulator can do. All JSON.
//!
//! Refusals are `{"code","detail","remedy"}`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use suanpan_wechat::bill::BillDate;
use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::{MchId, OutRefundNo};

use crate::bill::Planted;
use crate::faults::{Rule, Wanted};
use crate::gateway::platform;
use crate::gateway::refund_book;
use crate::ledger::Record;
use crate::payer::{self, Outcome, Reply};
use crate::refund::End;
use crate::switches::Switches;
use crate::world::World;
use crate::{login, notify, truth};

type Shared = State<Arc<World>>;
type Result<T, E = No> = std::result::Result<T, E>;

/// A refusal of the control API.
#[derive(Debug, Serialize)]
pub(crate) struct No {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    detail: String,
    remedy: &'static str,
}

impl No {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self { status, code, detail: detail.into(), remedy }
    }

    fn bad(detail: impl Into<String>, remedy: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "SIM_BAD_REQUEST", detail, remedy)
    }

    fn broken() -> Self {
        let remedy = "see that the folder of `--data` is there and has room";
        let detail = "the ledger cannot be written";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "SIM_LEDGER", detail, remedy)
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

/// Reads a body whatever its content type says.
pub(crate) fn read<T: DeserializeOwned>(body: &Bytes, remedy: &'static str) -> Result<T> {
    serde_json::from_slice(body).map_err(|cause| No::bad(format!("the body: {cause}"), remedy))
}

#[derive(Deserialize)]
struct LoginAsked {
    appid: String,
    user: String,
}

/// `POST /_sim/login`: plays `wx.login`.
pub(crate) async fn login(State(world): Shared, body: Bytes) -> Result<Json<Value>> {
    const REMEDY: &str =
        "send {\"appid\":\"wx…\",\"user\":\"alice\"} with an appid of credentials.json";
    let asked: LoginAsked = read(&body, REMEDY)?;
    match login::wx_login(&world, &asked.appid, &asked.user) {
        Some(code) => Ok(Json(json!({ "code": code, "errMsg": "login:ok" }))),
        None => {
            let detail = format!("no app {:?}, or no user {:?}", asked.appid, asked.user);
            Err(No::new(StatusCode::NOT_FOUND, "SIM_UNKNOWN", detail, REMEDY))
        }
    }
}

/// `POST /_sim/request-payment`: plays `wx.requestPayment` and the payer.
pub(crate) async fn request_payment(State(world): Shared, body: Bytes) -> Result<Json<Reply>> {
    const REMEDY: &str = "send {\"user\",\"appId\",\"timeStamp\",\"nonceStr\",\"package\",\
        \"signType\",\"paySign\",\"outcome\":\"pay|cancel|insufficient|leave\"}";
    let object: Value = read(&body, REMEDY)?;
    let text = |name| object.get(name).and_then(Value::as_str);
    let user = text("user").ok_or_else(|| No::bad("`user` is missing", REMEDY))?;
    let outcome = match object.get("outcome") {
        None => Some(Outcome::Pay),
        Some(_) => text("outcome").and_then(|word| Outcome::parse(Some(word))),
    };
    let outcome = outcome.ok_or_else(|| No::bad("`outcome` is none of the four", REMEDY))?;
    Ok(Json(payer::request_payment(&world, user, &object, outcome)))
}

/// `POST /_sim/faults`: a new rule.
pub(crate) async fn add_fault(State(world): Shared, body: Bytes) -> Result<Json<Rule>> {
    const REMEDY: &str =
        "send {\"on\",\"fault\",\"times\"?,\"probability\"?,\"seed\"?,\"match\"?,\"seconds\"?}";
    let wanted: Wanted = read(&body, REMEDY)?;
    let rule = world.faults.lock().add(wanted, &*world.outside);
    rule.map(Json).map_err(|why| No::bad(why, REMEDY))
}

/// `GET /_sim/faults`.
pub(crate) async fn faults(State(world): Shared) -> Json<Value> {
    Json(json!({ "faults": world.faults.lock().rules() }))
}

/// Which rule.
#[derive(Deserialize)]
pub(crate) struct Which {
    id: Option<u64>,
}

/// `DELETE /_sim/faults`: all rules, or the one of `?id=`.
pub(crate) async fn remove_faults(State(world): Shared, Query(which): Query<Which>) -> Json<Value> {
    Json(json!({ "removed": world.faults.lock().remove(which.id) }))
}

/// `GET /_sim/clock`.
pub(crate) async fn clock(State(world): Shared) -> Json<Value> {
    Json(told_time(&world))
}

#[derive(Deserialize)]
struct Received {
    transaction_id: String,
}

/// `POST /_sim/confirm-receipt`: the payer says that the goods came.
pub(crate) async fn confirm_receipt(State(world): Shared, body: Bytes) -> Result<Json<Value>> {
    const REMEDY: &str = "send {\"transaction_id\"} of a payment that is shipped";
    let asked: Received = read(&body, REMEDY)?;
    match platform::confirm_receipt(&world, &asked.transaction_id) {
        Some(()) => Ok(Json(json!({ "order_state": 3 }))),
        None => {
            let detail = "no payment of this number is shipped and unconfirmed";
            Err(No::new(StatusCode::NOT_FOUND, "SIM_UNKNOWN", detail, REMEDY))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
    /// Answer only when what became due has gone out.
    #[serde(default)]
    wait: bool,
}

/// `POST /_sim/clock`: what becomes due happens at once.
pub(crate) async fn advance(State(world): Shared, body: Bytes) -> Result<Json<Value>> {
    let remedy = "send {\"advance_seconds\": 15}; it only goes forward";
    let asked: Advance = read(&body, remedy)?;
    {
        let mut ledger = world.ledger.lock();
        world.clock.advance(asked.advance_seconds);
        let ahead = Record::Ahead(world.clock.ahead());
        world.commit(&mut ledger, vec![ahead]).map_err(|_| No::broken())?;
    }
    if asked.wait {
        notify::quiet(&world).await;
    }
    Ok(Json(told_time(&world)))
}

fn told_time(world: &World) -> Value {
    let now = world.now();
    let ahead = world.clock.ahead().div_euclid(crate::clock::SECOND);
    json!({ "now": beijing_rfc3339(now), "unix": now, "ahead_seconds": ahead })
}

/// `GET /_sim/ledger`: the truth.
pub(crate) async fn ledger(State(world): Shared) -> Json<Value> {
    Json(truth::told(&world))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundDecided {
    out_refund_no: OutRefundNo,
    /// Only needed where two merchants use the same number.
    mchid: Option<MchId>,
    status: End,
    #[serde(default)]
    seconds: u32,
}

/// `POST /_sim/refunds`: how a refund ends, and in how many seconds.
pub(crate) async fn decide_refund(State(world): Shared, body: Bytes) -> Result<Json<Value>> {
    const REMEDY: &str = "send {\"out_refund_no\",\"mchid\"?,\
        \"status\":\"SUCCESS|CLOSED|ABNORMAL|NEVER\",\"seconds\"?} with a number of GET /_sim/ledger";
    let asked: RefundDecided = read(&body, REMEDY)?;
    let key = {
        let ledger = world.ledger.lock();
        let mut keys = ledger.refunds.keys().filter(|(mchid, number)| {
            *number == asked.out_refund_no && asked.mchid.as_ref().is_none_or(|own| own == mchid)
        });
        keys.next().cloned()
    };
    let Some(key) = key else {
        let detail = format!("no refund {}", asked.out_refund_no);
        return Err(No::new(StatusCode::NOT_FOUND, "SIM_UNKNOWN", detail, REMEDY));
    };
    let decided = refund_book::decide(&world, &key, asked.status, i64::from(asked.seconds));
    let refund = decided.map_err(|_| No::broken())?;
    Ok(Json(truth::told_refund(&refund, world.now())))
}

/// `POST /_sim/bills`: the bill of a day will differ from what happened.
pub(crate) async fn plant(State(world): Shared, body: Bytes) -> Result<Json<Value>> {
    const REMEDY: &str = "send {\"mchid\",\"bill_date\":\"2026-11-23\",\"plant\":\"missing_payment|payment_amount|fee|\
        unknown_payment|missing_refund|refund_amount|unknown_refund\", with \"out_trade_no\", \"out_refund_no\", \
        \"amount\" (fen) or \"fee\" (hundred-thousandths of a yuan) as the plant needs them}";
    let planted: Planted = read(&body, REMEDY)?;
    if world.registry.merchant(planted.mchid.as_str()).is_none() {
        let detail = format!("no merchant {}", planted.mchid);
        return Err(No::new(StatusCode::NOT_FOUND, "SIM_UNKNOWN", detail, REMEDY));
    }
    if planted.plant().is_none() {
        return Err(No::bad("the plant lacks a value", REMEDY));
    }
    planted.bill_date.parse::<BillDate>().map_err(|cause| No::bad(cause.to_string(), REMEDY))?;
    let mut ledger = world.ledger.lock();
    let record = Record::Plant(Box::new(planted));
    world.commit(&mut ledger, vec![record]).map_err(|_| No::broken())?;
    Ok(Json(json!({ "planted": ledger.plants.len() })))
}

/// `GET /_sim/requests`: every call with its answer, oldest first.
pub(crate) async fn requests(State(world): Shared) -> Json<Value> {
    let requests = world.requests.lock().all();
    Json(json!({ "requests": requests }))
}

/// `GET /_sim/switches`.
pub(crate) async fn switches(State(world): Shared) -> Json<Switches> {
    Json(world.switches())
}

/// `POST /_sim/switches`: sets those that are named.
pub(crate) async fn set_switches(State(world): Shared, body: Bytes) -> Result<Json<Switches>> {
    let remedy = "send the switches that shall change; `GET /_sim/switches` shows them all";
    let changes: serde_json::Map<String, Value> = read(&body, remedy)?;
    let mut ledger = world.ledger.lock();
    let mut all = serde_json::to_value(&ledger.switches).map_err(|_| No::broken())?;
    if let Some(all) = all.as_object_mut() {
        all.extend(changes);
    }
    let new: Switches =
        serde_json::from_value(all).map_err(|cause| No::bad(cause.to_string(), remedy))?;
    let record = Record::Switches(Box::new(new.clone()));
    world.commit(&mut ledger, vec![record]).map_err(|_| No::broken())?;
    Ok(Json(new))
}

/// Anything else under `/_sim/`.
pub(crate) async fn nothing() -> No {
    let remedy = "see GET /_sim/ledger, requests, faults, clock, switches; POST login, request-payment, refunds, bills, confirm-receipt, faults, clock, switches, keys";
    No::new(StatusCode::NOT_FOUND, "SIM_NOT_FOUND", "there is nothing here", remedy)
}
