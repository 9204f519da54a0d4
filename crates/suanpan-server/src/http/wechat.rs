//! What WeChat calls: one inbox for both APIs.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use suanpan_wechat::MchId;

use super::body::Body;
use super::problem::Refused;
use crate::Error;
use crate::flow::notify::{self, Acknowledgement};
use crate::world::World;

/// `POST /wechat/notify/{mchid}`
#[utoipa::path(post, path = "/wechat/notify/{mchid}", tag = "wechat",
    summary = "微信的通知 / WeChat's notifications",
    description = "v2 的 XML 和 v3 的 JSON 都到这里，先验签再看内容。只有微信会调它。\n\nOne door for the XML of APIv2 and the JSON of APIv3; the signature is checked first. Only WeChat calls this.",
    params(("mchid" = String, Path, description = "商户号 / the merchant number", example = "1900000109")),
    request_body(description = "微信签名的通知 / a notification that WeChat signed", content((String = "text/xml"), (Object = "application/json"))),
    responses(
        (status = 200, description = "v2 的应答 / the acknowledgement of APIv2", body = String, content_type = "text/xml"),
        (status = 204, description = "v3 的应答 / the acknowledgement of APIv3")),
    extensions(("x-problems" = json!(["SP-NOT-FOUND", "SP-SIGNATURE", "SP-XML", "SP-NOTIFY-FOREIGN", "SP-NOTIFY-UNMATCHED", "SP-NOTIFY-MISMATCH"]))))]
// Anything but the acknowledgement makes WeChat repeat it.
pub(super) async fn notify(
    State(world): State<Arc<World>>,
    Path(mchid): Path<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refused> {
    let mchid = MchId::parse(&mchid).map_err(|_| Error::NotFound { what: "merchant" })?;
    Ok(match notify::notify(&world, &mchid, &headers, &body).await? {
        Acknowledgement::Xml(xml) => ([(header::CONTENT_TYPE, "text/xml")], xml).into_response(),
        Acknowledgement::Empty => StatusCode::NO_CONTENT.into_response(),
    })
}
