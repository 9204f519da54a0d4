//! The three answers of a state machine.

/// What an event did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a move must be stored before anybody is told"]
pub enum Outcome<S> {
    /// It moved: store the new state.
    Moved(S),
    /// Heard before, or too late to matter: change nothing, and acknowledge it.
    Known,
}

/// The third answer: by our rules and WeChat's this cannot happen. Change nothing, and tell a person.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the {what} is {state}, and now it hears {event:?}")]
pub struct Impossible {
    /// `order`, `attempt` or `refund`.
    pub what: &'static str,
    /// Where it stands.
    pub state: &'static str,
    /// What it heard.
    pub event: &'static str,
}

impl Impossible {
    /// A stable name for alerts and for `suanpan explain`.
    pub const fn code(&self) -> &'static str {
        "SP-LEDGER-IMPOSSIBLE"
    }

    /// What the reader can do now, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        "compare the order's timeline with the merchant platform; nothing was changed here"
    }
}

/// The text is not a word for a state.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{word:?} is not the state of {article} {what}", article = if *what == "refund" { "a" } else { "an" })]
pub struct UnknownWord {
    /// `order`, `attempt` or `refund`.
    pub what: &'static str,
    /// The text.
    pub word: String,
}
