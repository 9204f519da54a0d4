//! Asks over HTTP, as the merchant's system and the phone do.

use axum::http::{HeaderName, HeaderValue, Method};
use serde_json::Value;

use crate::mask;
use crate::problem::Problem;
use crate::tape::{Exchange, Tape, headers};

/// Asks, and may keep a record.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    http: reqwest::Client,
    tape: Option<Tape>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    /// GET, POST or DELETE.
    pub(crate) method: Method,
    /// Where.
    pub(crate) url: String,
    /// More headers.
    pub(crate) headers: &'a [(&'static str, &'a str)],
    /// The body, sent as JSON.
    pub(crate) body: Option<Value>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Method and path.
    pub(crate) operation: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body, where it is JSON; otherwise its text.
    pub(crate) body: Value,
}

impl Caller {
    /// One that keeps a record on this tape.
    pub(crate) fn new(tape: Option<Tape>) -> Result<Self, Problem> {
        // Whom we call is on this machine, where no proxy can see it.
        let client = || reqwest::Client::builder().no_proxy();
        // A machine without CA certificates can still be called by plain http.
        let http = client().build().or_else(|_| client().tls_certs_only([]).build());
        let http = http.map_err(|cause| Problem::bug(suanpan_server::chain(&cause)))?;
        Ok(Self { http, tape })
    }

    /// Asks, and reads the answer.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Answer, Problem> {
        let Question { method, url, headers: more, body } = question;
        let mut request = self.http.request(method.clone(), &url);
        for (name, value) in more {
            request = request.header(HeaderName::from_static(name), *value);
        }
        if let Some(body) = &body {
            request = request.header("content-type", HeaderValue::from_static("application/json"));
            request = request.body(body.to_string());
        }
        let unreachable = |cause: &reqwest::Error| Problem {
            code: "SP-UNREACHABLE".to_owned(),
            detail: format!("no answer to {method} {}", mask::path_and_query(&url)),
            cause: Some(suanpan_server::chain(cause)),
            remedy: "look in the log above for why it does not answer, then try again".to_owned(),
            exit: Problem::FOUND,
        };
        let request = request.build().map_err(|cause| unreachable(&cause.without_url()))?;
        let path = mask::path_and_query(request.url().path());
        let sent = headers(request.headers());
        let reply = self.http.execute(request).await;
        let reply = reply.map_err(|cause| unreachable(&cause.without_url()))?;
        let (status, got) = (reply.status().as_u16(), headers(reply.headers()));
        let text = reply.bytes().await.map_err(|cause| unreachable(&cause.without_url()))?;

        let operation = format!("{method} {path}");
        if let Some(tape) = &self.tape {
            tape.put(Exchange {
                operation: operation.clone(),
                url: mask::path_and_query(&url),
                headers: sent,
                body: body.as_ref().map_or_else(String::new, |body| mask::json(body).to_string()),
                status: Some(status),
                answer_headers: got,
                answer: mask::body(&text),
            });
        }
        let body = serde_json::from_slice(&text)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&text).into_owned()));
        Ok(Answer { operation, status, body })
    }
}

impl Answer {
    /// The body of a success. A refusal says what, and what to do.
    pub(crate) fn good(self) -> Result<Value, Problem> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let said = |name: &str| self.body.get(name).and_then(Value::as_str).map(str::to_owned);
        Err(Problem {
            code: said("code").unwrap_or_else(|| "SP-REFUSED".to_owned()),
            detail: format!(
                "{} was answered with {}: {}",
                self.operation,
                self.status,
                said("detail").unwrap_or_else(|| "no detail".to_owned())
            ),
            cause: said("cause"),
            remedy: said("remedy").unwrap_or_else(|| "look in the log for why".to_owned()),
            exit: Problem::FOUND,
        })
    }

    /// A text of the body.
    pub(crate) fn text(body: &Value, name: &str) -> Result<String, Problem> {
        let text = body.get(name).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| Problem::bug(format!("an answer has no `{name}`")))
    }
}
