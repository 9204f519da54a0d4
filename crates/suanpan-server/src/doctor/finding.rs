//! What was found, one line a check and subject.

use serde::Serialize;

use super::checks::Check;
use super::said::Say;

/// How a check came out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// As it should be.
    Ok,
    /// Could not be looked at, or cannot be proven from here; `found` says why.
    Skipped,
    /// Works, and will hurt some day.
    Warn,
    /// Does not work, or is not safe.
    Problem,
}

/// What a check found about one subject.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Which check.
    #[serde(flatten)]
    pub check: &'static Check,
    /// What it is about: a merchant number, an appid, a file, a host; empty where there is only one.
    pub subject: String,
    /// How it came out.
    pub result: Mark,
    /// What was found. No secret is in it.
    pub found: Say,
    /// What to do now; `None` where there is nothing to do.
    pub fix: Option<Say>,
    /// A code that `suanpan explain` knows more about.
    pub code: Option<String>,
    /// Skipped because of these checks.
    pub because: Vec<&'static str>,
}

/// All findings, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub(super) findings: Vec<Finding>,
}

impl Chart {
    pub(super) fn ok(&mut self, check: &'static Check, subject: impl Into<String>, found: Say) {
        self.put(check, subject.into(), Mark::Ok, found, None);
    }

    pub(super) fn warn(
        &mut self,
        check: &'static Check,
        subject: impl Into<String>,
        (found, fix): (Say, Say),
    ) {
        self.put(check, subject.into(), Mark::Warn, found, Some(fix));
    }

    pub(super) fn problem(
        &mut self,
        check: &'static Check,
        subject: impl Into<String>,
        (found, fix): (Say, Say),
    ) {
        self.put(check, subject.into(), Mark::Problem, found, Some(fix));
    }

    /// A problem that `suanpan explain` knows more about.
    pub(super) fn problem_of(
        &mut self,
        check: &'static Check,
        subject: impl Into<String>,
        said: (Say, Say),
        code: &str,
    ) {
        self.problem(check, subject, said);
        if let Some(last) = self.findings.last_mut() {
            last.code = Some(code.to_owned());
        }
    }

    /// Not looked at, for a reason that is no other check.
    pub(super) fn skip(&mut self, check: &'static Check, subject: impl Into<String>, why: Say) {
        self.put(check, subject.into(), Mark::Skipped, why, None);
    }

    /// Not looked at, because others have to be put right first.
    pub(super) fn blocked(
        &mut self,
        check: &'static Check,
        subject: impl Into<String>,
        by: &[&'static Check],
    ) {
        let because: Vec<_> = by.iter().map(|check| check.id).collect();
        let ids = because.join(", ");
        let why = super::said::say!("先修好 {ids}", "put {ids} right first");
        self.skip(check, subject, why);
        if let Some(last) = self.findings.last_mut() {
            last.because = because;
        }
    }

    /// Whether this check has found a problem, about this subject.
    pub(super) fn is_bad(&self, check: &'static Check, subject: &str) -> bool {
        let bad = |found: &&Finding| found.result == Mark::Problem && found.subject == subject;
        self.findings.iter().filter(bad).any(|found| found.check.id == check.id)
    }

    /// Whether any problem was found so far.
    pub(super) fn has_problem(&self) -> bool {
        self.findings.iter().any(|found| found.result == Mark::Problem)
    }

    fn put(
        &mut self,
        check: &'static Check,
        subject: String,
        result: Mark,
        found: Say,
        fix: Option<Say>,
    ) {
        let because = Vec::new();
        self.findings.push(Finding { check, subject, result, found, fix, code: None, because });
    }
}
