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

/// `POST /wechat/notify/{mchid}`. Anything but the acknowledgement makes WeChat repeat it.
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
