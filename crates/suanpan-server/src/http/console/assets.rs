//! Style and script of the console, compiled in.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::trouble::Trouble;
use crate::access::sha256_hex;

/// The address of a file changes with its bytes, so that a browser may keep it.
pub(super) struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    href: LazyLock<String>,
}

pub(super) static STYLE: Asset = Asset {
    name: "console.css",
    kind: "text/css; charset=utf-8",
    // The frame and what pages share first; then a file for those who work on one kind of page.
    text: concat!(
        include_str!("../../../assets/console.css"),
        include_str!("../../../assets/pages.css"),
        include_str!("../../../assets/people.css"),
        include_str!("../../../assets/reconciliation.css"),
    ),
    href: LazyLock::new(|| STYLE.stamped()),
};

pub(super) static SCRIPT: Asset = Asset {
    name: "console.js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("../../../assets/console.js"),
    href: LazyLock::new(|| SCRIPT.stamped()),
};

impl Asset {
    pub(super) fn href(&self) -> &str {
        &self.href
    }

    fn stamped(&self) -> String {
        let hash = sha256_hex(self.text.as_bytes());
        format!("/console/assets/{}?v={}", self.name, hash.get(..12).unwrap_or_default())
    }
}

/// `GET /console/assets/{name}`. No session: there is nothing in them but looks.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Trouble> {
    let found = [&STYLE, &SCRIPT].into_iter().find(|asset| asset.name == name);
    let asset = found.ok_or(Trouble::NoPage)?;
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.text).into_response())
}
