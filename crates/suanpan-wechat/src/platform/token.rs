//! `POST /cgi-bin/stable_token`: the token that the platform's other calls carry.
//!
//! In normal mode the same token is answered until its last five minutes, then a
//! new one, and for those five minutes both work: so nodes that ask at the same
//! time do not fight. `force_refresh` kills the old one at once; 20 a day, 30 s
//! apart; for a token that leaked. Codes: 40013 and 40125 (appid, secret), 40164
//! (address not in the allow-list), 45009 and 45011 (too often), 50007 (frozen).
//! Source: developers.weixin.qq.com, "getStableAccessToken".

use http::Request;
use serde::{Deserialize, Serialize};

use super::{granted, path, post};
use crate::{AccessToken, AppId, AppSecret, Call, Error, Host, Moment, Reply};

/// Asks for the app's token.
#[derive(Clone, Copy, Debug)]
pub struct StableToken<'a> {
    /// The mini program.
    pub app_id: &'a AppId,
    /// Its secret.
    pub secret: &'a AppSecret,
    /// Kills the token that is out, and answers a new one.
    pub force_refresh: bool,
}

/// A token, and how long it will be taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuedToken {
    /// The token.
    pub access_token: AccessToken,
    /// In seconds from now, 7200 at most.
    pub expires_in: i64,
}

impl Call for StableToken<'_> {
    type Answer = IssuedToken;

    fn operation(&self) -> &'static str {
        OPERATION
    }

    fn host(&self) -> Host {
        Host::Platform
    }

    fn request(&self, _: Moment<'_>) -> Result<Request<Vec<u8>>, Error> {
        let body = Body {
            grant_type: "client_credential",
            appid: self.app_id,
            secret: self.secret.expose(),
            force_refresh: self.force_refresh,
        };
        post(path(OPERATION), &body)
    }

    fn answer(&self, reply: Reply<'_>, _: i64) -> Result<IssuedToken, Error> {
        granted(OPERATION, reply)?;
        // The parser's own error quotes what it cannot take, and that may be the token.
        let unreadable = |_| Error::missing(OPERATION, "access_token, expires_in");
        let wire: Wire = serde_json::from_slice(reply.body).map_err(unreadable)?;
        Ok(IssuedToken {
            access_token: AccessToken::parse(&wire.access_token)?,
            expires_in: wire.expires_in,
        })
    }
}

#[derive(Serialize)]
struct Body<'a> {
    grant_type: &'static str,
    appid: &'a AppId,
    secret: &'a str,
    force_refresh: bool,
}

#[derive(Deserialize)]
struct Wire {
    access_token: String,
    expires_in: i64,
}

const OPERATION: &str = "POST /cgi-bin/stable_token";

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::Nonce;

    fn call<T>(force_refresh: bool, with: impl FnOnce(StableToken<'_>) -> T) -> T {
        with(StableToken {
            app_id: &AppId::parse("wx2421b1c4370ec43b").unwrap(),
            secret: &AppSecret::parse("s3cret").unwrap(),
            force_refresh,
        })
    }

    fn hear(body: &str) -> Result<IssuedToken, Error> {
        let reply = Reply { status: 200, headers: &HeaderMap::new(), body: body.as_bytes() };
        call(false, |call| call.answer(reply, 0))
    }

    #[test]
    fn the_secret_is_in_the_body_and_not_in_the_address() {
        let nonce = Nonce::parse("n").unwrap();
        let ask =
            |force| call(force, |call| call.request(Moment { now: 0, nonce: &nonce }).unwrap());
        assert_eq!(ask(false).uri(), "/cgi-bin/stable_token");
        insta::assert_snapshot!(String::from_utf8(ask(false).into_body()).unwrap(), @r#"{"grant_type":"client_credential","appid":"wx2421b1c4370ec43b","secret":"s3cret","force_refresh":false}"#);
        assert!(ask(true).body().ends_with(br#""force_refresh":true}"#));
    }

    #[test]
    fn a_token_is_read_and_shown_nowhere() {
        let long = format!("{}_-", "7".repeat(510));
        let issued = hear(&format!(r#"{{"access_token":"{long}","expires_in":7200}}"#)).unwrap();
        assert_eq!((issued.access_token.expose(), issued.expires_in), (long.as_str(), 7200));
        assert!(!format!("{issued:?}").contains("77"), "{issued:?}");
        for broken in [
            r#"{"expires_in":7200}"#,
            r#"{"access_token":"","expires_in":7200}"#,
            r#"{"access_token":"7_SECRET","expires_in":"7_SECRET"}"#,
            r#"{"access_token":"7_SE CRET","expires_in":7200}"#,
        ] {
            let error = hear(broken).unwrap_err();
            assert!(!format!("{error:?}").contains("CRET"), "{error:?}");
        }
    }

    #[test]
    fn a_refusal_has_its_code() {
        for code in [-1, 40001, 40013, 40125, 40164, 45009, 45011, 50007, 89503] {
            let body = format!(r#"{{"errcode":{code},"errmsg":"no, rid: 1-2-3"}}"#);
            let Err(Error::Refused(refusal)) = hear(&body) else { panic!("{code}") };
            assert_eq!(refusal.code, code.to_string());
        }
    }
}
