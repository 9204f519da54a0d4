//! Where one try to pay an order stands, and how it moves.

use crate::outcome::words;
use crate::{Impossible, Outcome};

/// Where an attempt stands at WeChat, as far as we know.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AttemptState {
    /// Its number is ours, and WeChat may know it: the answer is out, or was lost.
    Created,
    /// WeChat gave a `prepay_id`: the payer can pay.
    Prepaid,
    /// WeChat holds the money.
    Paid,
    /// Closed at WeChat: nobody can pay it any more.
    Closed,
    /// WeChat refused to place it: there was never anything to pay.
    Failed,
}

/// What can happen to an attempt.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AttemptEvent {
    /// WeChat placed the order and gave a `prepay_id`.
    Prepared,
    /// WeChat refused to place the order, for good.
    Refused,
    /// A verified message of WeChat says that the payer paid.
    PayerPaid,
    /// WeChat says that it is closed.
    Closed,
}

impl AttemptState {
    /// All of them, in the order of a payment's life.
    pub const ALL: [Self; 5] =
        [Self::Created, Self::Prepaid, Self::Paid, Self::Closed, Self::Failed];

    /// The only way an attempt changes.
    pub const fn apply(self, event: AttemptEvent) -> Result<Outcome<Self>, Impossible> {
        use AttemptEvent::{Closed, PayerPaid, Prepared, Refused};
        use Outcome::{Known, Moved};

        Ok(match (self, event) {
            (Self::Created, Prepared) => Moved(Self::Prepaid),
            (Self::Created, Refused) => Moved(Self::Failed),
            (Self::Created | Self::Prepaid, Closed) => Moved(Self::Closed),
            // Money counts, whatever we believed: our close can come too late, and a placement that we saw refused
            // may have been placed before under the same number.
            (Self::Created | Self::Prepaid | Self::Closed | Self::Failed, PayerPaid) => {
                Moved(Self::Paid)
            }

            // Placing the same number again is refused once it is placed, paid (ORDERPAID) or closed (ORDERCLOSED):
            // that takes nothing back. And a late answer to the first placement is no news.
            (Self::Prepaid | Self::Paid | Self::Closed, Prepared | Refused)
            | (Self::Paid, PayerPaid)
            | (Self::Closed | Self::Failed, Closed)
            | (Self::Failed, Refused) => Known,

            (Self::Paid, Closed) | (Self::Failed, Prepared) => {
                return Err(Impossible {
                    what: "attempt",
                    state: self.as_str(),
                    event: event.as_str(),
                });
            }
        })
    }

    /// Whether the payer may still be paying it. An order has at most one such attempt.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Created | Self::Prepaid => true,
            Self::Paid | Self::Closed | Self::Failed => false,
        }
    }

    /// The word for it, in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Prepaid => "prepaid",
            Self::Paid => "paid",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
}

impl AttemptEvent {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Prepared, Self::Refused, Self::PayerPaid, Self::Closed];

    /// The word for it, in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Refused => "refused",
            Self::PayerPaid => "payer paid",
            Self::Closed => "closed",
        }
    }
}

words!(AttemptState, "attempt");

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_whole_machine() {
        let row = |first: &str, cells: &[&str]| {
            let cells: String = cells.iter().map(|cell| format!(" {cell:10}")).collect();
            format!("{first:8}{cells}").trim_end().to_owned()
        };
        let head = row("", &AttemptEvent::ALL.map(AttemptEvent::as_str));
        let rows = AttemptState::ALL.map(|state| {
            let cells = AttemptEvent::ALL.map(|event| match state.apply(event) {
                Ok(Outcome::Moved(state)) => state.as_str(),
                Ok(Outcome::Known) => "=",
                Err(_) => "!",
            });
            row(state.as_str(), &cells)
        });
        let table = format!("{head}\n{}", rows.join("\n"));
        // = heard before, ! impossible: alert
        assert_snapshot!(table, @r"
                 prepared   refused    payer paid closed
        created  prepaid    failed     paid       closed
        prepaid  =          =          paid       closed
        paid     =          =          =          !
        closed   =          =          paid       =
        failed   !          =          paid       =
        ");
    }

    #[test]
    fn every_word_is_read_back() {
        assert!(AttemptState::ALL.iter().all(|state| state.as_str().parse() == Ok(*state)));
        assert!("".parse::<AttemptState>().is_err());
    }

    fn after(events: &[AttemptEvent]) -> AttemptState {
        events.iter().fold(AttemptState::Created, |state, event| match state.apply(*event) {
            Ok(Outcome::Moved(state)) => state,
            Ok(Outcome::Known) | Err(_) => state,
        })
    }

    proptest! {
        #[test]
        fn money_is_never_lost_in_whatever_order_the_messages_come(
            events in proptest::collection::vec(proptest::sample::select(AttemptEvent::ALL.to_vec()), 0..12),
        ) {
            let paid = events.contains(&AttemptEvent::PayerPaid);
            prop_assert_eq!(after(&events) == AttemptState::Paid, paid);
        }

        #[test]
        fn to_hear_everything_twice_changes_nothing(
            events in proptest::collection::vec(proptest::sample::select(AttemptEvent::ALL.to_vec()), 0..12),
        ) {
            let twice: Vec<_> = events.iter().flat_map(|event| [*event, *event]).collect();
            prop_assert_eq!(after(&events), after(&twice));
        }
    }
}
