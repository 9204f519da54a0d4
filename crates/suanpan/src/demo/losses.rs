//! What the story with faults asks and waits for: everything over HTTP, from outside of the backend that is killed.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::caller::{Answer, Caller, Question};
use crate::problem::Problem;
use crate::shop;

/// Speaks with the simulator, and for the phone.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) caller: Caller,
    pub(super) simulator: String,
}

impl Outside {
    /// Has this go wrong so often; `None`: from now on.
    pub(super) async fn fault(
        &self,
        on: &str,
        fault: &str,
        times: Option<u32>,
    ) -> Result<(), Problem> {
        let rule = json!({ "on": on, "fault": fault, "times": times });
        self.control("faults", rule).await.map(drop)
    }

    /// `POST /_sim/…`
    pub(super) async fn control(&self, path: &str, body: Value) -> Result<Value, Problem> {
        let url = format!("{}/_sim/{path}", self.simulator);
        self.post(url, body).await?.good()
    }

    pub(super) async fn post(&self, url: String, body: Value) -> Result<Answer, Problem> {
        let question = Question { method: Method::POST, url, headers: &[], body: Some(body) };
        self.caller.ask(question).await
    }

    /// What WeChat holds in this list.
    pub(super) async fn held(&self, list: &str) -> Result<Vec<Value>, Problem> {
        let url = format!("{}/_sim/ledger", self.simulator);
        let question = Question { method: Method::GET, url, headers: &[], body: None };
        let ledger = self.caller.ask(question).await?.good()?;
        Ok(ledger.get(list).and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// The notification was sent off, and lost on the way.
    pub(super) async fn until_lost(&self) -> Result<(), Problem> {
        let lost = async {
            loop {
                let told = self.held("notifications").await?;
                let tries = told.first().and_then(|first| first.get("tries")?.as_array());
                if tries.is_some_and(|tries| !tries.is_empty()) {
                    return Ok(());
                }
                sleep(A_MOMENT).await;
            }
        };
        timeout(PATIENCE, lost).await.unwrap_or_else(|_| Err(stuck("no notification was sent")))
    }
}

/// The order, as soon as it is paid.
pub(super) async fn until_paid(backend: &shop::Backend, id: &str) -> Result<Value, Problem> {
    let paid = async {
        loop {
            let order = backend.order(id).await?;
            if order.get("status") == Some(&json!("paid")) {
                return Ok(order);
            }
            sleep(A_MOMENT).await;
        }
    };
    timeout(PATIENCE, paid).await.unwrap_or_else(|_| Err(stuck("the order was not paid")))
}

/// The story, as soon as the delivery is part of it.
pub(super) async fn until_told(backend: &shop::Backend, id: &str) -> Result<String, Problem> {
    let told = async {
        loop {
            let text = Answer::text(&backend.timeline(id).await?, "text")?;
            if text.contains("order.paid →") {
                return Ok(text);
            }
            sleep(A_MOMENT).await;
        }
    };
    timeout(PATIENCE, told).await.unwrap_or_else(|_| Err(stuck("no webhook was delivered")))
}

fn stuck(what: &str) -> Problem {
    Problem {
        code: "SP-DEMO-STUCK".to_owned(),
        detail: format!("{what} within {} s", PATIENCE.as_secs()),
        cause: None,
        remedy: "run the demo again; if it happens twice, please report it with this output"
            .to_owned(),
        exit: Problem::FOUND,
    }
}

/// Longer than the lease of a piece of work whose worker died with it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at something that cannot call us.
const A_MOMENT: Duration = Duration::from_millis(50);
