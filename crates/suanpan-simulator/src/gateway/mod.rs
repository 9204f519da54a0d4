//! WeChat's own side of the wire: the platform's login, and the payment gateway.
//!
//! Every question takes the same way: it is heard whole, a fault may be played,
//! the operation answers, the answer is signed and spoken, and both are written
//! into the log of requests.
//!
//! | file       | what                                                        |
//! |------------|-------------------------------------------------------------|
//! | `hear`     | the way of a question, faults included                       |
//! | `speak`    | an answer becomes bytes, with its signature                  |
//! | `book`     | the order book that both versions of the API share           |
//! | `refund_book` | the same for refunds                                      |
//! | `v3`       | APIv3: who asks, orders, queries, certificates               |
//! | `v2`       | APIv2: the same in XML                                       |
//! | `bills`    | which days have bills, and how their files travel            |
//! | `platform` | tokens, and order shipping information                        |

mod bills;
pub(crate) mod book;
mod hear;
pub(crate) mod platform;
pub(crate) mod refund_book;
mod speak;
mod v2;
mod v3;

use std::sync::Arc;

use axum::body::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use suanpan_wechat::ApiV2Key;
use suanpan_wechat::v2::{Fields, SignType};

use crate::registry::SigningKey;
use crate::requests::Mismatch;
use crate::tls::Shown;

use platform::Call;

pub(crate) use bills::Lodged;
pub(crate) use hear::{hear, hear_nothing};
pub(crate) use v2::paid_fields;
pub(crate) use v3::{refund_resource, transaction};

/// What can be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    Login,
    V3Jsapi,
    V3QueryByNumber,
    V3QueryById,
    V3Close,
    V3PartnerJsapi,
    V3PartnerQueryByNumber,
    V3PartnerQueryById,
    V3PartnerClose,
    V3Certificates,
    V3Refund,
    V3RefundQuery,
    V3AbnormalRefund,
    V3TradeBill,
    V3FundFlowBill,
    V3BillFile,
    V2UnifiedOrder,
    V2OrderQuery,
    V2CloseOrder,
    V2Refund,
    V2RefundQuery,
    V2DownloadBill,
    V2DownloadFundFlow,
    /// The platform beyond login.
    Platform(Call),
}

/// How an operation's answers are written and signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Family {
    /// JSON, unsigned, always 200.
    Platform,
    V3,
    V2,
}

impl Operation {
    pub(crate) const ALL: [Self; 32] = [
        Self::Login,
        Self::V3Jsapi,
        Self::V3QueryByNumber,
        Self::V3QueryById,
        Self::V3Close,
        Self::V3PartnerJsapi,
        Self::V3PartnerQueryByNumber,
        Self::V3PartnerQueryById,
        Self::V3PartnerClose,
        Self::V3Certificates,
        Self::V3Refund,
        Self::V3RefundQuery,
        Self::V3AbnormalRefund,
        Self::V3TradeBill,
        Self::V3FundFlowBill,
        Self::V3BillFile,
        Self::V2UnifiedOrder,
        Self::V2OrderQuery,
        Self::V2CloseOrder,
        Self::V2Refund,
        Self::V2RefundQuery,
        Self::V2DownloadBill,
        Self::V2DownloadFundFlow,
        Self::Platform(Call::StableToken),
        Self::Platform(Call::Upload),
        Self::Platform(Call::UploadCombined),
        Self::Platform(Call::GetOrder),
        Self::Platform(Call::GetOrderList),
        Self::Platform(Call::NotifyConfirmReceive),
        Self::Platform(Call::IsTradeManaged),
        Self::Platform(Call::IsTradeConfirmed),
        Self::Platform(Call::GetDeliveryList),
    ];

    /// Method and path: the name in faults and in the log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Login => "GET /sns/jscode2session",
            Self::V3Jsapi => "POST /v3/pay/transactions/jsapi",
            Self::V3QueryByNumber => "GET /v3/pay/transactions/out-trade-no/{out_trade_no}",
            Self::V3QueryById => "GET /v3/pay/transactions/id/{transaction_id}",
            Self::V3Close => "POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close",
            Self::V3PartnerJsapi => "POST /v3/pay/partner/transactions/jsapi",
            Self::V3PartnerQueryByNumber => {
                "GET /v3/pay/partner/transactions/out-trade-no/{out_trade_no}"
            }
            Self::V3PartnerQueryById => "GET /v3/pay/partner/transactions/id/{transaction_id}",
            Self::V3PartnerClose => {
                "POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close"
            }
            Self::V3Certificates => "GET /v3/certificates",
            Self::V3Refund => "POST /v3/refund/domestic/refunds",
            Self::V3RefundQuery => "GET /v3/refund/domestic/refunds/{out_refund_no}",
            Self::V3AbnormalRefund => {
                "POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund"
            }
            Self::V3TradeBill => "GET /v3/bill/tradebill",
            Self::V3FundFlowBill => "GET /v3/bill/fundflowbill",
            Self::V3BillFile => "GET /v3/billdownload/file",
            Self::V2UnifiedOrder => "POST /pay/unifiedorder",
            Self::V2OrderQuery => "POST /pay/orderquery",
            Self::V2CloseOrder => "POST /pay/closeorder",
            Self::V2Refund => "POST /secapi/pay/refund",
            Self::V2RefundQuery => "POST /pay/refundquery",
            Self::V2DownloadBill => "POST /pay/downloadbill",
            Self::V2DownloadFundFlow => "POST /pay/downloadfundflow",
            Self::Platform(call) => call.name(),
        }
    }

    /// Whether it says whose it is by an `access_token`.
    pub(crate) const fn carries_a_token(self) -> bool {
        matches!(self, Self::Platform(call) if !matches!(call, Call::StableToken))
    }

    /// Whether the connection has to show the merchant's certificate.
    pub(crate) const fn wants_certificate(self) -> bool {
        matches!(self, Self::V2Refund | Self::V2DownloadFundFlow)
    }

    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Login | Self::Platform(_) => Family::Platform,
            Self::V3Jsapi
            | Self::V3QueryByNumber
            | Self::V3QueryById
            | Self::V3Close
            | Self::V3PartnerJsapi
            | Self::V3PartnerQueryByNumber
            | Self::V3PartnerQueryById
            | Self::V3PartnerClose
            | Self::V3Certificates
            | Self::V3Refund
            | Self::V3RefundQuery
            | Self::V3AbnormalRefund
            | Self::V3TradeBill
            | Self::V3FundFlowBill
            | Self::V3BillFile => Family::V3,
            Self::V2UnifiedOrder
            | Self::V2OrderQuery
            | Self::V2CloseOrder
            | Self::V2Refund
            | Self::V2RefundQuery
            | Self::V2DownloadBill
            | Self::V2DownloadFundFlow => Family::V2,
        }
    }
}

/// A question as it came.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) method: String,
    /// As it stands on the wire, escapes and all.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whose certificate the connection showed.
    pub(crate) shown: Shown,
    /// A fault wants it answered as done, and nothing done.
    pub(crate) pretend: bool,
}

impl Heard {
    /// What APIv3 signs.
    pub(crate) fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// A header that stands there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A parameter of the query, decoded.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// A part of the path, counted from 0, decoded.
    pub(crate) fn segment(&self, index: usize) -> String {
        let segment = self.path.split('/').skip(1).nth(index).unwrap_or_default();
        // In a path, unlike in a form, a plus is a plus.
        let form = format!("p={}", segment.replace('+', "%2B").replace('&', "%26"));
        let mut pairs = form_urlencoded::parse(form.as_bytes());
        pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

/// An answer before it is signed.
#[derive(Debug)]
pub(crate) struct Answer<'w> {
    pub(crate) said: Said<'w>,
    /// What is wrong with the question's signature, for the log.
    pub(crate) mismatch: Option<Mismatch>,
}

/// What is said, and with which key it is signed.
#[derive(Debug)]
pub(crate) enum Said<'w> {
    Json {
        status: StatusCode,
        body: String,
        key: Option<Arc<SigningKey>>,
        request_id: bool,
    },
    Xml {
        fields: Fields,
        key: Option<(SignType, &'w ApiV2Key)>,
    },
    /// A file, packed or not: never signed.
    File {
        bytes: Bytes,
    },
    /// A page of the web server in front.
    Page {
        status: StatusCode,
        words: &'static str,
    },
}

impl<'w> Answer<'w> {
    /// The platform's: JSON, unsigned, 200.
    pub(crate) fn platform(value: Value) -> Self {
        let body = value.to_string();
        let said = Said::Json { status: StatusCode::OK, body, key: None, request_id: false };
        Self { said, mismatch: None }
    }

    /// APIv2's.
    pub(crate) const fn xml(fields: Fields, key: Option<(SignType, &'w ApiV2Key)>) -> Self {
        Self { said: Said::Xml { fields, key }, mismatch: None }
    }
}
