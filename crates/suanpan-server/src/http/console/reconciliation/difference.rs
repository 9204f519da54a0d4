//! A difference: both sides, what it means, what can be done; and what people made of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::super::links::with_query;
use super::super::notice::{Notice, done};
use super::super::operator::Operator;
use super::super::page::{Frame, Visit, page};
use super::super::parts::{fact, or_dash, order_link, section, time};
use super::super::posted::Posted;
use super::super::trouble::Trouble;
use super::super::words::{self as common};
use super::day::amount;
use super::{day_path, difference_path, fee, money, state_badge, words};
use crate::Error;
use crate::people::Right;
use crate::reconciliation::{Billed, Difference, DifferenceState};
use crate::world::World;

/// `GET /console/reconciliation/differences/{id}`
pub(in super::super) async fn difference(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let one = find(&world, id).await?;
    let back = with_query(&day_path(one.day), &[("account", Some(one.mchid.as_str()))]);
    let body = html! {
        p { a href=(back) { "← " (one.day) " · " span.mono { (one.mchid) } } }
        div.page-head {
            h1 { (visit.say(words::kind(one.found.kind))) }
            (state_badge(&visit, one.state))
        }
        p.sub.mono { (one.found.subject) }
        div.columns {
            div {
                (section(&visit, words::BOTH_SIDES, "sides", &sides(&visit, &one)))
                (section(&visit, words::STORY, "story", &story(&visit, &one)))
            }
            div {
                (section(&visit, words::MADE_OF_IT, "made-of-it", &made_of_it(&visit, &operator, &one)))
            }
        }
    };
    let title = visit.say(words::kind(one.found.kind));
    Ok(page(&visit, Frame::Inside, title, &body).into_response())
}

async fn find(world: &World, id: String) -> Result<Difference, Error> {
    let found = world.store.look(id, |tx, id| Box::pin(tx.difference(id)));
    found.await?.ok_or(Error::NotFound { what: "difference" })
}

/// What the bill says, and what we hold.
fn sides(visit: &Visit, one: &Difference) -> Markup {
    let billed = one.found.detail.get("billed").cloned();
    let billed: Option<Billed> = billed.and_then(|billed| serde_json::from_value(billed).ok());
    let order = one.found.order_id.as_deref().and_then(|id| id.parse().ok());
    html! {
        table.list.cards {
            caption.unseen { (visit.say(words::BOTH_SIDES)) }
            thead { tr { th scope="col" { (visit.say(words::SIDE)) } th.number scope="col" { (visit.say(common::AMOUNT)) } } }
            tbody {
                tr { th scope="row" { (visit.say(words::WECHAT)) } td.number { (amount(one, one.found.theirs)) } }
                tr { th scope="row" { (visit.say(words::OURS)) } td.number { (amount(one, one.found.ours)) } }
            }
        }
        dl.facts {
            (fact(visit, common::ORDER, &or_dash(order.as_ref().map(order_link))))
            @if let Some(refund) = &one.found.refund_id {
                (fact(visit, words::REFUND, &html! { span.mono { (refund) } }))
            }
            @if let Some(billed) = &billed { (line(visit, billed)) }
            (fact(visit, words::FOUND_AT, &time(one.found_at)))
            @if let Some(at) = one.gone_at { (fact(visit, words::GONE_AT, &time(at))) }
        }
    }
}

/// The line of the bill.
fn line(visit: &Visit, billed: &Billed) -> Markup {
    html! {
        (fact(visit, words::LINE, &html! { (billed.line) }))
        (fact(visit, words::BILLED_AT, &time(billed.time.saturating_mul(1_000_000))))
        (fact(visit, words::OUT_TRADE_NO, &html! { span.mono { (billed.out_trade_no) } }))
        (fact(visit, words::TRANSACTION_ID, &html! { span.mono { (billed.transaction_id) } }))
        @if let Some(back) = &billed.refund {
            (fact(visit, words::OUT_REFUND_NO, &html! { span.mono { (back.out_refund_no) } }))
            (fact(visit, words::REFUND_ID, &html! { span.mono { (back.refund_id) } }))
            (fact(visit, words::REFUNDED, &money(back.amount.get())))
        }
        (fact(visit, words::FEE, &html! { (fee(billed.fee)) " " (billed.rate) }))
    }
}

/// What it means, and what can be done.
fn story(visit: &Visit, one: &Difference) -> Markup {
    let (meaning, advice) = words::story(one.found.kind);
    let text = |name: &str| one.found.detail.get(name).and_then(|value| value.as_str());
    let examples = one.found.detail.get("examples").and_then(|list| list.as_array());
    html! {
        p { (visit.say(meaning)) }
        @match text("why") {
            None | Some("booked") => {},
            Some("listed_twice") => p { (visit.say(words::LISTED_TWICE)) },
            Some("closed_here") => p { (visit.say(words::CLOSED_HERE)) },
            Some("archived") => p { (visit.say(words::ARCHIVED)) },
            Some(why) => p.alarm { (why) },
        }
        @if let Some(examples) = examples {
            p { (visit.say(words::EXAMPLES)) }
            ul { @for one in examples.iter().filter_map(|one| one.as_str()) { li.mono { (one) } } }
        }
        p { strong { (visit.say(words::ADVICE)) } " " (visit.say(advice)) }
    }
}

fn made_of_it(visit: &Visit, operator: &Operator, one: &Difference) -> Markup {
    html! {
        dl.facts {
            (fact(visit, common::STATUS, &state_badge(visit, one.state)))
            (fact(visit, words::NOTE, &or_dash(one.note.as_ref().map(|note| html! { (note) }))))
            @if let (Some(by), Some(at)) = (&one.moved_by, one.moved_at) {
                (fact(visit, words::MOVED_BY, &html! { (by) span.sub { (time(at)) } }))
            }
        }
        @if operator.role.may(Right::Reconcile) {
            form.explain method="post" action=(difference_path(&one.id)) data-testid="explain" {
                input type="hidden" name="version" value=(one.version);
                fieldset {
                    legend { (visit.say(words::MOVE_TO)) }
                    @for state in DifferenceState::ALL {
                        label.choice {
                            input type="radio" name="state" value=(state.as_str()) required checked[*state == one.state];
                            (visit.say(words::state(*state)))
                        }
                    }
                }
                label.field {
                    (visit.say(words::NOTE))
                    textarea name="note" rows="3" required maxlength="500" { }
                }
                div.acts { button.button.primary type="submit" { (visit.say(words::SAVE)) } }
            }
        } @else {
            p.hint { (visit.say(words::FINANCE_ONLY)) }
        }
    }
}

/// What a person makes of a difference.
#[derive(Deserialize)]
pub(in super::super) struct Explanation {
    version: i64,
    state: String,
    note: String,
}

/// `POST /console/reconciliation/differences/{id}`
pub(in super::super) async fn explain(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(Explanation { version, state, note }): Posted<Explanation>,
) -> Result<Response, Trouble> {
    operator.may(Right::Reconcile)?;
    let state: DifferenceState =
        state.parse().map_err(|_| Error::field("state", "must be open, explained or repaired"))?;
    let note = note.trim().to_owned();
    if note.is_empty() || 500 < note.chars().count() {
        return Err(Error::field("note", "must have 1 to 500 characters").into());
    }
    // As the page had it: whoever was faster is not overwritten.
    let seen = Difference { version, ..find(&world, id.clone()).await? };
    let entry = operator.entry("difference.move", id.clone()).because(note.clone()).with(json!({
        "from": seen.state.as_str(), "to": state.as_str(), "mchid": seen.mchid, "date": seen.day.to_string(),
    }));
    let unit = (seen, state, note, operator.name.clone(), entry, world.now());
    let moved = world.store.write(unit, |tx, (seen, state, note, by, entry, now)| {
        Box::pin(async move {
            tx.difference_move(seen, *state, note, by, *now).await?;
            tx.audit(entry, *now).await
        })
    });
    moved.await?;
    Ok(done(&difference_path(&id), Notice::DifferenceMoved))
}
