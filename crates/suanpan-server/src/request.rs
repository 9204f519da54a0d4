//! Which request is being served: its id is kept with what it begins, and in each line of the log.
//!
//! The attempt that a payer's request places keeps the id, its journal shows it,
//! and every webhook about the order carries it (`X-Request-Id`): so one id leads
//! from the phone's call to the merchant's own log.

use tracing::Instrument as _;

tokio::task_local! {
    static SERVED: String;
}

/// The id of the request that this task serves; `None`: it serves none, time started it.
pub(crate) fn id() -> Option<String> {
    SERVED.try_with(Clone::clone).ok()
}

/// Does the work as part of this request.
pub(crate) async fn serve<T>(id: Option<String>, work: impl Future<Output = T>) -> T {
    match id {
        Some(id) => SERVED.scope(id, work).await,
        None => work.await,
    }
}

/// The work, made ready for a task of its own: it is still part of the request, and of its span.
pub(crate) fn carry<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    serve(id(), work).in_current_span()
}
