//! The HTTP edge: one file per caller, and [`routes`] as their table of contents.
//!
//! Statuses live here and nowhere else (`problem.rs`); texts become types here,
//! and what is behind trusts them.

mod auth;
mod body;
pub(crate) mod connections;
pub mod console;
mod deliveries;
mod docs;
mod events;
mod idempotency;
mod limits;
mod merchant;
mod miniprogram;
mod nul;
pub mod openapi;
mod paging;
mod place;
mod problem;
mod requests;
pub mod routes;
mod shipping;
mod webhook_endpoints;
mod wechat;

pub(crate) use idempotency::REMEMBERED;
