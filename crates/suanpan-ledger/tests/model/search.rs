//! The real rules, in all that can happen.

use crate::explore::{Seen, explore};
use crate::moves::World;
use crate::state::{Bounds, Rules, State};

#[expect(clippy::print_stderr, reason = "how much was searched is the point of the search")]
fn search(name: &str, bounds: Bounds) -> Seen {
    let seen = explore(&World::new(Rules::REAL), State::start(bounds));
    eprintln!("{name}: {} states, {} moves, {bounds:?}", seen.states, seen.moves);
    if let Some(broken) = &seen.broken {
        panic!("{name} breaks {}:\n{}", broken.what, broken.way.join("\n"));
    }
    seen
}

#[test]
fn two_payers_and_a_close_with_a_fault_and_a_crash() {
    let bounds = Bounds { starts: [1, 1, 1, 0], faults: 1, crashes: 1, miracles: 0 };
    let seen = search("alice, bob, a close", bounds);
    assert!(10_000 < seen.states, "{seen:?}");
    assert_eq!(seen.rare, 0, "WeChat keeps its word, so nobody can pay twice");
}

#[test]
fn two_payers_a_close_and_a_watch() {
    let bounds = Bounds { starts: [1, 1, 1, 1], faults: 0, crashes: 0, miracles: 0 };
    let seen = search("alice, bob, a close, a watch", bounds);
    assert_eq!(seen.rare, 0);
}

#[test]
fn a_payer_who_comes_back_after_doubts() {
    let bounds = Bounds { starts: [3, 0, 1, 1], faults: 2, crashes: 1, miracles: 0 };
    let seen = search("alice comes back, a close, a watch", bounds);
    assert_eq!(seen.rare, 0);
}

#[test]
fn payers_who_take_the_order_from_each_other() {
    let bounds = Bounds { starts: [2, 2, 0, 0], faults: 1, crashes: 1, miracles: 0 };
    let seen = search("alice and bob in turn", bounds);
    assert_eq!(seen.rare, 0);
}

#[test]
fn payments_that_get_through_a_close() {
    let bounds = Bounds { starts: [1, 1, 0, 1], faults: 0, crashes: 0, miracles: 2 };
    let seen = search("late successes", bounds);
    assert!(0 < seen.rare, "the second payment was tried: {seen:?}");
    let bounds = Bounds { starts: [1, 0, 2, 1], faults: 1, crashes: 1, miracles: 1 };
    search("a late success after the close of the order", bounds);
}
