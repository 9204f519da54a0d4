//! No address holds a NUL: no engine is asked for one, and PostgreSQL takes none in a text.
//!
//! In one place for every id and every filter, today's and tomorrow's. What
//! comes by a body is a field with a rule of its own.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Refused;
use crate::Error;

/// Nothing has such a path, and no filter such a text.
pub(super) async fn refuse(request: Request, next: Next) -> Result<Response, Refused> {
    let address = request.uri();
    if address.path().contains(NUL) {
        return Err(Error::NoRoute { path: address.path().to_owned() }.into());
    }
    if address.query().is_some_and(|query| query.contains(NUL)) {
        return Err(Error::field("query", "must not hold control characters").into());
    }
    Ok(next.run(request).await)
}

/// A URI cannot hold it in another form.
const NUL: &str = "%00";
