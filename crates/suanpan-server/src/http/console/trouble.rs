//! What goes wrong in the console, as a page that says what to do.

use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::super::problem;
use super::links;
use super::page::{Frame, Visit, page};
use super::people::sign_in;
use super::people::words::refusal as refusal_words;
use super::words::{self, Say};
use crate::people::{Right, Role};
use crate::{Error, chain};

/// Why there is no page as it was asked for. A handler answers it, the outermost layer writes it.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// The browser is not signed in.
    NoSession,
    /// Whoever is signed in, with this role, does not have this right.
    NotAllowed(Right, Role),
    /// Nothing is there.
    NoPage,
    /// The rest.
    Refused(Arc<Error>),
}

impl<E: Into<Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Refused(Arc::new(error.into()))
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoSession => StatusCode::UNAUTHORIZED,
            Self::NotAllowed(..) => StatusCode::FORBIDDEN,
            Self::NoPage => StatusCode::NOT_FOUND,
            Self::Refused(error) => problem::status(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSession => Error::SignIn.code(),
            Self::NotAllowed(..) => "SP-CONSOLE-ROLE",
            Self::NoPage => "SP-NO-ENDPOINT",
            Self::Refused(error) => error.code(),
        }
    }

    /// One line in the log, as for every refusal.
    pub(super) fn log(&self, method: &Method, path: &str) {
        let (code, status) = (self.code(), self.status().as_u16());
        let cause = match self {
            Self::Refused(error) => Some(chain(error.as_ref())),
            Self::NoSession | Self::NotAllowed(..) | Self::NoPage => None,
        };
        if status >= 500 {
            tracing::warn!(code, status, %method, path, cause, "the console cannot show a page");
        } else {
            tracing::info!(code, status, %method, path, cause, "the console refused a request");
        }
    }

    /// The page, under the head of the bare response.
    pub(super) fn write(&self, visit: &Visit, bare: Response) -> Response {
        let (title, help) = self.words();
        let body = html! {
            section.notice data-testid="trouble" {
                h1 { (visit.say(title)) }
                p { (visit.say(help)) }
                @if let Self::NotAllowed(right, role) = self {
                    dl.facts {
                        dt { (visit.say(words::ROLE_NEEDED)) }
                        dd { (visit.say(words::role(right.least()))) }
                        dt { (visit.say(words::YOUR_ROLE)) }
                        dd { (visit.say(words::role(*role))) }
                    }
                }
                (self.way_out(visit))
                p.code-line {
                    a href={ "/docs/errors/" (self.code()) } { code { (self.code()) } }
                    @if let Self::Refused(error) = self { " " (error) br; (error.remedy()) }
                }
            }
        };
        let frame = if self.is_about_the_door() { Frame::Outside } else { Frame::Inside };
        let written = page(visit, frame, visit.say(title), &body);
        let mut response = (bare.status(), written).into_response();
        if let Self::Refused(error) = self
            && let Error::TooOften { seconds } = **error
        {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    fn words(&self) -> (Say, Say) {
        let error = match self {
            Self::NoSession => return (words::NO_SESSION, words::NO_SESSION_HELP),
            Self::NotAllowed(..) => return (words::NOT_ALLOWED, words::NOT_ALLOWED_HELP),
            Self::NoPage => return (words::NO_PAGE, words::NO_PAGE_HELP),
            Self::Refused(error) => error.as_ref(),
        };
        if let Error::People(refusal) = error {
            return (words::REFUSED, refusal_words(*refusal));
        }
        if matches!(error, Error::TooOften { .. }) {
            (words::TOO_OFTEN, words::TOO_OFTEN_HELP)
        } else if matches!(error, Error::SignIn) {
            (words::LINK_USED, words::LINK_USED_HELP)
        } else if matches!(error, Error::ForeignForm) {
            (words::FOREIGN, words::FOREIGN_HELP)
        } else if matches!(error, Error::NotFound { what: "order" }) {
            (words::NOT_FOUND, words::NOT_FOUND_HELP)
        } else if matches!(error, Error::NotFound { .. }) {
            (words::NOTHING_THERE, words::NOTHING_THERE_HELP)
        } else if matches!(error, Error::WrongMethod { .. }) {
            (words::NO_PAGE, words::NO_PAGE_HELP)
        } else if problem::status(error).is_client_error() {
            (words::CANNOT, words::CANNOT_HELP)
        } else {
            (words::FAILED, words::FAILED_HELP)
        }
    }

    fn is_about_the_door(&self) -> bool {
        match self {
            Self::NoSession => true,
            Self::NotAllowed(..) | Self::NoPage => false,
            Self::Refused(error) => matches!(**error, Error::SignIn),
        }
    }

    fn way_out(&self, visit: &Visit) -> Markup {
        html! {
            @if self.is_about_the_door() {
                @if let Self::NoSession = self {
                    (sign_in::fields(visit, &visit.on_from_the_door(), None))
                }
                h2 { (visit.say(words::HOW_TO_SIGN_IN)) }
                ul {
                    li { (visit.say(words::LINK_FROM_DEV)) }
                    li { (visit.say(words::LINK_FROM_OPERATOR)) }
                }
            } @else {
                p { a.button href=(links::HOME) { (visit.say(words::BACK_HOME)) } }
            }
        }
    }
}
