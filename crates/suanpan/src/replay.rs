//! `suanpan replay`: delivers webhooks once more, by the API of a running server.
//!
//! By the API and not on the database: the server that runs is the one that
//! delivers, and an API key is all that is needed, from anywhere.

use axum::http::Method;
use serde_json::{Value, json};

use crate::Verdict;
use crate::caller::{Caller, Question};
use crate::cli::Replay;
use crate::problem::Problem;
use crate::talk;

/// What was set in motion, over all calls.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    deliveries: u64,
    hastened: u64,
}

/// Replays, and says how much.
pub(crate) async fn run(arguments: &Replay) -> Result<Verdict, Problem> {
    let (path, mut body) = request(arguments)?;
    let server = Server {
        url: format!("{}{path}", arguments.url.trim_end_matches('/')),
        authorization: format!("Bearer {}", api_key(arguments)?),
        caller: Caller::new(None)?,
    };
    let mut sum = Sum::default();
    loop {
        let answer = server.post(body.clone()).await?;
        let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        let (deliveries, hastened) = (number("deliveries"), number("hastened"));
        sum.deliveries = sum.deliveries.saturating_add(deliveries);
        sum.hastened = sum.hastened.saturating_add(hastened);
        // Behind what was just set in motion: what fails and waits again is not tried in a circle.
        match answer.get("next_since") {
            Some(Value::String(next)) => body = json!({ "since": next }),
            Some(_) | None => break,
        }
    }
    let Sum { deliveries, hastened } = sum;
    if arguments.json {
        talk::json(&json!({ "deliveries": deliveries, "hastened": hastened }));
    } else {
        talk::out(format_args!(
            "重新投递 {deliveries} 个，马上重试 {hastened} 个 / {deliveries} deliveries begun again, {hastened} tried at once"
        ));
    }
    Ok(Verdict::Good)
}

/// Path and body: one event, or all that an endpoint has not taken since a time.
fn request(arguments: &Replay) -> Result<(String, Value), Problem> {
    let Replay { event, endpoint, since, .. } = arguments;
    for id in [event, endpoint].into_iter().flatten() {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Problem::usage(format!("{id:?} is not an id: evt_… or whe_…")));
        }
    }
    match (event, endpoint, since) {
        (Some(event), None, None) => Ok((format!("/v1/events/{event}/replay"), json!({}))),
        (Some(event), Some(endpoint), None) => {
            Ok((format!("/v1/events/{event}/replay"), json!({ "endpoint_id": endpoint })))
        }
        (None, Some(endpoint), Some(since)) => {
            Ok((format!("/v1/webhook-endpoints/{endpoint}/replay"), json!({ "since": since })))
        }
        (Some(_), _, Some(_)) | (None, _, _) => {
            Err(Problem::usage("name one event, or an endpoint and since when".to_owned()))
        }
    }
}

/// Not as an argument: every process of the machine sees those.
fn api_key(arguments: &Replay) -> Result<String, Problem> {
    let key = match &arguments.api_key_file {
        Some(file) => std::fs::read_to_string(file).map_err(|cause| Problem {
            cause: Some(cause.to_string()),
            ..Problem::usage(format!("{} cannot be read", file.display()))
        })?,
        None => std::env::var(KEY).unwrap_or_default(),
    };
    let key = key.trim();
    if key.is_empty() {
        return Err(Problem::usage(format!(
            "there is no API key: set {KEY}, or name a file with --api-key-file"
        )));
    }
    Ok(key.to_owned())
}

struct Server {
    url: String,
    authorization: String,
    caller: Caller,
}

impl Server {
    async fn post(&self, body: Value) -> Result<Value, Problem> {
        let question = Question {
            method: Method::POST,
            url: self.url.clone(),
            headers: &[("authorization", self.authorization.as_str())],
            body: Some(body),
        };
        let answer = self.caller.ask(question).await.map_err(|problem| Problem {
            remedy: "see that the server runs, and give its address with --url".to_owned(),
            ..problem
        });
        answer?.good()
    }
}

const KEY: &str = "SUANPAN_API_KEY";
