//! Everything that is printed: results on standard output, talk on standard error.
//!
//! A reader who goes away (`suanpan demo | head -3`) is no reason to fail.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::problem::Problem;

/// A line on standard output: what the command was asked for.
pub(crate) fn out(line: impl Display) {
    drop(writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush()));
}

/// A line on standard error: talk.
pub(crate) fn err(line: impl Display) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// One line of JSON on standard output.
pub(crate) fn json(value: &impl Serialize) {
    // A value of ours can be written as JSON; if not, the reader gets null and not half a line.
    out(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()));
}

/// An error: for people on standard error, for a machine as an object on standard output.
pub(crate) fn problem(problem: &Problem, as_json: bool) {
    if as_json {
        return json(problem);
    }
    let paint = Paint::stderr();
    err(format_args!("{}: {}", paint.red(&format!("error[{}]", problem.code)), problem.detail));
    if let Some(cause) = &problem.cause {
        err(format_args!("  cause: {cause}"));
    }
    err(format_args!("   help: {}", problem.remedy));
    err(format_args!("   more: {}", paint.dim(&format!("suanpan explain {}", problem.code))));
}

/// Colours, where somebody looks who wants them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output.
    pub(crate) fn stdout() -> Self {
        Self { on: io::stdout().is_terminal() && wanted() }
    }

    /// For standard error.
    pub(crate) fn stderr() -> Self {
        Self { on: io::stderr().is_terminal() && wanted() }
    }

    /// Without colours.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self { on: false }
    }

    /// Whether there are any.
    pub(crate) const fn is_on(self) -> bool {
        self.on
    }

    /// Good.
    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Bad.
    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Look at it.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Where we are.
    pub(crate) fn cyan(self, text: &str) -> String {
        self.with("36", text)
    }

    /// A title.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Less important.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// <https://no-color.org>: any value but the empty one means no.
fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The text with blanks behind it, up to so many columns: a Chinese character takes two.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let wide = |char: char| matches!(char, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}');
    let taken = text
        .chars()
        .fold(0_usize, |taken, char| taken.saturating_add(if wide(char) { 2 } else { 1 }));
    format!("{text}{}", " ".repeat(columns.saturating_sub(taken)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(padded("后端 backend", 14), "后端 backend  ");
        assert_eq!(padded("longer than that", 4), "longer than that");
    }

    #[test]
    fn without_colours_the_text_is_the_text() {
        assert_eq!(Paint { on: false }.red("no"), "no");
        assert_eq!(Paint { on: true }.red("no"), "\x1b[31mno\x1b[0m");
    }
}
