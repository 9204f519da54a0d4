//! A record of what went over the wire, masked before it is kept.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use serde::Serialize;
use suanpan_server::client;

use crate::mask;

/// One question and its answer, as it may be shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Exchange {
    /// `POST /v3/pay/transactions/jsapi`
    pub(crate) operation: String,
    /// Where it went.
    pub(crate) url: String,
    /// Those headers of the question that mean something in this trade.
    pub(crate) headers: Vec<(String, String)>,
    /// What was asked.
    pub(crate) body: String,
    /// The HTTP status; `None`: no answer came.
    pub(crate) status: Option<u16>,
    /// Those headers of the answer that mean something.
    pub(crate) answer_headers: Vec<(String, String)>,
    /// What was answered, or how the answer was lost.
    pub(crate) answer: String,
}

/// What is kept, in order. Its clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape {
    kept: Arc<Mutex<Vec<Exchange>>>,
}

impl Tape {
    /// Keeps one more.
    pub(crate) fn put(&self, exchange: Exchange) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    /// Takes all that was kept since the last time.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the backend asks WeChat.
impl client::Wire for Tape {
    fn saw(&self, seen: &client::Exchange<'_>) {
        let (status, answer_headers, answer) = match &seen.reply {
            Ok(reply) => (Some(reply.status), headers(reply.headers), mask::body(reply.body)),
            Err(error) => (None, Vec::new(), suanpan_server::chain(*error)),
        };
        self.put(Exchange {
            operation: seen.operation.to_owned(),
            url: format!("{}{}", seen.host, mask::path_and_query(seen.path_and_query)),
            headers: headers(seen.request_headers),
            body: mask::body(seen.request_body),
            status,
            answer_headers,
            answer,
        });
    }
}

/// The headers that mean something in this trade, masked.
pub(crate) fn headers(given: &HeaderMap) -> Vec<(String, String)> {
    let shown = |name: &str| {
        let text = given.get(name)?.to_str().unwrap_or_default();
        Some((name.to_owned(), mask::header(name, text)))
    };
    SHOWN.into_iter().filter_map(shown).collect()
}

const SHOWN: [&str; 9] = [
    "authorization",
    "idempotency-key",
    "wechatpay-serial",
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
];
