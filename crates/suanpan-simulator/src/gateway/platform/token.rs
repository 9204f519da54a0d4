//! `POST /cgi-bin/stable_token`, and the check of the token in every other call.
//!
//! Normal mode answers the same token until its last five minutes; then there is a
//! new one, and the old one is taken until it expires. `force_refresh` kills the
//! old one at once, not sooner than 30 s after the last time, 20 times a day.
//! Tokens live in memory: after a restart all of them are 40001, as after a leak.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use suanpan_wechat::AppId;

use super::{Heard, No, no, read};
use crate::dice;
use crate::world::World;

/// How long a token lives, in seconds.
const LIFE: i64 = 7200;
/// From when on there is another one, in seconds before its end.
const OVERLAP: i64 = 300;
/// The least time between two forced ones, in seconds.
const FORCE_WAIT: i64 = 30;
/// How many are forced in a day.
const FORCED_A_DAY: usize = 20;
const DAY: i64 = 86_400;

/// The tokens that are out, by app.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    apps: HashMap<AppId, Issued>,
}

#[derive(Debug, Default)]
struct Issued {
    /// Newest last. The expired are kept for a day, to be told apart from the unknown.
    tokens: Vec<Token>,
    /// When it was forced, unix seconds.
    forced: Vec<i64>,
    /// The minute, and how many questions it has seen; the day, likewise.
    minute: (i64, u32),
    day: (i64, u32),
}

#[derive(Debug)]
struct Token {
    text: String,
    expires_at: i64,
    killed: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    appid: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    force_refresh: bool,
}

/// Answers `stable_token`.
pub(super) fn stable_token(world: &World, heard: &Heard) -> Result<Map<String, Value>, No> {
    let asked: Asked = read(heard)?;
    if asked.appid.is_empty() {
        return Err(no(41002, "appid missing"));
    }
    if asked.secret.is_empty() {
        return Err(no(41004, "appsecret missing"));
    }
    if asked.grant_type != "client_credential" {
        return Err(no(40002, "invalid grant_type"));
    }
    let (appid, right) =
        world.registry.app(&asked.appid).ok_or_else(|| no(40013, "invalid appid"))?;
    if right.expose() != asked.secret {
        return Err(no(40125, "invalid appsecret"));
    }

    let (now, switches) = (world.now(), world.switches());
    let mut tokens = world.tokens.lock();
    let issued = tokens.apps.entry(appid.clone()).or_default();
    issued.day.pass(now.div_euclid(DAY), switches.stable_tokens_a_day, 45009, "daily")?;
    issued.minute.pass(now.div_euclid(60), switches.stable_tokens_a_minute, 45011, "minute")?;
    if asked.force_refresh {
        issued.force(now)?;
    }
    let token = issued.current(now, || dice::alphanumeric(&*world.outside, 126));
    let left = token.expires_at.saturating_sub(now);
    let told = json!({ "access_token": token.text, "expires_in": left });
    Ok(told.as_object().cloned().unwrap_or_default())
}

trait Pace {
    fn pass(&mut self, now: i64, limit: u32, code: i32, what: &str) -> Result<(), No>;
}

impl Pace for (i64, u32) {
    /// Counts, and refuses what is above the limit; 0 is none.
    fn pass(&mut self, now: i64, limit: u32, code: i32, what: &str) -> Result<(), No> {
        if self.0 != now {
            *self = (now, 0);
        }
        self.1 = self.1.saturating_add(1);
        if limit != 0 && limit < self.1 {
            return Err(no(code, format!("reach max api {what} quota limit")));
        }
        Ok(())
    }
}

impl Issued {
    /// Kills what is out; too soon after the last time, nothing happens.
    fn force(&mut self, now: i64) -> Result<(), No> {
        self.forced.retain(|at| now < at.saturating_add(DAY));
        if self.forced.last().is_some_and(|at| now < at.saturating_add(FORCE_WAIT)) {
            return Ok(());
        }
        if self.forced.len() >= FORCED_A_DAY {
            return Err(no(45009, "reach max api daily quota limit"));
        }
        self.forced.push(now);
        for token in &mut self.tokens {
            token.killed = true;
        }
        Ok(())
    }

    /// The token that is answered now.
    fn current(&mut self, now: i64, new: impl FnOnce() -> String) -> &Token {
        self.tokens.retain(|token| now < token.expires_at.saturating_add(DAY));
        let young =
            |token: &Token| !token.killed && now <= token.expires_at.saturating_sub(OVERLAP);
        let place = match self.tokens.iter().rposition(young) {
            Some(place) => place,
            None => {
                let expires_at = now.saturating_add(LIFE);
                self.tokens.push(Token { text: new(), expires_at, killed: false });
                self.tokens.len().saturating_sub(1)
            }
        };
        #[expect(clippy::indexing_slicing, reason = "found, or put there, in the line above")]
        &self.tokens[place]
    }
}

/// The token is not one that is out, or another one has taken its place.
pub(super) fn not_latest() -> No {
    no(40001, "invalid credential, access_token is invalid or not latest")
}

/// Whose token a question carries.
pub(super) fn app_of(world: &World, heard: &Heard) -> Result<AppId, No> {
    let given = heard.query_value("access_token").filter(|token| !token.is_empty());
    let given = given.ok_or_else(|| no(41001, "access_token missing"))?;
    if !given.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(no(40014, "invalid access_token"));
    }
    let now = world.now();
    let tokens = world.tokens.lock();
    let mut known = tokens
        .apps
        .iter()
        .flat_map(|(app, issued)| issued.tokens.iter().map(move |token| (app, token)));
    let found = known.find(|(_, token)| token.text == given && !token.killed);
    let (app, token) = found.ok_or_else(not_latest)?;
    if token.expires_at <= now {
        return Err(no(42001, "access_token expired"));
    }
    Ok(app.clone())
}
