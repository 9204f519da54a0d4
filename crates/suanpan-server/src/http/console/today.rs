//! Today: how the business goes, and what wants a person.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::page::{Frame, Visit, page};
use super::trouble::Trouble;
use super::words::{Say, say};
use crate::keys;
use crate::world::World;

/// The page of today.
pub(super) async fn today(world: &World, visit: &Visit) -> Result<Response, Trouble> {
    let body = html! {
        div.page-head { h1 { (visit.say(TODAY)) } }
        div data-live="today" { (alarms(world, visit)) }
    };
    Ok(page(visit, Frame::Live, visit.say(TODAY), &body).into_response())
}

fn alarms(world: &World, visit: &Visit) -> Markup {
    let problems = keys::problems(world).into_iter().chain(keys::warnings(world));
    let problems: Vec<_> = problems.collect();
    html! {
        section.panel aria-labelledby="h-alarms" {
            h2 #h-alarms { (visit.say(ALARMS)) }
            @if problems.is_empty() { p.hint { (visit.say(NO_ALARMS)) } }
            @for problem in &problems {
                p { code { (problem.code) } " " span.mono { (problem.mchid) } " " (problem.detail) }
                p.hint { (problem.remedy) }
            }
        }
    }
}

const TODAY: Say = say("今天", "Today");
const ALARMS: Say = say("要你处理的事", "What wants a person");
const NO_ALARMS: Say = say("没有。一切正常。", "Nothing. All is well.");
