//! `POST /cgi-bin/express/delivery/open_msg/get_delivery_list`: the ids of express companies.
//!
//! Source: developers.weixin.qq.com, "物流服务"; `express_company` of an upload is a `delivery_id`.

use serde::{Deserialize, Serialize};

use super::{Question, read};
use crate::Error;

/// Asks for all companies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct GetDeliveryList {}

/// All companies.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct DeliveryCompanies {
    /// Each with its id.
    pub delivery_list: Vec<DeliveryCompany>,
    /// How many.
    #[serde(default)]
    pub count: i64,
}

/// An express company.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct DeliveryCompany {
    /// `SF`, `ZTO`, `EMS`.
    pub delivery_id: String,
    /// Its name.
    pub delivery_name: String,
}

impl Question for GetDeliveryList {
    type Answer = DeliveryCompanies;
    const OPERATION: &'static str = "POST /cgi-bin/express/delivery/open_msg/get_delivery_list";

    fn read(body: &[u8]) -> Result<DeliveryCompanies, Error> {
        read(Self::OPERATION, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::tests::heard;

    #[test]
    fn companies_are_read() {
        let body = r#"{"errcode":0,"delivery_list":[{"delivery_id":"SF","delivery_name":"顺丰速运"}],"count":1}"#;
        let list = heard(&GetDeliveryList {}, body).unwrap();
        assert_eq!((list.count, list.delivery_list[0].delivery_id.as_str()), (1, "SF"));
        assert!(heard(&GetDeliveryList {}, r#"{"errcode":0}"#).is_err());
    }
}
