//! Step 6 of 6, webhook: the merchant's own system is told.

use crate::Error;
use crate::config::{Config, WebhooksConfig};
use crate::world::World;

/// How receivers are called.
#[derive(Debug)]
pub struct Receivers;

impl Receivers {
    /// From the configuration.
    pub fn new(_: &WebhooksConfig) -> Result<Self, Error> {
        Ok(Self)
    }
}

/// Brings the endpoints of the configuration into the store.
pub async fn adopt_configured(_: &World, _: &Config) -> Result<(), Error> {
    Ok(())
}
