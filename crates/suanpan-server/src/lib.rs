//! Work in progress.

pub mod outside;
pub mod store;
