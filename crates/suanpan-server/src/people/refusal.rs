//! What people are refused, and what they can do then.

use crate::error::Kind;

/// Why somebody cannot do what he wanted to, though his role would let him.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// He asked for the refund himself.
    #[error("whoever asked for a refund cannot approve it")]
    OwnRequest,
    /// Somebody was faster.
    #[error("the request was decided before")]
    Decided,
}

impl Refusal {
    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OwnRequest => "SP-REFUND-OWN-REQUEST",
            Self::Decided => "SP-REFUND-DECIDED",
        }
    }

    /// What the reader can do now.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::OwnRequest => "ask a colleague of finance or an admin to approve it",
            Self::Decided => "look at the request: it says who decided, and how",
        }
    }

    /// Who is to blame.
    pub const fn kind(self) -> Kind {
        match self {
            Self::OwnRequest => Kind::Forbidden,
            Self::Decided => Kind::Conflict,
        }
    }
}
