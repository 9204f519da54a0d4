//! A merchant of `credentials.json`, and what its backend asks.

use serde_json::{Value, json};
use suanpan_wechat::v2::{self, Fields, SignType, UnifiedOrder};
use suanpan_wechat::v3::{self, Certificate, JsapiOrder, KeyRing, PrivateKey, PublicKey, Signer};
use suanpan_wechat::{
    ApiV2Key, ApiV3Key, AppId, Fen, MchId, Moment, OpenId, OutTradeNo, PrepayId, RequestPayment,
    Serial, second_sign_v2, second_sign_v3,
};

use crate::common::Sim;

pub(crate) const NOWHERE: &str = "http://127.0.0.1:10/notify";

pub(crate) struct Merchant {
    pub(crate) mchid: MchId,
    pub(crate) appid: AppId,
    pub(crate) secret: String,
    pub(crate) v2_key: ApiV2Key,
    pub(crate) v3_key: ApiV3Key,
    pub(crate) signer: Signer,
    /// Everything that WeChat may sign with towards this merchant.
    pub(crate) keys: KeyRing,
    pub(crate) entry: Value,
}

pub(crate) fn number(text: &str) -> OutTradeNo {
    OutTradeNo::parse(text).unwrap()
}

fn pem(path: &Value) -> String {
    std::fs::read_to_string(path.as_str().unwrap()).unwrap()
}

impl Merchant {
    pub(crate) fn read(credentials: &Value, nth: usize) -> Self {
        let entry = credentials["merchants"][nth].clone();
        let text = |name: &str| entry[name].as_str().unwrap();
        let appid = entry["apps"][0].as_str().unwrap();
        let apps = credentials["apps"].as_array().unwrap();
        let app = apps.iter().find(|app| app["appid"] == appid).unwrap();

        let mut keys = KeyRing::new();
        for platform in entry["platform_certificates"].as_array().unwrap() {
            keys = keys.with_certificate(Certificate::from_pem(&pem(&platform["path"])).unwrap());
        }
        if text("mode") != "platform_certificate" {
            let id = Serial::normalised(text("wechatpay_public_key_id")).unwrap();
            keys = keys
                .with_key(id, PublicKey::from_pem(&pem(&entry["wechatpay_public_key"])).unwrap());
        }
        Self {
            mchid: MchId::parse(text("mchid")).unwrap(),
            appid: AppId::parse(appid).unwrap(),
            secret: app["secret"].as_str().unwrap().to_owned(),
            v2_key: ApiV2Key::parse(text("api_v2_key")).unwrap(),
            v3_key: ApiV3Key::parse(text("api_v3_key")).unwrap(),
            signer: Signer {
                mchid: MchId::parse(text("mchid")).unwrap(),
                serial: Serial::normalised(text("merchant_serial")).unwrap(),
                key: PrivateKey::from_pem(&pem(&entry["merchant_private_key"])).unwrap(),
            },
            keys,
            entry,
        }
    }

    pub(crate) fn session_path(&self, code: &str) -> String {
        let Self { appid, secret, .. } = self;
        format!(
            "/sns/jscode2session?appid={appid}&secret={secret}&js_code={code}&grant_type=authorization_code"
        )
    }

    pub(crate) fn v3(&self) -> v3::Account<'_> {
        v3::Account { signer: &self.signer, keys: &self.keys, api_v3_key: &self.v3_key }
    }

    pub(crate) fn v2(&self, sign_type: SignType) -> v2::Account<'_> {
        v2::Account { mch_id: &self.mchid, key: &self.v2_key, sign_type }
    }

    /// What APIv3 orders; tests change it.
    pub(crate) fn v3_order(&self, openid: &OpenId, out_trade_no: &str) -> Value {
        json!({
            "appid": self.appid,
            "mchid": self.mchid,
            "description": "龙井",
            "out_trade_no": out_trade_no,
            "notify_url": NOWHERE,
            "amount": { "total": 990, "currency": "CNY" },
            "payer": { "openid": openid },
        })
    }

    /// What APIv2 orders; tests change it.
    pub(crate) fn v2_order(&self, openid: &OpenId, out_trade_no: &str) -> Fields {
        let order = UnifiedOrder::jsapi(
            self.appid.clone(),
            openid.clone(),
            number(out_trade_no),
            Fen::new(990).unwrap(),
            "龙井".to_owned(),
            NOWHERE.to_owned(),
        );
        let mut fields = order.fields();
        fields.set("mch_id", self.mchid.as_str());
        fields.set("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS");
        fields
    }

    /// A question of APIv3 about these bytes.
    pub(crate) fn v3_question(
        &self,
        sim: &Sim,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> http::Request<Vec<u8>> {
        let nonce = sim.nonce();
        let moment = Moment { now: sim.now(), nonce: &nonce };
        let authorization = v3::authorize(&self.signer, method, path, body, moment);
        http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", authorization)
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("user-agent", "test")
            .body(body.to_vec())
            .unwrap()
    }

    /// Places an order over APIv3.
    pub(crate) async fn place_v3(
        &self,
        sim: &Sim,
        out_trade_no: &str,
        notify_url: &str,
    ) -> PrepayId {
        let openid = sim.openid(self, "alice").await;
        let mut order = self.v3_order(&openid, out_trade_no);
        order["notify_url"] = notify_url.into();
        let order: JsapiOrder = serde_json::from_value(order).unwrap();
        sim.ask(&v3::Prepay { account: self.v3(), order: &order }).await.unwrap()
    }

    /// Places an order over APIv2.
    pub(crate) async fn place_v2(
        &self,
        sim: &Sim,
        out_trade_no: &str,
        notify_url: &str,
        sign_type: SignType,
    ) -> PrepayId {
        let openid = sim.openid(self, "alice").await;
        let mut fields = self.v2_order(&openid, out_trade_no);
        fields.set("notify_url", notify_url);
        let order = UnifiedOrder::from_fields(fields).unwrap();
        let call = v2::PlaceOrder { account: self.v2(sign_type), order: &order };
        sim.ask(&call).await.unwrap().prepay_id
    }

    pub(crate) fn sign_v3(&self, sim: &Sim, prepay_id: &PrepayId) -> Value {
        let nonce = sim.nonce();
        let moment = Moment { now: sim.now(), nonce: &nonce };
        self.object(&second_sign_v3(&self.appid, prepay_id, moment, &self.signer.key))
    }

    pub(crate) fn sign_v2(&self, sim: &Sim, prepay_id: &PrepayId, sign_type: SignType) -> Value {
        let nonce = sim.nonce();
        let moment = Moment { now: sim.now(), nonce: &nonce };
        self.object(&second_sign_v2(&self.appid, prepay_id, moment, sign_type, &self.v2_key))
    }

    /// What `POST /_sim/request-payment` takes: alice pays.
    fn object(&self, five: &RequestPayment) -> Value {
        let mut object = serde_json::to_value(five).unwrap();
        object["appId"] = json!(self.appid);
        object["user"] = "alice".into();
        object["outcome"] = "pay".into();
        object
    }

    /// Places an order over APIv3, and alice pays it.
    pub(crate) async fn sell_v3(&self, sim: &Sim, out_trade_no: &str, notify_url: &str) {
        let prepay_id = self.place_v3(sim, out_trade_no, notify_url).await;
        pays(sim, self.sign_v3(sim, &prepay_id)).await;
    }

    /// Places an order over APIv2, and alice pays it.
    pub(crate) async fn sell_v2(
        &self,
        sim: &Sim,
        out_trade_no: &str,
        notify_url: &str,
        sign_type: SignType,
    ) {
        let prepay_id = self.place_v2(sim, out_trade_no, notify_url, sign_type).await;
        pays(sim, self.sign_v2(sim, &prepay_id, sign_type)).await;
    }
}

/// Presses the button.
pub(crate) async fn pays(sim: &Sim, object: Value) {
    let reply = sim.control("request-payment", object).await;
    assert_eq!(reply, json!({ "errMsg": "requestPayment:ok" }));
}
