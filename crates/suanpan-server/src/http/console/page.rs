//! The frame that every page of the console has.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::{SCRIPT, STYLE};
use super::links::{self, query_value};
use super::nav;
use super::notice;
use super::words::{self, Lang, Say};
use crate::world::World;

/// A visit to a page: its address, and the reader's language.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// The reader's language.
    pub(super) lang: Lang,
    /// Whether the money is play money: WeChat is a simulator on this machine.
    pretend: bool,
    here: Uri,
    is_form: bool,
}

impl Visit {
    /// The text in the reader's language.
    pub(super) const fn say(&self, text: Say) -> &'static str {
        self.lang.say(text)
    }

    /// The address, as the browser knows it.
    pub(super) const fn here(&self) -> &Uri {
        &self.here
    }

    /// Where somebody goes on who had to sign in first. What he has posted is gone, and its address may have no page.
    pub(super) fn on_from_the_door(&self) -> String {
        if self.is_form { links::HOME.to_owned() } else { self.here.to_string() }
    }
}

impl FromRequestParts<Arc<World>> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        world: &Arc<World>,
    ) -> Result<Self, Self::Rejection> {
        let OriginalUri(here) = OriginalUri::from_request_parts(parts, world).await?;
        let lang = Lang::from_request_parts(parts, world).await?;
        let is_form = parts.method == Method::POST;
        Ok(Self { lang, pretend: world.pretend, here, is_form })
    }
}

/// For whom a page is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Frame {
    /// For whoever stands at the door.
    Outside,
    /// For an operator.
    Inside,
    /// For an operator, and kept up to date while it is open.
    Live,
}

/// A whole page.
pub(super) fn page(visit: &Visit, frame: Frame, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(visit.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                // Stricter policies make a browser post our own forms with `Origin: null`.
                meta name="referrer" content="same-origin";
                title { (title) " · " (visit.say(words::BRAND)) }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href=(STYLE.href());
                @if frame == Frame::Live {
                    script defer src=(SCRIPT.href()) {}
                }
            }
            body.{ (if frame == Frame::Outside { "outside" } else { "inside" }) } {
                a.skip href="#main" { (visit.say(words::SKIP)) }
                (top(visit, frame))
                @if frame != Frame::Outside {
                    nav.side aria-label=(visit.say(words::PAGES)) { (nav::list(visit)) }
                }
                main #main { (notice::shown(visit)) (body) }
                @if frame == Frame::Live {
                    footer.foot { (visit.say(words::CLOCK_NOTE)) }
                }
            }
        }
    }
}

fn top(visit: &Visit, frame: Frame) -> Markup {
    let other = visit.lang.other();
    html! {
        header.top {
            @if frame != Frame::Outside {
                // On a phone, where there is no room for the list beside the page.
                details.menu {
                    summary { (MENU) span.unseen { (visit.say(words::MENU)) } }
                    nav aria-label=(visit.say(words::PAGES)) { (nav::list(visit)) }
                }
            }
            a.brand href=(links::HOME) {
                (MARK)
                span.brand-name { (visit.say(words::BRAND)) }
                span.brand-part { (visit.say(words::CONSOLE)) }
            }
            @if visit.pretend {
                strong.pretend title=(visit.say(words::PRETEND_HELP)) { (visit.say(words::PRETEND)) }
            }
            @if frame != Frame::Outside { (search(visit)) }
            div.tools {
                @if frame == Frame::Live {
                    // The script shows one of these; without it, there is the link.
                    span.pulse data-live-state="on" hidden { span { (visit.say(words::LIVE)) } }
                    span.pulse.lost data-live-state="off" hidden { span { (visit.say(words::LIVE_LOST)) } }
                    a.tool data-live-state="none" href=(visit.here()) { (visit.say(words::RELOAD)) }
                }
                a.tool data-testid="lang" lang=(other.tag()) hreflang=(other.tag())
                    href=(links::in_language(visit.here(), other.tag())) { (other.own_name()) }
                @if frame != Frame::Outside {
                    form method="post" action="/console/sign-out" {
                        button.tool type="submit" { (visit.say(words::SIGN_OUT)) }
                    }
                }
            }
        }
    }
}

/// One box for every number that an order, a payment, a refund or an event has.
fn search(visit: &Visit) -> Markup {
    let searched = query_value(visit.here(), "q").unwrap_or_default();
    html! {
        form.search role="search" aria-label=(visit.say(words::SEARCH_ALL)) method="get" action=(links::ORDERS) {
            input type="search" name="q" maxlength="64" autocomplete="off" spellcheck="false"
                value=(searched) placeholder=(visit.say(words::SEARCH_HINT))
                aria-label=(visit.say(words::SEARCH_HINT));
            button.button type="submit" { (visit.say(words::SEARCH)) }
        }
    }
}

const MENU: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 4h12M2 8h12M2 12h12"/></svg>"#,
);
/// An abacus.
const MARK: PreEscaped<&str> = PreEscaped(
    r#"<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="currentColor"/><g class="rods"><path d="M7 12.5h18"/><path d="M10.5 7v18M16 7v18M21.5 7v18" opacity=".45"/></g><g class="beads"><ellipse cx="10.5" cy="9.4" rx="2.7" ry="1.7"/><ellipse cx="16" cy="9.4" rx="2.7" ry="1.7"/><ellipse cx="21.5" cy="9.4" rx="2.7" ry="1.7"/><ellipse cx="10.5" cy="16" rx="2.7" ry="1.7"/><ellipse cx="16" cy="22.6" rx="2.7" ry="1.7"/><ellipse cx="21.5" cy="16" rx="2.7" ry="1.7"/><ellipse cx="21.5" cy="20" rx="2.7" ry="1.7"/></g></svg>"#,
);
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%2307a452'/%3E%3Cg stroke='%23fff' stroke-width='2' stroke-linecap='round'%3E%3Cpath d='M7 12.5h18'/%3E%3Cpath d='M11 7v18M21 7v18' opacity='.5'/%3E%3C/g%3E%3Cg fill='%23fff'%3E%3Cellipse cx='11' cy='9.2' rx='3.4' ry='2'/%3E%3Cellipse cx='21' cy='9.2' rx='3.4' ry='2'/%3E%3Cellipse cx='11' cy='16.4' rx='3.4' ry='2'/%3E%3Cellipse cx='21' cy='22.4' rx='3.4' ry='2'/%3E%3C/g%3E%3C/svg%3E";
