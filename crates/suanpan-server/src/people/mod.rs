//! The people who use the console: what each may do.
//!
//! A role includes the one before it. What a page or a form needs is a
//! [`Right`], and the least role that has it stands in [`Right::least`] alone.

pub mod invite;
pub mod password;
mod refusal;
pub mod totp;

use std::fmt;
use std::str::FromStr;

use suanpan_wechat::Fen;

use crate::Error;
use crate::config::{Config, Network};
pub use refusal::Refusal;

/// What somebody is trusted with; each role may do what the one before it may.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Looks at payments.
    Viewer,
    /// Asks WeChat again, closes orders, asks for refunds.
    Cashier,
    /// Approves refunds, reconciles, exports, replays, reads the audit log.
    Finance,
    /// Decides who may do what, and with which keys.
    Admin,
}

/// Something that not everybody may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// Look at payments.
    See,
    /// Ask WeChat how a payment or refund stands.
    AskWeChat,
    /// Close an order.
    Close,
    /// Ask for a refund; above the limit somebody else approves it.
    Refund,
    /// Approve or decline a refund that somebody else asked for.
    Approve,
    /// Say what a difference in a bill is.
    Reconcile,
    /// Take lists away as files.
    Export,
    /// Deliver webhooks once more.
    Replay,
    /// Read who did what.
    ReadAudit,
    /// Make, change and delete webhook endpoints.
    Endpoints,
    /// Operators, API keys, settings.
    Administer,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Cashier, Self::Finance, Self::Admin];

    /// The word of the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Cashier => "cashier",
            Self::Finance => "finance",
            Self::Admin => "admin",
        }
    }

    /// Whether somebody of this role may do it.
    pub fn may(self, right: Right) -> bool {
        right.least() <= self
    }
}

impl Right {
    /// The least role that has it.
    pub const fn least(self) -> Role {
        match self {
            Self::See => Role::Viewer,
            Self::AskWeChat | Self::Close | Self::Refund => Role::Cashier,
            Self::Approve | Self::Reconcile | Self::Export | Self::Replay | Self::ReadAudit => {
                Role::Finance
            }
            Self::Endpoints | Self::Administer => Role::Admin,
        }
    }
}

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(NoRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name that somebody signs in with: 2 to 32 letters, of whatever script, digits, `.`, `-` or `_`.
///
/// # Errors
/// [`Refusal::BadName`].
pub fn name(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let plain = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_');
    let fits = (2..=32).contains(&text.chars().count()) && text.chars().all(plain);
    if fits { Ok(text.to_owned()) } else { Err(Refusal::BadName) }
}

/// The text is not a role.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a role is viewer, cashier, finance or admin")]
pub struct NoRole;

/// The rules for people, as the configuration has them.
#[derive(Clone, Debug)]
pub struct Rules {
    /// After how many microseconds without a request a session ends.
    pub idle_micros: i64,
    /// Above which sum of one payment's refunds a second person is needed.
    pub second_person_above: Option<Fen>,
    /// The reverse proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<Network>,
}

impl Rules {
    /// As the configuration has them.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub(crate) fn of(config: &Config) -> Result<Self, Error> {
        let above = config.refunds.second_person_above.map(|fen| {
            Fen::new(fen).ok_or_else(|| Error::Config {
                place: "refunds.second_person_above".to_owned(),
                why: "must not be negative".to_owned(),
            })
        });
        Ok(Self {
            idle_micros: config.console.idle_minutes.saturating_mul(60_000_000),
            second_person_above: above.transpose()?,
            trusted_proxies: config.server.trusted_proxies.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_one_before_it_may() {
        use Right::{
            Administer, Approve, AskWeChat, Close, Endpoints, Export, ReadAudit, Reconcile, Refund,
            Replay, See,
        };
        let rights = [
            See, AskWeChat, Close, Refund, Approve, Reconcile, Export, Replay, ReadAudit,
            Endpoints, Administer,
        ];
        let table: Vec<_> = Role::ALL
            .into_iter()
            .map(|role| rights.map(|right| if role.may(right) { 'x' } else { '.' }))
            .map(|row| row.into_iter().collect::<String>())
            .collect();
        assert_eq!(table, ["x..........", "xxxx.......", "xxxxxxxxx..", "xxxxxxxxxxx"]);
    }

    #[test]
    fn a_name_has_no_spaces_and_no_signs() {
        for good in ["lan", "小兰", " mei-2 ", "a.b_c"] {
            assert_eq!(name(good).as_deref(), Ok(good.trim()));
        }
        for bad in ["", "x", "two words", "a:b", "<b>", "a\nb", &"x".repeat(33)] {
            assert_eq!(name(bad), Err(Refusal::BadName), "{bad:?}");
        }
    }

    #[test]
    fn a_role_is_one_of_four_words() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for other in ["", "Admin", "root", "viewer "] {
            assert_eq!(other.parse::<Role>(), Err(NoRole), "{other:?}");
        }
    }
}
