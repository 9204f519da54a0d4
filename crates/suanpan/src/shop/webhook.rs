//! How the shop hears of payments: verifies, remembers what it has heard, passes it on.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError, RwLock};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::sync::broadcast;

use crate::mask;
use crate::problem::Problem;
use crate::tape;

/// A message that was verified, and that was not heard before.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// `webhook-id`, the same at each repetition.
    pub(crate) event_id: String,
    /// Such as `order.paid`.
    pub(crate) kind: String,
    /// The order.
    pub(crate) order: Value,
    /// The headers, as they may be shown.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, as it may be shown.
    pub(crate) body: String,
}

/// Listens for the backend.
pub(crate) struct Ear {
    webhook: RwLock<Option<Webhook>>,
    heard: Mutex<VecDeque<String>>,
    news: broadcast::Sender<Heard>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    data: Value,
}

impl Ear {
    pub(crate) fn new() -> Self {
        Self {
            webhook: RwLock::new(None),
            heard: Mutex::new(VecDeque::new()),
            news: broadcast::Sender::new(64),
        }
    }

    /// Believes what is signed with this `whsec_…` from now on.
    pub(crate) fn trust(&self, secret: &str) -> Result<(), Problem> {
        let webhook = Webhook::new(secret)
            .map_err(|cause| Problem::bug(format!("the webhook secret is none: {cause}")))?;
        *self.webhook.write().unwrap_or_else(PoisonError::into_inner) = Some(webhook);
        Ok(())
    }

    /// What is heard from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Heard> {
        self.news.subscribe()
    }

    /// Takes a delivery. Whatever is not 2xx is delivered again.
    pub(crate) fn hear(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<(), (StatusCode, String)> {
        let early = (StatusCode::SERVICE_UNAVAILABLE, "the shop has no secret yet".to_owned());
        {
            let webhook = self.webhook.read().unwrap_or_else(PoisonError::into_inner);
            let verified = webhook.as_ref().ok_or(early)?.verify(body, headers);
            verified.map_err(|cause| (StatusCode::UNAUTHORIZED, cause.to_string()))?;
        }
        let message: Message = serde_json::from_slice(body)
            .map_err(|cause| (StatusCode::BAD_REQUEST, cause.to_string()))?;
        let event_id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
        let event_id = event_id.unwrap_or_default().to_owned();
        if self.is_new(&event_id) {
            // Nobody may be listening: the order is in the backend all the same.
            drop(self.news.send(Heard {
                event_id,
                kind: message.kind,
                order: message.data,
                headers: tape::headers(headers),
                body: mask::body(body),
            }));
        }
        Ok(())
    }

    /// Delivery is at least once: the same id again is the same event.
    fn is_new(&self, event_id: &str) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.iter().any(|known| known == event_id) {
            return false;
        }
        heard.push_back(event_id.to_owned());
        if REMEMBERED < heard.len() {
            heard.pop_front();
        }
        true
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").finish_non_exhaustive()
    }
}

const REMEMBERED: usize = 1000;

#[cfg(test)]
mod tests {
    use suanpan_server::outside::{Clock as _, SystemClock};

    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &str = r#"{"type":"order.paid","data":{"id":"ord_1"}}"#;

    fn signed(id: &str, body: &str) -> HeaderMap {
        let now = SystemClock::new().now_seconds();
        let signature = Webhook::new(SECRET).unwrap().sign(id, now, body.as_bytes()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id.parse().unwrap());
        headers.insert("webhook-timestamp", now.to_string().parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    #[track_caller]
    fn check(ear: &Ear, headers: &HeaderMap, body: &'static str, want: u16) {
        let answer = ear.hear(headers, &Bytes::from_static(body.as_bytes()));
        assert_eq!(answer.map_or_else(|(status, _)| status.as_u16(), |()| 204), want);
    }

    #[test]
    fn a_verified_message_is_passed_on_once() {
        let ear = Ear::new();
        let mut news = ear.listen();
        check(&ear, &signed("evt_1", BODY), BODY, 503);
        ear.trust(SECRET).unwrap();
        check(&ear, &signed("evt_1", BODY), BODY, 204);
        check(&ear, &signed("evt_1", BODY), BODY, 204);
        check(&ear, &signed("evt_2", BODY), BODY, 204);
        assert_eq!(news.try_recv().unwrap().event_id, "evt_1");
        assert_eq!(news.try_recv().unwrap().event_id, "evt_2");
        assert!(news.try_recv().is_err());
    }

    #[test]
    fn what_is_not_signed_is_not_believed() {
        let ear = Ear::new();
        let mut news = ear.listen();
        ear.trust(SECRET).unwrap();
        check(&ear, &HeaderMap::new(), BODY, 401);
        check(&ear, &signed("evt_1", "{}"), BODY, 401);
        check(&ear, &signed("evt_1", "{}"), "{}", 400);
        assert!(news.try_recv().is_err());
    }
}
