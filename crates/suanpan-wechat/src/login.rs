//! Step 1 of 6, login: a code for an openid.
//!
//! `GET /sns/jscode2session` of the mini program platform. The code lives five
//! minutes and works once; the answer is HTTP 200 also where it is an error, so
//! `errcode` decides. Errors that people meet: 40029 (wrong, old, or of another
//! app), 40163 (used), 40013 and 40125 (appid, secret), 40226 (risky user),
//! 45011 (100 a minute per user), -1 (busy).
//! Source: developers.weixin.qq.com, "`auth.code2Session`".

use std::fmt;

use http::{Method, Request, header};
use serde::Deserialize;

use crate::platform::granted;
use crate::text::mask;
use crate::{AppId, AppSecret, Call, Error, Host, LoginCode, Moment, OpenId, Reply, SessionKey};

const WHAT: &str = "answer of jscode2session";

/// Asks who logged in.
#[derive(Clone, Copy, Debug)]
pub struct CodeToSession<'a> {
    /// The mini program that called `wx.login`.
    pub app_id: &'a AppId,
    /// Its secret.
    pub secret: &'a AppSecret,
    /// What `wx.login` gave.
    pub code: &'a LoginCode,
}

/// Who logged in.
#[derive(Clone)]
pub struct Session {
    /// The payer, as this mini program knows them.
    pub openid: OpenId,
    /// Signs and encrypts what the front end sends; never goes there.
    pub session_key: SessionKey,
    /// The payer across the apps of one Open Platform account, where there is one.
    pub unionid: Option<String>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("openid", &self.openid)
            .field("session_key", &self.session_key)
            .field("unionid", &self.unionid.as_deref().map(mask))
            .finish()
    }
}

impl Call for CodeToSession<'_> {
    type Answer = Session;

    fn operation(&self) -> &'static str {
        "GET /sns/jscode2session"
    }

    fn host(&self) -> Host {
        Host::Platform
    }

    fn request(&self, _: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("appid", self.app_id.as_str())
            .append_pair("secret", self.secret.expose())
            .append_pair("js_code", self.code.as_str())
            .append_pair("grant_type", "authorization_code")
            .finish();

        Request::builder()
            .method(Method::GET)
            .uri(format!("/sns/jscode2session?{query}"))
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| Error::Key { what: "login request", why: error.to_string() })
    }

    fn answer(&self, reply: Reply<'_>, _: i64) -> Result<Session, Error> {
        granted(WHAT, reply)?;
        let wire: Wire = serde_json::from_slice(reply.body)
            .map_err(|source| Error::Json { what: WHAT, source })?;
        let openid = wire.openid.ok_or_else(|| Error::missing(WHAT, "openid"))?;
        let session_key = wire.session_key.ok_or_else(|| Error::missing(WHAT, "session_key"))?;
        Ok(Session {
            openid: OpenId::parse(&openid)?,
            session_key: SessionKey::parse(&session_key)?,
            unionid: wire.unionid,
        })
    }
}

#[derive(Deserialize)]
struct Wire {
    openid: Option<String>,
    session_key: Option<String>,
    unionid: Option<String>,
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::Nonce;

    fn ask(status: u16, body: &str) -> Result<Session, Error> {
        let call = CodeToSession {
            app_id: &AppId::parse("wx2421b1c4370ec43b").unwrap(),
            secret: &AppSecret::parse("0123456789abcdef0123456789abcdef").unwrap(),
            code: &LoginCode::parse("0b3abc").unwrap(),
        };
        call.answer(Reply { status, headers: &HeaderMap::new(), body: body.as_bytes() }, 0)
    }

    #[test]
    fn the_question_is_one_line() {
        let call = CodeToSession {
            app_id: &AppId::parse("wx2421b1c4370ec43b").unwrap(),
            secret: &AppSecret::parse("s3cret").unwrap(),
            code: &LoginCode::parse("0b3-_x").unwrap(),
        };
        let nonce = Nonce::parse("n").unwrap();
        let request = call.request(Moment { now: 0, nonce: &nonce }).unwrap();
        insta::assert_snapshot!(request.uri(), @"/sns/jscode2session?appid=wx2421b1c4370ec43b&secret=s3cret&js_code=0b3-_x&grant_type=authorization_code");
    }

    #[test]
    fn errcode_decides_and_its_absence_is_success() {
        let session = ask(
            200,
            r#"{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","session_key":"tiihtNczf5v6AKRyjwEUhQ=="}"#,
        );
        assert_eq!(session.unwrap().openid.as_str(), "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
        let zero = ask(200, r#"{"errcode":0,"openid":"o1","session_key":"k","unionid":"u"}"#);
        assert_eq!(zero.unwrap().unionid.as_deref(), Some("u"));

        for (code, doubt) in [(40029, false), (40163, false), (45011, false), (-1, true)] {
            let body = format!(r#"{{"errcode":{code},"errmsg":"invalid code, rid: 608d-66b8"}}"#);
            let Err(Error::Refused(refusal)) = ask(200, &body) else { panic!("{code}") };
            assert_eq!(refusal.code, code.to_string());
            assert_eq!(refusal.is_doubt(), doubt, "{code}");
        }
    }

    #[test]
    fn a_broken_answer_is_an_error_and_shows_no_key() {
        for (status, body) in
            [(200, "<html>"), (502, "<html>"), (200, "{}"), (200, r#"{"openid":"o1"}"#)]
        {
            assert!(ask(status, body).is_err(), "{status} {body}");
        }
        let session = ask(
            200,
            r#"{"openid":"oUpF8uMuAJO_M2pxb1Q9","session_key":"tiihtNczf5v6AKRyjwEUhQ==",
                "unionid":"oR5GjxHjAc8UnionOfAll"}"#,
        );
        let print = format!("{session:?}");
        for secret in ["tiiht", "M2pxb1Q9", "UnionOf"] {
            assert!(!print.contains(secret), "{print}");
        }
    }
}
