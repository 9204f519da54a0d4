//! One payment and its refunds: two nodes that begin, ask for and ask about them, in every interleaving.
//!
//! WeChat guards the sum as well; this one does not, so that it is ours alone that is checked.

use suanpan_ledger::{Outcome, RefundEvent, RefundState, refund as summed};
use suanpan_wechat::Fen;

use crate::explore::{Machine, Seen, explore};

/// What was paid, and what each refund asks for.
const PAID: i64 = 2;
const AMOUNTS: [i64; REFUNDS] = [1, 1, 2];
const REFUNDS: usize = 3;
/// Somebody begins each refund, on the first and the second node in turn; each node has a worker.
const TASKS: [Job; 5] =
    [Job::Begin(0), Job::Begin(1), Job::Begin(2), Job::Work { node: 0 }, Job::Work { node: 1 }];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Job {
    Begin(usize),
    Work { node: usize },
}

impl Job {
    const fn node(self) -> usize {
        match self {
            Self::Begin(refund) => refund % 2,
            Self::Work { node } => node,
        }
    }
}

/// A number in WeChat's book.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Held {
    Absent,
    Is(RefundState),
}

/// Where a task stands: between two of its steps, where its process may die.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum At {
    Idle,
    /// The sum was looked at, and there is room. (Only with the bug that looks before the transaction.)
    Room(usize),
    Submit(usize),
    /// WeChat refused it for good: it is asked how the number stands.
    Refused(usize),
    /// WeChat refused it for good and does not know it; this is stored next.
    Close(usize),
    Ask(usize),
    /// What WeChat said; this is stored next.
    Told(usize, RefundState),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Task {
    at: At,
    starts: u8,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct State {
    ours: [Option<RefundState>; REFUNDS],
    accepted: [bool; REFUNDS],
    /// What the order says went back.
    counted: i64,
    /// Events that were put into the outbox.
    told_succeeded: [u8; REFUNDS],
    told_closed: [u8; REFUNDS],

    wechat: [Held; REFUNDS],
    /// WeChat will not take these parameters, whenever they come.
    refuses: [bool; REFUNDS],
    /// A request is on its way, and nobody waits for its answer.
    late: [bool; REFUNDS],
    /// WeChat said once that the bank would not take it, and may say so again, out of order.
    was_abnormal: [bool; REFUNDS],

    tasks: [Task; TASKS.len()],
    faults: u8,
    crashes: u8,
    /// How often WeChat names another account for money that the bank would not take.
    accounts: u8,
}

/// A mistake that somebody could make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bug {
    None,
    /// The sum is looked at before the transaction that stores the refund.
    RoomBefore,
    /// What the bank would not take counts as not given back.
    AbnormalIsFree,
    /// A call whose answer is lost counts as refused.
    DoubtIsFailure,
    /// "The balance is short" counts as a refusal for good.
    LaterIsNever,
    /// A notice that is late moves back what is over.
    LateNoticeWins,
    /// The same success is counted each time that it is heard.
    CountedTwice,
}

struct Payment {
    bug: Bug,
}

impl Machine for Payment {
    type State = State;

    fn next(&self, state: &State) -> Vec<(String, State)> {
        let mut nexts = Vec::new();
        for task in 0..TASKS.len() {
            self.step(state, task, &mut nexts);
        }
        self.outside(state, &mut nexts);
        nexts
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        broken(self, state)
    }

    /// Two refunds are through.
    fn is_rare(&self, state: &State) -> bool {
        1 < count(|one| state.wechat[one] == Held::Is(RefundState::Succeeded))
    }
}

impl Payment {
    /// WeChat, the bank, the network, and death.
    fn outside(&self, state: &State, nexts: &mut Vec<(String, State)>) {
        let mut can = |what: &str, one: usize, change: &dyn Fn(&mut State)| {
            let mut next = *state;
            change(&mut next);
            nexts.push((format!("{what} {one}"), next));
        };
        for one in 0..REFUNDS {
            match state.wechat[one] {
                Held::Is(RefundState::Processing) => {
                    for end in [RefundState::Succeeded, RefundState::Closed, RefundState::Abnormal]
                    {
                        can(&format!("it ends {end} with"), one, &|next| {
                            next.wechat[one] = Held::Is(end);
                            next.was_abnormal[one] |= end == RefundState::Abnormal;
                        });
                    }
                }
                Held::Is(RefundState::Abnormal) if 0 < state.accounts => {
                    can("another account is named for", one, &|next| {
                        next.accounts -= 1;
                        next.wechat[one] = Held::Is(RefundState::Processing);
                    });
                }
                Held::Absent if !state.refuses[one] && 0 < state.faults => {
                    can("WeChat will not take", one, &|next| {
                        next.faults -= 1;
                        next.refuses[one] = true;
                    });
                }
                Held::Absent | Held::Is(_) => {}
            }
            if state.late[one] {
                can("a late request asks for", one, &|next| {
                    next.late[one] = false;
                    take(next, one);
                });
            }
            // A notice comes once, again, or much later, and says how it stands or how it stood.
            if let Held::Is(standing) = state.wechat[one]
                && standing != RefundState::Processing
            {
                can("a notice tells of", one, &|next| self.hear(next, one, standing));
            }
            if state.was_abnormal[one] {
                can("an old notice tells of", one, &|next| {
                    self.hear(next, one, RefundState::Abnormal);
                });
            }
        }
        for node in [0, 1] {
            let runs = |(task, job): (&Task, &Job)| job.node() == node && task.at != At::Idle;
            if 0 < state.crashes && state.tasks.iter().zip(&TASKS).any(runs) {
                can("death of node", node, &|next| {
                    next.crashes -= 1;
                    for (task, job) in next.tasks.iter_mut().zip(&TASKS) {
                        if job.node() == node {
                            task.at = At::Idle;
                        }
                    }
                });
            }
        }
    }

    fn step(&self, state: &State, task: usize, nexts: &mut Vec<(String, State)>) {
        let job = TASKS[task];
        let mut go = |what: &str, one: usize, at: At, change: &dyn Fn(&mut State)| {
            let mut next = *state;
            next.tasks[task].at = at;
            change(&mut next);
            nexts.push((format!("{job:?}: {what} {one}"), next));
        };
        let same = |_: &mut State| {};
        let fault = |next: &mut State| next.faults -= 1;
        let faulty = 0 < state.faults;
        // What somebody who takes a doubt for a no would store next.
        let doubt = |one| if self.bug == Bug::DoubtIsFailure { At::Close(one) } else { At::Idle };

        match state.tasks[task].at {
            At::Idle if state.tasks[task].starts == 0 => {}
            At::Idle => {
                let began = |next: &mut State| next.tasks[task].starts -= 1;
                match job {
                    Job::Begin(one) if self.bug == Bug::RoomBefore => {
                        let at = if self.has_room(state, one) { At::Room(one) } else { At::Idle };
                        go("looks whether there is room for", one, at, &began);
                    }
                    Job::Begin(one) if self.has_room(state, one) => {
                        go("stores", one, At::Submit(one), &|next| {
                            began(next);
                            next.ours[one] = Some(RefundState::Processing);
                        });
                    }
                    Job::Begin(one) => go("has no room for", one, At::Idle, &began),
                    Job::Work { .. } => {
                        for one in 0..REFUNDS {
                            if state.ours[one].is_some_and(|ours| !ours.is_final()) {
                                go("asks about", one, At::Ask(one), &began);
                            }
                        }
                    }
                }
            }
            At::Room(one) => go("stores", one, At::Submit(one), &|next| {
                next.ours[one] = Some(RefundState::Processing);
            }),
            At::Submit(one) => {
                let mut taken = *state;
                take(&mut taken, one);
                let answer = match taken.wechat[one] {
                    Held::Is(standing) => At::Told(one, standing),
                    Held::Absent => At::Refused(one),
                };
                go("asks for", one, answer, &|next| take(next, one));
                if faulty {
                    go("asks for, and the answer is lost,", one, doubt(one), &|next| {
                        take(next, one);
                        fault(next);
                    });
                    go("cannot reach WeChat to ask for", one, doubt(one), &fault);
                    go("gives up on a slow request for", one, doubt(one), &|next| {
                        next.late[one] = true;
                        fault(next);
                    });
                    let later =
                        if self.bug == Bug::LaterIsNever { At::Close(one) } else { At::Idle };
                    go("is told that the balance is short for", one, later, &fault);
                }
            }
            At::Refused(one) => {
                let answer = match state.wechat[one] {
                    Held::Is(standing) => At::Told(one, standing),
                    Held::Absent => At::Close(one),
                };
                go("was refused, and asks about", one, answer, &same);
                if faulty {
                    go("was refused, and asks in vain about", one, At::Idle, &fault);
                }
            }
            At::Close(one) => go("closes", one, At::Idle, &|next| {
                self.apply(next, one, RefundEvent::Closed);
            }),
            At::Ask(one) => {
                let answer = match state.wechat[one] {
                    Held::Is(standing) => At::Told(one, standing),
                    Held::Absent if state.accepted[one] => At::Idle,
                    Held::Absent => At::Submit(one),
                };
                go("is told of", one, answer, &same);
                if faulty {
                    go("asks in vain about", one, At::Idle, &fault);
                }
            }
            At::Told(one, standing) => go("stores what it was told of", one, At::Idle, &|next| {
                self.hear(next, one, standing);
            }),
        }
    }

    /// The guard of the sum, as the transaction that stores a refund asks it.
    fn has_room(&self, state: &State, one: usize) -> bool {
        let holds = |ours: RefundState| match self.bug {
            Bug::AbnormalIsFree => ours.holds_money() && ours != RefundState::Abnormal,
            _ => ours.holds_money(),
        };
        let earlier = (0..REFUNDS).filter(|other| state.ours[*other].is_some_and(holds));
        let held = earlier.map(|other| AMOUNTS[other]).sum();
        state.ours[one].is_none() && summed(fen(PAID), fen(held), fen(AMOUNTS[one])).is_ok()
    }

    /// The transaction that stores what WeChat says.
    fn hear(&self, state: &mut State, one: usize, standing: RefundState) {
        let event = match standing {
            RefundState::Processing => RefundEvent::Accepted,
            RefundState::Succeeded => RefundEvent::Succeeded,
            RefundState::Closed => RefundEvent::Closed,
            RefundState::Abnormal => RefundEvent::Abnormal,
        };
        if state.ours[one].is_none() {
            // Nobody here knows the number: a person looks.
            return;
        }
        if self.bug == Bug::LateNoticeWins && standing == RefundState::Abnormal {
            state.ours[one] = Some(standing);
        }
        state.accepted[one] = true;
        self.apply(state, one, event);
    }

    fn apply(&self, state: &mut State, one: usize, event: RefundEvent) {
        let Some(ours) = state.ours[one] else { return };
        let Ok(Outcome::Moved(to)) = ours.apply(event) else {
            if self.bug == Bug::CountedTwice && event == RefundEvent::Succeeded {
                state.counted = (state.counted + AMOUNTS[one]).min(2 * PAID);
            }
            return;
        };
        state.ours[one] = Some(to);
        match to {
            RefundState::Succeeded => {
                state.counted += AMOUNTS[one];
                state.told_succeeded[one] += 1;
            }
            RefundState::Closed => state.told_closed[one] += 1,
            RefundState::Processing | RefundState::Abnormal => {}
        }
    }
}

/// WeChat takes a number once, and the same again is the same.
fn take(state: &mut State, one: usize) {
    if state.wechat[one] == Held::Absent && !state.refuses[one] {
        state.wechat[one] = Held::Is(RefundState::Processing);
    }
}

fn broken(payment: &Payment, state: &State) -> Option<&'static str> {
    let sum = |wanted: &dyn Fn(usize) -> bool| {
        (0..REFUNDS).filter(|one| wanted(*one)).map(|one| AMOUNTS[one]).sum::<i64>()
    };
    let at_wechat = |one: usize| match state.wechat[one] {
        Held::Is(standing) => standing.holds_money(),
        Held::Absent => state.late[one] && !state.refuses[one],
    };
    let succeeded = |one: usize| state.ours[one] == Some(RefundState::Succeeded);
    let holds = [
        ("6: no more goes back than came, and no more is on its way", sum(&at_wechat) <= PAID),
        (
            "6: what we call closed gives no money back",
            (0..REFUNDS).all(|one| state.ours[one] != Some(RefundState::Closed) || !at_wechat(one)),
        ),
        (
            "1: it went back only if WeChat says so",
            (0..REFUNDS).all(|one| {
                !succeeded(one) || state.wechat[one] == Held::Is(RefundState::Succeeded)
            }),
        ),
        ("3: what is counted is what went back", state.counted == sum(&succeeded)),
        (
            "7: an end is told once",
            (0..REFUNDS).all(|one| {
                state.told_succeeded[one] == u8::from(succeeded(one)) && state.told_closed[one] <= 1
            }),
        ),
        ("9: whoever dies, the next one finds out", is_found_out(payment, *state)),
    ];
    holds.into_iter().find(|(_, holds)| !holds).map(|(what, _)| what)
}

/// Everybody is dead, and a new process asks about whatever is not at its end: then both books say the same.
fn is_found_out(payment: &Payment, mut state: State) -> bool {
    for one in 0..REFUNDS {
        if let (Some(ours), Held::Is(standing)) = (state.ours[one], state.wechat[one])
            && !ours.is_final()
        {
            payment.hear(&mut state, one, standing);
        }
    }
    (0..REFUNDS).all(|one| match state.wechat[one] {
        Held::Is(standing) => state.ours[one] == Some(standing),
        Held::Absent => true,
    })
}

fn count(wanted: impl Fn(usize) -> bool) -> usize {
    (0..REFUNDS).filter(|one| wanted(*one)).count()
}

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

/// What may happen how often.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    starts: [u8; TASKS.len()],
    faults: u8,
    crashes: u8,
    accounts: u8,
}

fn start(bounds: Bounds) -> State {
    State {
        ours: [None; REFUNDS],
        accepted: [false; REFUNDS],
        counted: 0,
        told_succeeded: [0; REFUNDS],
        told_closed: [0; REFUNDS],
        wechat: [Held::Absent; REFUNDS],
        refuses: [false; REFUNDS],
        late: [false; REFUNDS],
        was_abnormal: [false; REFUNDS],
        tasks: bounds.starts.map(|starts| Task { at: At::Idle, starts }),
        faults: bounds.faults,
        crashes: bounds.crashes,
        accounts: bounds.accounts,
    }
}

#[expect(clippy::print_stderr, reason = "how much was searched is the point of the search")]
fn search(name: &str, bounds: Bounds) -> Seen {
    let seen = explore(&Payment { bug: Bug::None }, start(bounds));
    eprintln!("{name}: {} states, {} moves, {bounds:?}", seen.states, seen.moves);
    if let Some(broken) = &seen.broken {
        panic!("{name} breaks {}:\n{}", broken.what, broken.way.join("\n"));
    }
    seen
}

#[test]
fn three_refunds_of_more_than_was_paid() {
    let bounds = Bounds { starts: [1, 1, 1, 1, 0], faults: 1, crashes: 0, accounts: 0 };
    let seen = search("three refunds", bounds);
    assert!(10_000 < seen.states && 0 < seen.rare, "{seen:?}");
}

#[test]
fn a_refund_that_two_workers_ask_for_through_doubts_and_a_crash() {
    let bounds = Bounds { starts: [1, 0, 0, 2, 2], faults: 2, crashes: 1, accounts: 1 };
    search("one refund, two workers", bounds);
    let bounds = Bounds { starts: [1, 0, 1, 1, 1], faults: 1, crashes: 1, accounts: 1 };
    search("a part and the whole, two workers", bounds);
}

#[track_caller]
fn caught(bug: Bug, want: &str) {
    let bounds = Bounds { starts: [1; TASKS.len()], faults: 1, crashes: 0, accounts: 1 };
    let broken = explore(&Payment { bug }, start(bounds)).broken;
    let broken = broken.unwrap_or_else(|| panic!("{bug:?} was not caught"));
    assert_eq!(broken.what.split(':').next(), Some(want), "{broken:#?}");
}

#[test]
fn planted_bugs_are_caught() {
    caught(Bug::RoomBefore, "6");
    caught(Bug::AbnormalIsFree, "6");
    caught(Bug::DoubtIsFailure, "6");
    caught(Bug::LaterIsNever, "6");
    caught(Bug::LateNoticeWins, "3");
    caught(Bug::CountedTwice, "3");
}
