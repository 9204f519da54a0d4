//! WeChat Pay APIv3: JSON, signed with RSA both ways.
//!
//! Our requests are signed with the merchant's private key (`authorization`);
//! WeChat's answers and notifications are signed with a key that their
//! `Wechatpay-Serial` header names (`message`), which we look up in a
//! [`KeyRing`]; what notifications tell is sealed under the APIv3 key besides
//! (`aead`). Source: pay.weixin.qq.com/doc/v3, "签名与验签".

mod aead;
mod app_sign;
mod authorization;
mod bills;
mod calls;
mod certificate;
mod certificates;
mod jsapi;
mod json;
mod key_ring;
mod message;
mod notification;
mod partner;
mod refund;
mod refund_calls;
mod rsa;
mod transaction;

pub use aead::{open, seal};
pub use app_sign::app_sign;
pub use authorization::{Authorization, Signer, authorize, request_message};
pub use bills::{AskFundFlowBill, AskTradeBill, BillPlace, DownloadBill};
pub use calls::{Account, Close, Prepay, QueryByOutTradeNo};
pub use certificate::Certificate;
pub use certificates::{
    CertificateEntry, CertificatesAnswer, DownloadCertificates, EncryptCertificate,
};
pub use jsapi::{
    Amount, GoodsDetail, JsapiOrder, OrderDetail, Payer, SceneInfo, SettleInfo, StoreInfo,
};
pub use key_ring::KeyRing;
pub use message::{SIGNATURE_TYPE, message, sign_message, verify_message};
pub use notification::{Notification, PaymentNotification, RefundNotification, Resource};
pub use partner::{
    PartnerClose, PartnerJsapiOrder, PartnerPayer, PartnerPrepay, PartnerQueryById,
    PartnerQueryByOutTradeNo,
};
pub use refund::{
    RefundAmount, RefundFrom, RefundGoods, RefundOrder, RefundOrderAmount, RefundPromotion,
    RefundResource,
};
pub use refund_calls::{AbnormalRefund, ApplyAbnormalRefund, CreateRefund, QueryRefund};
pub use rsa::{PrivateKey, PublicKey, plain_pem};
pub use transaction::{
    PromotionDetail, PromotionGoods, Transaction, TransactionAmount, TransactionPayer,
    TransactionScene,
};
