//! What is told: the XML of APIv2, or the sealed and signed JSON of APIv3.
//!
//! Each try is signed anew. The lies that faults want are built here too: two
//! that only WeChat could tell, and one that anybody can.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::v2::{Fields, RefundNotice, SignType};
use suanpan_wechat::v3::{
    self, PaymentNotification, RefundAmount, RefundResource, Resource, sign_message,
};
use suanpan_wechat::{ApiV2Key, ApiV3Key, Fen};

use crate::credentials::Api;
use crate::dice;
use crate::faults::Fault;
use crate::gateway;
use crate::ledger::{Notification, Order};
use crate::refund::Refund;
use crate::registry::Merchant;
use crate::world::World;

/// What is told of: an order that was paid, or money of it that went back.
pub(super) struct Subject {
    pub(super) order: Order,
    pub(super) refund: Option<Refund>,
}

impl Subject {
    /// Which API it is told by.
    pub(super) fn api(&self) -> Api {
        self.refund.as_ref().map_or(self.order.api, |refund| refund.api)
    }
}

/// What goes on the wire.
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Builds one try.
    pub(super) fn new(
        world: &World,
        subject: &Subject,
        notification: &Notification,
        lie: Option<Fault>,
    ) -> Option<Self> {
        let Subject { order, refund } = subject;
        let merchant = world.registry.merchant(order.mchid.as_str())?;
        let other = world.registry.merchants.iter().find(|other| other.mchid != order.mchid)?;
        let story = Story { world, order, notification, merchant, other, lie };
        match (refund, subject.api()) {
            (None, Api::V2) => story.xml(),
            (None, Api::V3) => story.json(),
            (Some(refund), Api::V2) => story.refund_xml(refund),
            (Some(refund), Api::V3) => story.refund_json(refund),
        }
    }
}

/// All that a message is made of.
struct Story<'a> {
    world: &'a World,
    order: &'a Order,
    notification: &'a Notification,
    merchant: &'a Merchant,
    /// A stranger, for the lies.
    other: &'a Merchant,
    lie: Option<Fault>,
}

impl Story<'_> {
    fn xml(&self) -> Option<Message> {
        let mut fields = gateway::paid_fields(&self.world.ledger.lock(), self.order)?;
        fields.set("return_code", "SUCCESS");
        fields.set("result_code", "SUCCESS");
        fields.set("appid", self.order.appid.as_str());
        fields.set("mch_id", self.order.mchid.as_str());
        fields.set("nonce_str", self.world.nonce().as_str());
        let sign_type = self.order.sign_type.as_deref().and_then(SignType::parse);
        let sign_type = sign_type.unwrap_or_default();
        if sign_type != SignType::Md5 {
            fields.set("sign_type", sign_type.as_str());
        }
        self.lie_in_xml(&mut fields)?;

        let key = match self.lie {
            Some(Fault::Forge) => {
                ApiV2Key::parse(&dice::alphanumeric(&*self.world.outside, 32)).ok()?
            }
            _ => self.merchant.api_v2_key.clone(),
        };
        let body = fields.signed(sign_type, &key).to_xml().into_bytes();
        Some(Message { headers: headers(HeaderMap::new(), "text/xml"), body })
    }

    fn lie_in_xml(&self, fields: &mut Fields) -> Option<()> {
        match self.lie {
            Some(Fault::WrongAmount) => {
                let fee = self.order.amount.checked_add(Fen::new(1)?)?.get().to_string();
                fields.set("total_fee", &fee);
                fields.set("cash_fee", &fee);
            }
            Some(Fault::OtherMerchant) => {
                fields.set("mch_id", self.other.mchid.as_str());
                fields.set("appid", self.other.apps.first()?.as_str());
            }
            _ => {}
        }
        Some(())
    }

    fn json(&self) -> Option<Message> {
        let world = self.world;
        let mut transaction = gateway::transaction(&world.ledger.lock(), self.order, world.now());
        match self.lie {
            Some(Fault::WrongAmount) => {
                let total = self.order.amount.checked_add(Fen::new(1)?);
                let amount = transaction.amount.as_mut()?;
                (amount.total, amount.payer_total) = (total, total);
            }
            Some(Fault::OtherMerchant) => {
                transaction.mchid = Some(self.other.mchid.clone());
                transaction.appid = self.other.apps.first().cloned();
            }
            _ => {}
        }
        // Told late, it is still the payment that it tells of.
        transaction.trade_state = Some("SUCCESS".to_owned());
        transaction.trade_state_desc = Some("支付成功".to_owned());
        let text = serde_json::to_vec(&transaction).ok()?;
        self.sealed(PaymentNotification::EVENT_TYPE, "transaction", "支付成功", &text)
    }

    /// The notice of APIv2: sealed, and not signed.
    fn refund_xml(&self, refund: &Refund) -> Option<Message> {
        let now = self.world.now();
        let mut fact = refund.fact(now);
        let mut mch_id = refund.mchid.clone();
        match self.lie {
            Some(Fault::WrongAmount) => fact.refund = fact.refund.checked_add(Fen::new(1)?)?,
            Some(Fault::OtherMerchant) => mch_id = self.other.mchid.clone(),
            _ => {}
        }
        let sub = self.order.sub.as_ref();
        let notice = RefundNotice {
            appid: refund.appid.clone(),
            mch_id,
            sub_appid: sub.and_then(|sub| sub.appid.clone()),
            sub_mch_id: sub.map(|sub| sub.mchid.clone()),
            transaction_id: fact.transaction_id,
            out_trade_no: fact.out_trade_no,
            refund_id: fact.refund_id,
            out_refund_no: fact.out_refund_no,
            total_fee: fact.total,
            settlement_total_fee: Some(fact.total),
            refund_fee: fact.refund,
            settlement_refund_fee: Some(fact.refund),
            cash_refund_fee: None,
            refund_status: fact.status,
            success_time: fact.success_time,
            received_account: fact.received_account,
            refund_account: Some("REFUND_SOURCE_UNSETTLED_FUNDS".to_owned()),
            refund_request_source: Some("API".to_owned()),
        };
        let key = match self.lie {
            Some(Fault::Forge) => {
                ApiV2Key::parse(&dice::alphanumeric(&*self.world.outside, 32)).ok()?
            }
            _ => self.merchant.api_v2_key.clone(),
        };
        let mut fields = notice.fields(&key);
        fields.set("nonce_str", self.world.nonce().as_str());
        let body = fields.to_xml().into_bytes();
        Some(Message { headers: headers(HeaderMap::new(), "text/xml"), body })
    }

    /// The notification of APIv3: it says `refund_status`, and less than a call answers.
    fn refund_json(&self, refund: &Refund) -> Option<Message> {
        let called = gateway::refund_resource(refund, self.world.now());
        let mut amount = RefundAmount {
            currency: None,
            settlement_refund: None,
            settlement_total: None,
            discount_refund: None,
            refund_fee: None,
            ..called.amount?
        };
        let mut mchid = refund.mchid.clone();
        match self.lie {
            Some(Fault::WrongAmount) => {
                amount.refund = refund.amount.checked_add(Fen::new(1)?);
            }
            Some(Fault::OtherMerchant) => mchid = self.other.mchid.clone(),
            _ => {}
        }
        let status = called.status?;
        let (sub, mchid) = (self.order.sub.as_ref(), Some(mchid));
        let (mchid, sp_mchid) = if sub.is_some() { (None, mchid) } else { (mchid, None) };
        let told = RefundResource {
            mchid,
            sp_mchid,
            sub_mchid: sub.map(|sub| sub.mchid.clone()),
            status: None,
            refund_status: Some(status.clone()),
            amount: Some(amount),
            channel: None,
            create_time: None,
            funds_account: None,
            ..called
        };
        let summary = match status.as_str() {
            "SUCCESS" => "退款成功",
            "CLOSED" => "退款关闭",
            _ => "退款异常",
        };
        let text = serde_json::to_vec(&told).ok()?;
        self.sealed(&format!("REFUND.{status}"), "refund", summary, &text)
    }

    /// Seals a text, and signs the envelope.
    fn sealed(
        &self,
        event_type: &str,
        original_type: &str,
        summary: &str,
        text: &[u8],
    ) -> Option<Message> {
        let (world, outside) = (self.world, &*self.world.outside);
        let forged = self.lie == Some(Fault::Forge);
        let key = match forged {
            true => ApiV3Key::parse(&dice::alphanumeric(outside, 32)).ok()?,
            false => self.merchant.api_v3_key.clone(),
        };
        let nonce = dice::alphanumeric(outside, 12);
        let kept = world.switches().notification_keeps_its_id;
        let envelope = v3::Notification {
            id: match kept {
                true => self.notification.id.clone(),
                false => dice::notification_id(outside),
            },
            create_time: beijing_rfc3339(self.notification.created_at),
            event_type: event_type.to_owned(),
            resource_type: "encrypt-resource".to_owned(),
            summary: summary.to_owned(),
            resource: Resource::seal(original_type, &key, &nonce, text).ok()?,
        };
        let body = serde_json::to_vec(&envelope).ok()?;

        let signing = self.merchant.key_for_notice(self.notification.turn);
        // A forger knows the name of the key and does not have it.
        let key = if forged { &self.other.wechatpay.key } else { &signing.key };
        let signed = world.at_now(|moment| sign_message(key, &signing.serial, moment, &body));
        Some(Message { headers: headers(signed, "application/json"), body })
    }
}

/// The headers that are seen in the wild.
fn headers(mut headers: HeaderMap, content_type: &'static str) -> HeaderMap {
    let usual: [(HeaderName, &'static str); 4] = [
        (header::USER_AGENT, "Mozilla/4.0"),
        (header::ACCEPT, "*/*"),
        (header::PRAGMA, "no-cache"),
        (header::CONTENT_TYPE, content_type),
    ];
    for (name, value) in usual {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}
