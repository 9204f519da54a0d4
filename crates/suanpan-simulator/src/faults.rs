//! Faults on demand: `POST /_sim/faults`.
//!
//! A rule names where (`on`), what (`fault`), and how often: `times`, then it is
//! spent; `probability`, drawn from a `seed` so that a run can be repeated; only
//! where `match` stands in the question or in what is told. The first rule that
//! fires is played.

use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::Outside;
use crate::gateway::{Family, Operation};

/// What can go wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Nothing is done; no answer for `seconds` (30), then a 504 as a proxy gives.
    TimeoutBefore,
    /// It is done; no answer for `seconds` (30), then a 504.
    TimeoutAfter,
    /// Nothing is done; a page of the web server, status 500.
    #[serde(rename = "http_500")]
    Http500,
    /// WeChat's own "I do not know": `SYSTEM_ERROR`, `SYSTEMERROR`, `-1`. Nothing is done.
    SystemError,
    /// Too often: 429, `FREQUENCY_LIMITED`, 45011. Nothing is done.
    FrequencyLimited,
    /// The platform does not take the `access_token`, though it is the latest: 40001. Nothing is done.
    StaleToken,
    /// It is done; the answer comes after `seconds` (3).
    Slow,
    /// It is done; the connection breaks in the middle of the answer.
    Cut,
    /// It is done; the answer's signature does not match.
    BadSignature,
    /// It is done; WeChat probes whether the answer's signature is checked (APIv3).
    Signtest,
    /// It is done; the answer is signed with a key that nobody knows (APIv3).
    UnknownSerial,
    /// It is done; the answer was signed `seconds` (600) in the future (APIv3).
    ClockSkew,
    /// Of a close only: it is answered as done, and nothing is done.
    Pretend,
    /// The try never leaves WeChat.
    Lose,
    /// The first try goes out `seconds` (60) later.
    Late,
    /// The try goes out twice, at the same time.
    Twice,
    /// It waits until another order's notification has gone out, at most `seconds` (60).
    Reorder,
    /// Signed by WeChat, with another amount; the right one comes with the next try.
    WrongAmount,
    /// Signed by WeChat, about another merchant's order; the right one comes next.
    OtherMerchant,
    /// Not from WeChat at all; the right one comes next.
    Forge,
}

impl Fault {
    /// Whether it is one of a notification; the others are of calls.
    const fn is_of_notifications(self) -> bool {
        match self {
            Self::Lose
            | Self::Late
            | Self::Twice
            | Self::Reorder
            | Self::WrongAmount
            | Self::OtherMerchant
            | Self::Forge => true,
            Self::TimeoutBefore
            | Self::TimeoutAfter
            | Self::Http500
            | Self::SystemError
            | Self::FrequencyLimited
            | Self::StaleToken
            | Self::Slow
            | Self::Cut
            | Self::BadSignature
            | Self::Signtest
            | Self::UnknownSerial
            | Self::ClockSkew
            | Self::Pretend => false,
        }
    }

    /// Whether it can be seen in the answers of this operation: what is not signed cannot be signed wrongly.
    const fn shows_in(self, operation: Operation) -> bool {
        let family = operation.family();
        match self {
            Self::Signtest | Self::UnknownSerial | Self::ClockSkew => {
                matches!(family, Family::V3)
            }
            Self::BadSignature => !matches!(family, Family::Platform),
            Self::Pretend => matches!(operation, Operation::V3Close | Operation::V2CloseOrder),
            Self::StaleToken => operation.carries_a_token(),
            Self::TimeoutBefore
            | Self::TimeoutAfter
            | Self::Http500
            | Self::SystemError
            | Self::FrequencyLimited
            | Self::Slow
            | Self::Cut => true,
            Self::Lose
            | Self::Late
            | Self::Twice
            | Self::Reorder
            | Self::WrongAmount
            | Self::OtherMerchant
            | Self::Forge => false,
        }
    }

    /// The name of the contract.
    pub(crate) fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            Ok(_) | Err(_) => String::new(),
        }
    }
}

/// Where faults of notifications happen.
pub(crate) const NOTIFY: &str = "notify";
/// Every operation.
const ANY: &str = "*";

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    on: String,
    fault: Fault,
    times: Option<u32>,
    probability: Option<Number>,
    seed: Option<u64>,
    #[serde(rename = "match")]
    needle: Option<String>,
    seconds: Option<u32>,
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rule {
    pub(crate) id: u64,
    on: String,
    fault: Fault,
    /// How often it can still be played.
    times: Option<u32>,
    probability: Option<Number>,
    seed: u64,
    #[serde(rename = "match")]
    needle: Option<String>,
    seconds: Option<u32>,
    /// How often it was played.
    played: u64,
    #[serde(skip)]
    parts_per_million: u64,
    #[serde(skip)]
    rolls: u64,
}

/// A fault that is to be played now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Played {
    pub(crate) fault: Fault,
    seconds: Option<u32>,
}

impl Played {
    /// `seconds`, or what is usual for this fault.
    pub(crate) fn seconds(self) -> i64 {
        let usual = if self.fault == Fault::Slow {
            3
        } else if self.fault == Fault::ClockSkew {
            600
        } else if self.fault.is_of_notifications() {
            60
        } else {
            30
        };
        i64::from(self.seconds.unwrap_or(usual))
    }
}

/// All rules, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    made: u64,
}

impl Faults {
    /// Adds a rule; says why not.
    pub(crate) fn add(&mut self, wanted: Wanted, outside: &dyn Outside) -> Result<Rule, String> {
        let on = place(&wanted.on, wanted.fault)?;
        let parts_per_million = match &wanted.probability {
            None => MILLION,
            Some(number) => parts_per_million(&number.to_string())
                .ok_or_else(|| format!("`probability` is {number}, and should be from 0 to 1"))?,
        };
        let mut random = [0_u8; 8];
        outside.fill(&mut random);
        self.made = self.made.saturating_add(1);
        let rule = Rule {
            id: self.made,
            on,
            fault: wanted.fault,
            times: wanted.times,
            probability: wanted.probability,
            // Small enough for any JSON reader.
            seed: wanted.seed.unwrap_or_else(|| u64::from_le_bytes(random) >> 16),
            needle: wanted.needle,
            seconds: wanted.seconds,
            played: 0,
            parts_per_million,
            rolls: 0,
        };
        self.rules.push(rule.clone());
        Ok(rule)
    }

    /// All rules.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Takes away one rule, or all; answers how many.
    pub(crate) fn remove(&mut self, id: Option<u64>) -> usize {
        let before = self.rules.len();
        self.rules.retain(|rule| id.is_some_and(|id| id != rule.id));
        before.saturating_sub(self.rules.len())
    }

    /// What is to be played here, if anything.
    pub(crate) fn play(&mut self, on: &str, contains: impl Fn(&str) -> bool) -> Option<Played> {
        let operation = Operation::ALL.into_iter().find(|operation| operation.name() == on);
        // A rule for everything passes by what its fault cannot be seen in, and is not spent there.
        let shows = |rule: &Rule| operation.is_some_and(|here| rule.fault.shows_in(here));
        let here = |rule: &Rule| rule.on == on || (rule.on == ANY && shows(rule));
        let fits = |rule: &Rule| rule.needle.as_deref().is_none_or(&contains);
        let mut left = self.rules.iter_mut();
        let rule = left.find_map(|rule| {
            let asked = here(rule) && rule.times != Some(0) && fits(rule);
            (asked && rule.roll() < rule.parts_per_million).then_some(rule)
        })?;
        rule.played = rule.played.saturating_add(1);
        rule.times = rule.times.map(|times| times.saturating_sub(1));
        Some(Played { fault: rule.fault, seconds: rule.seconds })
    }
}

impl Rule {
    /// The next number below a million that the seed gives (splitmix64).
    const fn roll(&mut self) -> u64 {
        self.rolls = self.rolls.wrapping_add(1);
        let mut mixed = self.seed.wrapping_add(self.rolls.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % MILLION
    }
}

const MILLION: u64 = 1_000_000;

/// The operation that `on` means: by its name, with any names in its braces, or by a path.
fn place(on: &str, fault: Fault) -> Result<String, String> {
    if fault.is_of_notifications() {
        return if on == NOTIFY {
            Ok(on.to_owned())
        } else {
            Err(format!("`{}` is a fault of notifications: `on` should be `notify`", fault.name()))
        };
    }
    // One close is a lie, all closes are another world: they are named.
    if on == ANY && fault != Fault::Pretend {
        return Ok(on.to_owned());
    }
    let mut shown = Operation::ALL.into_iter().filter(|operation| fault.shows_in(*operation));
    if let Some(operation) = shown.clone().find(|operation| fits(operation.name(), on)) {
        return Ok(operation.name().to_owned());
    }
    let names: Vec<_> = shown.by_ref().map(|one| format!("`{}`", one.name())).collect();
    let (names, name) = (names.join(", "), fault.name());
    let any = if fault == Fault::Pretend { "" } else { ", or `*`" };
    if Operation::ALL.into_iter().any(|operation| fits(operation.name(), on)) {
        return Err(format!("`{name}` does nothing to `{on}`: `on` should be one of {names}{any}"));
    }
    Err(format!("`{name}` happens on an operation: one of {names}{any}"))
}

/// Whether a pattern and a path name the same operation.
fn fits(pattern: &str, path: &str) -> bool {
    let same = |(want, given): (&str, &str)| want == given || want.starts_with('{');
    pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(same)
}

/// Reads a probability without ever making a float: `0.25`, `1`, `5e-3`.
fn parts_per_million(text: &str) -> Option<u64> {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction_digits = i32::try_from(fraction.len()).ok()?;
    let mut value: u128 = format!("{whole}{fraction}").parse().ok()?;
    let mut shift = exponent.parse::<i32>().ok()?.checked_sub(fraction_digits)?.checked_add(6)?;
    while shift < 0 && value != 0 {
        (value, shift) = (value / 10, shift.checked_add(1)?);
    }
    while shift > 0 && value != 0 {
        (value, shift) = (value.checked_mul(10)?, shift.checked_sub(1)?);
    }
    u64::try_from(value).ok().filter(|parts| *parts <= MILLION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemOutside;

    #[track_caller]
    fn check(text: &str, want: Option<u64>) {
        assert_eq!(parts_per_million(text), want, "{text}");
    }

    #[test]
    fn a_probability_is_read_without_floats() {
        check("0", Some(0));
        check("1", Some(MILLION));
        check("1.0", Some(MILLION));
        check("0.25", Some(250_000));
        check("1e-5", Some(10));
        check("2.5e-1", Some(250_000));
        check("0.0000001", Some(0));
        for text in ["1.1", "-0.5", "2", "1e9", "x"] {
            check(text, None);
        }
    }

    fn faults(rule: &str) -> Result<Faults, String> {
        let mut faults = Faults::default();
        faults.add(serde_json::from_str(rule).unwrap(), &SystemOutside).map(|_| faults)
    }

    const JSAPI: &str = "POST /v3/pay/transactions/jsapi";

    #[test]
    fn a_rule_is_spent_after_its_times_and_only_plays_where_it_matches() {
        let rule = r#"{"on":"*","fault":"slow","times":2,"match":"order_1","seconds":7}"#;
        let mut faults = faults(rule).unwrap();
        let mut play =
            |on, text: &str| faults.play(on, |needle| text.contains(needle)).map(Played::seconds);
        assert_eq!(play(JSAPI, "order_2"), None);
        assert_eq!(play(JSAPI, "order_1"), Some(7));
        assert_eq!(play(NOTIFY, "order_1"), None);
        assert_eq!(play("GET /sns/jscode2session", "order_1"), Some(7));
        assert_eq!(play(JSAPI, "order_1"), None);
    }

    #[test]
    fn the_same_seed_plays_the_same() {
        let draw = |seed: u64| {
            let rule = format!(r#"{{"on":"*","fault":"cut","probability":0.5,"seed":{seed}}}"#);
            let mut faults = faults(&rule).unwrap();
            (0..64).map(|_| faults.play(JSAPI, |_| true).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let played = draw(3).into_iter().filter(|played| *played).count();
        assert!((16..48).contains(&played), "{played}");
    }

    #[test]
    fn a_place_is_an_operation_or_a_path_of_it() {
        for on in [
            "GET /v3/pay/transactions/out-trade-no/{n}",
            "GET /v3/pay/transactions/out-trade-no/order_1",
            "GET /v3/pay/transactions/out-trade-no/{out_trade_no}",
            "*",
        ] {
            let rule = format!(r#"{{"on":"{on}","fault":"http_500"}}"#);
            let mut faults = faults(&rule).unwrap();
            let name = Operation::V3QueryByNumber.name();
            assert!(faults.play(name, |_| true).is_some(), "{on}");
        }
        for (on, fault) in [
            ("GET /v4", "cut"),
            ("notify", "cut"),
            ("*", "lose"),
            (JSAPI, "forge"),
            (JSAPI, "pretend"),
            ("*", "pretend"),
        ] {
            let rule = format!(r#"{{"on":"{on}","fault":"{fault}"}}"#);
            assert!(faults(&rule).is_err(), "{rule}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_refused_and_passed_by() {
        const LOGIN: &str = "GET /sns/jscode2session";
        const UNIFIED: &str = "POST /pay/unifiedorder";
        for fault in ["signtest", "unknown_serial", "clock_skew", "bad_signature"] {
            let on = |on: &str| faults(&format!(r#"{{"on":"{on}","fault":"{fault}"}}"#));
            let why = on(LOGIN).unwrap_err();
            assert!(why.contains("does nothing to `GET /sns/jscode2session`"), "{why}");
            assert_eq!(on(UNIFIED).is_err(), fault != "bad_signature", "{fault}");
            assert!(on(JSAPI).is_ok());

            let rule = format!(r#"{{"on":"*","fault":"{fault}","times":1}}"#);
            let mut faults = faults(&rule).unwrap();
            assert!(faults.play(LOGIN, |_| true).is_none(), "{fault}");
            assert!(faults.play(JSAPI, |_| true).is_some(), "{fault}");
        }
    }
}
