//! Who logged in? Step 1 of a payment, against the simulator.
//!
//! `suanpan simulator --listen 127.0.0.1:9000 --data sim`, then
//! `cargo run -p suanpan-client --example login -- sim/credentials.json`.

#![expect(clippy::print_stdout, reason = "an example talks")]

mod shop;

use std::error::Error;
use std::path::Path;

use shop::Shop;

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
    let session = shop.login().await?;
    // The session_key stays here: whoever has it can forge what the payer sends.
    let (app, mchid) = (&shop.app_id, shop.merchant("mchid")?);
    Ok(format!("payer {} of {app}, merchant {mchid}", session.openid.masked()))
}
