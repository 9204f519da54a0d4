//! A refund from the page of an order: how much and why, once more to be sure, and then it is asked for.
//!
//! The form has a number that was drawn when it was shown, so that a form that
//! is sent twice asks once.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use suanpan_wechat::Fen;

use super::super::miniprogram::order_id;
use super::links;
use super::notice::{Notice, done};
use super::operator::Operator;
use super::order::{Money, Story, money};
use super::page::{Frame, Visit, page};
use super::parts::yuan;
use super::posted::Posted;
use super::search::read_yuan;
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::Error;
use crate::people::Right;
use crate::repair::refund::request::{self, Ask, Asked};
use crate::world::World;

/// A refund as the form says it.
#[derive(Debug, Deserialize)]
pub(super) struct RefundForm {
    /// Drawn when the form was first shown.
    id: String,
    /// In yuan.
    amount: String,
    reason: String,
    /// `yes` where the amount was shown once more.
    #[serde(default)]
    sure: String,
}

/// `GET /console/orders/{id}/refund`
pub(super) async fn form(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    operator.may(Right::Refund)?;
    let story = Story::find(&world, order_id(&id)?).await?;
    let left = Money::of(&story).left;
    if left == Fen::ZERO {
        return Err(Error::NothingLeft.into());
    }
    let path = links::order(story.order.id.as_str());
    let fields = html! {
        form method="post" action={ (path) "/refund" } {
            input type="hidden" name="id" value=(request::new_id(&world));
            label.field {
                (visit.say(AMOUNT))
                input type="text" inputmode="decimal" name="amount" required maxlength="14"
                    autocomplete="off" value=(left);
            }
            label.field {
                (visit.say(REASON))
                input type="text" name="reason" required maxlength="80" autocomplete="off";
            }
            div.acts {
                button.button.primary type="submit" { (visit.say(GO_ON)) }
                a.button href=(path) { (visit.say(words::BACK)) }
            }
        }
    };
    Ok(shown(&world, &visit, &story, &fields))
}

/// `POST /console/orders/{id}/refund`: shows once more what is to be done, or does it.
pub(super) async fn refund(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted<RefundForm>,
) -> Result<Response, Trouble> {
    operator.may(Right::Refund)?;
    let amount = read_yuan("amount", &form.amount)?;
    if form.sure != "yes" {
        let story = Story::find(&world, order_id(&id)?).await?;
        return Ok(shown(&world, &visit, &story, &sure(&visit, &story, amount, &form)?));
    }
    let order_id = order_id(&id)?;
    let path = links::order(order_id.as_str());
    let ask = Ask { id: form.id, order_id, amount, reason: form.reason };
    Ok(match request::ask(&world, operator.by(), ask).await? {
        Asked::Begun(_) => done(&path, Notice::RefundAsked),
        Asked::Waiting(id) => done(&links::refund_request(&id), Notice::RefundWaits),
        Asked::Declined(id) => done(&links::refund_request(&id), Notice::RefundDeclined),
    })
}

/// The order, where its money is, and the form.
fn shown(world: &World, visit: &Visit, story: &Story, form: &Markup) -> Response {
    let order = &story.order;
    let body = html! {
        section.notice.form data-testid="refund" {
            h1 { (visit.say(words::REFUND)) }
            p { (order.description) }
            p.sub.mono { (order.reference) " · " (order.id) }
            (money(visit, &Money::of(story)))
            @if let Some(above) = world.people.second_person_above {
                p.hint { (visit.say(SECOND_PERSON)) " " (yuan(above)) }
            }
            (form)
        }
    };
    page(visit, Frame::Inside, visit.say(words::REFUND), &body).into_response()
}

/// The same form with the amount in words, and nothing to be typed.
fn sure(visit: &Visit, story: &Story, amount: Fen, form: &RefundForm) -> Result<Markup, Error> {
    let money = Money::of(story);
    let Some(rest) = money.left.checked_sub(amount) else {
        return Err(Error::field(
            "amount",
            format!("must be at most {}, what is left", money.left),
        ));
    };
    if amount == Fen::ZERO || form.reason.trim().is_empty() {
        let name = if amount == Fen::ZERO { "amount" } else { "reason" };
        return Err(Error::field(name, "must not be empty"));
    }
    let path = links::order(story.order.id.as_str());
    Ok(html! {
        form method="post" action={ (path) "/refund" } data-testid="sure" {
            input type="hidden" name="id" value=(form.id);
            input type="hidden" name="amount" value=(amount);
            input type="hidden" name="reason" value=(form.reason);
            input type="hidden" name="sure" value="yes";
            p.big { (yuan(amount)) }
            p { (visit.say(REASON_SHOWN)) " " strong { (form.reason) } }
            p.hint { (visit.say(WHAT_HAPPENS)) " " (visit.say(LEFT_THEN)) " " (yuan(rest)) }
            div.acts {
                button.button.primary type="submit" { (visit.say(CONFIRM)) " " (yuan(amount)) }
                a.button href={ (path) "/refund" } { (visit.say(words::BACK)) }
            }
        }
    })
}

const AMOUNT: Say = say("退多少（元）", "How much (yuan)");
const REASON: Say = say(
    "原因（付款人看得到，也记入审计日志）",
    "Reason (the payer reads it; it is kept in the audit log)",
);
const REASON_SHOWN: Say = say("原因：", "Reason:");
const GO_ON: Say = say("下一步：核对", "Next: check it");
const CONFIRM: Say = say("确认退款", "Refund");
const SECOND_PERSON: Say =
    say("累计退款超过这个数，要第二个人批准：", "A second person approves what is above:");
const WHAT_HAPPENS: Say = say(
    "钱退回付款人的原支付账户，不能撤回。重复提交同一张表单只退一次。",
    "The money goes back to where it came from, and cannot be called back. The same form sent twice refunds once.",
);
const LEFT_THEN: Say = say("退后还可退", "Refundable then:");
