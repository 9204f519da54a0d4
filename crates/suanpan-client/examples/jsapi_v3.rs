//! Steps 1 to 4 of a payment over APIv3, against the simulator; then the order is closed.
//!
//! `suanpan simulator --listen 127.0.0.1:9000 --data sim`, then
//! `cargo run -p suanpan-client --example jsapi_v3 -- sim/credentials.json`.

#![expect(clippy::print_stdout, reason = "an example talks")]

mod shop;

use std::error::Error;
use std::path::Path;

use shop::Shop;
use suanpan_client::wechat::{
    ApiV3Key, Fen, MchId, Moment, OutTradeNo, Serial, second_sign_v3, v3,
};
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
    let shop = Shop::open(credentials, appid, 0)?;
    let payer = shop.login().await?.openid;

    // Who asks, and whom to believe. Read once, and kept: reading a key takes longer than a call.
    let pem = |name| Ok::<_, Box<dyn Error>>(std::fs::read_to_string(shop.merchant(name)?)?);
    let mchid = MchId::parse(shop.merchant("mchid")?)?;
    let signer = v3::Signer {
        mchid: mchid.clone(),
        serial: Serial::normalised(shop.merchant("merchant_serial")?)?,
        key: v3::PrivateKey::from_pem(&pem("merchant_private_key")?)?,
    };
    let key_id = Serial::normalised(shop.merchant("wechatpay_public_key_id")?)?;
    let key = v3::PublicKey::from_pem(&pem("wechatpay_public_key")?)?;
    let keys = v3::KeyRing::new().with_key(key_id, key);
    let api_v3_key = ApiV3Key::parse(shop.merchant("api_v3_key")?)?;
    let account = v3::Account { signer: &signer, keys: &keys, api_v3_key: &api_v3_key };

    // Store the order before it is sent: where the outcome is unknown, the same one is sent again.
    let number = OutTradeNo::parse(SystemOutside.nonce().as_str())?;
    let order = v3::JsapiOrder::new(
        shop.app_id.clone(),
        mchid,
        payer,
        number.clone(),
        "9.90".parse::<Fen>()?,
        "tea".to_owned(),
        "https://shop.example/wechat/notify".to_owned(),
    );
    let prepay_id = shop.client.call(&v3::Prepay { account, order: &order }).await.into_result()?;

    // What wx.requestPayment takes.
    let moment = Moment { now: SystemOutside.now(), nonce: &SystemOutside.nonce() };
    let parameters = second_sign_v3(&shop.app_id, &prepay_id, moment, &signer.key);

    let close = v3::Close { account, out_trade_no: &number };
    shop.client.call(&close).await.into_result()?;
    Ok(serde_json::to_string_pretty(&parameters)?)
}
