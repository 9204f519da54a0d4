//! Lists in pages: mostly newest first, `limit` at a time, from an opaque cursor.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Error;

/// Where a page begins: behind this time (unix microseconds) and id.
pub(super) type From = Option<(i64, String)>;

/// What a list is asked for with that nothing narrows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// 一页多少个，默认 20 / how many in a page; 20 if left out
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, example = 20)]
    pub(super) limit: Option<String>,
    /// 上一页的 `next_cursor` / the `next_cursor` of the page before
    #[param(value_type = Option<String>, min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    pub(super) cursor: Option<String>,
}

/// The page that is asked for.
pub(super) struct Page {
    pub(super) from: From,
    limit: usize,
}

impl Page {
    /// Reads `limit` and `cursor` of a query.
    pub(super) fn read(limit: Option<&str>, cursor: Option<&str>) -> Result<Self, Error> {
        let limit = match limit {
            None => 20,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=100).contains(limit))
                .ok_or_else(|| Error::field("limit", "must be 1 to 100"))?,
        };
        Ok(Self { from: cursor.map(read_cursor).transpose()?, limit })
    }

    /// How many rows to look for: one more than asked for tells whether there are more.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Cuts the rows to the page; answers where the next one begins.
    pub(super) fn cut<T>(
        &self,
        rows: &mut Vec<T>,
        at: impl Fn(&T) -> (i64, &str),
    ) -> Option<String> {
        let more = self.limit < rows.len();
        rows.truncate(self.limit);
        let last = rows.last().filter(|_| more);
        last.map(|row| {
            let (at, id) = at(row);
            cursor(at, id)
        })
    }
}

/// The query of a list; an unknown name is an error, since a filter that is silently ignored shows too much.
pub(super) fn read<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Error> {
    let Query(query) = query.map_err(|rejection| Error::field("query", rejection.body_text()))?;
    Ok(query)
}

/// Where the next page begins. Opaque to callers.
pub(super) fn cursor(at: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at} {id}"))
}

pub(super) fn read_cursor(text: &str) -> Result<(i64, String), Error> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let plain = plain.filter(|plain| !plain.contains(char::is_control));
    let parts = plain.as_deref().and_then(|plain| plain.split_once(' '));
    parts
        .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())))
        .ok_or_else(|| Error::field("cursor", "must be the `next_cursor` of the page before"))
}
