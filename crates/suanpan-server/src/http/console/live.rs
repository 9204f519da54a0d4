//! Tells an open page that there may be something new.
//!
//! Only that: what is new, the page asks for itself, with its session. So there
//! is nothing to keep secret in here, and one way to make a page.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt};
use tokio::sync::watch;

use super::operator::Operator;
use crate::world::World;

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
