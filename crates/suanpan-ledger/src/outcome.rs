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
    /// `order`, `attempt`, `refund` or `shipment`.
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
#[error("{word:?} is not the state of {article} {what}", article = if what.starts_with(['a', 'o']) { "an" } else { "a" })]
pub struct UnknownWord {
    /// `order`, `attempt`, `refund` or `shipment`.
    pub what: &'static str,
    /// The text.
    pub word: String,
}

/// A state is written and read as its word: `as_str` of one of `ALL`.
macro_rules! words {
    ($state:ty, $what:literal) => {
        impl std::fmt::Display for $state {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $state {
            type Err = $crate::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
                found.ok_or_else(|| $crate::UnknownWord { what: $what, word: word.to_owned() })
            }
        }
    };
}
pub(crate) use words;
