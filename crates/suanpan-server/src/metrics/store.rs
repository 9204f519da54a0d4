//! What the store did: commits, and what the rows in them tell.
//!
//! A unit of work notes what it moves ([`Moved`]); the engine counts it once the
//! transaction is durable and before the caller hears of it. A unit that is
//! rolled back, or run again, is counted once or not at all.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use suanpan_ledger::{AttemptState, OrderStatus, RefundState};

use super::{Counters, Histograms, Label, begin, micros, of_disk, of_waits};
use crate::due;
use crate::flow::endpoints;
use crate::outside::Stopwatch;
use crate::store::StoreError;
use crate::timeline::Step;

/// What a unit of work has moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Moved {
    /// An order was made, or is now in this state.
    Order(&'static str),
    /// An attempt with this request is now in this state.
    Payment(&'static str, AttemptState),
    /// A refund with this request is now in this state.
    Refund(&'static str, RefundState),
    /// By which step we learned of money, how many microseconds after WeChat had it.
    Learned(Step, i64),
    /// The merchant is to be told this.
    Event(String),
    /// Due work of this kind waits for a person.
    GivenUp(String),
}

/// The API of a stored request, as a label: APIv2 is XML.
pub(crate) fn api(request: &str) -> &'static str {
    if request.starts_with('<') { "v2" } else { "v3" }
}

/// What the store measures; shared by its clones, and by the page that shows it.
#[derive(Clone, Debug)]
pub(crate) struct StoreMeters {
    orders: Counters<[Label; 1]>,
    payments: Counters<[Label; 2]>,
    refunds: Counters<[Label; 2]>,
    learned: Histograms<[Label; 1]>,
    events: Counters<[(&'static str, String); 1]>,
    given_up: Counters<[(&'static str, String); 1]>,
    transactions: Histograms<[Label; 1]>,
    errors: Counters<[Label; 1]>,
    commits: Histogram,
    batches: Histogram,
    repeats: Counter,
}

impl Default for StoreMeters {
    fn default() -> Self {
        let meters = Self {
            orders: Family::default(),
            payments: Family::default(),
            refunds: Family::default(),
            learned: Family::new_with_constructor(of_waits),
            events: Family::default(),
            given_up: Family::default(),
            transactions: Family::new_with_constructor(of_disk),
            errors: Family::default(),
            commits: of_disk(),
            batches: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]),
            repeats: Counter::default(),
        };
        // There from the start with 0, so that a first time is seen as an increase.
        for step in [Step::Notify, Step::Query, Step::Bill] {
            begin(&meters.learned, [("step", step.as_str())]);
        }
        for state in ORDERS {
            begin(&meters.orders, [("state", state)]);
        }
        for api in ["v2", "v3"] {
            for state in PAYMENTS {
                begin(&meters.payments, [("api", api), ("state", state.as_str())]);
            }
            for state in REFUNDS {
                begin(&meters.refunds, [("api", api), ("state", state.as_str())]);
            }
        }
        begin(&meters.errors, [("code", StoreError::Busy.code())]);
        for kind in endpoints::told() {
            begin(&meters.events, [("type", kind.to_owned())]);
        }
        for kind in due::KINDS {
            begin(&meters.given_up, [("kind", kind.to_owned())]);
        }
        meters
    }
}

impl StoreMeters {
    pub(super) fn register(&self, all: &mut Registry) {
        all.register(
            "orders",
            "Orders that were made, or came to a state; unpaid: the attempt to pay it came to nothing",
            self.orders.clone(),
        );
        all.register(
            "payments",
            "Attempts to pay an order that came to a state, by the API they were placed by",
            self.payments.clone(),
        );
        all.register(
            "refunds",
            "Refunds that came to a state, by the API they are asked for by",
            self.refunds.clone(),
        );
        all.register(
            "payment_learned_seconds",
            "From WeChat's success_time to when we knew of the money, by how we learned of it",
            self.learned.clone(),
        );
        all.register("events", "Events that the merchant is told, by type", self.events.clone());
        all.register(
            "due_given_up",
            "Work that was given up and waits for a person, by kind",
            self.given_up.clone(),
        );
        all.register(
            "store_transaction_duration_seconds",
            "From the call to its answer, the wait in the queue included, by mode",
            self.transactions.clone(),
        );
        all.register(
            "store_errors",
            "Transactions that came to nothing, by code; a conflict that a rule expects is one, too",
            self.errors.clone(),
        );
        all.register(
            "store_commit_duration_seconds",
            "From BEGIN to the end of COMMIT of what changes rows; on SQLite all units that share it",
            self.commits.clone(),
        );
        all.register(
            "store_batch_units",
            "Units of work that share one commit of SQLite",
            self.batches.clone(),
        );
        all.register(
            "store_repeats",
            "Units of work that PostgreSQL had run again, because two crossed each other or a server went away",
            self.repeats.clone(),
        );
    }

    /// Counts what is durable.
    pub(crate) fn count(&self, moved: Vec<Moved>) {
        for moved in moved {
            match moved {
                Moved::Order(state) => {
                    self.orders.get_or_create(&[("state", state)]).inc();
                }
                Moved::Payment(api, state) => {
                    let labels = [("api", api), ("state", state.as_str())];
                    self.payments.get_or_create(&labels).inc();
                }
                Moved::Refund(api, state) => {
                    let labels = [("api", api), ("state", state.as_str())];
                    self.refunds.get_or_create(&labels).inc();
                }
                Moved::Learned(step, after) => {
                    let learned = self.learned.get_or_create(&[("step", step.as_str())]);
                    learned.observe(micros(after).as_secs_f64());
                }
                Moved::Event(kind) => {
                    self.events.get_or_create(&[("type", kind)]).inc();
                }
                Moved::GivenUp(kind) => {
                    self.given_up.get_or_create(&[("kind", kind)]).inc();
                }
            }
        }
    }

    /// A call to the store, from the caller's side. `code`: why it came to nothing.
    pub(crate) fn called(&self, mode: &'static str, began: Stopwatch, code: Option<&'static str>) {
        let took = began.elapsed().as_secs_f64();
        self.transactions.get_or_create(&[("mode", mode)]).observe(took);
        if let Some(code) = code {
            self.errors.get_or_create(&[("code", code)]).inc();
        }
    }

    /// A commit that went well.
    pub(crate) fn committed(&self, began: Stopwatch) {
        self.commits.observe(began.elapsed().as_secs_f64());
    }

    /// So many units of work share a commit.
    pub(crate) fn shared(&self, units: usize) {
        self.batches.observe(u32::try_from(units).unwrap_or(u32::MAX).into());
    }

    /// A unit of work is run again.
    pub(crate) fn repeated(&self) {
        self.repeats.inc();
    }
}

impl Moved {
    /// An order was made.
    pub(crate) const CREATED: Self = Self::Order("created");
}

/// An order whose attempt came to nothing is `unpaid` again.
const ORDERS: [&str; 5] = [
    "created",
    OrderStatus::Unpaid.as_str(),
    OrderStatus::Paying.as_str(),
    OrderStatus::Paid.as_str(),
    OrderStatus::Closed.as_str(),
];
const PAYMENTS: [AttemptState; 5] = [
    AttemptState::Created,
    AttemptState::Prepaid,
    AttemptState::Paid,
    AttemptState::Closed,
    AttemptState::Failed,
];
const REFUNDS: [RefundState; 4] =
    [RefundState::Processing, RefundState::Succeeded, RefundState::Closed, RefundState::Abnormal];
