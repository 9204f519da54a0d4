//! Whether WeChat holds an app's money until it is told: asked once a day.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use suanpan_client::Outcome;
use suanpan_wechat::AppId;
use suanpan_wechat::platform::{IsTradeManaged, Question as _};

use crate::world::World;
use crate::{Error, token};

/// What is known, with the time of the answer in unix microseconds.
#[derive(Debug, Default)]
pub(crate) struct Managed(Mutex<BTreeMap<AppId, (bool, i64)>>);

impl Managed {
    /// As WeChat said within the last day, or as it says now.
    pub(super) async fn of(&self, world: &World, appid: &AppId) -> Result<bool, Error> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(appid).copied();
        match known {
            Some((is_managed, at)) if world.now() < at.saturating_add(DAY) => Ok(is_managed),
            Some(_) | None => self.ask(world, appid).await,
        }
    }

    /// As WeChat says now.
    pub(super) async fn ask(&self, world: &World, appid: &AppId) -> Result<bool, Error> {
        let operation = IsTradeManaged::OPERATION;
        match token::ask(world, appid, &IsTradeManaged::of(appid)).await? {
            Outcome::Done(done) => {
                let is_managed = done.answer.is_trade_managed;
                let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(appid.clone(), (is_managed, world.now()));
                Ok(is_managed)
            }
            Outcome::Rejected(no) => Err(match no.refusal().cloned() {
                Some(refusal) => Error::Refused { operation, refusal },
                None => Error::Unwritable { operation, cause: no.error.into() },
            }),
            Outcome::Unknown(doubt) => Err(Error::Unknown { operation, cause: doubt.error.into() }),
        }
    }
}

/// In microseconds.
const DAY: i64 = 86_400 * 1_000_000;
