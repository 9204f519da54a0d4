//! What happens, as it happens: the last lines of all journals, and the stream that tells an open page of news.
//!
//! The stream tells only that there may be something new: what, the page asks
//! for itself, with its session. So there is nothing to keep secret in it, and
//! one way to make a page.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use maud::{Markup, html};
use tokio::sync::watch;

use super::links::{self, query_value, with_query};
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{order_link, time_of_day};
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::Error;
use crate::store::Line;
use crate::timeline::Step;
use crate::world::World;

/// `GET /console/live`: the last lines, kept up to date; `?pause=1` leaves them as they are, `?step=` shows one step.
pub(super) async fn live(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let given = |name| query_value(visit.here(), name).filter(|value| !value.is_empty());
    let step = given("step").map(|word| word.parse::<Step>()).transpose();
    let step = step.map_err(|_| Error::field("step", "must be a step of the flow"))?;
    let paused = given("pause").is_some();
    let lines = world.store.look((), |tx, ()| Box::pin(tx.journal_latest(LOOKED_AT)));
    let mut lines = lines.await?;
    lines.retain(|line| step.is_none_or(|step| step == line.step));
    lines.truncate(SHOWN);
    let frame = if paused { Frame::Inside } else { Frame::Live };
    let body = body(&visit, step, paused, &lines);
    Ok(page(&visit, frame, visit.say(words::LIVE_PAGE), &body).into_response())
}

fn body(visit: &Visit, step: Option<Step>, paused: bool, lines: &[Line]) -> Markup {
    let to = |step: Option<Step>, paused: bool| {
        let query = [("step", step.map(Step::as_str)), ("pause", paused.then_some("1"))];
        with_query(links::LIVE, &query)
    };
    html! {
        div.page-head {
            h1 { (visit.say(words::LIVE_PAGE)) }
            a.button href=(to(step, !paused)) { (visit.say(if paused { RESUME } else { PAUSE_WORD })) }
        }
        nav.tabs aria-label=(visit.say(BY_STEP)) {
            @for one in [None].into_iter().chain(Step::ALL.map(Some)) {
                a href=(to(one, paused)) aria-current=[(one == step).then_some("page")] {
                    (visit.say(one.map_or(words::ALL, words::step)))
                }
            }
        }
        section.panel data-live="lines" aria-label=(visit.say(words::LIVE_PAGE)) {
            @if lines.is_empty() {
                p.hint { (visit.say(NOTHING)) }
            } @else {
                ol.lines { @for line in lines { (self::line(visit, line)) } }
            }
        }
    }
}

/// A line of a journal with the way to its order.
pub(super) fn line(visit: &Visit, line: &Line) -> Markup {
    html! {
        li.entry.{ "s-" (line.step.as_str()) } data-step=(line.step.as_str()) {
            (time_of_day(line.at))
            span.step { (visit.say(words::step(line.step))) }
            span.change { (order_link(&line.order_id)) " " (line.change) }
        }
    }
}

/// Turns true when the server stops: an answer that never ends would hold it up.
#[derive(Clone, Debug)]
pub struct Stopping(pub watch::Receiver<bool>);

/// `GET /console/live/stream`: an event after each commit, at most one a second. The first comes at once, since a commit
/// may have been between the page and its stream.
pub(super) async fn stream(
    State(world): State<Arc<World>>,
    _: Operator,
    stopping: Option<Extension<Stopping>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let commits = world.store.commits();
    let changes = futures_util::stream::unfold(
        (world, commits, false),
        |(world, mut commits, later)| async move {
            if later {
                world.clock.sleep(PAUSE).await;
            }
            commits.changed().await.ok()?;
            let number = *commits.borrow_and_update();
            Some((Ok(Event::default().data(number.to_string())), (world, commits, true)))
        },
    );
    let stopped = async move {
        match stopping {
            Some(Extension(Stopping(mut stopping))) => {
                drop(stopping.wait_for(|stopping| *stopping).await);
            }
            None => std::future::pending().await,
        }
    };
    Sse::new(changes.take_until(stopped)).keep_alive(KeepAlive::default())
}

/// A second in microseconds: under load the page is to be read, not to flicker.
const PAUSE: i64 = 1_000_000;
/// How many of the newest lines are looked at: those of one step are among them.
const LOOKED_AT: i64 = 500;
const SHOWN: usize = 100;

const PAUSE_WORD: Say = say("暂停", "Pause");
const RESUME: Say = say("继续", "Go on");
const BY_STEP: Say = say("只看一步", "One step only");
const NOTHING: Say = say("还没有发生什么。", "Nothing has happened yet.");
