//! Who is to blame.

/// Who is to blame, and whether it helps to try again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The configuration, before anything is served.
    Setup,
    /// The caller's text breaks a rule.
    BadInput,
    /// The caller's text cannot even be read.
    Malformed,
    /// The caller's text is too long.
    TooLarge,
    /// Who calls is not known.
    Unauthorized,
    /// Who calls may not do this.
    Forbidden,
    /// Nothing is there.
    NotFound,
    /// It is there, and takes other methods.
    WrongMethod,
    /// It does not fit what is there.
    Conflict,
    /// WeChat said no to us.
    Upstream,
    /// Not so often.
    TooOften,
    /// Not now, but later.
    Later,
    /// Our own fault.
    Ours,
}
