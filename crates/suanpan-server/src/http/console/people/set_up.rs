//! A one-time link lets somebody choose a password; the first one makes the first admin.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::links::query_value;
use super::super::notice::{Notice, done};
use super::super::operator::{Address, Operator, cookie, new_session};
use super::super::page::{Frame, Visit, page};
use super::super::posted::Posted;
use super::super::trouble::Trouble;
use super::door::Door;
use super::words;
use crate::Error;
use crate::access::sha256_hex;
use crate::people::{self, Refusal, Role};
use crate::store::{NewSession, SetUp, StoreError, Tx};
use crate::world::World;

/// `GET /console/set-up?token=TOKEN`: only looks; the form uses the link up.
pub(in super::super) async fn form(
    State(world): State<Arc<World>>,
    visit: Visit,
) -> Result<Response, Trouble> {
    let token = query_value(visit.here(), "token").unwrap_or_default();
    let set_up = find(&world, &token).await?;
    Ok(whole(&visit, &token, &set_up, None).into_response())
}

/// What somebody chooses.
#[derive(Deserialize)]
pub(in super::super) struct Chosen {
    token: String,
    #[serde(default)]
    name: String,
    password: String,
    again: String,
}

/// `POST /console/set-up`
pub(in super::super) async fn set_up(
    State(world): State<Arc<World>>,
    Extension(door): Extension<Arc<Door>>,
    visit: Visit,
    address: Address,
    Posted(chosen): Posted<Chosen>,
) -> Result<Response, Trouble> {
    let set_up = find(&world, &chosen.token).await?;
    door.knock(&address.0, &chosen.token)?;
    let entry = match Entry::new(&world, &set_up, &chosen, &address).await {
        Ok(entry) => entry,
        Err(Error::People(refusal)) => {
            let page = whole(&visit, &chosen.token, &set_up, Some(refusal));
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
        Err(other) => return Err(other.into()),
    };
    let token = entry.token.clone();
    let entered =
        world.store.write(entry, |tx, entry| Box::pin(async move { entry.run(tx).await }));
    if !entered.await? {
        return Err(Error::SignIn.into());
    }
    let mut response = done("/console/me", Notice::Welcome);
    response.headers_mut().append(header::SET_COOKIE, cookie(&world, &token)?);
    Ok(response)
}

async fn find(world: &World, token: &str) -> Result<SetUp, Error> {
    let unit = (sha256_hex(token.as_bytes()), world.now());
    let found = world
        .store
        .look(unit, |tx, (hash, now)| Box::pin(async move { tx.set_up(hash, *now).await }));
    found.await?.ok_or(Error::SignIn)
}

/// Somebody with a link and a good password.
struct Entry {
    link: String,
    name: String,
    password: String,
    token: String,
    session: NewSession,
    address: Address,
}

impl Entry {
    async fn new(
        world: &World,
        set_up: &SetUp,
        chosen: &Chosen,
        address: &Address,
    ) -> Result<Self, Error> {
        let name = match set_up {
            SetUp::First => people::name(&chosen.name)?,
            SetUp::Of(person) => person.name.clone(),
        };
        if chosen.password != chosen.again {
            return Err(Refusal::Mistyped.into());
        }
        let password = world.passwords.hash(&*world.dice, &name, &chosen.password).await?;
        let (token, session) = new_session(world, address);
        let link = sha256_hex(chosen.token.as_bytes());
        Ok(Self { link, name, password, token, session, address: address.clone() })
    }

    /// All or nothing: the link is used up, he has his password, his old sessions are over, and he is in.
    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let Self { link, name, password, session, address, .. } = self;
        let Some(set_up) = tx.set_up(link, session.now).await? else { return Ok(false) };
        if !tx.set_up_use(link, session.now).await? {
            return Ok(false);
        }
        let (id, action) = match set_up {
            SetUp::Of(person) => (person.id, "operator.password"),
            SetUp::First => {
                tx.operator_put(FIRST, name, Role::Admin, session.now).await?;
                (FIRST.to_owned(), "operator.first")
            }
        };
        tx.password_put(&id, password).await?;
        tx.sessions_end(&id).await?;
        let Some(person) = tx.operator(&id).await? else { return Ok(false) };
        tx.session_put(&person, session).await?;
        let operator = Operator::of(person, address.clone());
        tx.audit(&operator.entry(action, &id), session.now).await?;
        Ok(true)
    }
}

fn whole(visit: &Visit, token: &str, set_up: &SetUp, refusal: Option<Refusal>) -> Markup {
    let first = *set_up == SetUp::First;
    let title = visit.say(if first { words::SET_UP } else { words::CHOOSE });
    let body = html! {
        section.notice {
            h1 { (title) }
            p { (visit.say(if first { words::SET_UP_HELP } else { words::CHOOSE_HELP })) }
            form.fields method="post" action="/console/set-up" data-testid="set-up" {
                (words::complaint(visit, refusal))
                input type="hidden" name="token" value=(token);
                label { span { (visit.say(words::NAME)) }
                    @match set_up {
                        SetUp::First => input name="name" required minlength="2" maxlength="32" autocomplete="username"
                            autocapitalize="none" spellcheck="false";,
                        SetUp::Of(person) => input value=(person.name) readonly autocomplete="username";,
                    }
                }
                (two_passwords(visit))
                button.button.primary type="submit" { (visit.say(words::CHOOSE_AND_ENTER)) }
            }
        }
    };
    page(visit, Frame::Outside, title, &body)
}

/// A new password, twice.
pub(super) fn two_passwords(visit: &Visit) -> Markup {
    html! {
        label { span { (visit.say(words::NEW_PASSWORD)) }
            input type="password" name="password" required minlength="12" maxlength="256" autocomplete="new-password"; }
        p.hint { (visit.say(words::PASSWORD_RULE)) }
        label { span { (visit.say(words::AGAIN)) }
            input type="password" name="again" required maxlength="256" autocomplete="new-password"; }
    }
}

/// Two that are first at once meet at this key, and the second looks again.
const FIRST: &str = "op_first";
