//! Step 1 of 6, login: who wants to pay?
//!
//! The mini program's code is exchanged for the payer's openid, at the app that
//! the order belongs to: a code of another app is refused by WeChat itself. The
//! `session_key` is dropped at once, nothing here needs it.

use std::sync::Arc;

use suanpan_client::Outcome;
use suanpan_wechat::{Call, CodeToSession, LoginCode, OpenId};

use crate::Error;
use crate::account::App;
use crate::order::Order;
use crate::timeline::{Entry, Step};
use crate::world::World;

/// Asks who logged in, and whether they may pay this order.
///
/// # Errors
/// [`Error::Login`], [`Error::OtherPayer`], or [`Error::Unknown`] where WeChat did not answer.
pub async fn login(world: &World, order: &Order, code: &LoginCode) -> Result<OpenId, Error> {
    let accounts = world.accounts();
    let (_, app) = accounts.of_app(&order.app).ok_or_else(|| Error::Config {
        place: "merchants.apps".to_owned(),
        why: format!("order {} is for app {}, which is gone", order.id, order.app),
    })?;
    let payer = once(world, app, code).await?;
    if order.payer_openid.as_ref().is_some_and(|bound| *bound != payer) {
        return Err(Error::OtherPayer);
    }

    let entry = Entry::new(
        Step::Login,
        format!("code {} is {} in {}", code.masked(), payer.masked(), app.appid),
    );
    world.journal(&order.id, entry).await?;
    Ok(payer)
}

/// The same code at the same time is asked for once: it would be used up for all others.
async fn once(world: &World, app: &App, code: &LoginCode) -> Result<OpenId, Error> {
    let key = format!("{} {}", app.appid, code.as_str());
    let mut first = false;
    let asked = world
        .logins
        .try_get_with(key.clone(), async {
            first = true;
            ask(world, app, code).await
        })
        .await;
    // A code works once, also here: whoever comes later is told so by WeChat. Only who asked lets go of the answer,
    // or those who waited for it would throw away the next one's.
    if first {
        world.logins.invalidate(&key).await;
    }
    asked.map_err(|shared| copy(&shared))
}

async fn ask(world: &World, app: &App, code: &LoginCode) -> Result<OpenId, Error> {
    let call = CodeToSession { app_id: &app.appid, secret: &app.secret, code };
    match world.ask(&world.client, &call).await {
        Outcome::Done(done) => Ok(done.answer.openid),
        Outcome::Rejected(no) => Err(match no.refusal() {
            Some(refusal) => Error::Login { refusal: refusal.clone() },
            None => Error::Unwritable { operation: call.operation(), cause: no.error.into() },
        }),
        Outcome::Unknown(doubt) => {
            Err(Error::Unknown { operation: call.operation(), cause: doubt.error.into() })
        }
    }
}

/// The error for each of those who waited for one answer.
fn copy(shared: &Error) -> Error {
    if let Error::Login { refusal } = shared {
        return Error::Login { refusal: refusal.clone() };
    }
    if let Error::Unknown { operation, cause } = shared {
        return Error::Unknown { operation, cause: Arc::clone(cause) };
    }
    if let Error::Unwritable { operation, cause } = shared {
        return Error::Unwritable { operation, cause: Arc::clone(cause) };
    }
    Error::Broken
}
