//! The audit log as a page: who did what, when, from where and why.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::links::{query_value, with_query};
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::time;
use super::people::words;
use super::trouble::Trouble;
use crate::audit::{Checked, Line, check};
use crate::people::Right;
use crate::store::AuditFilter;
use crate::world::World;

/// Where it is.
const PATH: &str = "/console/audit";

/// `GET /console/audit?who=&object=&before=&check=`
pub(super) async fn audit(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    operator.may(Right::ReadAudit)?;
    let filter = filter(&visit);
    // One more than is shown tells whether there are more.
    let lines = world.store.look(filter.clone(), |tx, filter| {
        Box::pin(async move { tx.audit_lines(filter, SHOWN.saturating_add(1)).await })
    });
    let mut lines = lines.await?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = shown < lines.len();
    lines.truncate(shown);
    let whole = query_value(visit.here(), "check").is_some();
    let checked = check(&world.store, whole).await?;
    let older = lines.last().filter(|_| more).map(|line| line.seq);
    let body = body(&visit, &filter, &checked, &lines, older);
    Ok(page(&visit, Frame::Inside, visit.say(words::AUDIT), &body).into_response())
}

fn filter(visit: &Visit) -> AuditFilter {
    let given = |name| {
        let value = query_value(visit.here(), name)?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    AuditFilter {
        operator: given("who"),
        object: given("object"),
        before: given("before").and_then(|seq| seq.parse().ok()).unwrap_or(i64::MAX),
    }
}

fn body(
    visit: &Visit,
    filter: &AuditFilter,
    checked: &Checked,
    lines: &[Line],
    older: Option<i64>,
) -> Markup {
    html! {
        div.page-head { h1 { (visit.say(words::AUDIT)) } }
        (chain(visit, checked))
        (search(visit, filter))
        @if lines.is_empty() {
            section.empty data-testid="empty" { h2 { (visit.say(words::AUDIT_NOTHING)) } }
        } @else {
            (table(visit, lines))
        }
        nav.pages aria-label=(visit.say(words::AUDIT)) {
            @if filter.before != i64::MAX {
                a.button href=(link(filter, None)) { "← " (visit.say(words::NEWEST)) }
            }
            @if let Some(older) = older {
                a.button.next rel="next" href=(link(filter, Some(older))) { (visit.say(words::OLDER)) " →" }
            }
        }
    }
}

fn link(filter: &AuditFilter, before: Option<i64>) -> String {
    let before = before.map(|seq| seq.to_string());
    let query = [
        ("who", filter.operator.as_deref()),
        ("object", filter.object.as_deref()),
        ("before", before.as_deref()),
    ];
    with_query(PATH, &query)
}

/// Whether the chain is whole, as far as was looked.
fn chain(visit: &Visit, checked: &Checked) -> Markup {
    html! {
        section.panel.chain data-testid="chain" data-broken=[checked.broken_at] {
            @if let Some(seq) = checked.broken_at {
                p.bad role="alert" { (visit.say(words::CHAIN_BROKEN)) " #" (seq) }
                p.hint { (visit.say(words::CHAIN_BROKEN_HELP)) }
            } @else {
                p { (visit.say(words::CHAIN_WHOLE)) " " (checked.lines) " " (visit.say(words::LINES)) }
            }
            @if let Some(hash) = &checked.last {
                p.hint { (visit.say(words::CHAIN_LAST)) " " code { (hash) } }
            }
            @if !checked.whole {
                p { a.button href={ (PATH) "?check=all" } { (visit.say(words::CHAIN_ALL)) } }
            }
        }
    }
}

fn search(visit: &Visit, filter: &AuditFilter) -> Markup {
    let value = |text: &Option<String>| text.clone().unwrap_or_default();
    html! {
        form.fields.inline method="get" action=(PATH) {
            label { span { (visit.say(words::WHO)) }
                input name="who" maxlength="64" autocomplete="off" value=(value(&filter.operator)); }
            label { span { (visit.say(words::OBJECT)) }
                input name="object" maxlength="128" autocomplete="off" value=(value(&filter.object)); }
            button.button.primary type="submit" { (visit.say(words::FILTER)) }
            @if filter.operator.is_some() || filter.object.is_some() {
                a.button href=(PATH) { (visit.say(words::CLEAR)) }
            }
        }
    }
}

fn table(visit: &Visit, lines: &[Line]) -> Markup {
    html! {
        table.cards.people data-testid="audit" {
            caption.unseen { (visit.say(words::AUDIT)) }
            thead { tr {
                th scope="col" { "#" }
                th scope="col" { (visit.say(words::WHEN)) }
                th scope="col" { (visit.say(words::WHO)) }
                th scope="col" { (visit.say(words::WHAT)) }
                th scope="col" { (visit.say(words::OBJECT)) }
                th scope="col" { (visit.say(words::WHY)) }
            } }
            tbody {
                @for line in lines {
                    tr data-seq=(line.seq) {
                        td.number { (line.seq) }
                        td { (time(line.at)) }
                        td { span.what { (line.operator.name) } span.sub { (line.address) } }
                        td { (action(visit, &line.action)) span.sub.mono { (line.action) } }
                        td { span.mono { (line.object) } }
                        td {
                            @if let Some(reason) = &line.reason { span.what { (reason) } }
                            @if let Some(detail) = &line.detail { span.sub.mono { (detail) } }
                        }
                    }
                }
            }
        }
    }
}

fn action(visit: &Visit, action: &str) -> Markup {
    html! { @if let Some(say) = words::action(action) { span.what { (visit.say(say)) } } }
}

/// The lines on one page.
const SHOWN: i64 = 50;
