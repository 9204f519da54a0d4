//! What is told: the XML of APIv2, or the sealed and signed JSON of APIv3.
//!
//! Each try is signed anew. The lies that faults want are built here too: two
//! that only WeChat could tell, and one that anybody can.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use suanpan_wechat::time::beijing_rfc3339;
use suanpan_wechat::v2::{Fields, SignType};
use suanpan_wechat::v3::{self, PaymentNotification, Resource, sign_message};
use suanpan_wechat::{ApiV2Key, ApiV3Key, Fen};

use crate::credentials::Api;
use crate::dice;
use crate::faults::Fault;
use crate::gateway;
use crate::ledger::{Notification, Order};
use crate::registry::Merchant;
use crate::world::World;

/// What goes on the wire.
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Builds one try.
    pub(super) fn new(
        world: &World,
        order: &Order,
        notification: &Notification,
        lie: Option<Fault>,
    ) -> Option<Self> {
        let merchant = world.registry.merchant(order.mchid.as_str())?;
        let other = world.registry.merchants.iter().find(|other| other.mchid != order.mchid)?;
        let story = Story { world, order, notification, merchant, other, lie };
        match order.api {
            Api::V2 => story.xml(),
            Api::V3 => story.json(),
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
        let (world, outside) = (self.world, &*self.world.outside);
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

        let forged = self.lie == Some(Fault::Forge);
        let key = match forged {
            true => ApiV3Key::parse(&dice::alphanumeric(outside, 32)).ok()?,
            false => self.merchant.api_v3_key.clone(),
        };
        let text = serde_json::to_vec(&transaction).ok()?;
        let nonce = dice::alphanumeric(outside, 12);
        let kept = world.switches().notification_keeps_its_id;
        let envelope = v3::Notification {
            id: match kept {
                true => self.notification.id.clone(),
                false => dice::notification_id(outside),
            },
            create_time: beijing_rfc3339(self.notification.created_at),
            event_type: PaymentNotification::EVENT_TYPE.to_owned(),
            resource_type: "encrypt-resource".to_owned(),
            summary: "支付成功".to_owned(),
            resource: Resource::seal("transaction", &key, &nonce, &text).ok()?,
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
