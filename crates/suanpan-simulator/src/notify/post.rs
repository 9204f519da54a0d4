//! Carries a message to the merchant, and reads the answer.

use std::fmt::Write as _;
use std::io;

use reqwest::Client;
use reqwest::redirect::Policy;
use suanpan_wechat::v2::Fields;

use super::Message;
use crate::Error;
use crate::clock::SECOND;
use crate::ledger::Notification;
use crate::world::World;

/// The merchant has five seconds.
const PATIENCE: i64 = 5 * SECOND;
/// How much of an answer is read.
const ANSWER: usize = 64 * 1024;

/// Posts to merchants: no proxy, no redirects, no cookies.
#[derive(Clone, Debug)]
pub(crate) struct Poster(Client);

/// What the merchant did.
pub(super) enum Reaction {
    Answered { status: u16, body: Vec<u8> },
    Failed(String),
}

impl Poster {
    pub(crate) fn new() -> Result<Self, Error> {
        let client = || Client::builder().no_proxy().redirect(Policy::none());
        // A machine without CA certificates can still be told by plain http.
        let client = client().build().or_else(|_| client().tls_certs_only([]).build());
        client.map(Self).map_err(|cause| Error::Serve(io::Error::other(cause)))
    }

    /// Posts one message.
    pub(super) async fn post(
        &self,
        world: &World,
        notification: &Notification,
        message: Option<Message>,
    ) -> Reaction {
        let Some(Message { headers, body }) = message else {
            return Reaction::Failed("the notification cannot be written".to_owned());
        };
        let request = self.0.post(&notification.url).headers(headers).body(body);
        let deadline = world.outside.now_micros().saturating_add(PATIENCE);
        tokio::select! {
            reaction = answer(request) => reaction,
            () = world.outside.sleep_until(deadline) => {
                Reaction::Failed("no answer within 5 seconds".to_owned())
            }
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Reaction {
    let failed = |cause: reqwest::Error| Reaction::Failed(chain(&cause));
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(cause) => return failed(cause),
    };
    let mut body = Vec::new();
    while body.len() < ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(cause) => return failed(cause),
        }
    }
    Reaction::Answered { status: response.status().as_u16(), body }
}

/// An error with all its reasons: the outermost says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// Why an answer does not acknowledge a notification of APIv2.
pub(super) fn is_not_v2_success(status: u16, body: &[u8], strict: bool) -> Option<&'static str> {
    if status != 200 {
        return Some("only 200 with the XML of success acknowledges it");
    }
    let said = Fields::parse(body);
    let success = said.is_ok_and(|fields| fields.get("return_code") == Some("SUCCESS"));
    let bare = body.starts_with(b"<xml>") && body.ends_with(b"</xml>");
    match (success, strict && !bare) {
        (false, _) => {
            Some("the body is not the XML of success: return_code SUCCESS, and nothing around it")
        }
        (true, true) => Some("there is something around the XML"),
        (true, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_both(body: &str, usual: bool, strict: bool) {
        let good = |strict| is_not_v2_success(200, body.as_bytes(), strict).is_none();
        assert_eq!((good(false), good(true)), (usual, strict), "{body:?}");
    }

    #[test]
    fn only_the_xml_of_success_acknowledges() {
        check_both(suanpan_wechat::v2::acknowledge(), true, true);
        check_both("<xml><return_code>SUCCESS</return_code></xml>", true, true);
        check_both("<xml><return_code>SUCCESS</return_code></xml>\n", true, false);
        for body in [
            "",
            "success",
            "SUCCESS",
            "{\"code\":\"SUCCESS\"}",
            "\u{feff}<xml><return_code>SUCCESS</return_code></xml>",
            "<xml><return_code>FAIL</return_code></xml>",
        ] {
            check_both(body, false, false);
        }
        let success = suanpan_wechat::v2::acknowledge().as_bytes();
        assert!(is_not_v2_success(204, success, false).is_some());
        assert!(is_not_v2_success(500, success, false).is_some());
    }
}
