//! What a merchant's engineer knows: the simulator's `credentials.json`.

use std::path::Path;

use serde::Deserialize;

use crate::error::Error;

/// The part of the file that the demo and the shop use.
#[derive(Debug, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) merchants: Vec<Merchant>,
    pub(crate) users: Vec<String>,
}

/// A merchant; in `suanpan.toml` the first speaks APIv3 and the second APIv2.
#[derive(Debug, Deserialize)]
pub(crate) struct Merchant {
    pub(crate) mchid: String,
    pub(crate) apps: Vec<String>,
}

/// One app of each API, and a payer.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) v3: Seller,
    pub(crate) v2: Seller,
    pub(crate) payer: String,
}

/// A mini program and the merchant behind it.
#[derive(Clone, Debug)]
pub(crate) struct Seller {
    pub(crate) app: String,
    pub(crate) mchid: String,
}

impl Cast {
    /// Reads `DIR/credentials.json`.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let broken = || {
            let what = format!("{} is not what the simulator writes", path.display());
            Error::usage("SP-CREDENTIALS", what, "remove the directory and start again")
        };
        let text = std::fs::read_to_string(path).map_err(|cause| broken().because(&cause))?;
        let credentials: Credentials =
            serde_json::from_str(&text).map_err(|cause| broken().because(&cause))?;

        let seller = |index: usize| {
            let merchant = credentials.merchants.get(index)?;
            let app = merchant.apps.first()?.clone();
            Some(Seller { app, mchid: merchant.mchid.clone() })
        };
        let cast = seller(0).zip(seller(1)).zip(credentials.users.first().cloned());
        let ((v3, v2), payer) = cast.ok_or_else(broken)?;
        Ok(Self { v3, v2, payer })
    }
}
