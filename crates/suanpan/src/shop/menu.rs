//! What the shop sells, and through which mini program.

use serde::Serialize;
use suanpan_server::client::wechat::Fen;
use suanpan_server::config::{ApiVersion, Config};

/// A merchant account that the shop sells through.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Stall {
    /// Which API it speaks.
    #[serde(serialize_with = "as_text")]
    pub(crate) api: ApiVersion,
    /// Its number.
    pub(crate) mchid: String,
    /// Its name.
    pub(crate) name: String,
    /// Its mini program.
    pub(crate) app: String,
}

/// Something to buy, as the phone shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    /// Its id.
    pub(crate) id: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// Its price in fen.
    pub(crate) amount: Fen,
    /// The mini program that it is paid in.
    pub(crate) app: String,
    /// Which API the merchant speaks: `v3` or `v2`.
    #[serde(serialize_with = "as_text")]
    pub(crate) api: ApiVersion,
}

/// The first account of each API.
pub(crate) fn stalls(config: &Config) -> Vec<Stall> {
    let first = |api| {
        let merchant = config.merchants.iter().find(|merchant| merchant.api == api)?;
        Some(Stall {
            api,
            mchid: merchant.mchid.clone(),
            name: merchant.name.clone().unwrap_or_else(|| merchant.mchid.clone()),
            app: merchant.apps.first()?.appid.clone(),
        })
    };
    [ApiVersion::V3, ApiVersion::V2].into_iter().filter_map(first).collect()
}

/// The menu: tea through the first stall, books about tea through the second.
pub(crate) fn menu(stalls: &[Stall]) -> Vec<Item> {
    let of = |stall: &Stall| {
        let (app, api) = (stall.app.clone(), stall.api);
        let goods = GOODS.iter().filter(move |(of, ..)| *of == api);
        goods.map(move |(_, id, name, fen)| Item {
            id,
            name,
            amount: Fen::new(*fen).unwrap_or(Fen::ZERO),
            app: app.clone(),
            api,
        })
    };
    stalls.iter().flat_map(of).collect()
}

fn as_text<S: serde::Serializer>(api: &ApiVersion, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(api)
}

const GOODS: [(ApiVersion, &str, &str, i64); 5] = [
    (ApiVersion::V3, "longjing", "龙井一杯", 990),
    (ApiVersion::V3, "biluochun", "碧螺春一壶", 2880),
    (ApiVersion::V3, "jasmine", "茉莉花茶", 600),
    (ApiVersion::V2, "tea-classic", "《茶经》一册", 1980),
    (ApiVersion::V2, "puer", "普洱茶饼", 8800),
];
