//! `/docs/errors`: what `suanpan explain` knows, as a page; `/docs/errors/{code}` leads to one of them.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{DOCTYPE, Markup, html};

use super::{head, shown, ticked};
use crate::Error;
use crate::explain::{self, Entry, Group, Language};
use crate::http::problem::Refused;

/// `GET /docs/errors`
pub(in crate::http) async fn all() -> Response {
    shown(PAGE.as_str())
}

/// `GET /docs/errors/{code}`: to its place on the page.
pub(in crate::http) async fn one(Path(code): Path<String>) -> Result<Response, Refused> {
    let entry = explain::by_code(&code).ok_or(Error::NotFound { what: "error code" })?;
    Ok(Redirect::to(&format!("/docs/errors#{}", entry.code())).into_response())
}

static PAGE: LazyLock<String> = LazyLock::new(|| write().into_string());

fn write() -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            (head("错误代码 / Error codes"))
            body {
                header {
                    h1 { "错误代码 / Error codes" }
                    p { a href="/docs" { "接口文档 / API" } " · " code { "suanpan explain" } }
                }
                nav aria-label="错误代码 / error codes" {
                    @for group in explain::groups() { (contents(group)) }
                }
                main {
                    @for group in explain::groups() {
                        section {
                            h2 { (group.title(Language::Chinese)) }
                            p.english lang="en" { (group.title(Language::English)) }
                            @for entry in &group.entries { (explained(entry)) }
                        }
                    }
                }
            }
        }
    }
}

/// Closed at first: on a phone it stands before the text.
fn contents(group: &Group) -> Markup {
    html! {
        details {
            summary { (group.title(Language::Chinese)) }
            ul {
                @for entry in &group.entries {
                    li { a href={ "#" (entry.code()) } { code { (entry.code()) } } }
                }
            }
        }
    }
}

fn explained(entry: &Entry) -> Markup {
    html! {
        article id=(entry.code()) {
            h3 {
                @for code in &entry.codes { code { (code) } " " }
                span.type { (entry.at) }
            }
            (said(entry, Language::Chinese))
            div lang="en" { (said(entry, Language::English)) }
            p.rules { (entry.source) }
        }
    }
}

fn said(entry: &Entry, language: Language) -> Markup {
    let words = entry.words(language);
    html! {
        p { strong { (ticked(&words.meaning)) } " · " (entry.retry.words(language)) }
        ol { @for cause in &words.causes { li { (ticked(cause)) } } }
        p { (language.of("区分：", "Check: ")) (ticked(&words.check)) }
        p { (language.of("怎么办：", "Fix: ")) (ticked(&words.fix)) }
    }
}
