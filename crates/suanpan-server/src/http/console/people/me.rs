//! What somebody sees and changes of himself: password, codes of his phone, sessions.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::notice::{Notice, done};
use super::super::operator::{Address, Operator, cookie, new_session};
use super::super::page::{Frame, Visit, page};
use super::super::parts::time;
use super::super::posted::Posted;
use super::super::trouble::Trouble;
use super::super::words::role;
use super::door::Door;
use super::set_up::two_passwords;
use super::words;
use crate::Error;
use crate::people::{Refusal, totp};
use crate::store::{Credentials, StoreError, Tx};
use crate::world::World;

/// `GET /console/me`
pub(in super::super) async fn me(
    State(world): State<Arc<World>>,
    operator: Operator,
    visit: Visit,
) -> Result<Response, Trouble> {
    Ok(whole(&world, &visit, &operator, None).await?.into_response())
}

async fn whole(
    world: &World,
    visit: &Visit,
    operator: &Operator,
    refusal: Option<Refusal>,
) -> Result<Markup, Trouble> {
    let unit = (operator.id.clone(), world.now());
    let found = world.store.look(unit, |tx, (id, now)| {
        Box::pin(async move { Ok((tx.credentials_of(id).await?, tx.sessions_of(id, *now).await?)) })
    });
    let (own, sessions) = found.await?;
    let own = own.ok_or(Trouble::NoSession)?;
    let body = html! {
        h1 { (operator.name) }
        p.sub { (visit.say(role(operator.role))) }
        (words::complaint(visit, refusal))
        @if own.password.is_some() {
            (password(visit))
            (codes(visit, &own)?)
        } @else {
            section.panel { p.hint { (visit.say(words::NO_PASSWORD)) } }
        }
        (sessions_panel(visit, &sessions))
    };
    Ok(page(visit, Frame::Inside, visit.say(words::ME), &body))
}

fn password(visit: &Visit) -> Markup {
    html! {
        section.panel aria-labelledby="h-password" {
            h2 #h-password { (visit.say(words::CHANGE_PASSWORD)) }
            form.fields method="post" action="/console/me/password" data-testid="password" {
                (current_password(visit))
                (two_passwords(visit))
                button.button type="submit" { (visit.say(words::CHANGE_PASSWORD)) }
            }
        }
    }
}

fn current_password(visit: &Visit) -> Markup {
    html! {
        label { span { (visit.say(words::CURRENT_PASSWORD)) }
            input type="password" name="current" required maxlength="256" autocomplete="current-password"; }
    }
}

fn codes(visit: &Visit, own: &Credentials) -> Result<Markup, Error> {
    let picture = match (&own.totp, &own.totp_new) {
        (None, Some(secret)) => Some((secret, totp::picture(secret, &own.person.name)?)),
        _ => None,
    };
    Ok(html! {
        section.panel data-testid="totp" aria-labelledby="h-totp" {
            h2 #h-totp { (visit.say(words::TOTP)) }
            @if own.totp.is_some() {
                p { strong { (visit.say(words::TOTP_ON)) } }
                form.fields method="post" action="/console/me/totp/remove" {
                    (current_password(visit))
                    button.button type="submit" { (visit.say(words::TOTP_REMOVE)) }
                }
            } @else if let Some((secret, picture)) = picture {
                p { (visit.say(words::TOTP_SCAN)) }
                (drawn(visit, &picture))
                p.hint { (visit.say(words::TOTP_BY_HAND)) " " code.mono { (secret) } }
                form.fields method="post" action="/console/me/totp/confirm" {
                    label { span { (visit.say(words::CODE)) }
                        input name="code" required inputmode="numeric" maxlength="9" autocomplete="one-time-code"; }
                    button.button.primary type="submit" { (visit.say(words::TOTP_CONFIRM)) }
                }
            } @else {
                p.hint { (visit.say(words::TOTP_OFF)) }
                form.fields method="post" action="/console/me/totp" {
                    (current_password(visit))
                    button.button type="submit" { (visit.say(words::TOTP_START)) }
                }
            }
        }
    })
}

/// A QR code: dark on light in both themes, with the rim that scanners ask for.
fn drawn(visit: &Visit, picture: &[Vec<bool>]) -> Markup {
    let rim = 4_usize;
    let size = picture.len().saturating_add(rim.saturating_mul(2));
    let mut path = String::new();
    for (y, row) in picture.iter().enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
            path.push_str(&format!("M{} {}h1v1h-1z", x.saturating_add(rim), y.saturating_add(rim)));
        }
    }
    html! {
        svg.qr viewBox={ "0 0 " (size) " " (size) } role="img" aria-label=(visit.say(words::TOTP_PICTURE))
            shape-rendering="crispEdges" {
            rect width=(size) height=(size) fill="#ffffff" {}
            path d=(path) fill="#000000" {}
        }
    }
}

fn sessions_panel(visit: &Visit, sessions: &[(String, i64)]) -> Markup {
    html! {
        section.panel aria-labelledby="h-sessions" {
            h2 #h-sessions { (visit.say(words::SESSIONS)) }
            ul.plain data-testid="sessions" {
                @for (address, seen_at) in sessions {
                    li { span.mono { (address) } " · " (visit.say(words::SEEN)) " " (time(*seen_at)) }
                }
            }
            form method="post" action="/console/me/sign-out-everywhere" {
                button.button type="submit" { (visit.say(words::SIGN_OUT_EVERYWHERE)) }
            }
        }
    }
}

/// A form that has a button only.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Button {}

/// `POST /console/me/sign-out-everywhere`
pub(in super::super) async fn sign_out_everywhere(
    State(world): State<Arc<World>>,
    operator: Operator,
    Posted(Button {}): Posted<Button>,
) -> Result<Response, Trouble> {
    let entry = operator.entry("session.end-all", &operator.id);
    let ended = world.store.write((operator.id, entry, world.now()), |tx, (id, entry, now)| {
        Box::pin(async move {
            tx.sessions_end(id).await?;
            tx.audit(entry, *now).await
        })
    });
    ended.await?;
    let mut response = done("/console/signed-out", Notice::AllSessionsEnded);
    response.headers_mut().append(header::SET_COOKIE, cookie(&world, "")?);
    Ok(response)
}

/// An old password and a new one.
#[derive(Deserialize)]
pub(in super::super) struct Change {
    current: String,
    password: String,
    again: String,
}

/// `POST /console/me/password`: all sessions end but this browser's, which gets a new one.
pub(in super::super) async fn change_password(
    State(world): State<Arc<World>>,
    Extension(door): Extension<Arc<Door>>,
    operator: Operator,
    visit: Visit,
    Posted(change): Posted<Change>,
) -> Result<Response, Trouble> {
    let changed = hashed(&world, &door, &operator, &change).await;
    let hash = match changed {
        Ok(hash) => hash,
        Err(error) => return refused(&world, &visit, &operator, error).await,
    };
    let (token, session) = new_session(&world, &Address(operator.address.clone()));
    let unit = (operator.entry("operator.password", &operator.id), operator.id, hash, session);
    let put = world.store.write(unit, |tx, (entry, id, hash, session)| {
        Box::pin(async move {
            tx.password_put(id, hash).await?;
            tx.sessions_end(id).await?;
            if let Some(person) = tx.operator(id).await? {
                tx.session_put(&person, session).await?;
            }
            tx.audit(entry, session.now).await
        })
    });
    put.await?;
    let mut response = done("/console/me", Notice::PasswordChanged);
    response.headers_mut().append(header::SET_COOKIE, cookie(&world, &token)?);
    Ok(response)
}

async fn hashed(
    world: &World,
    door: &Door,
    operator: &Operator,
    change: &Change,
) -> Result<String, Error> {
    proven(world, door, operator, &change.current).await?;
    if change.password != change.again {
        return Err(Refusal::Mistyped.into());
    }
    world.passwords.hash(&*world.dice, &operator.name, &change.password).await
}

/// Whoever sits at somebody else's open browser does not know his password.
async fn proven(
    world: &World,
    door: &Door,
    operator: &Operator,
    password: &str,
) -> Result<Credentials, Error> {
    door.knock(&operator.address, &operator.name)?;
    let own = world
        .store
        .look(operator.id.clone(), |tx, id| Box::pin(async move { tx.credentials_of(id).await }));
    let own = own.await?.ok_or(Refusal::NotKnown)?;
    let right = world.passwords.is_right(&*world.dice, own.password.as_deref(), password);
    if right.await? { Ok(own) } else { Err(Refusal::NotKnown.into()) }
}

/// The page once more, with what was wrong.
async fn refused(
    world: &World,
    visit: &Visit,
    operator: &Operator,
    error: Error,
) -> Result<Response, Trouble> {
    let Error::People(refusal) = error else { return Err(error.into()) };
    let page = whole(world, visit, operator, Some(refusal)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// The password that he has.
#[derive(Deserialize)]
pub(in super::super) struct Proof {
    current: String,
}

/// `POST /console/me/totp`: shows a new secret; it counts once a code of it was shown.
pub(in super::super) async fn totp_start(
    State(world): State<Arc<World>>,
    Extension(door): Extension<Arc<Door>>,
    operator: Operator,
    visit: Visit,
    Posted(proof): Posted<Proof>,
) -> Result<Response, Trouble> {
    if let Err(error) = proven(&world, &door, &operator, &proof.current).await {
        return refused(&world, &visit, &operator, error).await;
    }
    let unit = (operator.id, totp::new_secret(&*world.dice));
    let put = world
        .store
        .write(unit, |tx, (id, secret)| Box::pin(async move { tx.totp_offer(id, secret).await }));
    put.await?;
    Ok(done("/console/me", Notice::TotpOffered))
}

/// A code of the app.
#[derive(Deserialize)]
pub(in super::super) struct Code {
    code: String,
}

/// `POST /console/me/totp/confirm`
pub(in super::super) async fn totp_confirm(
    State(world): State<Arc<World>>,
    Extension(door): Extension<Arc<Door>>,
    operator: Operator,
    visit: Visit,
    Posted(code): Posted<Code>,
) -> Result<Response, Trouble> {
    door.knock(&operator.address, &operator.name)?;
    let entry = operator.entry("totp.enrol", &operator.id);
    let unit = (entry, operator.id.clone(), code.code, world.now());
    let enrolled = world.store.write(unit, |tx, (entry, id, code, now)| {
        Box::pin(async move {
            let enrolled = enrol(tx, id, code, *now).await?;
            if enrolled {
                tx.audit(entry, *now).await?;
            }
            Ok(enrolled)
        })
    });
    if !enrolled.await? {
        return refused(&world, &visit, &operator, Refusal::WrongCode.into()).await;
    }
    Ok(done("/console/me", Notice::TotpOn))
}

async fn enrol(tx: &mut Tx, id: &str, code: &str, now: i64) -> Result<bool, StoreError> {
    let own = tx.credentials_of(id).await?;
    let Some(secret) = own.and_then(|own| own.totp_new) else { return Ok(false) };
    match totp::step(&secret, code, now.div_euclid(1_000_000)) {
        Some(step) => tx.totp_enrol(id, &secret, step).await,
        None => Ok(false),
    }
}

/// `POST /console/me/totp/remove`
pub(in super::super) async fn totp_remove(
    State(world): State<Arc<World>>,
    Extension(door): Extension<Arc<Door>>,
    operator: Operator,
    visit: Visit,
    Posted(proof): Posted<Proof>,
) -> Result<Response, Trouble> {
    if let Err(error) = proven(&world, &door, &operator, &proof.current).await {
        return refused(&world, &visit, &operator, error).await;
    }
    let unit = (operator.entry("totp.remove", &operator.id), operator.id, world.now());
    let removed = world.store.write(unit, |tx, (entry, id, now)| {
        Box::pin(async move {
            tx.totp_remove(id).await?;
            tx.audit(entry, *now).await
        })
    });
    removed.await?;
    Ok(done("/console/me", Notice::TotpOff))
}
