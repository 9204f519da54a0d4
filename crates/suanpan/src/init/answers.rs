//! One question after the other: answered by a flag, by a line of standard input, or by a person at a terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::problem::Problem;
use crate::talk;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    /// The flag that answers it.
    flag: &'static str,
    zh: &'static str,
    en: &'static str,
    /// May be left empty.
    optional: bool,
    /// What an empty answer means.
    otherwise: Option<&'static str>,
    /// Not shown as it is typed.
    secret: bool,
}

impl Question {
    pub(super) const fn new(flag: &'static str, zh: &'static str, en: &'static str) -> Self {
        Self { flag, zh, en, optional: false, otherwise: None, secret: false }
    }

    pub(super) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    pub(super) const fn otherwise(self, answer: &'static str) -> Self {
        Self { optional: true, otherwise: Some(answer), ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}

/// Where answers come from.
#[derive(Debug)]
pub(super) struct Answers {
    /// Nobody is asked: what no flag says is left out.
    silent: bool,
}

impl Answers {
    pub(super) const fn new(silent: bool) -> Self {
        Self { silent }
    }

    /// An answer that must be there.
    pub(super) fn must<T>(
        &mut self,
        question: &Question,
        given: Option<String>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Problem> {
        let answer = self.ask(question, given, read)?;
        answer.ok_or_else(|| {
            Problem::usage(format!("--{} is needed: {}", question.flag, question.en))
        })
    }

    /// An answer, which is asked for again while it cannot be used. A flag that cannot be used ends the command.
    pub(super) fn ask<T>(
        &mut self,
        question: &Question,
        given: Option<String>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        if let Some(given) = given {
            let wrong = |why| Problem::usage(format!("--{}: {why}", question.flag));
            return read(given.trim()).map(Some).map_err(wrong);
        }
        if self.silent {
            let otherwise = question.otherwise.and_then(|answer| read(answer).ok());
            return Ok(otherwise);
        }
        loop {
            let line = heard(question)?;
            let text = match (line.trim(), question.otherwise) {
                ("", Some(otherwise)) => otherwise,
                ("", None) if question.optional => return Ok(None),
                (text, _) => text,
            };
            match read(text) {
                Ok(answer) => return Ok(Some(answer)),
                Err(why) => talk::err(format_args!("  不行 / no: {why}")),
            }
        }
    }
}

/// A line, typed or piped.
fn heard(question: &Question) -> Result<String, Problem> {
    let otherwise = question.otherwise.map(|answer| format!(" [{answer}]")).unwrap_or_default();
    let prompt = format!("{} / {}{otherwise}: ", question.zh, question.en);
    let broken = |cause: &io::Error| Problem::machine("cannot read what is answered", cause);
    let mut out = io::stderr();
    drop(write!(out, "{prompt}").and_then(|()| out.flush()));
    if question.secret && io::stdin().is_terminal() {
        return rpassword::read_password().map_err(|cause| broken(&cause));
    }
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line).map_err(|cause| broken(&cause))?;
    if read == 0 {
        return Err(Problem::usage(format!(
            "the answers end before: {} (--{})",
            question.en, question.flag
        )));
    }
    Ok(line)
}
