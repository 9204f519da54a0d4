//! The backend is killed under load, again and again: in the end every book says the same.
//!
//! Real processes, real sockets and a real clock. SIGKILL takes the backend where it stands, at moments that are counted
//! and not timed; it starts at once on the same database and port. Callers do as the documentation tells them: what got
//! no answer is sent once more, in the same words and under the same `Idempotency-Key`.
//!
//! One thing is not waited for: the minute after which somebody else does what a dead process had begun (`pass_on`).

mod backend;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::timeout;

use self::backend::{Backend, Moment};
use crate::street::{PATIENCE, Street, Told, Wechat};

/// When it dies: at the n-th time that this happens. `Asked`: while the request is under way; `Heard`: before the
/// webhook is answered.
const KILLS: [(Moment, usize); 7] = [
    (Moment::Answered("create"), 4),
    (Moment::Asked("pay"), 6),
    (Moment::Heard, 5),
    (Moment::Asked("refund"), 3),
    (Moment::Asked("create"), 20),
    (Moment::Heard, 20),
    (Moment::Answered("refund"), 7),
];
const ORDERS: usize = 30;
/// How many customers there are at a time.
const CUSTOMERS: usize = 8;

#[tokio::test]
async fn what_was_killed_at_any_moment_loses_no_payment_and_makes_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let wechat = Wechat::open(folder.path());
    let backend = Backend::start(&wechat.config, &KILLS).await;
    let street = Street::open(wechat, backend).await;

    let customers = (0..ORDERS).map(|number| street.customer(number));
    let load = stream::iter(customers).buffer_unordered(CUSTOMERS).collect::<Vec<_>>();
    let told: Vec<Told> = timeout(PATIENCE, load).await.unwrap_or_else(|_| street.stuck("load"));
    assert_eq!(street.service.kills(), KILLS.len(), "each moment came");

    let books = street.settle(&told).await;
    // Two of the kills come before a webhook was answered.
    assert!(books.repeats_a_delivery());
    street.service.stop().await;
    street.wechat.close();
}
