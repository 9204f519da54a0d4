//! An answer becomes bytes: signed as the real one is, or wrongly where a fault wants it.

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use suanpan_wechat::v2::{Fields, SignType};
use suanpan_wechat::v3::sign_message;
use suanpan_wechat::{ApiV2Key, Moment, Serial};

use super::{Answer, Said};
use crate::dice;
use crate::faults::{Fault, Played};
use crate::registry::SigningKey;
use crate::world::World;

/// What goes on the wire.
#[derive(Debug)]
pub(crate) struct Speech {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Signs an answer and writes its headers.
pub(crate) fn aloud(world: &World, answer: Answer<'_>, played: Option<Played>) -> Speech {
    match answer.said {
        Said::Json { status, body, key, request_id } => {
            let mut headers =
                key.map_or_else(HeaderMap::new, |key| sign(world, &key, &body, played));
            if !body.is_empty() {
                set(&mut headers, header::CONTENT_TYPE, "application/json; charset=utf-8");
            }
            set(&mut headers, header::SERVER, "nginx");
            set(&mut headers, header::CACHE_CONTROL, "no-cache, must-revalidate");
            set(&mut headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
            set(&mut headers, header::CONTENT_LANGUAGE, "zh-CN");
            if request_id {
                let id = dice::request_id(&*world.outside);
                set(&mut headers, HeaderName::from_static("request-id"), &id);
            }
            Speech { status, headers, body: body.into() }
        }
        Said::Xml { fields, key } => {
            let mut headers = HeaderMap::new();
            set(&mut headers, header::CONTENT_TYPE, "text/xml; charset=utf-8");
            set(&mut headers, header::SERVER, "nginx");
            let fields = match key {
                Some((sign_type, key)) => sign_fields(fields, sign_type, key, played),
                None => fields,
            };
            Speech { status: StatusCode::OK, headers, body: fields.to_xml().into() }
        }
        Said::File { bytes } => {
            let mut headers = HeaderMap::new();
            let kind =
                if bytes.starts_with(b"\x1f\x8b") { "application/x-gzip" } else { "text/plain" };
            set(&mut headers, header::CONTENT_TYPE, kind);
            set(&mut headers, header::SERVER, "nginx");
            Speech { status: StatusCode::OK, headers, body: bytes }
        }
        Said::Page { status, words } => page(status, words),
    }
}

/// The page of a web server in between, not WeChat's word.
pub(crate) fn proxy_page(status: StatusCode) -> Speech {
    page(status, status.canonical_reason().unwrap_or_default())
}

fn page(status: StatusCode, words: &str) -> Speech {
    let title = format!("{} {words}", status.as_u16());
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    let mut headers = HeaderMap::new();
    set(&mut headers, header::CONTENT_TYPE, "text/html");
    set(&mut headers, header::SERVER, "nginx");
    Speech { status, headers, body: page.into() }
}

/// The five headers of APIv3.
fn sign(world: &World, key: &SigningKey, body: &str, played: Option<Played>) -> HeaderMap {
    let fault = played.map(|played| played.fault);
    let ahead = match played {
        Some(played) if played.fault == Fault::ClockSkew => played.seconds(),
        Some(_) | None => 0,
    };
    let moment =
        Moment { now: world.clock.signing_now().saturating_add(ahead), nonce: &world.nonce() };
    let mut headers = sign_message(&key.key, &key.serial, moment, body.as_bytes());
    match fault {
        Some(Fault::BadSignature) => {
            let other = sign_message(&key.key, &key.serial, moment, b"another body");
            if let Some(signature) = other.get(SIGNATURE) {
                headers.insert(SIGNATURE, signature.clone());
            }
        }
        Some(Fault::Signtest) => {
            let probe = format!("WECHATPAY/SIGNTEST/{}", dice::alphanumeric(&*world.outside, 344));
            set(&mut headers, SIGNATURE, &probe);
        }
        Some(Fault::UnknownSerial) => {
            set(&mut headers, SERIAL, unknown_serial(world).as_str());
        }
        _ => {}
    }
    headers
}

/// A serial number that no certificate has.
fn unknown_serial(world: &World) -> Serial {
    let text = format!("7F{}", dice::hexadecimal(&*world.outside, 19).to_ascii_uppercase());
    #[expect(clippy::expect_used, reason = "upper-case hex digits are a serial number")]
    Serial::parse(&text).expect("a serial number")
}

fn sign_fields(
    fields: Fields,
    sign_type: SignType,
    key: &ApiV2Key,
    played: Option<Played>,
) -> Fields {
    let mut signed = fields.signed(sign_type, key);
    if played.is_some_and(|played| played.fault == Fault::BadSignature) {
        let backwards: String = signed.get("sign").unwrap_or_default().chars().rev().collect();
        signed.set("sign", &backwards);
    }
    signed
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

const SIGNATURE: HeaderName = HeaderName::from_static("wechatpay-signature");
const SERIAL: HeaderName = HeaderName::from_static("wechatpay-serial");
