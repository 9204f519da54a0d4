//! A shop of the simulator: what `credentials.json` says, and its payer.

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};
use suanpan_client::Client;
use suanpan_client::wechat::{AppId, AppSecret, CodeToSession, LoginCode, Session};

/// A mini program, its merchant, and a client that asks the simulator.
pub(crate) struct Shop {
    pub(crate) client: Client,
    pub(crate) app_id: AppId,
    secret: AppSecret,
    base_url: String,
    user: String,
    merchant: Value,
}

impl Shop {
    /// Opens the shop of this app; without one, that of the n-th merchant.
    pub(crate) fn open(
        credentials: &Path,
        appid: Option<&str>,
        nth: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let file: Value = serde_json::from_str(&std::fs::read_to_string(credentials)?)?;
        let list = |name| file.get(name).and_then(Value::as_array).into_iter().flatten();

        let sells = |merchant: &&Value| {
            let mut apps = merchant.get("apps").and_then(Value::as_array).into_iter().flatten();
            appid.is_some_and(|appid| apps.any(|app| app == appid))
        };
        let merchant = match appid {
            Some(_) => list("merchants").find(sells),
            None => list("merchants").nth(nth),
        };
        let merchant = merchant.ok_or("no merchant has this app")?.clone();
        let appid = appid.map_or_else(|| text(&merchant, "/apps/0"), Ok)?;
        let app = list("apps").find(|app| text(app, "/appid").is_ok_and(|id| id == appid));
        let app = app.ok_or("the app has no secret")?;

        let base_url = text(&file, "/base_url")?.to_owned();
        Ok(Self {
            client: Client::builder().all_hosts(&base_url).build()?,
            app_id: AppId::parse(appid)?,
            secret: AppSecret::parse(text(app, "/secret")?)?,
            user: text(&file, "/users/0")?.to_owned(),
            base_url,
            merchant,
        })
    }

    /// What the file says of the merchant.
    pub(crate) fn merchant(&self, name: &str) -> Result<&str, Box<dyn Error>> {
        text(&self.merchant, &format!("/{name}"))
    }

    /// Step 1, login. In a mini program `wx.login` gives the code; here the simulator plays it.
    pub(crate) async fn login(&self) -> Result<Session, Box<dyn Error>> {
        let played = reqwest::Client::builder()
            .no_proxy()
            .build()?
            .post(format!("{}/_sim/login", self.base_url))
            .json(&json!({ "appid": self.app_id, "user": self.user }))
            .send()
            .await?
            .error_for_status()?;
        let played: Value = played.json().await?;

        let code = LoginCode::parse(text(&played, "/code")?)?;
        let call = CodeToSession { app_id: &self.app_id, secret: &self.secret, code: &code };
        Ok(self.client.call(&call).await.into_result()?)
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> Result<&'v str, Box<dyn Error>> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.ok_or_else(|| format!("{pointer} is missing").into())
}
