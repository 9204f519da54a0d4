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
    /// The password is easily guessed.
    #[error("the password is too short or too simple")]
    WeakPassword,
    /// Name, password or code is wrong; which of them is not said.
    #[error("name, password or code is not right")]
    NotKnown,
    /// The two passwords differ.
    #[error("the password was typed differently the second time")]
    Mistyped,
    /// The code does not fit, or was used before.
    #[error("the code is not right, or was used before")]
    WrongCode,
    /// Another operator has this name.
    #[error("another operator has this name")]
    NameTaken,
    /// The name breaks its rule.
    #[error("a name has 2 to 32 letters, digits, `.`, `-` or `_`")]
    BadName,
    /// Without him nobody could let anybody in.
    #[error("the last admin stays one")]
    LastAdmin,
}

impl Refusal {
    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OwnRequest => "SP-REFUND-OWN-REQUEST",
            Self::Decided => "SP-REFUND-DECIDED",
            Self::WeakPassword => "SP-PASSWORD-WEAK",
            Self::NotKnown => "SP-SIGN-IN-WRONG",
            Self::Mistyped => "SP-PASSWORD-MISTYPED",
            Self::WrongCode => "SP-TOTP-WRONG",
            Self::NameTaken => "SP-OPERATOR-NAME-TAKEN",
            Self::BadName => "SP-OPERATOR-NAME",
            Self::LastAdmin => "SP-OPERATOR-LAST-ADMIN",
        }
    }

    /// What the reader can do now.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::OwnRequest => "ask a colleague of finance or an admin to approve it",
            Self::Decided => "look at the request: it says who decided, and how",
            Self::WeakPassword => {
                "take at least 12 characters, five of them different, without the name in it"
            }
            Self::NotKnown => "try again; an admin, or `suanpan operators reset`, gives a new link",
            Self::Mistyped => "type the same password twice",
            Self::WrongCode => {
                "type the code that the app shows now; each works once, and the phone's clock must be right"
            }
            Self::NameTaken => "take another name",
            Self::BadName => "leave out spaces and other signs",
            Self::LastAdmin => "make somebody else an admin first",
        }
    }

    /// Who is to blame.
    pub const fn kind(self) -> Kind {
        match self {
            Self::OwnRequest => Kind::Forbidden,
            Self::NotKnown => Kind::Unauthorized,
            Self::Decided | Self::NameTaken | Self::LastAdmin => Kind::Conflict,
            Self::WeakPassword | Self::Mistyped | Self::WrongCode | Self::BadName => Kind::BadInput,
        }
    }
}
