//! Step 1, login: `wx.login` gives a code, `GET /sns/jscode2session` takes it.
//!
//! A code lives five minutes and works once, for the app that it was given to.
//! The platform answers HTTP 200 also where it refuses: `errcode` decides.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use suanpan_wechat::AppId;

use crate::dice;
use crate::gateway::{Answer, Heard};
use crate::ledger::Record;
use crate::registry::openid;
use crate::world::World;

/// How long a code lives, in seconds.
const CODE_LIFE: i64 = 300;
/// How long a dead code is still known as dead, in seconds.
const MEMORY: i64 = 3600;

/// The codes that are out, and how often users log in.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    codes: HashMap<String, Code>,
    /// By user: the minute, and how many logins it has seen.
    pace: HashMap<String, (i64, u32)>,
}

#[derive(Debug)]
struct Code {
    appid: AppId,
    user: String,
    issued_at: i64,
    used: bool,
}

/// Plays `wx.login`: a new code. A user who was never seen gets a phone.
///
/// # Errors
/// `None` where there is no such app, or the name is none.
pub(crate) fn wx_login(world: &World, appid: &str, user: &str) -> Option<String> {
    let (appid, _) = world.registry.app(appid)?;
    let named = (1..=64).contains(&user.len())
        && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if !named {
        return None;
    }
    {
        let mut ledger = world.ledger.lock();
        if !ledger.users.contains(user) {
            world.commit(&mut ledger, vec![Record::User(user.to_owned())]).ok()?;
        }
    }

    let now = world.now();
    let text = format!("0{}", dice::alphanumeric(&*world.outside, 31));
    let code = Code { appid: appid.clone(), user: user.to_owned(), issued_at: now, used: false };
    let mut logins = world.logins.lock();
    logins.codes.retain(|_, code| now < code.issued_at.saturating_add(MEMORY));
    logins.codes.insert(text.clone(), code);
    Some(text)
}

/// Answers `jscode2session`.
pub(crate) fn code_to_session<'w>(world: &World, heard: &Heard) -> Answer<'w> {
    match exchange(world, heard) {
        Ok((appid, user)) => {
            let mut key = [0_u8; 16];
            world.outside.fill(&mut key);
            let openid = openid(&appid, &user);
            let key = STANDARD.encode(key);
            Answer::platform(json!({ "session_key": key, "openid": openid }))
        }
        Err((errcode, words)) => refusal(world, errcode, words),
    }
}

/// A refusal in the platform's form, with the trace that Tencent asks for.
pub(crate) fn refusal<'w>(world: &World, errcode: i32, words: &str) -> Answer<'w> {
    let rid = dice::hexadecimal(&*world.outside, 12);
    let parts = [rid.get(..8), rid.get(8..16), rid.get(16..)].map(Option::unwrap_or_default);
    let errmsg = format!("{words}, rid: {}", parts.join("-"));
    Answer::platform(json!({ "errcode": errcode, "errmsg": errmsg }))
}

fn exchange(world: &World, heard: &Heard) -> Result<(AppId, String), (i32, &'static str)> {
    // A POST puts its parameters where the platform does not look.
    let posted = heard.method != "GET";
    let given = |name| heard.query_value(name).filter(|text| !text.is_empty() && !posted);
    let appid = given("appid").ok_or((41002, "appid missing"))?;
    let secret = given("secret").ok_or((41004, "appsecret missing"))?;
    let code = given("js_code").ok_or((41008, "missing code"))?;
    if given("grant_type").as_deref() != Some("authorization_code") {
        return Err((40002, "invalid grant_type"));
    }
    let (appid, right) = world.registry.app(&appid).ok_or((40013, "invalid appid"))?;
    if right.expose() != secret {
        return Err((40125, "invalid appsecret"));
    }

    let now = world.now();
    let limit = world.switches().logins_a_minute;
    let mut logins = world.logins.lock();
    let Logins { codes, pace } = &mut *logins;
    let code = codes
        .get_mut(&code)
        .filter(|code| code.appid == *appid && now < code.issued_at.saturating_add(CODE_LIFE))
        .ok_or((40029, "invalid code"))?;
    if code.used {
        return Err((40163, "code been used"));
    }
    let minute = now.div_euclid(60);
    let (last, count) = pace.entry(code.user.clone()).or_insert((minute, 0));
    if *last != minute {
        (*last, *count) = (minute, 0);
    }
    *count = count.saturating_add(1);
    if limit != 0 && *count > limit {
        return Err((45011, "api minute-quota reach limit, must slower"));
    }
    code.used = true;
    Ok((appid.clone(), code.user.clone()))
}
