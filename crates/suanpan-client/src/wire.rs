//! Looking over the client's shoulder.

use std::fmt;

use http::{HeaderMap, Method};
use suanpan_wechat::Reply;

use crate::Error;

/// Sees each message that goes over the wire, after its answer came or was lost.
///
/// It sees **everything as it is**: the `AppSecret` in the query of the login,
/// the `session_key` in its answer, signatures, openids. Masking is the
/// observer's job; it must not write to a log what it has not masked.
pub trait Wire: fmt::Debug + Send + Sync + 'static {
    /// Called once for each try, on the task of the caller: be quick.
    fn saw(&self, exchange: &Exchange<'_>);
}

/// One try: what was asked, and what came back. It has no `Debug`, since it holds secrets.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// Method and path without values, as in [`Call::operation`](suanpan_wechat::Call::operation).
    pub operation: &'static str,
    /// Scheme, host and port: `https://api.mch.weixin.qq.com`.
    pub host: &'a str,
    /// The method.
    pub method: &'a Method,
    /// What follows the host. The login has a secret in it.
    pub path_and_query: &'a str,
    /// What we sent before the body.
    pub request_headers: &'a HeaderMap,
    /// What we sent.
    pub request_body: &'a [u8],
    /// What came back: status, headers, body; or how it was lost.
    pub reply: Result<Reply<'a>, &'a Error>,
}
