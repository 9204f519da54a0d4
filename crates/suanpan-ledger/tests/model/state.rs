//! A state of the world: our book, WeChat's, what the payers hold, and where each task stands.

use suanpan_ledger::{AttemptState, OrderStatus, Serve, serve};

/// How many numbers one order can use up in the model.
pub(crate) const NUMBERS: usize = 3;

/// Who may pay.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Payer {
    Alice,
    Bob,
}

/// An attempt in our book. Its number is its place, and so is the payment that WeChat may have for it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) payer: Payer,
    pub(crate) state: AttemptState,
    /// Whether a `prepay_id` is stored.
    pub(crate) prepay: bool,
    /// Whether WeChat's payment is stored.
    pub(crate) paid: bool,
}

impl Attempt {
    /// As it is stored before WeChat hears of it.
    pub(crate) const fn new(payer: Payer) -> Self {
        Self { payer, state: AttemptState::Created, prepay: false, paid: false }
    }
}

/// A number in WeChat's book.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Held {
    Absent,
    Open,
    Closed,
    Paid,
}

/// What WeChat owes us to tell.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Notice {
    /// Nothing was paid.
    None,
    /// It will come: once, again, or much later.
    Owed,
    /// WeChat has our word for it and is silent.
    Acknowledged,
    /// WeChat gave up.
    Lost,
}

/// What a query said.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Standing {
    Paid,
    Open,
    Closed,
    Absent,
}

/// Why a task asks or closes, and so what it does next.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Why {
    /// Another payer waits for the number to be closed.
    Next,
    /// WeChat would not place the number.
    NotPlaced,
    /// The order is being closed for good.
    CloseOrder,
    /// A schedule, or the mini program's `confirm`.
    Watch,
}

/// Where a task stands: between two of its steps, where its process may die.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum At {
    /// It is not running, and may start so many times more.
    Idle,
    /// A payer wants to pay; this is the transaction that joins or begins.
    Begin,
    /// The call is made next.
    Place(usize),
    /// WeChat placed it; this is stored next.
    Placed(usize),
    /// WeChat refused it for good; this is stored next.
    Refused(usize),
    Close(usize, Why),
    /// It is closed at WeChat; this is stored next.
    Closed(usize, Why),
    Query(usize, Why),
    /// What WeChat said; this is stored next.
    Told(usize, Standing, Why),
    /// The transaction that closes the order.
    Finish,
}

/// A task of one node.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Task {
    pub(crate) at: At,
    /// How many times it may still start.
    pub(crate) starts: u8,
}

/// The whole world.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct State {
    pub(crate) order: OrderStatus,
    /// The payment that the order holds.
    pub(crate) held: Option<usize>,
    pub(crate) attempts: [Option<Attempt>; NUMBERS],
    /// Events that were put into the outbox.
    pub(crate) told_paid: u8,
    pub(crate) told_overpaid: u8,
    pub(crate) told_closed: u8,

    pub(crate) wechat: [Held; NUMBERS],
    /// An order request that nobody waits for any more is on its way to WeChat.
    pub(crate) late: [bool; NUMBERS],
    pub(crate) notices: [Notice; NUMBERS],
    /// Payment sheets in payers' hands.
    pub(crate) sheets: [bool; NUMBERS],
    /// The order's time is over.
    pub(crate) expired: bool,

    pub(crate) tasks: [Task; TASKS.len()],
    /// How many faults of the network, crashes and late successes may still happen.
    pub(crate) faults: u8,
    pub(crate) crashes: u8,
    pub(crate) miracles: u8,
}

/// What a task is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Job {
    Pay(Payer),
    CloseOrder,
    Watch,
}

/// The tasks, each with its node.
pub(crate) const TASKS: [(Job, u8); 4] =
    [(Job::Pay(Payer::Alice), 0), (Job::Pay(Payer::Bob), 1), (Job::CloseOrder, 1), (Job::Watch, 0)];

/// How much may happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Of the four tasks.
    pub(crate) starts: [u8; 4],
    pub(crate) faults: u8,
    pub(crate) crashes: u8,
    /// Payments that get through although WeChat took the close before.
    pub(crate) miracles: u8,
}

impl State {
    pub(crate) fn start(bounds: Bounds) -> Self {
        Self {
            order: OrderStatus::Unpaid,
            held: None,
            attempts: [None; NUMBERS],
            told_paid: 0,
            told_overpaid: 0,
            told_closed: 0,
            wechat: [Held::Absent; NUMBERS],
            late: [false; NUMBERS],
            notices: [Notice::None; NUMBERS],
            sheets: [false; NUMBERS],
            expired: false,
            tasks: bounds.starts.map(|starts| Task { at: At::Idle, starts }),
            faults: bounds.faults,
            crashes: bounds.crashes,
            miracles: bounds.miracles,
        }
    }

    /// The number of the live attempt.
    pub(crate) fn live(&self) -> Option<usize> {
        self.attempts.iter().position(|held| held.is_some_and(|held| held.state.is_live()))
    }

    /// Whether somebody holds a sheet that WeChat takes money for.
    pub(crate) fn is_payable(&self, number: usize) -> bool {
        self.sheets[number] && self.wechat[number] == Held::Open && !self.expired
    }
}

/// The rules that the model walks by: the ledger's, or with one bug in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) serve: fn(bool, bool) -> Serve,
    pub(crate) bug: Bug,
}

/// A mistake that somebody could make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Bug {
    None,
    /// A call whose answer is lost counts as refused.
    DoubtIsFailure,
    /// The attempt is stored when its answer comes, not before the call.
    StoreAfterCall,
    /// The notification is acknowledged before its effect is stored.
    SpeakThenStore,
    /// A close that is refused counts as a close.
    RefusedCloseIsClosed,
    /// A yes to the close of a number that WeChat does not know counts as a close.
    NothingClosedIsClosed,
    /// A number that WeChat did not know a moment ago counts as closed. (We had this one; the search found it.)
    AbsentIsClosed,
    /// A payment for a paid order is taken for a repeat.
    ExtraIsAgain,
    /// A payment for a closed order is thrown away.
    ClosedStaysClosed,
    /// The order is closed by what was read before the calls.
    CloseWithoutLook,
    /// Two nodes begin without looking at what the other stored.
    BeginWithoutLook,
}

impl Rules {
    pub(crate) const REAL: Self = Self { serve, bug: Bug::None };

    pub(crate) const fn with(bug: Bug) -> Self {
        Self { serve, bug }
    }
}
