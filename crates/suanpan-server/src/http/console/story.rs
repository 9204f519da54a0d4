//! The story of one order: its journal, attempts, notifications and events.

use maud::{Markup, html};

use super::links;
use super::order::Story;
use super::page::Visit;
use super::parts::{
    address, answer_badge, attempt_badge, date, latency, or_dash, short_id, span, time,
    time_of_day, verdict_badge, waiting_badge,
};
use super::words;
use crate::gateway::api_of;
use crate::order::Attempt;
use crate::store::Delivered;
use crate::timeline::Entry;
use crate::world::World;

/// A line an entry, under the date where it changes.
pub(super) fn timeline(visit: &Visit, journal: &[(i64, Entry)]) -> Markup {
    let dates: Vec<_> = journal.iter().map(|(at, _)| date(*at)).collect();
    let before = [None].into_iter().chain(dates.iter().map(Some));
    html! {
        @if journal.is_empty() {
            p.hint { (visit.say(words::NO_TIMELINE)) }
        } @else {
            ol.timeline {
                @for (((at, entry), date), before) in journal.iter().zip(&dates).zip(before) {
                    @if before != Some(date) {
                        li.day { (date) }
                    }
                    li.entry.{ "s-" (entry.step.as_str()) } data-step=(entry.step.as_str()) {
                        (time_of_day(*at))
                        span.step { (visit.say(words::step(entry.step))) }
                        span.change { (entry.change) }
                    }
                }
            }
        }
    }
}

pub(super) fn attempts(world: &World, visit: &Visit, story: &Story) -> Markup {
    html! {
        @if story.attempts.is_empty() {
            p.hint { (visit.say(words::NO_ATTEMPTS)) }
        } @else {
            table.cards {
                thead {
                    tr {
                        th scope="col" { "out_trade_no" }
                        th scope="col" { (visit.say(words::STATUS)) }
                        th scope="col" { (visit.say(words::PREPAY)) }
                        th scope="col" { (visit.say(words::CREATED_AT)) }
                    }
                }
                tbody {
                    @for attempt in &story.attempts {
                        tr {
                            td.wide {
                                span.mono { (attempt.out_trade_no) }
                                span.sub {
                                    "API" (api_of(attempt))
                                    @if let Some(openid) = &attempt.openid { " · " (openid.masked()) }
                                }
                            }
                            td { (attempt_badge(visit, attempt.state)) }
                            td { (prepay(world, visit, attempt)) }
                            td { (time(attempt.created_at)) }
                        }
                    }
                }
            }
        }
    }
}

/// The `prepay_id` with its age, as long as it matters.
fn prepay(world: &World, visit: &Visit, attempt: &Attempt) -> Markup {
    let (Some(prepay_id), Some(at)) = (&attempt.prepay_id, attempt.prepay_at) else {
        return or_dash(None);
    };
    let age = world.now().saturating_sub(at);
    let is_young = age < world.prepay_micros;
    let note = if is_young { words::PREPAY_YOUNG } else { words::PREPAY_OLD };
    html! {
        (short_id(prepay_id.as_str()))
        @if attempt.state.is_live() {
            span.sub { (span(visit, age)) " " (visit.say(note)) }
        }
    }
}

pub(super) fn received(visit: &Visit, story: &Story) -> Markup {
    html! {
        @if story.received.is_empty() {
            p.hint { (visit.say(words::NO_NOTIFICATIONS)) }
        } @else {
            table.cards {
                thead {
                    tr {
                        th scope="col" { (visit.say(words::RECEIVED_AT)) }
                        th scope="col" { (visit.say(words::VERDICT)) }
                        th scope="col" { (visit.say(words::PROBLEM)) }
                    }
                }
                tbody {
                    @for received in &story.received {
                        tr {
                            td { a href=(links::notification(&received.id)) { (time(received.received_at)) } }
                            td { (verdict_badge(visit, &received.verdict)) }
                            td { @if let Some(code) = &received.problem { code { (code) } } }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn events(visit: &Visit, story: &Story) -> Markup {
    html! {
        @if story.events.is_empty() {
            p.hint { (visit.say(words::NO_EVENTS)) }
        }
        @for delivered in &story.events {
            div.event {
                h3 {
                    code { (delivered.event.kind) }
                    (time(delivered.event.created_at))
                }
                p.sub.mono { a href=(links::event(&delivered.event.id)) { (delivered.event.id) } }
                (deliveries(visit, story, delivered))
            }
        }
    }
}

fn deliveries(visit: &Visit, story: &Story, delivered: &Delivered) -> Markup {
    html! {
        @if delivered.attempts.is_empty() && delivered.waiting.is_empty() {
            p.hint { (visit.say(words::NO_DELIVERIES)) }
        } @else {
            table.cards {
                thead {
                    tr {
                        th scope="col" { (visit.say(words::TRIED_AT)) }
                        th scope="col" { (visit.say(words::ENDPOINT)) }
                        th scope="col" { (visit.say(words::ANSWER)) }
                        th.number scope="col" { (visit.say(words::LATENCY)) }
                    }
                }
                tbody {
                    @for tried in &delivered.attempts {
                        tr {
                            td { (time(tried.at)) }
                            td { (endpoint(visit, story, &tried.endpoint_id)) }
                            td {
                                (answer_badge(visit, tried.status))
                                @if let Some(problem) = &tried.problem { span.sub { (problem) } }
                            }
                            td.number { (latency(tried.latency_micros)) }
                        }
                    }
                    @for waiting in &delivered.waiting {
                        tr.waiting {
                            td { (time(waiting.due_at)) }
                            td { (endpoint(visit, story, &waiting.endpoint_id)) }
                            td { (waiting_badge(visit, waiting.gave_up)) }
                            td {}
                        }
                    }
                }
            }
        }
    }
}

/// Where an event went.
fn endpoint(visit: &Visit, story: &Story, id: &str) -> Markup {
    let known = story.endpoints.iter().find(|endpoint| endpoint.id == id);
    html! {
        @match known {
            Some(endpoint) => a.url href=(links::endpoint(id)) { (address(&endpoint.url)) },
            None => { span.mono { (id) } span.sub { (visit.say(words::ENDPOINT_GONE)) } },
        }
    }
}
