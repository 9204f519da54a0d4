//! What the demo waits for: each wait has a bound, and ends as soon as there is something to see.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::time::{sleep, timeout};

use super::books;
use super::walk::Walk;
use crate::caller::Question;
use crate::problem::Problem;
use crate::shop::Heard;

impl Walk<'_> {
    /// Waits for the webhook of this order.
    pub(super) async fn hear(
        &self,
        order_id: &str,
        news: &mut Receiver<Heard>,
    ) -> Result<Heard, Problem> {
        let ours = async {
            loop {
                let heard = news.recv().await.ok()?;
                if heard.order.get("id").and_then(Value::as_str) == Some(order_id)
                    && heard.kind == "order.paid"
                {
                    return Some(heard);
                }
            }
        };
        timeout(PATIENCE, ours).await.ok().flatten().ok_or_else(|| Problem {
            code: "SP-DEMO-NO-WEBHOOK".to_owned(),
            detail: format!("no webhook told of the payment within {} s", PATIENCE.as_secs()),
            cause: None,
            remedy: "run the demo again with SUANPAN_LOG=info to see where the payment got stuck"
                .to_owned(),
            exit: Problem::FOUND,
        })
    }

    /// The order's story, when the delivery is part of it: it is stored after the shop has answered.
    pub(super) async fn timeline(&self, order_id: &str) -> Result<Value, Problem> {
        let told = async {
            loop {
                let timeline = self.stage.backend.timeline(order_id).await?;
                if entries(&timeline).any(|entry| entry.get("step") == Some(&json!("webhook"))) {
                    return Ok(timeline);
                }
                sleep(A_MOMENT).await;
            }
        };
        match timeout(PATIENCE, told).await {
            Ok(timeline) => timeline,
            Err(_) => self.stage.backend.timeline(order_id).await,
        }
    }

    /// WeChat's ledger, when it has heard our acknowledgement: that comes after we have stored the payment.
    pub(super) async fn ledger(&self, out_trade_no: &str) -> Result<Value, Problem> {
        let settled = async {
            loop {
                let ledger = self.get_ledger().await?;
                if books::is_acknowledged(&ledger, out_trade_no) {
                    return Ok(ledger);
                }
                sleep(A_MOMENT).await;
            }
        };
        match timeout(PATIENCE, settled).await {
            Ok(ledger) => ledger,
            Err(_) => self.get_ledger().await,
        }
    }

    async fn get_ledger(&self) -> Result<Value, Problem> {
        let url = format!("{}/_sim/ledger", self.stage.simulator);
        let question = Question { method: Method::GET, url, headers: &[], body: None };
        self.caller.ask(question).await?.good()
    }
}

/// The entries of a timeline.
pub(super) fn entries(timeline: &Value) -> impl Iterator<Item = &Value> {
    timeline.get("entries").and_then(Value::as_array).into_iter().flatten()
}

/// The longest wait for anything that comes by itself.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at something that cannot call us.
const A_MOMENT: Duration = Duration::from_millis(10);
