//! Work that time starts.

use std::sync::Arc;

use crate::world::World;

/// Runs until `stopped`.
pub async fn work(_: Arc<World>, stopped: impl Future<Output = ()>) {
    stopped.await;
}
