//! Every endpoint, on one page.

use std::sync::Arc;

use axum::Router;

use crate::config::Config;
use crate::world::World;

/// All endpoints.
pub fn router(_: Arc<World>, _: &Config) -> Router {
    Router::new()
}
