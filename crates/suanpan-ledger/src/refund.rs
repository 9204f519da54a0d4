//! Where a refund stands, and how it moves.

use suanpan_wechat::RefundStatus;

use crate::outcome::words;
use crate::{Impossible, Outcome};

/// Where a refund stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RefundState {
    /// It is asked for, or about to be: its number is ours, and WeChat may know it.
    Processing,
    /// The payer has the money back.
    Succeeded,
    /// It came to nothing. Another try is another refund, under another number.
    Closed,
    /// The bank would not take the money: a person names another account. Not final.
    Abnormal,
}

/// What can happen to a refund.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RefundEvent {
    /// WeChat has it and works at it.
    Accepted,
    /// WeChat says that the money arrived.
    Succeeded,
    /// WeChat says that it is closed, or refuses it for good and does not know its number.
    Closed,
    /// WeChat says that the bank would not take it.
    Abnormal,
}

impl RefundState {
    /// All of them, in the order of a refund's life.
    pub const ALL: [Self; 4] = [Self::Processing, Self::Succeeded, Self::Closed, Self::Abnormal];

    /// The only way a refund changes.
    pub const fn apply(self, event: RefundEvent) -> Result<Outcome<Self>, Impossible> {
        use Outcome::{Known, Moved};
        use RefundEvent::{Abnormal, Accepted, Closed, Succeeded};

        Ok(match (self, event) {
            // Money counts, whatever we believed: also a refund that we saw refused may have been taken before.
            (Self::Processing | Self::Closed | Self::Abnormal, Succeeded) => Moved(Self::Succeeded),
            (Self::Processing | Self::Abnormal, Closed) => Moved(Self::Closed),
            (Self::Processing, Abnormal) => Moved(Self::Abnormal),
            // Another account was named, on the merchant platform say, and WeChat tries again.
            (Self::Abnormal, Accepted) => Moved(Self::Processing),

            // The answer to a question that was asked before the end was told is no news.
            (Self::Processing | Self::Succeeded | Self::Closed, Accepted)
            | (Self::Succeeded, Succeeded)
            | (Self::Closed, Closed)
            | (Self::Abnormal, Abnormal) => Known,

            (Self::Succeeded, Closed | Abnormal) | (Self::Closed, Abnormal) => {
                return Err(Impossible {
                    what: "refund",
                    state: self.as_str(),
                    event: event.as_str(),
                });
            }
        })
    }

    /// Whether its amount is gone from what can still go back: it is out, or may yet be.
    pub const fn holds_money(self) -> bool {
        match self {
            Self::Processing | Self::Succeeded | Self::Abnormal => true,
            Self::Closed => false,
        }
    }

    /// Whether WeChat has said its last word of it.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Closed => true,
            Self::Processing | Self::Abnormal => false,
        }
    }

    /// The word for it, in the database and for callers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Closed => "closed",
            Self::Abnormal => "abnormal",
        }
    }
}

impl RefundEvent {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Succeeded, Self::Closed, Self::Abnormal];

    /// What WeChat's word means; `None` for a word that this version does not know: then nothing has happened yet.
    pub const fn of(status: &RefundStatus) -> Option<Self> {
        match status {
            RefundStatus::Processing => Some(Self::Accepted),
            RefundStatus::Success => Some(Self::Succeeded),
            RefundStatus::Closed => Some(Self::Closed),
            RefundStatus::Abnormal => Some(Self::Abnormal),
            RefundStatus::Other(_) => None,
        }
    }

    /// The word for it, in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Succeeded => "succeeded",
            Self::Closed => "closed",
            Self::Abnormal => "abnormal",
        }
    }
}

words!(RefundState, "refund");

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_whole_machine() {
        let row = |first: &str, cells: &[&str]| {
            let cells: String = cells.iter().map(|cell| format!(" {cell:10}")).collect();
            format!("{first:10}{cells}").trim_end().to_owned()
        };
        let head = row("", &RefundEvent::ALL.map(RefundEvent::as_str));
        let rows = RefundState::ALL.map(|state| {
            let cells = RefundEvent::ALL.map(|event| match state.apply(event) {
                Ok(Outcome::Moved(state)) => state.as_str(),
                Ok(Outcome::Known) => "=",
                Err(_) => "!",
            });
            row(state.as_str(), &cells)
        });
        let table = format!("{head}\n{}", rows.join("\n"));
        // = heard before, ! impossible: alert
        assert_snapshot!(table, @r"
                   accepted   succeeded  closed     abnormal
        processing =          succeeded  closed     abnormal
        succeeded  =          =          !          !
        closed     =          succeeded  =          !
        abnormal   processing succeeded  closed     =
        ");
    }

    #[test]
    fn every_word_is_read_back() {
        assert!(RefundState::ALL.iter().all(|state| state.as_str().parse() == Ok(*state)));
        let error = "gone".parse::<RefundState>().unwrap_err().to_string();
        assert_eq!(error, "\"gone\" is not the state of a refund");
    }

    #[test]
    fn only_wechats_own_words_move_a_refund() {
        for word in ["PROCESSING", "SUCCESS", "CLOSED", "ABNORMAL", "REFUNDCLOSE", "CHANGE"] {
            assert!(RefundEvent::of(&RefundStatus::parse(word)).is_some(), "{word}");
        }
        assert_eq!(RefundEvent::of(&RefundStatus::parse("HALF_DONE")), None);
    }

    proptest! {
        #[test]
        fn money_that_arrived_is_never_lost_in_whatever_order_the_messages_come(
            events in proptest::collection::vec(proptest::sample::select(RefundEvent::ALL.to_vec()), 0..12),
        ) {
            let end = events.iter().fold(RefundState::Processing, |state, event| {
                match state.apply(*event) {
                    Ok(Outcome::Moved(state)) => state,
                    Ok(Outcome::Known) | Err(_) => state,
                }
            });
            prop_assert_eq!(end == RefundState::Succeeded, events.contains(&RefundEvent::Succeeded));
        }
    }
}
