//! Where the shipment of a paid order stands at WeChat's shipping management, and how it moves.

use crate::outcome::words;
use crate::{Impossible, Outcome};

/// Where a shipment stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ShippingState {
    /// WeChat waits to be told, and nobody has said yet what is shipped.
    Waiting,
    /// It is known what is shipped; WeChat is being told.
    Uploading,
    /// WeChat has some of the parcels, and not the last one.
    Uploaded,
    /// WeChat has all of it, and has told the payer.
    Shipped,
    /// The payer has it, or WeChat takes it that they have.
    Confirmed,
    /// The money is settled.
    Settled,
    /// All of the money went back: nothing is to be shipped.
    Refunded,
    /// WeChat does not hold the money of this app: nothing is to be told.
    NotManaged,
    /// WeChat would not take what it was told; it has none of it.
    Refused,
}

/// What can happen to a shipment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ShippingEvent {
    /// The merchant, or the policy of the app, says what is shipped.
    Asked,
    /// WeChat has some of it.
    TookSome,
    /// WeChat has all of it.
    TookAll,
    /// WeChat says that the receipt is confirmed.
    Confirmed,
    /// WeChat says that the money is settled.
    Settled,
    /// All of the money went back.
    Refunded,
    /// WeChat says that it does not manage this app.
    Freed,
    /// WeChat refused it for good, and has none of it.
    Refused,
}

impl ShippingState {
    /// All of them, in the order of a shipment's life.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Uploading,
        Self::Uploaded,
        Self::Shipped,
        Self::Confirmed,
        Self::Settled,
        Self::Refunded,
        Self::NotManaged,
        Self::Refused,
    ];

    /// The only way a shipment changes.
    pub const fn apply(self, event: ShippingEvent) -> Result<Outcome<Self>, Impossible> {
        use Outcome::{Known, Moved};
        use ShippingEvent::{
            Asked, Confirmed, Freed, Refunded, Refused, Settled, TookAll, TookSome,
        };

        Ok(match (self, event) {
            // Also one that is shipped: WeChat takes one correction until the payer confirms.
            (
                Self::Waiting | Self::Uploaded | Self::Shipped | Self::NotManaged | Self::Refused,
                Asked,
            ) => Moved(Self::Uploading),
            (Self::Waiting | Self::Uploading | Self::NotManaged | Self::Refused, TookSome) => {
                Moved(Self::Uploaded)
            }
            (
                Self::Waiting | Self::Uploading | Self::Uploaded | Self::NotManaged | Self::Refused,
                TookAll,
            ) => Moved(Self::Shipped),
            (
                Self::Waiting
                | Self::Uploading
                | Self::Uploaded
                | Self::Shipped
                | Self::NotManaged
                | Self::Refused,
                Confirmed,
            ) => Moved(Self::Confirmed),
            (
                Self::Waiting
                | Self::Uploading
                | Self::Uploaded
                | Self::Shipped
                | Self::Confirmed
                | Self::NotManaged
                | Self::Refused,
                Settled,
            ) => Moved(Self::Settled),
            // Money can go back long after it was settled.
            (
                Self::Waiting
                | Self::Uploading
                | Self::Uploaded
                | Self::Shipped
                | Self::Confirmed
                | Self::Settled
                | Self::NotManaged
                | Self::Refused,
                Refunded,
            ) => Moved(Self::Refunded),
            (Self::Waiting | Self::Uploading | Self::Refused, Freed) => Moved(Self::NotManaged),
            (Self::Waiting | Self::Uploading, Refused) => Moved(Self::Refused),

            // Heard before, or an answer that lags behind another one.
            (Self::Uploading, Asked)
            | (
                Self::Uploaded | Self::Shipped | Self::Confirmed | Self::Settled | Self::Refunded,
                TookSome,
            )
            | (Self::Shipped | Self::Confirmed | Self::Settled | Self::Refunded, TookAll)
            | (Self::Confirmed | Self::Settled | Self::Refunded, Confirmed)
            | (Self::Settled | Self::Refunded, Settled)
            | (Self::Refunded, Refunded)
            | (
                Self::Uploaded
                | Self::Shipped
                | Self::Confirmed
                | Self::Settled
                | Self::Refunded
                | Self::NotManaged,
                Freed,
            )
            | (
                Self::Uploaded
                | Self::Shipped
                | Self::Confirmed
                | Self::Settled
                | Self::Refunded
                | Self::NotManaged
                | Self::Refused,
                Refused,
            ) => Known,

            (Self::Confirmed | Self::Settled | Self::Refunded, Asked) => {
                return Err(Impossible {
                    what: "shipment",
                    state: self.as_str(),
                    event: event.as_str(),
                });
            }
        })
    }

    /// Whether WeChat still waits to be told of it, or of the rest of it.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Uploading | Self::Uploaded | Self::Refused => true,
            Self::Shipped | Self::Confirmed | Self::Settled | Self::Refunded | Self::NotManaged => {
                false
            }
        }
    }

    /// The word for it, in the database and for callers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Uploading => "uploading",
            Self::Uploaded => "uploaded",
            Self::Shipped => "shipped",
            Self::Confirmed => "confirmed",
            Self::Settled => "settled",
            Self::Refunded => "refunded",
            Self::NotManaged => "not_managed",
            Self::Refused => "refused",
        }
    }
}

impl ShippingEvent {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Asked,
        Self::TookSome,
        Self::TookAll,
        Self::Confirmed,
        Self::Settled,
        Self::Refunded,
        Self::Freed,
        Self::Refused,
    ];

    /// The word for it, in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::TookSome => "took_some",
            Self::TookAll => "took_all",
            Self::Confirmed => "confirmed",
            Self::Settled => "settled",
            Self::Refunded => "refunded",
            Self::Freed => "freed",
            Self::Refused => "refused",
        }
    }
}

words!(ShippingState, "shipment");

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_whole_machine() {
        let row = |first: &str, cells: &[&str]| {
            let cells: String = cells.iter().map(|cell| format!(" {cell:11}")).collect();
            format!("{first:11}{cells}").trim_end().to_owned()
        };
        let head = row("", &ShippingEvent::ALL.map(ShippingEvent::as_str));
        let rows = ShippingState::ALL.map(|state| {
            let cells = ShippingEvent::ALL.map(|event| match state.apply(event) {
                Ok(Outcome::Moved(state)) => state.as_str(),
                Ok(Outcome::Known) => "=",
                Err(_) => "!",
            });
            row(state.as_str(), &cells)
        });
        let table = format!("{head}\n{}", rows.join("\n"));
        // = heard before, ! impossible: alert
        assert_snapshot!(table, @r"
                    asked       took_some   took_all    confirmed   settled     refunded    freed       refused
        waiting     uploading   uploaded    shipped     confirmed   settled     refunded    not_managed refused
        uploading   =           uploaded    shipped     confirmed   settled     refunded    not_managed refused
        uploaded    uploading   =           shipped     confirmed   settled     refunded    =           =
        shipped     uploading   =           =           confirmed   settled     refunded    =           =
        confirmed   !           =           =           =           settled     refunded    =           =
        settled     !           =           =           =           =           refunded    =           =
        refunded    !           =           =           =           =           =           =           =
        not_managed uploading   uploaded    shipped     confirmed   settled     refunded    =           =
        refused     uploading   uploaded    shipped     confirmed   settled     refunded    not_managed =
        ");
    }

    #[test]
    fn every_word_is_read_back() {
        assert!(ShippingState::ALL.iter().all(|state| state.as_str().parse() == Ok(*state)));
        assert!("gone".parse::<ShippingState>().is_err());
    }

    #[test]
    fn what_went_back_is_never_shipped_whatever_comes_later() {
        for event in ShippingEvent::ALL {
            let moved = matches!(ShippingState::Refunded.apply(event), Ok(Outcome::Moved(_)));
            assert!(!moved, "{event:?}");
        }
    }
}
