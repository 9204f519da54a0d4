//! Bugs that are planted in the rules, one at a time: a search that cannot fail proves nothing.

use suanpan_ledger::Serve;

use crate::explore::explore;
use crate::moves::World;
use crate::state::{Bounds, Bug, Rules, State};

#[track_caller]
fn caught(rules: Rules, want: &str) {
    let bounds = Bounds { starts: [1, 1, 1, 1], faults: 1, crashes: 1, miracles: 1 };
    let broken = explore(&World::new(rules), State::start(bounds)).broken;
    let broken = broken.unwrap_or_else(|| panic!("{rules:?} was not caught"));
    assert_eq!(broken.what.split(':').next(), Some(want), "{broken:#?}");
    assert!(broken.way.len() < 16, "{broken:#?}");
}

#[test]
fn to_forget_the_close_before_the_next_attempt() {
    const fn forgetful(_: bool, young: bool) -> Serve {
        if young { Serve::SignAgain } else { Serve::Place }
    }
    // The other payer's number is placed with this payer's name: in the model, as at WeChat, the number stays his. What
    // breaks is one level up, so the whole decision is bent as well.
    let rules = Rules { serve: forgetful, bug: Bug::BeginWithoutLook };
    caught(rules, "8");
}

#[test]
fn to_take_a_doubt_for_a_failure() {
    caught(Rules::with(Bug::DoubtIsFailure), "8");
}

#[test]
fn to_store_the_attempt_after_the_call() {
    caught(Rules::with(Bug::StoreAfterCall), "8");
}

#[test]
fn to_acknowledge_before_it_is_stored() {
    caught(Rules::with(Bug::SpeakThenStore), "4");
}

#[test]
fn to_take_a_refused_close_for_a_close() {
    caught(Rules::with(Bug::RefusedCloseIsClosed), "8");
}

#[test]
fn to_take_a_close_of_nothing_for_a_close() {
    caught(Rules::with(Bug::NothingClosedIsClosed), "8");
}

#[test]
fn to_take_what_wechat_did_not_know_for_closed() {
    caught(Rules::with(Bug::AbsentIsClosed), "8");
}

#[test]
fn to_take_a_second_payment_for_a_repeat() {
    caught(Rules::with(Bug::ExtraIsAgain), "2");
}

#[test]
fn to_throw_away_what_comes_after_a_close() {
    caught(Rules::with(Bug::ClosedStaysClosed), "2");
}

#[test]
fn to_close_an_order_by_what_was_read_before() {
    caught(Rules::with(Bug::CloseWithoutLook), "8");
}

#[test]
fn to_begin_without_a_look_at_the_other_node() {
    caught(Rules::with(Bug::BeginWithoutLook), "8");
}
