//! The table of contents: what is served where.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;

use crate::gateway::platform::Call;
use crate::gateway::{Operation, hear, hear_nothing};
use crate::world::World;
use crate::{control, phone, rekey};

/// Everything that the simulator serves.
pub(crate) fn routes(world: Arc<World>) -> Router {
    use Operation::{
        Login, V2CloseOrder, V2DownloadBill, V2DownloadFundFlow, V2OrderQuery, V2Refund,
        V2RefundQuery, V2UnifiedOrder, V3AbnormalRefund, V3BillFile, V3Certificates, V3Close,
        V3FundFlowBill, V3Jsapi, V3PartnerClose, V3PartnerJsapi, V3PartnerQueryById,
        V3PartnerQueryByNumber, V3QueryById, V3QueryByNumber, V3Refund, V3RefundQuery, V3TradeBill,
    };
    let asks = |operation| {
        move |State(world): State<Arc<World>>, request: Request| hear(world, operation, request)
    };
    let gets = |operation| get(asks(operation));
    let posts = |operation| post(asks(operation));
    // Where a wrong method is answered in words of the API.
    let anything = |operation| any(asks(operation));

    let platform = Call::ALL.into_iter().fold(Router::new(), |router, call| {
        router.route(call.path(), anything(Operation::Platform(call)))
    });
    Router::new()
        .merge(platform)
        // api.weixin.qq.com
        .route("/sns/jscode2session", anything(Login))
        // api.mch.weixin.qq.com, APIv3
        .route("/v3/pay/transactions/jsapi", posts(V3Jsapi))
        .route("/v3/pay/transactions/out-trade-no/{number}", gets(V3QueryByNumber))
        .route("/v3/pay/transactions/out-trade-no/{number}/close", posts(V3Close))
        .route("/v3/pay/transactions/id/{id}", gets(V3QueryById))
        .route("/v3/certificates", gets(V3Certificates))
        .route("/v3/refund/domestic/refunds", posts(V3Refund))
        .route("/v3/refund/domestic/refunds/{number}", gets(V3RefundQuery))
        .route("/v3/refund/domestic/refunds/{id}/apply-abnormal-refund", posts(V3AbnormalRefund))
        .route("/v3/bill/tradebill", gets(V3TradeBill))
        .route("/v3/bill/fundflowbill", gets(V3FundFlowBill))
        .route("/v3/billdownload/file", gets(V3BillFile))
        // … for partners
        .route("/v3/pay/partner/transactions/jsapi", posts(V3PartnerJsapi))
        .route("/v3/pay/partner/transactions/out-trade-no/{number}", gets(V3PartnerQueryByNumber))
        .route("/v3/pay/partner/transactions/out-trade-no/{number}/close", posts(V3PartnerClose))
        .route("/v3/pay/partner/transactions/id/{id}", gets(V3PartnerQueryById))
        // api.mch.weixin.qq.com, APIv2
        .route("/pay/unifiedorder", anything(V2UnifiedOrder))
        .route("/pay/orderquery", anything(V2OrderQuery))
        .route("/pay/closeorder", anything(V2CloseOrder))
        .route("/secapi/pay/refund", anything(V2Refund))
        .route("/pay/refundquery", anything(V2RefundQuery))
        .route("/pay/downloadbill", anything(V2DownloadBill))
        .route("/pay/downloadfundflow", anything(V2DownloadFundFlow))
        // What only a simulator can do
        .route("/_sim/login", post(control::login))
        .route("/_sim/request-payment", post(control::request_payment))
        .route(
            "/_sim/faults",
            get(control::faults).post(control::add_fault).delete(control::remove_faults),
        )
        .route("/_sim/clock", get(control::clock).post(control::advance))
        .route("/_sim/confirm-receipt", post(control::confirm_receipt))
        .route("/_sim/ledger", get(control::ledger))
        .route("/_sim/refunds", post(control::decide_refund))
        .route("/_sim/bills", post(control::plant))
        .route("/_sim/requests", get(control::requests))
        .route("/_sim/switches", get(control::switches).post(control::set_switches))
        .route("/_sim/keys", post(rekey::keys))
        .route("/_sim/{*nothing}", any(control::nothing))
        // The payer's phone
        .route("/", get(phone::home))
        .route("/phone", get(phone::page))
        .route("/phone/config.json", get(phone::config))
        .route("/phone/sheet", get(phone::sheet))
        .route("/phone/{file}", get(phone::beside))
        // WeChat says nothing where nothing is
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        // One bad request must not stop the others.
        .layer(CatchPanicLayer::new())
        .with_state(world)
}

async fn unknown(State(world): State<Arc<World>>, request: Request) -> Response {
    hear_nothing(world, StatusCode::NOT_FOUND, request).await
}

async fn wrong_method(State(world): State<Arc<World>>, request: Request) -> Response {
    hear_nothing(world, StatusCode::METHOD_NOT_ALLOWED, request).await
}
