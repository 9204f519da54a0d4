//! What is told to others of how this server does.

use serde::Deserialize;

/// Traces for a collector of OpenTelemetry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The base address of the collector, OTLP over HTTP; empty: none, and nothing is sent.
    pub otlp_endpoint: String,
    /// How this server is called there.
    pub service_name: String,
}
