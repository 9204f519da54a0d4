//! The settings: who is let in, which API keys there are, and what the configuration says.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::notice::{Notice, done};
use super::super::operator::Operator;
use super::super::page::{Frame, Visit, page};
use super::super::parts::{time, yuan};
use super::super::posted::Posted;
use super::super::trouble::Trouble;
use super::super::words::{Say, role as role_word};
use super::words;
use crate::Error;
use crate::access;
use crate::config::ExtraPayment;
use crate::people::invite::{self, Change};
use crate::people::{Right, Role};
use crate::store::{ApiKey, Person};
use crate::world::World;

/// Where they are.
const PATH: &str = "/console/settings";

/// `GET /console/settings`
pub(in super::super) async fn settings(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    operator.may(Right::Administer)?;
    let found = world.store.look((), |tx, ()| {
        Box::pin(async move { Ok((tx.operators().await?, tx.api_keys().await?)) })
    });
    let (people, keys) = found.await?;
    let body = html! {
        h1 { (visit.say(words::SETTINGS)) }
        (operators(&visit, &operator, &people))
        (api_keys(&visit, &keys))
        (policies(&visit, &world))
    };
    Ok(page(&visit, Frame::Inside, visit.say(words::SETTINGS), &body).into_response())
}

fn operators(visit: &Visit, operator: &Operator, people: &[Person]) -> Markup {
    html! {
        section.panel aria-labelledby="h-operators" {
            h2 #h-operators { (visit.say(words::OPERATORS)) }
            table.cards.people data-testid="operators" {
                caption.unseen { (visit.say(words::OPERATORS)) }
                thead { tr {
                    th scope="col" { (visit.say(words::NAME)) }
                    th scope="col" { (visit.say(words::ROLE)) }
                    th scope="col" { (visit.say(words::STANDING)) }
                    th scope="col" { (visit.say(words::SINCE)) }
                } }
                tbody {
                    @for person in people {
                        tr data-operator=(person.name) {
                            td { a href={ (PATH) "/operators/" (person.id) } { (person.name) }
                                @if person.id == operator.id { " " (visit.say(words::YOU)) } }
                            td { (visit.say(role_word(person.role))) }
                            td { (standing(visit, person)) }
                            td { (time(person.created_at)) }
                        }
                    }
                }
            }
            h3 { (visit.say(words::INVITE)) }
            form.fields.inline method="post" action={ (PATH) "/operators" } data-testid="invite" {
                label { span { (visit.say(words::NAME)) }
                    input name="name" required minlength="2" maxlength="32" autocomplete="off" autocapitalize="none" spellcheck="false"; }
                (roles(visit, Role::Viewer))
                button.button.primary type="submit" { (visit.say(words::INVITE)) }
            }
            (what_roles_may(visit))
        }
    }
}

fn standing(visit: &Visit, person: &Person) -> Markup {
    let word = if person.disabled_at.is_some() {
        words::IS_DISABLED
    } else if person.has_totp {
        words::HAS_CODES
    } else if person.has_password {
        words::HAS_PASSWORD
    } else {
        words::IS_INVITED
    };
    html! { (visit.say(word)) }
}

fn roles(visit: &Visit, chosen: Role) -> Markup {
    html! {
        label { span { (visit.say(words::ROLE)) }
            select name="role" {
                @for role in Role::ALL {
                    option value=(role.as_str()) selected[role == chosen] { (visit.say(role_word(role))) }
                }
            }
        }
    }
}

fn what_roles_may(visit: &Visit) -> Markup {
    html! {
        details {
            summary { (visit.say(words::WHAT_ROLES_MAY)) }
            dl.facts {
                @for role in Role::ALL {
                    div { dt { (visit.say(role_word(role))) } dd { (visit.say(words::role_may(role))) } }
                }
            }
        }
    }
}

fn api_keys(visit: &Visit, keys: &[ApiKey]) -> Markup {
    html! {
        section.panel aria-labelledby="h-keys" {
            h2 #h-keys { (visit.say(words::API_KEYS)) }
            p.hint { (visit.say(words::API_KEYS_HELP)) }
            table.cards.people data-testid="keys" {
                caption.unseen { (visit.say(words::API_KEYS)) }
                thead { tr {
                    th scope="col" { (visit.say(words::LABEL)) }
                    th scope="col" { (visit.say(words::PREFIX)) }
                    th scope="col" { (visit.say(words::SINCE)) }
                    th scope="col" { (visit.say(words::STANDING)) }
                } }
                tbody {
                    @for key in keys {
                        tr data-key=(key.id) {
                            td { span.what { (key.label) } span.sub.mono { (key.id) } }
                            td { span.mono { (key.prefix.as_deref().unwrap_or("—")) } }
                            td { (time(key.created_at)) }
                            td {
                                @match key.revoked_at {
                                    Some(at) => { (visit.say(words::REVOKED)) " " (time(at)) }
                                    None => (revoke(visit, key)),
                                }
                            }
                        }
                    }
                }
            }
            h3 { (visit.say(words::NEW_KEY)) }
            form.fields.inline method="post" action={ (PATH) "/keys" } data-testid="new-key" {
                label { span { (visit.say(words::LABEL)) }
                    input name="label" required maxlength="64" autocomplete="off"; }
                button.button.primary type="submit" { (visit.say(words::NEW_KEY)) }
            }
        }
    }
}

/// Behind a fold, so that no single press cuts the merchant's system off.
fn revoke(visit: &Visit, key: &ApiKey) -> Markup {
    html! {
        details {
            summary { (visit.say(words::REVOKE)) span.unseen { " " (key.label) } }
            p.hint { (visit.say(words::REVOKE_HELP)) }
            form.fields method="post" action={ (PATH) "/keys/" (key.id) "/revoke" } {
                (reason(visit))
                button.button type="submit" { (visit.say(words::REVOKE)) " " (key.label) }
            }
        }
    }
}

fn reason(visit: &Visit) -> Markup {
    html! {
        label { span { (visit.say(words::WHY)) }
            input name="reason" required maxlength="200" autocomplete="off"; }
    }
}

fn policies(visit: &Visit, world: &World) -> Markup {
    let extra = match world.extra_payment {
        ExtraPayment::Refund => words::EXTRA_REFUND,
        ExtraPayment::Hold => words::EXTRA_HOLD,
    };
    let minutes = world.people.idle_micros.div_euclid(60_000_000);
    html! {
        section.panel aria-labelledby="h-policies" {
            h2 #h-policies { (visit.say(words::POLICIES)) }
            p.hint { (visit.say(words::POLICIES_HELP)) }
            dl.facts {
                div { dt { (visit.say(words::SECOND_PERSON)) } dd {
                    @match world.people.second_person_above {
                        Some(above) => { (visit.say(words::ABOVE)) " " (yuan(above)) }
                        None => (visit.say(words::NEVER_NEEDED)),
                    }
                } }
                div { dt { (visit.say(words::EXTRA_PAYMENT)) } dd { (visit.say(extra)) } }
                div { dt { (visit.say(words::IDLE)) } dd { (minutes) " " (visit.say(words::MINUTES)) } }
                div { dt { "public_url" } dd { span.mono { (world.public_url) } } }
            }
        }
    }
}

/// `GET /console/settings/operators/{id}`
pub(in super::super) async fn operator(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    operator.may(Right::Administer)?;
    let found = world.store.look(id, |tx, id| Box::pin(async move { tx.operator(id).await }));
    let person = found.await?.ok_or(Error::NotFound { what: "operator" })?;
    let at = format!("{PATH}/operators/{}", person.id);
    let body = html! {
        p.back { a href=(PATH) { "← " (visit.say(words::SETTINGS)) } }
        h1 { (person.name) }
        p.sub { (visit.say(role_word(person.role))) " · " (standing(&visit, &person)) }
        section.panel aria-labelledby="h-role" {
            h2 #h-role { (visit.say(words::CHANGE_ROLE)) }
            form.fields method="post" action={ (at) "/role" } data-testid="role" {
                (roles(&visit, person.role))
                (reason(&visit))
                button.button type="submit" { (visit.say(words::CHANGE_ROLE)) }
            }
        }
        section.panel aria-labelledby="h-reset" {
            h2 #h-reset { (visit.say(words::RESET)) }
            p.hint { (visit.say(words::RESET_HELP)) }
            form.fields method="post" action={ (at) "/reset" } data-testid="reset" {
                button.button type="submit" { (visit.say(words::RESET)) }
            }
        }
        section.panel aria-labelledby="h-door" {
            @let (word, path) = match person.disabled_at {
                None => (words::DISABLE, "/disable"),
                Some(_) => (words::ENABLE, "/enable"),
            };
            h2 #h-door { (visit.say(word)) }
            form.fields method="post" action={ (at) (path) } data-testid="door" {
                (reason(&visit))
                button.button type="submit" { (visit.say(word)) }
            }
        }
        p { a href={ "/console/audit?object=" (person.id) } { (visit.say(words::AUDIT)) } }
    };
    Ok(page(&visit, Frame::Inside, &person.name, &body).into_response())
}

/// Who is invited.
#[derive(Deserialize)]
pub(in super::super) struct Invitation {
    name: String,
    role: String,
}

/// `POST /console/settings/operators`
pub(in super::super) async fn invite(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Posted(invitation): Posted<Invitation>,
) -> Result<Response, Trouble> {
    operator.may(Right::Administer)?;
    let role = read_role(&invitation.role)?;
    let link = invite::invite(&world, operator.by(), &invitation.name, role).await?;
    Ok(shown_once(&visit, words::LINK_FOR, invitation.name.trim(), &link))
}

/// `POST /console/settings/operators/{id}/reset`
pub(in super::super) async fn reset(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Path(id): Path<String>,
    Posted(super::me::Button {}): Posted<super::me::Button>,
) -> Result<Response, Trouble> {
    operator.may(Right::Administer)?;
    let link = invite::reset(&world, operator.by(), &id).await?;
    let found = world.store.look(id, |tx, id| Box::pin(async move { tx.operator(id).await }));
    let name = found.await?.map(|person| person.name).unwrap_or_default();
    Ok(shown_once(&visit, words::LINK_FOR, &name, &link))
}

/// Another role, and why.
#[derive(Deserialize)]
pub(in super::super) struct NewRole {
    role: String,
    reason: String,
}

/// `POST /console/settings/operators/{id}/role`
pub(in super::super) async fn role(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(new): Posted<NewRole>,
) -> Result<Response, Trouble> {
    let change = Change::Role(read_role(&new.role)?);
    changed(&world, &operator, &id, change, &new.reason, Notice::RoleChanged).await
}

/// Why.
#[derive(Deserialize)]
pub(in super::super) struct Reason {
    reason: String,
}

/// `POST /console/settings/operators/{id}/disable`
pub(in super::super) async fn disable(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(why): Posted<Reason>,
) -> Result<Response, Trouble> {
    changed(&world, &operator, &id, Change::Disable, &why.reason, Notice::OperatorDisabled).await
}

/// `POST /console/settings/operators/{id}/enable`
pub(in super::super) async fn enable(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(why): Posted<Reason>,
) -> Result<Response, Trouble> {
    changed(&world, &operator, &id, Change::Enable, &why.reason, Notice::OperatorEnabled).await
}

/// Changes what somebody may do, for whoever may.
async fn changed(
    world: &World,
    operator: &Operator,
    id: &str,
    change: Change,
    reason: &str,
    notice: Notice,
) -> Result<Response, Trouble> {
    operator.may(Right::Administer)?;
    invite::change(world, operator.by(), id, change, read_reason(reason)?).await?;
    Ok(done(PATH, notice))
}

/// What a key is called.
#[derive(Deserialize)]
pub(in super::super) struct Label {
    label: String,
}

/// `POST /console/settings/keys`
pub(in super::super) async fn new_key(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
    Posted(new): Posted<Label>,
) -> Result<Response, Trouble> {
    operator.may(Right::Administer)?;
    let label = new.label.trim();
    if label.is_empty() || 64 < label.chars().count() {
        return Err(Error::field("label", "must have 1 to 64 characters").into());
    }
    let key = access::new_key_by(&world, &operator.by(), label).await?;
    Ok(shown_once(&visit, words::KEY_FOR, label, &key))
}

/// `POST /console/settings/keys/{id}/revoke`
pub(in super::super) async fn revoke_key(
    State(world): State<Arc<World>>,
    operator: Operator,
    Path(id): Path<String>,
    Posted(why): Posted<Reason>,
) -> Result<Response, Trouble> {
    operator.may(Right::Administer)?;
    let reason = read_reason(&why.reason)?;
    access::revoke_key(&world, &operator.by(), &id, reason).await?;
    Ok(done(PATH, Notice::KeyRevoked))
}

/// A secret, on the answer itself: it is kept nowhere, so that there is no page to come back to.
fn shown_once(visit: &Visit, what: Say, of: &str, secret: &str) -> Response {
    let body = html! {
        section.notice data-testid="once" {
            h1 { (visit.say(what)) " " (of) }
            p { code.secret { (secret) } }
            p { (visit.say(words::SHOWN_ONCE)) }
            p { a.button href=(PATH) { (visit.say(words::SETTINGS)) } }
        }
    };
    page(visit, Frame::Inside, visit.say(what), &body).into_response()
}

fn read_role(word: &str) -> Result<Role, Error> {
    word.parse().map_err(|_| Error::field("role", "must be viewer, cashier, finance or admin"))
}

fn read_reason(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    if text.is_empty() || 200 < text.chars().count() {
        return Err(Error::field("reason", "must have 1 to 200 characters"));
    }
    Ok(text)
}
