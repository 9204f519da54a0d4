//! What people do with endpoints and their deliveries.
//!
//! Each of them is a form that is posted, and each is noted in the audit log
//! in the transaction that does it. A secret is shown in the answer to the
//! form that made it, and never again.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::acts::{Nothing, Reason, reason};
use super::days::read_day;
use super::links;
use super::notice::{Notice, done};
use super::operator::Operator;
use super::page::{Frame, Visit, page};
use super::parts::address;
use super::posted::Posted;
use super::trouble::Trouble;
use super::words::{self, Say, say};
use crate::flow::endpoints::{
    self, EVENTS, create_endpoint, delete_endpoint, disable_endpoint, enable_endpoint,
};
use crate::flow::replay;
use crate::people::Right;
use crate::store::{Endpoint, Once};
use crate::world::World;

/// A new endpoint, as the form says it.
#[derive(Deserialize)]
pub(super) struct NewEndpoint {
    url: String,
    /// Types of events, with spaces or commas between them; empty: all.
    #[serde(default)]
    events: String,
}

/// `GET /console/webhooks/new`
pub(super) async fn new(operator: Operator, visit: Visit) -> Result<Response, Trouble> {
    operator.may(Right::Endpoints)?;
    let body = html! {
        section.notice.form data-testid="new-endpoint" {
            h1 { (visit.say(NEW)) }
            form method="post" action=(links::WEBHOOKS) {
                label.field {
                    (visit.say(URL))
                    input type="url" name="url" required maxlength="2000" placeholder="https://" autocomplete="off";
                }
                label.field {
                    (visit.say(WHICH))
                    input type="text" name="events" maxlength="400" autocomplete="off" aria-describedby="which-help";
                }
                p.hint #which-help { (visit.say(WHICH_HELP)) " " code { (EVENTS.join(" ")) } }
                div.acts {
                    button.button.primary type="submit" { (visit.say(MAKE)) }
                    a.button href=(links::WEBHOOKS) { (visit.say(words::BACK)) }
                }
            }
        }
    };
    Ok(page(&visit, Frame::Inside, visit.say(NEW), &body).into_response())
}

/// `POST /console/webhooks`
pub(super) async fn create(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Posted(new): Posted<NewEndpoint>,
) -> Result<Response, Trouble> {
    operator.may(Right::Endpoints)?;
    let words = new.events.split([' ', ',', '，']).filter(|word| !word.is_empty());
    let events: Vec<_> = words.map(str::to_owned).collect();
    let events = (!events.is_empty()).then_some(events);
    let url = new.url.trim();
    let once = once(&world, &operator, "endpoint.create", &address(url));
    let endpoint = create_endpoint(&world, url, events, &once).await?;
    Ok(secret(&visit, &endpoint))
}

/// `POST /console/webhooks/{endpoint}/rotate`
pub(super) async fn rotate(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Trouble> {
    operator.may(Right::Endpoints)?;
    let once = once(&world, &operator, "endpoint.rotate", &id);
    let endpoint = endpoints::rotate_secret(&world, &id, None, &once).await?;
    Ok(secret(&visit, &endpoint))
}

/// The page that shows a new secret, this once.
fn secret(visit: &Visit, endpoint: &Endpoint) -> Response {
    let body = html! {
        section.notice data-testid="secret" {
            h1 { (visit.say(SECRET)) }
            p.url { (address(&endpoint.url)) }
            pre.payload tabindex="0" { code { (endpoint.secret) } }
            p { (visit.say(SECRET_HELP)) }
            p { a.button href=(links::endpoint(&endpoint.id)) { (visit.say(SECRET_KEPT)) } }
        }
    };
    page(visit, Frame::Inside, visit.say(SECRET), &body).into_response()
}

/// `GET /console/webhooks/{endpoint}/disable` and `…/delete`: why.
pub(super) async fn ending(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path((id, end)): Path<(String, End)>,
) -> Result<Response, Trouble> {
    operator.may(Right::Endpoints)?;
    let endpoint = endpoints::find_endpoint(&world, &id).await?;
    let (title, help) = end.words();
    let body = html! {
        section.notice.form data-testid="end-endpoint" {
            h1 { (visit.say(title)) }
            p.url { (address(&endpoint.url)) }
            p { (visit.say(help)) }
            form method="post" action={ (links::endpoint(&id)) "/" (end.as_str()) } {
                (reason(&visit, WHY, 120))
                div.acts {
                    button.button.primary type="submit" { (visit.say(title)) }
                    a.button href=(links::endpoint(&id)) { (visit.say(words::BACK)) }
                }
            }
        }
    };
    Ok(page(&visit, Frame::Inside, visit.say(title), &body).into_response())
}

/// How an endpoint ends.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum End {
    /// For some time.
    Disable,
    /// For good.
    Delete,
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Delete => "delete",
        }
    }

    const fn words(self) -> (Say, Say) {
        match self {
            Self::Disable => (DISABLE, DISABLE_HELP),
            Self::Delete => (DELETE, DELETE_HELP),
        }
    }
}

/// `POST /console/webhooks/{endpoint}/disable` and `…/delete`
pub(super) async fn end(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path((id, end)): Path<(String, End)>,
    Posted(why): Posted<Reason>,
) -> Result<Response, Trouble> {
    operator.may(Right::Endpoints)?;
    let reason = why.read()?;
    let entry = |action| operator.entry(action, id.as_str()).because(reason.as_str());
    match end {
        End::Disable => {
            let once = Once::audited(entry("endpoint.disable"), world.now());
            disable_endpoint(&world, &id, &reason, &once).await?;
            Ok(done(&links::endpoint(&id), Notice::EndpointDisabled))
        }
        End::Delete => {
            let once = Once::audited(entry("endpoint.delete"), world.now());
            delete_endpoint(&world, &id, &once).await?;
            Ok(done(links::WEBHOOKS, Notice::EndpointDeleted))
        }
    }
}

/// `POST /console/webhooks/{endpoint}/enable`
pub(super) async fn enable(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Trouble> {
    operator.may(Right::Endpoints)?;
    let once = once(&world, &operator, "endpoint.enable", &id);
    enable_endpoint(&world, &id, &once).await?;
    Ok(done(&links::endpoint(&id), Notice::EndpointEnabled))
}

/// `POST /console/webhooks/{endpoint}/test`
pub(super) async fn test(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Trouble> {
    operator.may(Right::Replay)?;
    let once = once(&world, &operator, "endpoint.test", &id);
    let event = replay::test(&world, &id, &once).await?;
    Ok(done(&links::event(&event.id), Notice::Delivering))
}

/// Since which day, in Beijing.
#[derive(Deserialize)]
pub(super) struct Since {
    since: String,
}

/// `POST /console/webhooks/{endpoint}/replay`: all that it has not taken since a day.
pub(super) async fn replay_failed(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(Since { since }): Posted<Since>,
) -> Result<Response, Trouble> {
    operator.may(Right::Replay)?;
    let mut from = read_day("since", &since)?;
    let entry = operator.entry("endpoint.replay", id.as_str());
    let mut once = Once::audited(entry.with(serde_json::json!({ "since": since })), world.now());
    // One transaction sets so many in motion; the line in the audit log is in the first.
    loop {
        let replayed = replay::replay_failed(&world, &id, from, &once).await?;
        let Some(next) = replayed.next_since else { break };
        from = next.as_microsecond();
        once = Once::default();
    }
    Ok(done(&links::endpoint(&id), Notice::Delivering))
}

/// To which endpoint; empty: to all that want such events.
#[derive(Deserialize)]
pub(super) struct To {
    #[serde(default)]
    endpoint: String,
}

/// `POST /console/events/{event}/replay`
pub(super) async fn replay_event(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(To { endpoint }): Posted<To>,
) -> Result<Response, Trouble> {
    operator.may(Right::Replay)?;
    let entry = operator.entry("event.replay", id.as_str());
    let entry = entry.with(serde_json::json!({ "endpoint": endpoint }));
    let once = Once::audited(entry, world.now());
    let to = (!endpoint.is_empty()).then_some(endpoint.as_str());
    replay::replay_event(&world, &id, to, &once).await?;
    Ok(done(&links::event(&id), Notice::Delivering))
}

fn once(world: &World, operator: &Operator, action: &'static str, object: &str) -> Once {
    Once::audited(operator.entry(action, object), world.now())
}

/// What this operator may do with an endpoint.
pub(super) fn buttons(
    visit: &Visit,
    operator: &Operator,
    endpoint: &Endpoint,
    today: &str,
) -> Markup {
    let path = links::endpoint(&endpoint.id);
    let is_ours = endpoint.source != "config";
    let is_on = endpoint.disabled.is_none();
    html! {
        div.acts {
            @if operator.role.may(Right::Endpoints) {
                @if is_on {
                    @if is_ours { (button(visit, &format!("{path}/rotate"), ROTATE)) }
                    a.button href={ (path) "/disable" } { (visit.say(DISABLE)) "…" }
                } @else {
                    (button(visit, &format!("{path}/enable"), ENABLE))
                }
                @if is_ours { a.button href={ (path) "/delete" } { (visit.say(DELETE)) "…" } }
            }
            @if operator.role.may(Right::Replay) && is_on {
                (button(visit, &format!("{path}/test"), TEST))
                form.filters method="post" action={ (path) "/replay" } {
                    label { (visit.say(SINCE)) input type="date" name="since" required value=(today); }
                    button.button type="submit" { (visit.say(REPLAY_FAILED)) }
                }
            }
        }
    }
}

/// A form that is one button.
pub(super) fn button(visit: &Visit, path: &str, name: Say) -> Markup {
    html! { form method="post" action=(path) { button.button type="submit" { (visit.say(name)) } } }
}

pub(super) const NEW: Say = say("新建接收端", "New endpoint");
const URL: Say = say("地址（https）", "Address (https)");
const WHICH: Say = say("事件类型（留空：全部）", "Events (empty: all)");
const WHICH_HELP: Say = say("用空格分开，可选：", "With spaces between them, of:");
const MAKE: Say = say("新建", "Make");
const SECRET: Say = say("签名密钥，只显示这一次", "The signing secret, shown this once");
const SECRET_HELP: Say = say(
    "请马上抄到接收端的配置里：它用这个密钥验证我们的签名。换密钥时，旧的再签一天，可以慢慢换。",
    "Put it into the receiver's configuration now: it checks our signatures with it. After a rotation the old one signs beside it for a day.",
);
const SECRET_KEPT: Say = say("已抄好", "I have it");
const ROTATE: Say = say("换密钥", "Rotate the secret");
const ENABLE: Say = say("重新启用", "Enable");
const DISABLE: Say = say("停用", "Disable");
const DISABLE_HELP: Say = say(
    "停用后不再投递；期间的事件会留着，启用后可以重放。",
    "It is called no more. What happens meanwhile is kept, and can be replayed when it is enabled again.",
);
const DELETE: Say = say("删除", "Delete");
const DELETE_HELP: Say = say(
    "还没送到的事件不再投递，不能恢复。",
    "What was not delivered yet is not delivered any more. This cannot be undone.",
);
const WHY: Say = say("原因（记入审计日志）", "Why (for the audit log)");
const TEST: Say = say("发测试事件", "Send a test event");
const SINCE: Say = say("从这一天起", "Since");
const REPLAY_FAILED: Say = say("重放没送到的", "Replay what was missed");
pub(super) const REPLAY: Say = say("重新投递", "Deliver again");
