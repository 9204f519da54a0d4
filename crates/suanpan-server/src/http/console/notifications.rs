//! What WeChat told us, as it came, with what was made of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use suanpan_wechat::{MchId, OpenId};

use super::links::{self, query_value, with_query};
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::{fact, or_dash, order_link, section, time, verdict_badge};
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::Error;
use crate::store::{Arrival, Received, Verdict};
use crate::world::World;

/// `GET /console/notifications`: those of one verdict, at first those that fit no order.
pub(super) async fn notifications(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    let asked = query_value(visit.here(), "verdict");
    let verdict = asked.map_or(Some(Verdict::Unmatched), |asked| {
        VERDICTS.into_iter().find(|verdict| verdict.as_str() == asked)
    });
    let verdict = verdict.ok_or_else(|| Error::field("verdict", "must be what we made of it"))?;
    let merchants: Vec<_> = world.accounts().iter().map(|account| account.mchid.clone()).collect();
    let found = world.store.look((merchants, verdict), |tx, (merchants, verdict)| {
        Box::pin(async move {
            let mut found = Vec::new();
            for mchid in merchants {
                for received in tx.inbox_with(mchid, *verdict, SHOWN).await? {
                    found.push((mchid.clone(), received));
                }
            }
            Ok(found)
        })
    });
    let mut found = found.await?;
    found.sort_by_key(|(_, received)| std::cmp::Reverse(received.received_at));
    let body = html! {
        div.page-head { h1 { (visit.say(words::NOTIFICATIONS)) } }
        nav.tabs aria-label=(visit.say(words::STATUS_FILTER)) {
            @for one in VERDICTS {
                a href=(with_query(links::NOTIFICATIONS, &[("verdict", Some(one.as_str()))]))
                    aria-current=[(one == verdict).then_some("page")] {
                    (words::verdict(one.as_str()).map_or("", |say| visit.say(say)))
                }
            }
        }
        @if found.is_empty() {
            section.empty data-testid="empty" { h2 { (visit.say(NONE)) } }
        } @else {
            (table(&visit, &found))
        }
    };
    Ok(page(&visit, Frame::Live, visit.say(words::NOTIFICATIONS), &body).into_response())
}

fn table(visit: &Visit, found: &[(MchId, Received)]) -> Markup {
    html! {
        table.cards.list data-live="notifications" {
            caption.unseen { (visit.say(words::NOTIFICATIONS)) }
            thead {
                tr {
                    th scope="col" { (visit.say(words::RECEIVED_AT)) }
                    th scope="col" { (visit.say(words::MCHID)) }
                    th scope="col" { (visit.say(words::VERDICT)) }
                    th scope="col" { (visit.say(words::PROBLEM)) }
                }
            }
            tbody {
                @for (mchid, received) in found {
                    tr {
                        td.wide { a href=(links::notification(&received.id)) { (time(received.received_at)) } }
                        td data-name=(visit.say(words::MCHID)) { span.mono { (mchid) } }
                        td data-name=(visit.say(words::VERDICT)) { (verdict_badge(visit, &received.verdict)) }
                        td data-name=(visit.say(words::PROBLEM)) {
                            @if let Some(problem) = &received.problem { code { (problem) } }
                        }
                    }
                }
            }
        }
    }
}

/// `GET /console/notifications/{id}`
pub(super) async fn notification(
    State(world): State<Arc<World>>,
    _: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let found = world.store.look(id, |tx, id| Box::pin(async move { tx.inbox_one(id).await }));
    let found = found.await?.ok_or(Error::NotFound { what: "notification" })?;
    let (arrival, received, order) = found;
    let body = html! {
        div.page-head { h1 { (visit.say(NOTIFICATION)) } }
        (section(&visit, words::ABOUT, "facts", &html! {
            dl.facts.two {
                (fact(&visit, words::RECEIVED_AT, &time(arrival.received_at)))
                (fact(&visit, words::VERDICT, &verdict_badge(&visit, &received.verdict)))
                (fact(&visit, words::MCHID, &html! { span.mono { (arrival.mchid) } }))
                (fact(&visit, words::ORDER, &or_dash(order.as_ref().map(order_link))))
                (fact(&visit, words::PROBLEM, &or_dash(received.problem.as_ref().map(|code| html! { code { (code) } }))))
                (fact(&visit, ID, &html! { span.mono { (arrival.id) } }))
            }
        }))
        (section(&visit, HEADERS, "headers", &html! { pre.payload tabindex="0" { code { (headers(&arrival)) } } }))
        (section(&visit, BODY, "body", &html! {
            p.hint { (visit.say(BODY_HELP)) }
            pre.payload tabindex="0" { code { (masked(&String::from_utf8_lossy(&arrival.body))) } }
        }))
    };
    Ok(page(&visit, Frame::Inside, visit.say(NOTIFICATION), &body).into_response())
}

/// The headers that were kept, a line each.
fn headers(arrival: &Arrival) -> String {
    let kept = serde_json::from_str::<serde_json::Value>(&arrival.headers);
    let pretty = kept.and_then(|kept| serde_json::to_string_pretty(&kept));
    pretty.unwrap_or_else(|_| arrival.headers.clone())
}

/// A notification of APIv2 as it came, its payer masked; those of APIv3 are sealed, and stay so.
fn masked(xml: &str) -> String {
    let mut text = xml.to_owned();
    for tag in ["openid", "sub_openid"] {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        let inside = text.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
        let Some((value, _)) = inside else { continue };
        let openid = value.trim().trim_start_matches("<![CDATA[").trim_end_matches("]]>");
        if openid.is_empty() {
            continue;
        }
        let shown = openid.parse::<OpenId>().map_or_else(|_| "…".to_owned(), |id| id.masked());
        text = text.replace(&format!("{open}{value}{close}"), &format!("{open}{shown}{close}"));
    }
    text
}

const VERDICTS: [Verdict; 5] =
    [Verdict::Unmatched, Verdict::Refused, Verdict::Asked, Verdict::Known, Verdict::Moved];
/// The newest of each account.
const SHOWN: i64 = 50;

const NOTIFICATION: Say = say("微信的通知", "A notification from WeChat");
const NONE: Say = say("没有这样的通知", "There are no such notifications");
const ID: Say = say("编号", "Id");
const HEADERS: Say = say("请求头", "Headers");
const BODY: Say = say("原文", "As it came");
const BODY_HELP: Say = say(
    "APIv3 的内容是微信用 APIv3 密钥加密的，这里不解开；付款人的 openid 已打码。",
    "The content of APIv3 is sealed under the APIv3 key and not opened here; the payer's openid is masked.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payer_is_masked_however_he_is_written() {
        let id = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
        for xml in [
            format!("<xml><openid><![CDATA[{id}]]></openid><sub_openid>{id}</sub_openid></xml>"),
            format!("<xml><openid>{id}</openid><openid>{id}</openid></xml>"),
        ] {
            let shown = masked(&xml);
            assert!(!shown.contains(id) && shown.contains("oUpF"), "{shown}");
        }
        assert_eq!(masked("<openid></openid>"), "<openid></openid>");
        assert_eq!(masked("{}"), "{}");
    }
}
