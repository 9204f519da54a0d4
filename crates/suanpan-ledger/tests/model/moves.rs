//! What can happen next: every step of a task, of WeChat, of the network and of the payers.

use suanpan_ledger::{
    AttemptEvent, AttemptState, Begin, News, OrderStatus, Serve, begin, close, end, settle,
};
use suanpan_wechat::TransactionId;

use crate::explore::Machine;
use crate::invariants;
use crate::state::{
    At, Attempt, Bug, Held, Job, NUMBERS, Notice, Payer, Rules, Standing, State, TASKS, Why,
};

/// A state that follows, and what led there.
pub(crate) type Next = (String, State);

/// The world with its rules.
pub(crate) struct World {
    pub(crate) rules: Rules,
    transactions: [TransactionId; NUMBERS],
}

impl Machine for World {
    type State = State;

    fn next(&self, state: &State) -> Vec<Next> {
        let mut nexts = Vec::new();
        for task in 0..TASKS.len() {
            self.step(state, task, &mut nexts);
        }
        self.outside(state, &mut nexts);
        nexts
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        invariants::broken(self, state)
    }

    /// A second payment.
    fn is_rare(&self, state: &State) -> bool {
        0 < state.told_overpaid
    }
}

impl World {
    pub(crate) fn new(rules: Rules) -> Self {
        let transaction = |number| TransactionId::parse(&format!("420000000{number}")).unwrap();
        Self { rules, transactions: std::array::from_fn(transaction) }
    }

    /// WeChat, the network, the payers, time, and death.
    fn outside(&self, state: &State, nexts: &mut Vec<Next>) {
        let mut can = |what: &str, number: usize, change: &dyn Fn(&mut State)| {
            let mut next = *state;
            change(&mut next);
            nexts.push((format!("{what} {number}"), next));
        };
        for number in 0..NUMBERS {
            if state.is_payable(number) {
                can("the payer pays", number, &|next| pay(next, number));
            }
            if state.sheets[number] && state.wechat[number] == Held::Closed && 0 < state.miracles {
                can("a payment under way gets through the close of", number, &|next| {
                    next.miracles -= 1;
                    pay(next, number);
                });
            }
            if state.late[number] {
                can("a late request places", number, &|next| {
                    next.late[number] = false;
                    if next.wechat[number] == Held::Absent {
                        next.wechat[number] = Held::Open;
                    }
                });
            }
            if state.notices[number] == Notice::Owed {
                // It stays owed until the acknowledgement arrives: so it comes twice, late, or out of order.
                can("a notification arrives, its answer is lost, of", number, &|next| {
                    self.settle(next, number);
                });
                can("a notification arrives and is acknowledged, of", number, &|next| {
                    if self.settle(next, number) || self.rules.bug == Bug::SpeakThenStore {
                        next.notices[number] = Notice::Acknowledged;
                    }
                });
                if self.rules.bug == Bug::SpeakThenStore && 0 < state.crashes {
                    can("a notification is acknowledged, and then we die, of", number, &|next| {
                        next.notices[number] = Notice::Acknowledged;
                        next.crashes -= 1;
                    });
                }
                can("WeChat gives up to tell of", number, &|next| {
                    next.notices[number] = Notice::Lost;
                });
            }
        }
        if !state.expired {
            can("time is over for order", 0, &|next| next.expired = true);
        }
        for node in [0, 1] {
            let runs = |(task, (_, its)): (&crate::state::Task, &(Job, u8))| {
                *its == node && task.at != At::Idle
            };
            if 0 < state.crashes && state.tasks.iter().zip(&TASKS).any(runs) {
                can("death of node", usize::from(node), &|next| {
                    next.crashes -= 1;
                    for (task, (_, its)) in next.tasks.iter_mut().zip(&TASKS) {
                        if *its == node {
                            task.at = At::Idle;
                        }
                    }
                });
            }
        }
    }

    /// One step of one task.
    fn step(&self, state: &State, task: usize, nexts: &mut Vec<Next>) {
        let (job, _) = TASKS[task];
        let mut go = |what: &str, number: usize, at: At, change: &dyn Fn(&mut State)| {
            let mut next = *state;
            next.tasks[task].at = at;
            change(&mut next);
            nexts.push((format!("{job:?}: {what} {number}"), next));
        };
        let same = |_: &mut State| {};
        let fault = |next: &mut State| next.faults -= 1;
        let faulty = 0 < state.faults;

        match state.tasks[task].at {
            At::Idle => {
                let began = |next: &mut State| next.tasks[task].starts -= 1;
                if state.tasks[task].starts == 0 {
                    return;
                }
                match job {
                    Job::Pay(_) if state.expired => {}
                    Job::Pay(_) => go("starts", 0, At::Begin, &began),
                    Job::CloseOrder => match state.live() {
                        _ if matches!(state.order, OrderStatus::Paid | OrderStatus::Closed) => {}
                        Some(live) => go("starts", live, At::Close(live, Why::CloseOrder), &began),
                        None => go("starts", 0, At::Finish, &began),
                    },
                    Job::Watch => {
                        for number in known(state) {
                            go("asks for", number, At::Query(number, Why::Watch), &began);
                        }
                    }
                }
            }
            At::Begin => {
                let Job::Pay(payer) = job else { return };
                self.begin(state, payer, &mut go);
            }
            At::Place(number) => {
                let placed = |next: &mut State| match next.wechat[number] {
                    Held::Absent => next.wechat[number] = Held::Open,
                    Held::Open | Held::Closed | Held::Paid => {}
                };
                let answer = match shown(state, number) {
                    Standing::Absent | Standing::Open => At::Placed(number),
                    Standing::Closed | Standing::Paid => At::Query(number, Why::NotPlaced),
                };
                go("places", number, answer, &placed);
                if faulty {
                    let doubt = if self.rules.bug == Bug::DoubtIsFailure {
                        At::Refused(number)
                    } else {
                        At::Idle
                    };
                    go("places, and the answer is lost,", number, doubt, &|next| {
                        placed(next);
                        fault(next);
                    });
                    go("cannot reach WeChat to place", number, doubt, &fault);
                    go("gives up on a slow request for", number, doubt, &|next| {
                        next.late[number] = true;
                        fault(next);
                    });
                    if state.wechat[number] == Held::Absent {
                        go("is refused for good", number, At::Refused(number), &fault);
                    }
                }
            }
            At::Placed(number) => {
                let at = match state.attempts[number] {
                    None => At::Idle,
                    Some(held) if held.state.is_live() => At::Idle,
                    Some(held) if held.state == AttemptState::Paid => At::Idle,
                    Some(_) => At::Begin,
                };
                go("stores the prepay_id of", number, at, &|next| {
                    if let (Bug::StoreAfterCall, Job::Pay(payer)) = (self.rules.bug, job) {
                        next.attempts[number].get_or_insert_with(|| Attempt::new(payer));
                        next.order = OrderStatus::Paying;
                    }
                    let Some(held) = &mut next.attempts[number] else { return };
                    if held.state.is_live() {
                        (held.state, held.prepay) = (AttemptState::Prepaid, true);
                        next.sheets[number] = true;
                    }
                });
            }
            At::Refused(number) => go("stores the refusal of", number, At::Idle, &|next| {
                finish_attempt(next, number, AttemptEvent::Refused);
            }),
            At::Close(number, why) => {
                let closed = |next: &mut State| {
                    if next.wechat[number] == Held::Open {
                        next.wechat[number] = Held::Closed;
                    }
                };
                let answer = match shown(state, number) {
                    Standing::Open => At::Closed(number, why),
                    _ if self.rules.bug == Bug::RefusedCloseIsClosed => At::Closed(number, why),
                    // APIv3 says yes also to a number that it does not know.
                    Standing::Absent if self.rules.bug == Bug::NothingClosedIsClosed => {
                        At::Closed(number, why)
                    }
                    Standing::Closed | Standing::Paid | Standing::Absent => At::Query(number, why),
                };
                go("closes", number, answer, &closed);
                if faulty {
                    let doubt = if self.rules.bug == Bug::DoubtIsFailure {
                        At::Closed(number, why)
                    } else {
                        At::Idle
                    };
                    go("closes, and the answer is lost,", number, doubt, &|next| {
                        closed(next);
                        fault(next);
                    });
                    go("cannot reach WeChat to close", number, doubt, &fault);
                    // WeChat will not close it yet; it says how it stands.
                    go("may not close yet", number, At::Query(number, why), &fault);
                }
            }
            At::Closed(number, why) => go("stores the close of", number, after(why), &|next| {
                finish_attempt(next, number, AttemptEvent::Closed);
            }),
            At::Query(number, why) => {
                let told = shown(state, number);
                go("asks for", number, At::Told(number, told, why), &same);
                if faulty {
                    go("asks in vain for", number, At::Idle, &fault);
                }
            }
            At::Told(number, Standing::Paid, _) => go("settles", number, At::Idle, &|next| {
                self.settle(next, number);
            }),
            At::Told(number, Standing::Closed, why) => {
                go("stores the end of", number, after(why), &|next| {
                    finish_attempt(next, number, AttemptEvent::Closed);
                });
            }
            At::Told(number, Standing::Absent, why) => match why {
                Why::Next | Why::CloseOrder => {
                    // Not a close: meanwhile another node may have placed it, and somebody holds its sheet.
                    let never_had = match self.rules.bug {
                        Bug::AbsentIsClosed => AttemptEvent::Closed,
                        _ => AttemptEvent::Refused,
                    };
                    go("stores that WeChat never had", number, after(why), &|next| {
                        finish_attempt(next, number, never_had);
                    });
                }
                // Also what it does not know: the order may be on its way to it.
                Why::NotPlaced | Why::Watch => go("waits for", number, At::Idle, &same),
            },
            At::Told(number, Standing::Open, _) => go("waits for", number, At::Idle, &same),
            At::Finish => go("closes the order", 0, At::Idle, &|next| {
                let live = next.live().is_some() && self.rules.bug != Bug::CloseWithoutLook;
                if let Some(status) = close(next.order, live) {
                    next.order = status;
                    next.told_closed += 1;
                }
            }),
        }
    }

    /// The transaction that joins a live attempt or begins a new one.
    fn begin(
        &self,
        state: &State,
        payer: Payer,
        go: &mut impl FnMut(&str, usize, At, &dyn Fn(&mut State)),
    ) {
        let same = |_: &mut State| {};
        let blind = self.rules.bug == Bug::BeginWithoutLook;
        let live = state.live().filter(|_| !blind);
        match (begin(state.order, live.is_some()), live) {
            (Begin::AlreadyPaid | Begin::Closed, _) | (Begin::Join, None) => {
                go("comes too late", 0, At::Idle, &same);
            }
            (Begin::Join, Some(number)) => {
                let Some(held) = state.attempts[number] else { return };
                let theirs = held.payer == payer;
                let mut serves = |young: bool| match (self.rules.serve)(theirs, young) {
                    Serve::CloseFirst => {
                        go("joins", number, At::Close(number, Why::Next), &same);
                    }
                    Serve::SignAgain if held.prepay => {
                        go("signs again", number, At::Idle, &|next| next.sheets[number] = true);
                    }
                    Serve::SignAgain | Serve::Place => {
                        go("joins", number, At::Place(number), &same)
                    }
                };
                serves(held.prepay);
                if held.prepay && theirs {
                    // The prepay_id may have grown old.
                    serves(false);
                }
            }
            (Begin::New(moves), _) => {
                let Some(number) = state.attempts.iter().position(Option::is_none) else {
                    // More numbers than the model has: nothing new would be seen.
                    go("gets no number", 0, At::Idle, &same);
                    return;
                };
                if self.rules.bug == Bug::StoreAfterCall {
                    let number = if payer == Payer::Alice { 0 } else { 1 };
                    go("begins", number, At::Place(number), &same);
                    return;
                }
                go("begins", number, At::Place(number), &|next| {
                    next.attempts[number] = Some(Attempt::new(payer));
                    if let Some(status) = moves {
                        next.order = status;
                    }
                });
            }
        }
    }

    /// The transaction of a payment that was told. `false`: nobody knows the number.
    pub(crate) fn settle(&self, state: &mut State, number: usize) -> bool {
        let Some(attempt) = state.attempts[number] else { return false };
        let heard = &self.transactions[number];
        let held = state.held.map(|held| &self.transactions[held]);
        let moves = settle(state.order, held, attempt.state, attempt.paid.then_some(heard), heard);
        match self.rules.bug {
            Bug::ExtraIsAgain if moves.news == News::Overpaid => return true,
            Bug::ClosedStaysClosed if state.order == OrderStatus::Closed => return true,
            _ => {}
        }
        if let (Some(moved), Some(attempt)) = (moves.attempt, &mut state.attempts[number]) {
            (attempt.state, attempt.paid) = (moved, true);
        }
        if let Some(status) = moves.order {
            (state.order, state.held) = (status, Some(number));
        }
        match moves.news {
            News::Known => {}
            News::Overpaid => state.told_overpaid += 1,
            // Whatever its name is by then: it is news, once.
            _ => state.told_paid += 1,
        }
        true
    }
}

/// The transaction of an end without money.
fn finish_attempt(state: &mut State, number: usize, event: AttemptEvent) {
    let Some(attempt) = &mut state.attempts[number] else { return };
    if let Some(ended) = end(state.order, attempt.state, event) {
        attempt.state = ended.attempt;
        if let Some(status) = ended.order {
            state.order = status;
        }
    }
}

/// What comes when an attempt is closed.
const fn after(why: Why) -> At {
    match why {
        Why::Next | Why::NotPlaced => At::Begin,
        Why::CloseOrder => At::Finish,
        Why::Watch => At::Idle,
    }
}

/// How WeChat says that a number stands; one whose time is over is closed.
pub(crate) const fn shown(state: &State, number: usize) -> Standing {
    match state.wechat[number] {
        Held::Absent => Standing::Absent,
        Held::Open if state.expired => Standing::Closed,
        Held::Open => Standing::Open,
        Held::Closed => Standing::Closed,
        Held::Paid => Standing::Paid,
    }
}

/// Attempts whose payment may have escaped us.
pub(crate) fn known(state: &State) -> impl Iterator<Item = usize> {
    let attempts = state.attempts;
    (0..NUMBERS).filter(move |number| {
        attempts[*number].is_some_and(|held| held.state != AttemptState::Paid)
    })
}

fn pay(state: &mut State, number: usize) {
    state.wechat[number] = Held::Paid;
    state.notices[number] = Notice::Owed;
}
