//! The way of a question, from the first byte to the last byte of its answer.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use suanpan_wechat::v2::MAX_BYTES;

use super::speak::{self, Speech};
use super::{Answer, Family, Heard, Operation, platform, v2, v3};
use crate::clock::SECOND;
use crate::faults::{Fault, Played};
use crate::login;
use crate::requests::{Entry, Mismatch, Spoken, shown, without_secret};
use crate::tls::Shown;
use crate::world::World;

/// The largest body of APIv3; what is documented stays far below.
const MAX_JSON: usize = 1024 * 1024;

/// Hears a question, and answers it.
pub(crate) async fn hear(world: Arc<World>, operation: Operation, request: Request) -> Response {
    let limit = if operation.family() == Family::V2 { MAX_BYTES } else { MAX_JSON };
    let Ok(mut heard) = read(request, limit).await else {
        return bare(StatusCode::PAYLOAD_TOO_LARGE);
    };

    let contains = |needle: &str| {
        heard.path_and_query().contains(needle)
            || String::from_utf8_lossy(&heard.body).contains(needle)
    };
    let played = world.faults.lock().play(operation.name(), contains);
    heard.pretend = played.is_some_and(|played| played.fault == Fault::Pretend);
    let (speech, mismatch) = answer(&world, operation, &heard, played);
    world.requests.lock().add(entry(&world, Some(operation), &heard, &speech, mismatch, played));
    speak_out(&world, speech, played).await
}

/// Answers where nothing is served: 404 and no word, or 405 with a wrong method.
pub(crate) async fn hear_nothing(
    world: Arc<World>,
    status: StatusCode,
    request: Request,
) -> Response {
    let Ok(heard) = read(request, MAX_JSON).await else {
        return bare(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let speech = Speech { status, headers: HeaderMap::new(), body: Bytes::new() };
    world.requests.lock().add(entry(&world, None, &heard, &speech, None, None));
    respond(&speech)
}

/// Decides what is said, the fault considered.
fn answer(
    world: &World,
    operation: Operation,
    heard: &Heard,
    played: Option<Played>,
) -> (Speech, Option<Mismatch>) {
    match played.map(|played| played.fault) {
        Some(Fault::TimeoutBefore) => (speak::proxy_page(StatusCode::GATEWAY_TIMEOUT), None),
        Some(Fault::Http500) => (speak::proxy_page(StatusCode::INTERNAL_SERVER_ERROR), None),
        Some(Fault::SystemError) => {
            (speak::aloud(world, doubt(world, operation, heard), None), None)
        }
        Some(Fault::FrequencyLimited) => {
            (speak::aloud(world, too_often(world, operation, heard), None), None)
        }
        Some(Fault::StaleToken) => (speak::aloud(world, platform::stale_token(world), None), None),
        _ => {
            let Answer { said, mismatch } = done(world, operation, heard);
            (speak::aloud(world, Answer { said, mismatch: None }, played), mismatch)
        }
    }
}

/// What happens without a fault.
fn done<'w>(world: &'w World, operation: Operation, heard: &Heard) -> Answer<'w> {
    match operation {
        Operation::Login => login::code_to_session(world, heard),
        Operation::V3Jsapi
        | Operation::V3QueryByNumber
        | Operation::V3QueryById
        | Operation::V3Close
        | Operation::V3PartnerJsapi
        | Operation::V3PartnerQueryByNumber
        | Operation::V3PartnerQueryById
        | Operation::V3PartnerClose
        | Operation::V3Certificates
        | Operation::V3Refund
        | Operation::V3RefundQuery
        | Operation::V3AbnormalRefund
        | Operation::V3TradeBill
        | Operation::V3FundFlowBill
        | Operation::V3BillFile => v3::answer(world, operation, heard),
        Operation::V2UnifiedOrder
        | Operation::V2OrderQuery
        | Operation::V2CloseOrder
        | Operation::V2Refund
        | Operation::V2RefundQuery
        | Operation::V2DownloadBill
        | Operation::V2DownloadFundFlow => v2::answer(world, operation, heard),
        Operation::Platform(call) => platform::answer(world, call, heard),
    }
}

/// WeChat does not know.
fn doubt<'w>(world: &'w World, operation: Operation, heard: &Heard) -> Answer<'w> {
    match operation.family() {
        Family::Platform => login::refusal(world, -1, "system error"),
        Family::V3 => v3::system_error(),
        Family::V2 => v2::busy(world, heard, "SYSTEMERROR", "系统超时"),
    }
}

/// WeChat is asked too often.
fn too_often<'w>(world: &'w World, operation: Operation, heard: &Heard) -> Answer<'w> {
    match operation.family() {
        Family::Platform => {
            login::refusal(world, 45011, "api minute-quota reach limit, must slower")
        }
        Family::V3 => v3::too_often(),
        Family::V2 => v2::busy(world, heard, "FREQUENCY_LIMITED", "频率超限"),
    }
}

/// Sends the bytes, or plays that they do not come.
async fn speak_out(world: &World, speech: Speech, played: Option<Played>) -> Response {
    let Some(played) = played else { return respond(&speech) };
    let fault = played.fault;
    if matches!(fault, Fault::TimeoutBefore | Fault::TimeoutAfter) {
        wait(world, played.seconds()).await;
        return respond(&speak::proxy_page(StatusCode::GATEWAY_TIMEOUT));
    }
    if fault == Fault::Slow {
        wait(world, played.seconds()).await;
    }
    if fault == Fault::Cut { cut(&speech) } else { respond(&speech) }
}

/// Waits by the clock of the machine: a time-out is of the network, not of WeChat's days.
async fn wait(world: &World, seconds: i64) {
    let until = world.outside.now_micros().saturating_add(seconds.saturating_mul(SECOND));
    world.outside.sleep_until(until).await;
}

async fn read(request: Request, limit: usize) -> Result<Heard, axum::Error> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, limit).await?;
    let shown = parts.extensions.get::<ConnectInfo<Shown>>().map(|info| info.0.clone());
    Ok(Heard {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
        shown: shown.unwrap_or_default(),
        pretend: false,
    })
}

fn respond(speech: &Speech) -> Response {
    let mut response = Response::new(Body::from(speech.body.clone()));
    *response.status_mut() = speech.status;
    *response.headers_mut() = speech.headers.clone();
    response
}

fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The head and half of the body, then the connection breaks.
fn cut(speech: &Speech) -> Response {
    let half = speech.body.len().div_euclid(2);
    let half = Ok(speech.body.slice(..half));
    let broken = async {
        // Between two polls what is written goes out; an error in the same one would swallow it all.
        tokio::task::yield_now().await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    };
    let mut response = respond(speech);
    // An empty answer has no middle: it breaks where a length was promised.
    let length = HeaderValue::from(speech.body.len().max(1));
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    if speech.status == StatusCode::NO_CONTENT {
        *response.status_mut() = StatusCode::OK;
    }
    let body = stream::once(std::future::ready(half)).chain(stream::once(broken));
    *response.body_mut() = Body::from_stream(body);
    response
}

fn entry(
    world: &World,
    operation: Option<Operation>,
    heard: &Heard,
    speech: &Speech,
    signature: Option<Mismatch>,
    played: Option<Played>,
) -> Entry {
    let (question, body) = (shown(&heard.body), shown(&speech.body));
    Entry {
        id: 0,
        at: suanpan_wechat::time::beijing_rfc3339(world.now()),
        operation: operation.map(Operation::name),
        method: heard.method.clone(),
        path: without_secret(&heard.path_and_query()),
        headers: headers(&heard.headers),
        body: match operation {
            Some(Operation::Login) => without_secret(&question),
            Some(Operation::Platform(platform::Call::StableToken)) => masked(&question, "secret"),
            Some(_) | None => question,
        },
        answer: Spoken {
            status: speech.status.as_u16(),
            headers: headers(&speech.headers),
            body: match operation {
                Some(Operation::Login) => masked(&body, "session_key"),
                Some(Operation::Platform(platform::Call::StableToken)) => {
                    masked(&body, "access_token")
                }
                Some(_) | None => body,
            },
        },
        fault: played.map(|played| played.fault.name()),
        signature,
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// What is a secret between WeChat and the backend is not shown; nor is what may hide one.
fn masked(body: &str, secret: &str) -> String {
    let Ok(serde_json::Value::Object(mut answer)) = serde_json::from_str(body) else {
        return if body.contains(secret) { "***".to_owned() } else { body.to_owned() };
    };
    if let Some(value) = answer.get_mut(secret) {
        *value = "***".into();
    }
    serde_json::Value::Object(answer).to_string()
}
