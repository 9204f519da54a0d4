//! Steps 1 to 4 of a payment over APIv2, against the simulator; then the order is closed.
//!
//! `suanpan simulator --listen 127.0.0.1:9000 --data sim`, then
//! `cargo run -p suanpan-client --example unified_order_v2 -- sim/credentials.json`.

#![expect(clippy::print_stdout, reason = "an example talks")]

mod shop;

use std::error::Error;
use std::path::Path;

use shop::Shop;
use suanpan_client::wechat::{ApiV2Key, Fen, MchId, Moment, OutTradeNo, second_sign_v2, v2};
use suanpan_client::{Outside, SystemOutside};

/// `… -- <credentials.json> [appid]`
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let credentials = arguments.next().ok_or("which credentials.json?")?;
    println!("{}", run(credentials.as_ref(), arguments.next().as_deref()).await?);
    Ok(())
}

pub(crate) async fn run(credentials: &Path, appid: Option<&str>) -> Result<String, Box<dyn Error>> {
    // The second merchant of the simulator speaks APIv2.
    let shop = Shop::open(credentials, appid, 1)?;
    let payer = shop.login().await?.openid;

    let mch_id = MchId::parse(shop.merchant("mchid")?)?;
    let key = ApiV2Key::parse(shop.merchant("api_v2_key")?)?;
    let sign_type = v2::SignType::HmacSha256;
    let account = v2::Account { mch_id: &mch_id, key: &key, sign_type };

    // Store the order before it is sent: where the outcome is unknown, the same one is sent again.
    let number = OutTradeNo::parse(SystemOutside.nonce().as_str())?;
    let order = v2::UnifiedOrder::jsapi(
        shop.app_id.clone(),
        payer,
        number.clone(),
        "9.90".parse::<Fen>()?,
        "tea".to_owned(),
        "https://shop.example/wechat/notify".to_owned(),
    );
    let placed =
        shop.client.call(&v2::PlaceOrder { account, order: &order }).await.into_result()?;

    // What wx.requestPayment takes: signed the same way as the order.
    let moment = Moment { now: SystemOutside.now(), nonce: &SystemOutside.nonce() };
    let parameters = second_sign_v2(&shop.app_id, &placed.prepay_id, moment, sign_type, &key);

    let close = v2::CloseOrder { account, app_id: &shop.app_id, sub: None, out_trade_no: &number };
    shop.client.call(&close).await.into_result()?;
    Ok(serde_json::to_string_pretty(&parameters)?)
}
