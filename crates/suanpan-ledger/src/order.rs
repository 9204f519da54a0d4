//! Where an order stands, and how it moves.

use crate::outcome::words;
use crate::{Impossible, Outcome};

/// Where an order stands. What went back of its money is a sum beside it, not a state.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OrderStatus {
    /// Nobody tries to pay it now.
    Unpaid,
    /// An attempt is live at WeChat: money may come at any moment.
    Paying,
    /// WeChat holds the money.
    Paid,
    /// Closed by the merchant or by time, and no money came.
    Closed,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OrderEvent {
    /// An attempt to pay it begins.
    Started,
    /// A verified message of WeChat says that it is paid.
    Paid,
    /// Its live attempt came to an end without money.
    Released,
    /// The merchant or the time closes it; no attempt is live at WeChat any more.
    Closed,
}

impl OrderStatus {
    /// All of them, in the order of a payment's life.
    pub const ALL: [Self; 4] = [Self::Unpaid, Self::Paying, Self::Paid, Self::Closed];

    /// The only way an order changes.
    pub const fn apply(self, event: OrderEvent) -> Result<Outcome<Self>, Impossible> {
        use OrderEvent::{Closed, Paid, Released, Started};
        use Outcome::{Known, Moved};

        Ok(match (self, event) {
            (Self::Unpaid, Started) => Moved(Self::Paying),
            (Self::Paying, Released) => Moved(Self::Unpaid),
            (Self::Unpaid | Self::Paying, Closed) => Moved(Self::Closed),
            // Also after a close: the payer was faster, and the money counts.
            (Self::Unpaid | Self::Paying | Self::Closed, Paid) => Moved(Self::Paid),

            // A second payment for the same order is told apart by its transaction, see `weigh`.
            (Self::Paid, Paid)
            | (Self::Paying, Started)
            | (Self::Unpaid | Self::Paid | Self::Closed, Released)
            | (Self::Closed, Closed) => Known,

            (Self::Paid | Self::Closed, Started) | (Self::Paid, Closed) => {
                return Err(Impossible {
                    what: "order",
                    state: self.as_str(),
                    event: event.as_str(),
                });
            }
        })
    }

    /// The word for it, in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Paying => "paying",
            Self::Paid => "paid",
            Self::Closed => "closed",
        }
    }
}

impl OrderEvent {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Started, Self::Paid, Self::Released, Self::Closed];

    /// The word for it, in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Paid => "paid",
            Self::Released => "released",
            Self::Closed => "closed",
        }
    }
}

words!(OrderStatus, "order");

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_whole_machine() {
        let row = |first: &str, cells: &[&str]| {
            let cells: String = cells.iter().map(|cell| format!(" {cell:10}")).collect();
            format!("{first:8}{cells}").trim_end().to_owned()
        };
        let head = row("", &OrderEvent::ALL.map(OrderEvent::as_str));
        let rows = OrderStatus::ALL.map(|status| {
            let cells = OrderEvent::ALL.map(|event| match status.apply(event) {
                Ok(Outcome::Moved(status)) => status.as_str(),
                Ok(Outcome::Known) => "=",
                Err(_) => "!",
            });
            row(status.as_str(), &cells)
        });
        let table = format!("{head}\n{}", rows.join("\n"));
        // = heard before, ! impossible: alert
        assert_snapshot!(table, @r"
                 started    paid       released   closed
        unpaid   paying     paid       =          closed
        paying   =          paid       unpaid     closed
        paid     !          =          =          !
        closed   !          paid       =          =
        ");
    }

    #[test]
    fn every_word_is_read_back() {
        assert!(OrderStatus::ALL.iter().all(|status| status.as_str().parse() == Ok(*status)));
        assert_eq!(
            "Paid".parse::<OrderStatus>().unwrap_err().to_string(),
            r#""Paid" is not the state of an order"#
        );
    }

    #[test]
    fn the_impossible_names_itself() {
        let error = OrderStatus::Paid.apply(OrderEvent::Closed).unwrap_err();
        assert_snapshot!(error, @r#"the order is paid, and now it hears "closed""#);
    }
}
