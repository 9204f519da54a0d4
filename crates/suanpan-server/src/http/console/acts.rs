//! What people do with an order: ask WeChat again, close it.
//!
//! WeChat makes these changes, so the line in the audit log is stored before
//! it is asked.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use suanpan_ledger::{OrderStatus, RefundState};
use suanpan_wechat::Fen;

use super::super::miniprogram::order_id;
use super::links;
use super::notice::{Notice, done};
use super::operator::Operator;
use super::order::{Money, Story};
use super::page::{Frame, Visit, page};
use super::parts::{order_badge, yuan};
use super::posted::Posted;
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::audit::Entry;
use crate::flow::order::text;
use crate::people::Right;
use crate::repair::close::close_by_hand;
use crate::repair::confirm::confirm;
use crate::repair::refund::REFUND;
use crate::world::World;
use crate::{Error, flow};

/// What this operator may do with an order that stands like this.
pub(super) fn buttons(visit: &Visit, operator: &Operator, story: &Story) -> Markup {
    let order = &story.order;
    let path = links::order(order.id.as_str());
    let is_open = matches!(order.status, OrderStatus::Unpaid | OrderStatus::Paying);
    html! {
        div.acts {
            @if operator.role.may(Right::AskWeChat) && !story.attempts.is_empty() {
                form method="post" action={ (path) "/ask" } {
                    button.button type="submit" { (visit.say(ASK)) }
                }
            }
            @if operator.role.may(Right::Refund) && Money::of(story).left != Fen::ZERO {
                a.button href={ (path) "/refund" } { (visit.say(words::REFUND)) "…" }
            }
            @if operator.role.may(Right::Close) && is_open {
                a.button href={ (path) "/close" } { (visit.say(CLOSE)) "…" }
            }
        }
    }
}

/// A form without fields.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// `POST /console/orders/{id}/ask`: asks WeChat how payment and refunds stand.
pub(super) async fn ask(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Trouble> {
    operator.may(Right::AskWeChat)?;
    let id = order_id(&id)?;
    let story = Story::find(&world, id.clone()).await?;
    let under_way = story.refunds.iter().filter(|one| one.state == RefundState::Processing);
    let due: Vec<_> = under_way.map(|one| format!("{REFUND}:{}", one.id)).collect();
    let unit = (operator.entry("order.ask", id.as_str()), due, world.now());
    let noted = world.store.write(unit, |tx, (entry, due, now)| {
        Box::pin(async move {
            // The work that asks about a refund is there already, and is done now.
            for key in due {
                tx.due_hasten(key, *now).await?;
            }
            tx.audit(entry, *now).await
        })
    });
    noted.await?;
    confirm(&world, &id).await?;
    Ok(done(&links::order(id.as_str()), Notice::Asked))
}

/// `GET /console/orders/{id}/close`: what a close means, and why it is done.
pub(super) async fn closing(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    operator.may(Right::Close)?;
    let order = flow::order::find(&world, &order_id(&id)?).await?;
    let path = links::order(order.id.as_str());
    match order.status {
        OrderStatus::Unpaid | OrderStatus::Paying => {}
        OrderStatus::Paid => return Err(Error::OrderPaid.into()),
        OrderStatus::Closed => return Ok(Redirect::to(&path).into_response()),
    }
    let body = html! {
        section.notice.form data-testid="close" {
            h1 { (visit.say(CLOSE)) }
            p { (order.description) " " strong { (yuan(order.amount)) } " " (order_badge(&visit, order.status)) }
            p.sub.mono { (order.reference) " · " (order.id) }
            p { (visit.say(CLOSE_HELP)) }
            form method="post" action={ (path) "/close" } {
                (reason(&visit, WHY, 120))
                div.acts {
                    button.button.primary type="submit" { (visit.say(CLOSE)) }
                    a.button href=(path) { (visit.say(words::BACK)) }
                }
            }
        }
    };
    Ok(page(&visit, Frame::Inside, visit.say(CLOSE), &body).into_response())
}

/// Why something is done, as it will stand in the audit log.
#[derive(Deserialize)]
pub(super) struct Reason {
    reason: String,
}

impl Reason {
    /// # Errors
    /// [`Error::Field`] where there is none.
    pub(super) fn read(self) -> Result<String, Error> {
        text("reason", self.reason.trim().to_owned(), 120)
    }
}

/// `POST /console/orders/{id}/close`
pub(super) async fn close(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(reason): Posted<Reason>,
) -> Result<Response, Trouble> {
    operator.may(Right::Close)?;
    let (id, reason) = (order_id(&id)?, reason.read()?);
    flow::order::find(&world, &id).await?;
    note(&world, operator.entry("order.close", id.as_str()).because(reason)).await?;
    close_by_hand(&world, &id).await?;
    Ok(done(&links::order(id.as_str()), Notice::Closed))
}

/// A field for a reason of at most so many characters.
pub(super) fn reason(visit: &Visit, name: Say, most: u32) -> Markup {
    html! {
        label.field {
            (visit.say(name))
            input type="text" name="reason" required maxlength=(most) autocomplete="off";
        }
    }
}

/// Stores a line of the audit log by itself.
async fn note(world: &World, entry: Entry) -> Result<(), Error> {
    let noted = world.store.write((entry, world.now()), |tx, (entry, now)| {
        Box::pin(async move { tx.audit(entry, *now).await })
    });
    Ok(noted.await?)
}

const ASK: Say = say("向微信查询", "Ask WeChat now");
const CLOSE: Say = say("关闭订单", "Close the order");
const CLOSE_HELP: Say = say(
    "先问微信有没有付款：付了就不关。没付就在微信那边关掉，付款人再也付不了；关了不能恢复，要付就另下一单。",
    "WeChat is asked first whether it was paid: then it is not closed. If not, it is closed there, and nobody can pay it any more. A closed order stays closed.",
);
const WHY: Say = say("为什么关闭（记入审计日志）", "Why it is closed (for the audit log)");
