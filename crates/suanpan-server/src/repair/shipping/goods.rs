//! What the merchant says is shipped, from the body of a request to [`Goods`].

use serde::Deserialize;
use suanpan_wechat::platform::{MAX_ITEM_DESC, MAX_PARCELS};
use utoipa::ToSchema;

use crate::Error;
use crate::flow::order::text;
use crate::shipment::ShippingPolicy;
use crate::shipment::{Goods, Logistics, Parcel};

/// 发什么。一个包裹可以直接写它的几项，多个包裹写 `parcels`。/ What is shipped: one parcel by its own fields, or several as `parcels`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShipping)]
pub struct NewGoods {
    /// 怎么送到；不写就按小程序的发货方式 / how it goes; left out: by the policy of the app
    pub logistics_type: Option<Logistics>,
    /// unified 一次发完（一个包裹），split 分几次（只限快递）；不写就看包裹数 / in one go, or in several (express only); left out: by the number of parcels
    #[schema(pattern = "^(unified|split)$", example = "unified")]
    pub delivery_mode: Option<String>,
    /// 分几次发时，这是不是最后一批；不写就是 / with split: whether this is the last of it; left out: it is
    #[schema(example = true)]
    pub is_all_delivered: Option<bool>,
    /// 快递公司编码，微信的 `delivery_id` / the company, by WeChat's `delivery_id`
    #[schema(max_length = 128, example = "ZTO")]
    pub express_company: Option<String>,
    /// 快递单号 / the number on the parcel
    #[schema(max_length = 128, example = "73100000000000")]
    pub tracking_no: Option<String>,
    /// 里面是什么，付款人会看到；不写就是订单的描述 / what is in it; left out: the order's description
    #[schema(max_length = 120, example = "龙井一盒")]
    pub item_desc: Option<String>,
    /// 收件人电话；顺丰要收件人或寄件人之一 / the receiver's telephone; SF wants this or the consignor's
    #[schema(example = "189****1234")]
    pub receiver_contact: Option<String>,
    /// 寄件人电话 / the consignor's telephone
    #[schema(example = "021-****5678")]
    pub consignor_contact: Option<String>,
    /// 多个包裹，最多 15 个 / several parcels, at most 15
    #[schema(min_items = 1, max_items = 15)]
    pub parcels: Option<Vec<Parcel>>,
}

impl NewGoods {
    /// Checks it by WeChat's rules; `words` are those of the order.
    ///
    /// # Errors
    /// [`Error::Field`], which names the field.
    pub(super) fn read(self, policy: ShippingPolicy, words: &str) -> Result<Goods, Error> {
        let logistics_type = self.logistics_type.or_else(|| usual(policy));
        let logistics_type =
            logistics_type.ok_or_else(|| Error::field("logistics_type", "is missing"))?;
        let is_split = match self.delivery_mode.as_deref() {
            None => None,
            Some("unified") => Some(false),
            Some("split") => Some(true),
            Some(_) => return Err(Error::field("delivery_mode", "must be unified or split")),
        };
        let is_all_delivered = self.is_all_delivered.unwrap_or(true);
        let parcels = self.parcels()?;
        let split = is_split.unwrap_or(1 < parcels.len() || !is_all_delivered);
        if split && logistics_type != Logistics::Express {
            return Err(Error::field(
                "delivery_mode",
                "can be split only where it goes by express",
            ));
        }
        if !split && !is_all_delivered {
            return Err(Error::field(
                "is_all_delivered",
                "can be false only with delivery_mode split",
            ));
        }
        if !split && parcels.len() != 1 {
            return Err(Error::field("parcels", "must be one parcel with delivery_mode unified"));
        }
        if !(1..=MAX_PARCELS).contains(&parcels.len()) {
            return Err(Error::field("parcels", format!("must be 1 to {MAX_PARCELS} parcels")));
        }
        let parcels = parcels.into_iter().map(|parcel| checked(parcel, logistics_type, words));
        let parcels = parcels.collect::<Result<_, _>>()?;
        Ok(Goods { logistics_type, split, is_all_delivered, parcels })
    }

    fn parcels(self) -> Result<Vec<Parcel>, Error> {
        let alone = Parcel {
            express_company: self.express_company,
            tracking_no: self.tracking_no,
            item_desc: self.item_desc.unwrap_or_default(),
            receiver_contact: self.receiver_contact,
            consignor_contact: self.consignor_contact,
        };
        let nothing = Parcel {
            express_company: None,
            tracking_no: None,
            item_desc: String::new(),
            receiver_contact: None,
            consignor_contact: None,
        };
        match self.parcels {
            None => Ok(vec![alone]),
            Some(parcels) if alone == nothing => Ok(parcels),
            Some(_) => {
                Err(Error::field("parcels", "goes without the fields of a single parcel beside it"))
            }
        }
    }
}

/// What an app ships as a rule.
const fn usual(policy: ShippingPolicy) -> Option<Logistics> {
    match policy {
        ShippingPolicy::None => None,
        ShippingPolicy::Virtual => Some(Logistics::Virtual),
        ShippingPolicy::SelfPickup => Some(Logistics::SelfPickup),
        ShippingPolicy::Express => Some(Logistics::Express),
    }
}

fn checked(mut parcel: Parcel, logistics_type: Logistics, words: &str) -> Result<Parcel, Error> {
    if parcel.item_desc.trim().is_empty() {
        parcel.item_desc = words.chars().take(MAX_ITEM_DESC).collect();
    }
    parcel.item_desc = text("item_desc", parcel.item_desc, MAX_ITEM_DESC)?;
    let is_express = logistics_type == Logistics::Express;
    for (name, given) in
        [("express_company", &parcel.express_company), ("tracking_no", &parcel.tracking_no)]
    {
        match given.as_deref() {
            None if is_express => return Err(Error::field(name, "is needed by express")),
            Some(_) if !is_express => {
                return Err(Error::field(name, "goes with logistics_type express alone"));
            }
            Some(given) => {
                text(name, given.to_owned(), MAX_CODE)?;
                if MAX_CODE < given.len() {
                    let rule = format!("must have at most {MAX_CODE} bytes in UTF-8");
                    return Err(Error::field(name, rule));
                }
            }
            None => {}
        }
    }
    let mask = |name, text: Option<String>| text.map(|text| masked(name, &text)).transpose();
    parcel.receiver_contact = mask("receiver_contact", parcel.receiver_contact)?;
    parcel.consignor_contact = mask("consignor_contact", parcel.consignor_contact)?;
    let is_sf = parcel.express_company.as_deref() == Some("SF");
    if is_sf && parcel.receiver_contact.is_none() && parcel.consignor_contact.is_none() {
        return Err(Error::field("receiver_contact", "or consignor_contact is needed by SF"));
    }
    Ok(parcel)
}

/// WeChat wants a telephone masked, with its last four digits readable; a whole one is masked here, before it is stored.
fn masked(name: &'static str, text: &str) -> Result<String, Error> {
    let wrong = || Error::field(name, "must be a telephone number, whole or as 189****1234");
    let before = text.len().checked_sub(4).filter(|before| text.is_char_boundary(*before));
    let (head, last) = text.split_at(before.ok_or_else(wrong)?);
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'*' | b'-' | b'+' | b' ');
    if !last.bytes().all(|byte| byte.is_ascii_digit())
        || !(7..=32).contains(&text.len())
        || !head.bytes().all(plain)
    {
        return Err(wrong());
    }
    if head.contains('*') {
        return Ok(text.to_owned());
    }
    let shown = head.len().saturating_sub(4);
    Ok(format!("{}****{last}", head.get(..shown).unwrap_or_default()))
}

/// The most bytes of a company's code and of a number.
const MAX_CODE: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, says: &str) {
        let new: NewGoods = serde_json::from_str(body).unwrap();
        let read = new.read(ShippingPolicy::Express, "龙井一盒");
        let said = match read {
            Ok(goods) => goods.words(),
            Err(error) => error.to_string(),
        };
        assert_eq!(said, says, "{body}");
    }

    const ZTO: &str = r#""express_company":"ZTO","tracking_no":"1""#;

    #[test]
    fn what_is_left_out_is_the_usual() {
        check(&format!("{{{ZTO}}}"), "express: ZTO 1 龙井一盒");
        check(&format!(r#"{{{ZTO},"item_desc":"茶"}}"#), "express: ZTO 1 茶");
        check(
            &format!(r#"{{{ZTO},"is_all_delivered":false}}"#),
            "express: ZTO 1 龙井一盒; more will follow",
        );
        check(
            &format!(r#"{{"parcels":[{{{ZTO}}},{{{ZTO},"item_desc":"杯"}}]}}"#),
            "express: ZTO 1 龙井一盒, ZTO 1 杯",
        );
        check(r#"{"logistics_type":"same_city"}"#, "same_city: 龙井一盒");
    }

    #[test]
    fn a_mistake_is_named() {
        check("{}", "`express_company` is needed by express");
        check(r#"{"express_company":"ZTO"}"#, "`tracking_no` is needed by express");
        check(
            r#"{"express_company":"","tracking_no":"1"}"#,
            "`express_company` must have 1 to 128 characters",
        );
        check(
            &format!(r#"{{"logistics_type":"virtual",{ZTO}}}"#),
            "`express_company` goes with logistics_type express alone",
        );
        check(
            r#"{"logistics_type":"virtual","delivery_mode":"split"}"#,
            "`delivery_mode` can be split only where it goes by express",
        );
        check(
            &format!(r#"{{{ZTO},"delivery_mode":"unified","is_all_delivered":false}}"#),
            "`is_all_delivered` can be false only with delivery_mode split",
        );
        check(
            &format!(r#"{{"delivery_mode":"unified","parcels":[{{{ZTO}}},{{{ZTO}}}]}}"#),
            "`parcels` must be one parcel with delivery_mode unified",
        );
        check(r#"{"delivery_mode":"split","parcels":[]}"#, "`parcels` must be 1 to 15 parcels");
        check(
            &format!(r#"{{{ZTO},"parcels":[{{{ZTO}}}]}}"#),
            "`parcels` goes without the fields of a single parcel beside it",
        );
        check(
            r#"{"express_company":"SF","tracking_no":"1"}"#,
            "`receiver_contact` or consignor_contact is needed by SF",
        );
        let long = "茶".repeat(121);
        check(
            &format!(r#"{{{ZTO},"item_desc":"{long}"}}"#),
            "`item_desc` must have 1 to 120 characters",
        );
        let long = "9".repeat(129);
        check(
            &format!(r#"{{"express_company":"ZTO","tracking_no":"{long}"}}"#),
            "`tracking_no` must have 1 to 128 characters",
        );
        let long = "茶".repeat(43);
        check(
            &format!(r#"{{"express_company":"ZTO","tracking_no":"{long}"}}"#),
            "`tracking_no` must have at most 128 bytes in UTF-8",
        );
    }

    /// What the payer and the person at the console see, and what the database keeps, is one line that reads as it stands.
    #[test]
    fn a_text_that_no_page_can_show_is_refused() {
        for bad in [r"\u0000", r"\n", r"\u001b[31m", r"\u202e", r"\uffff"] {
            for (field, body) in [
                ("item_desc", format!(r#"{{{ZTO},"item_desc":"茶{bad}"}}"#)),
                ("tracking_no", format!(r#"{{"express_company":"ZTO","tracking_no":"1{bad}"}}"#)),
                ("express_company", format!(r#"{{"express_company":"Z{bad}","tracking_no":"1"}}"#)),
                ("item_desc", format!(r#"{{"parcels":[{{{ZTO},"item_desc":"茶{bad}"}}]}}"#)),
            ] {
                check(&body, &format!("`{field}` must not hold control characters"));
            }
        }
    }

    #[test]
    fn a_telephone_is_masked_before_it_is_kept() {
        let mask = |text| masked("receiver_contact", text).ok();
        assert_eq!(mask("18912341234").as_deref(), Some("189****1234"));
        assert_eq!(mask("189****1234").as_deref(), Some("189****1234"));
        assert_eq!(mask("021-12345678").as_deref(), Some("021-****5678"));
        assert_eq!(mask("1234567").as_deref(), Some("****4567"));
        for wrong in [
            "",
            "1234",
            "189****123*",
            "Alice",
            "189123412茶4",
            "18912341234567890123456789012345678",
        ] {
            assert_eq!(mask(wrong), None, "{wrong}");
        }
    }
}
