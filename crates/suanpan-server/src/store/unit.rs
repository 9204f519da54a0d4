//! A unit of work: what is done in one transaction, and done whole or not at all.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::sync::oneshot;

use super::{StoreError, Tx};
use crate::metrics::store::Moved;

/// A unit of work.
///
/// It takes `&self`, since an engine may have to run it again from the start.
/// For the same reason it says nothing to the outside: all it has is `tx`. To
/// wait for anything else is an error ([`StoreError::Pending`]), for one unit
/// would hold up all others.
///
/// Make units safe to repeat (unique keys, versions): when the machine fails
/// during a commit nobody knows whether it happened.
pub trait Unit: Send + Sync + 'static {
    /// What it answers once it is durable.
    type Out: Send + 'static;

    /// Does the work. An error rolls back all that this unit has written.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Out, StoreError>> + Send;
}

/// The boxed future of a closure that is a unit: `Box::pin(async move { … })`.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// An input and a closure that borrows it: the short form of a [`Unit`].
pub(super) struct With<I, F> {
    pub(super) input: I,
    pub(super) work: F,
}

impl<I, F, T> Unit for With<I, F>
where
    I: Send + Sync + 'static,
    F: for<'a> Fn(&'a mut Tx, &'a I) -> Work<'a, T> + Send + Sync + 'static,
    T: Send + 'static,
{
    type Out = T;

    async fn run(&self, tx: &mut Tx) -> Result<T, StoreError> {
        (self.work)(tx, &self.input).await
    }
}

/// A unit on its way through a queue, with whoever waits for it.
pub(super) trait Job: Send {
    /// Runs the unit and keeps what it says. `false`: roll back.
    fn run(&mut self, tx: &mut Tx) -> bool;

    /// Replaces what the unit said: its transaction came to nothing.
    fn fail(&mut self, error: StoreError);

    /// What it has moved: all that its unit noted, or nothing where it failed.
    fn moves(&mut self) -> Vec<Moved>;

    /// Tells whoever waits. He may have gone, which changes nothing.
    fn answer(self: Box<Self>);
}

impl fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// What waits for the answer of a [`Job`].
pub(super) type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

struct Envelope<U: Unit> {
    unit: U,
    said: Result<U::Out, StoreError>,
    moves: Vec<Moved>,
    reply: oneshot::Sender<Result<U::Out, StoreError>>,
}

/// Packs a unit for the queue.
pub(super) fn job<U: Unit>(unit: U) -> (Box<dyn Job>, Answer<U::Out>) {
    let (reply, answer) = oneshot::channel();
    // Until it has run it has said nothing.
    (Box::new(Envelope { unit, said: Err(StoreError::Closed), moves: Vec::new(), reply }), answer)
}

impl<U: Unit> Job for Envelope<U> {
    fn run(&mut self, tx: &mut Tx) -> bool {
        // What a panicking unit leaves half-done is in the transaction, and that is rolled back.
        let ended = catch_unwind(AssertUnwindSafe(|| poll_once(self.unit.run(tx))));
        self.said = match ended {
            Ok(Some(said)) => said,
            Ok(None) => Err(StoreError::Pending),
            Err(panic) => Err(StoreError::Panicked { message: message_of(panic.as_ref()) }),
        };
        self.moves = tx.moves();
        self.said.is_ok()
    }

    fn fail(&mut self, error: StoreError) {
        self.said = Err(error);
    }

    fn moves(&mut self) -> Vec<Moved> {
        if self.said.is_ok() { std::mem::take(&mut self.moves) } else { Vec::new() }
    }

    fn answer(self: Box<Self>) {
        drop(self.reply.send(self.said));
    }
}

/// The answer of a future that has nothing to wait for.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// What a panic said.
pub(super) fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
