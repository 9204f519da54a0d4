//! What must hold in every state that can be reached. The numbers are those of ARCHITECTURE.md.

use suanpan_ledger::{AttemptEvent, AttemptState, OrderStatus, end};

use crate::moves::{World, known, shown};
use crate::state::{Held, NUMBERS, Notice, Standing, State};

/// The first invariant that does not hold.
pub(crate) fn broken(world: &World, state: &State) -> Option<&'static str> {
    let numbers = || (0..NUMBERS).map(|number| (number, state.attempts[number]));
    let paid = |number: usize| state.wechat[number] == Held::Paid;
    let count = |wanted: &dyn Fn(usize) -> bool| (0..NUMBERS).filter(|n| wanted(*n)).count();
    let ours = |n: usize| state.attempts[n].is_some_and(|held| held.paid);
    let is_paid = state.order == OrderStatus::Paid;

    let holds = [
        (
            "1: an order is paid only if WeChat has the money",
            is_paid == state.held.is_some()
                && state.held.is_none_or(paid)
                && numbers().all(|(number, held)| {
                    held.is_none_or(|held| {
                        held.paid == (held.state == AttemptState::Paid)
                            && (!held.paid || paid(number))
                    })
                }),
        ),
        (
            "2: whatever WeChat holds is paid here once somebody asks",
            (0..NUMBERS).filter(|n| paid(*n)).all(|n| state.attempts[n].is_some())
                && is_made_up_for(world, *state),
        ),
        (
            "3: state and event are stored together",
            state.told_paid == u8::from(is_paid)
                && usize::from(state.told_paid + state.told_overpaid) == count(&ours)
                && state.told_closed <= 1
                && (state.order != OrderStatus::Closed || state.told_closed == 1),
        ),
        (
            "4: what is acknowledged is stored",
            (0..NUMBERS).all(|n| state.notices[n] != Notice::Acknowledged || ours(n)),
        ),
        (
            "5: a second success and one after a close are kept",
            (0..NUMBERS).all(|n| !ours(n) || (is_paid && state.held.is_some())),
        ),
        (
            "8: at most one attempt is live, and it alone holds the order in `paying`",
            count(&|n| state.attempts[n].is_some_and(|held| held.state.is_live())) <= 1
                && match state.order {
                    OrderStatus::Paying => state.live().is_some(),
                    OrderStatus::Unpaid | OrderStatus::Closed => state.live().is_none(),
                    OrderStatus::Paid => true,
                },
        ),
        ("8: at most one sheet can take the money", count(&|number| state.is_payable(number)) <= 1),
        (
            "8: what we call closed or failed takes no money",
            numbers().all(|(number, held)| {
                held.is_none_or(|held| held.state.is_live() || !state.is_payable(number))
            }),
        ),
    ];
    holds.into_iter().find(|(_, holds)| !holds).map(|(what, _)| what)
}

/// Everybody is dead, no notification comes any more, and then a new process asks about what may have been paid. All
/// money that WeChat holds is then in our book, each payment once.
fn is_made_up_for(world: &World, mut state: State) -> bool {
    for number in known(&state).collect::<Vec<_>>() {
        match shown(&state, number) {
            Standing::Paid => drop(world.settle(&mut state, number)),
            Standing::Closed => {
                let Some(attempt) = state.attempts[number] else { continue };
                if let Some(ended) = end(state.order, attempt.state, AttemptEvent::Closed) {
                    state.order = ended.order.unwrap_or(state.order);
                }
            }
            Standing::Open | Standing::Absent => {}
        }
    }
    let paid = (0..NUMBERS).filter(|number| state.wechat[*number] == Held::Paid).count();
    let told = usize::from(state.told_paid + state.told_overpaid);
    told == paid && (paid == 0 || state.order == OrderStatus::Paid)
}
