//! Errors of the terminal: what, why, what now, and where to read on.

use std::error::Error as StdError;
use std::fmt::Write as _;

/// Why a command ended before its end.
#[derive(Debug)]
pub(crate) struct Error {
    /// The stable name, `SP-…`.
    pub(crate) code: &'static str,
    /// What happened.
    pub(crate) what: String,
    /// Why, where it is known, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to do now.
    pub(crate) help: String,
    /// 1 found a problem, 2 bad usage or configuration.
    pub(crate) exit: u8,
}

impl Error {
    /// Something that this command found wrong (exit code 1).
    pub(crate) fn found(code: &'static str, what: impl Into<String>, help: &str) -> Self {
        Self { code, what: what.into(), causes: Vec::new(), help: help.to_owned(), exit: 1 }
    }

    /// Something that was given wrong (exit code 2).
    pub(crate) fn usage(code: &'static str, what: impl Into<String>, help: &str) -> Self {
        Self { exit: 2, ..Self::found(code, what, help) }
    }

    /// With the chain of causes of another error.
    pub(crate) fn because(mut self, cause: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        // An error that prints its cause in its own text would say it twice.
        self.causes.dedup_by(|later, earlier| earlier.contains(later.as_str()));
        self
    }

    /// An error of a library that has a code and a remedy of its own.
    pub(crate) fn of(
        cause: &(dyn StdError + 'static),
        code: &'static str,
        remedy: &str,
        exit: u8,
    ) -> Self {
        let error = Self::found(code, cause.to_string(), remedy);
        let error = Self { exit, ..error };
        match cause.source() {
            Some(source) => error.because(source),
            None => error,
        }
    }

    /// The four parts, as they look in a terminal.
    pub(crate) fn render(&self) -> String {
        let mut text = format!("error[{}]: {}\n", self.code, self.what);
        for cause in &self.causes {
            let _ = writeln!(text, "  cause: {cause}");
        }
        let _ = writeln!(text, "   help: {}", self.help);
        text
    }
}

/// An address cannot be listened on.
pub(crate) fn cannot_listen(addr: std::net::SocketAddr, cause: &std::io::Error) -> Error {
    let what = format!("cannot listen on {addr}");
    Error::usage("SP-LISTEN", what, "choose another address, or port 0 for a free one")
        .because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_parts_in_order() {
        let cause = std::io::Error::new(std::io::ErrorKind::AddrInUse, "address already in use");
        let addr = "127.0.0.1:8080".parse().unwrap();
        insta::assert_snapshot!(cannot_listen(addr, &cause).render(), @r"
        error[SP-LISTEN]: cannot listen on 127.0.0.1:8080
          cause: address already in use
           help: choose another address, or port 0 for a free one
        ");
    }
}
