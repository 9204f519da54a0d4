//! `POST /_sim/keys`: WeChat changes what it signs with, at run time.
//!
//! Three things happen to a merchant in the field, and each costs payments where
//! the backend is not ready: a new platform certificate (five years are over), the
//! migration to the WeChat Pay public key, and the end of the old certificate.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::{No, read};
use crate::credentials::Mode;
use crate::keys::Authority;
use crate::world::World;
use crate::{Error, config_file};

const REMEDY: &str = "send {\"mchid\":\"16…\",\"rotate\"?:true,\"retire\"?:true,\
    \"mode\"?:\"platform_certificate|migrating|public_key\"} with a mchid of credentials.json";

/// What is to change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    mchid: String,
    /// How the merchant verifies from now on.
    mode: Option<Mode>,
    /// A new platform certificate, beside the old ones.
    #[serde(default)]
    rotate: bool,
    /// The old certificates go: only the newest is left.
    #[serde(default)]
    retire: bool,
}

/// Changes the keys of a merchant, here and in `credentials.json`; answers how they are then.
pub(crate) async fn keys(State(world): State<Arc<World>>, body: Bytes) -> Result<Json<Value>, No> {
    let wanted: Wanted = read(&body, REMEDY)?;
    // An RSA key takes a while, which others should not wait for.
    let changing = tokio::task::spawn_blocking(move || change(&world, &wanted));
    let broken = |why: String| {
        No::new(StatusCode::INTERNAL_SERVER_ERROR, "SIM_KEYS", why, "see the log of the simulator")
    };
    match changing.await.map_err(|cause| broken(cause.to_string()))? {
        Ok(Some(entry)) => Ok(Json(entry)),
        Ok(None) => {
            let why = "there is no merchant of this number";
            Err(No::new(StatusCode::NOT_FOUND, "SIM_UNKNOWN", why, REMEDY))
        }
        Err(error) => Err(broken(error.to_string())),
    }
}

fn change(world: &World, wanted: &Wanted) -> Result<Option<Value>, Error> {
    let mut credentials = world.credentials.lock();
    let entry = credentials.merchants.iter_mut().find(|entry| entry.mchid == wanted.mchid);
    let (Some(entry), Some(merchant)) = (entry, world.registry.merchant(&wanted.mchid)) else {
        return Ok(None);
    };
    entry.mode = wanted.mode.unwrap_or(entry.mode);
    let lacking = entry.mode.has_certificates() && entry.platform_certificates.is_empty();
    if wanted.rotate || lacking {
        let authority = Authority::new(world.now())?;
        entry.certify(&world.data, &authority.platform(&*world.outside)?)?;
    }
    if wanted.retire {
        let old = entry.platform_certificates.len().saturating_sub(1);
        entry.platform_certificates.drain(..old);
    }

    merchant.reread(&world.data, entry)?;
    let told = json!({
        "mchid": entry.mchid,
        "mode": entry.mode,
        "platform_certificates": entry.platform_certificates,
        "wechatpay_public_key_id": entry.wechatpay_public_key_id,
        "wechatpay_public_key": entry.wechatpay_public_key,
    });
    credentials.save(&world.data)?;
    config_file::write(&world.data, world.backend, &credentials)?;
    Ok(Some(told))
}
