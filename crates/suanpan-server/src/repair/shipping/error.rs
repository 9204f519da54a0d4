//! Why a shipment cannot be told now.

use crate::Kind;

/// Why not.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShippingError {
    /// The configuration says nothing of shipping for this app.
    #[error("nothing is shipped for orders of this app")]
    Off,
    /// WeChat does not hold this app's money.
    #[error("WeChat does not manage the shipping of this app")]
    NotManaged,
    /// An upload is under way.
    #[error("WeChat is just being told of another shipment of this order")]
    Running,
    /// The payer has it, or has the money back.
    #[error("the shipment is at its end")]
    Final,
    /// It is not on its way, or not by express.
    #[error("only what is shipped by express can be reminded of")]
    NotShipped,
    /// WeChat reminds once.
    #[error("the payer was reminded already")]
    Reminded,
}

impl ShippingError {
    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Off => "SP-SHIPPING-OFF",
            Self::NotManaged => "SP-SHIPPING-NOT-MANAGED",
            Self::Running => "SP-SHIPPING-RUNNING",
            Self::Final => "SP-SHIPPING-FINAL",
            Self::NotShipped => "SP-SHIPPING-NOT-SHIPPED",
            Self::Reminded => "SP-SHIPPING-REMINDED",
        }
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Off => {
                "set `shipping` of this app in the configuration to virtual, self_pickup or express"
            }
            Self::NotManaged => {
                "nothing to do: its money is not held; ask again when the mini program's console shows shipping management"
            }
            Self::Running => {
                "look at GET /v1/orders/{id}/shipping, and repeat the request when it is through"
            }
            Self::Final => {
                "nothing to do: WeChat takes no change after the receipt or a whole refund"
            }
            Self::NotShipped => {
                "upload the shipment first; WeChat sends no reminder for what is virtual or fetched"
            }
            Self::Reminded => "nothing to do: WeChat sends one reminder for each order",
        }
    }

    /// Who is to blame.
    pub const fn kind(self) -> Kind {
        Kind::Conflict
    }
}
