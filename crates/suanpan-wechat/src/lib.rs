//! What WeChat says of a payment, and how it is signed.
//!
//! Bytes come in, bytes go out. Nothing here opens a socket, reads a clock or
//! draws a random number: the caller hands in the time and the nonce, so every
//! test is a table and every production bug can be replayed from its log.
//!
//! | step of a payment       | APIv2                   | APIv3                       |
//! |-------------------------|-------------------------|-----------------------------|
//! | 1 login                 | [`CodeToSession`]       | the same                    |
//! | 2 order                 | [`Fen`], [`OutTradeNo`] | the same                    |
//! | 3 prepay                | [`v2::PlaceOrder`]      | [`v3::Prepay`]              |
//! | 4 second sign           | [`second_sign_v2`]      | [`second_sign_v3`]          |
//! | 5 notify                | [`v2::PaymentNotice`]   | [`v3::PaymentNotification`] |
//! | when a notice was lost  | [`v2::QueryOrder`]      | [`v3::QueryByOutTradeNo`]   |
//! | when the goods are sent | [`platform`]            | the same                    |
//! | the money goes back     | [`v2::PlaceRefund`]     | [`v3::CreateRefund`]        |
//! | how a refund stands     | [`v2::QueryRefund`]     | [`v3::QueryRefund`]         |
//! | a refund is told of     | [`v2::RefundNotice`]    | [`v3::RefundNotification`]  |
//! | the day is over         | [`bill`]                | the same                    |
//! | a signature is wrong    | [`mistakes`]            | the same                    |
//!
//! A call to WeChat is a [`Call`]: one pure function that builds the signed
//! request, one that checks and reads the answer. `suanpan-client` moves the
//! bytes; a simulator, a fuzzer or a replay tool can drive the same two.

pub mod bill;
mod call;
mod error;
mod fen;
mod login;
pub mod mistakes;
mod payment;
pub mod platform;
mod refund;
mod second_sign;
mod secret;
mod text;
pub mod time;
pub mod v2;
pub mod v3;

pub use call::{Call, Download, Host, Moment, Reply};
pub use error::{Error, FieldProblem, Refusal};
pub use fen::Fen;
pub use login::{CodeToSession, Session};
pub use payment::{Payment, TradeState};
pub use refund::{Refund, RefundStatus};
pub use second_sign::{
    PaySignType, RequestPayment, pay_sign_text_v2, pay_sign_text_v3, second_sign_v2, second_sign_v3,
};
pub use secret::{AccessToken, ApiV2Key, ApiV3Key, AppSecret, SessionKey};
pub use text::{
    AppId, LoginCode, MchId, Nonce, OpenId, OutRefundNo, OutTradeNo, PrepayId, RefundId, Serial,
    TextError, TransactionId,
};
