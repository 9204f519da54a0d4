//! Traces for a collector: OTLP over HTTP, as protobuf.
//!
//! Only spans go out, and of those only ours: which step, how long, which order.
//! What the log says on the way is for the log.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use crate::problem::Problem;

/// The way to the collector. What is on its way when the process ends is sent by [`Self::finish`].
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// `endpoint`: the collector's base address, such as `http://127.0.0.1:4318`.
    pub(super) fn to(endpoint: &str, service: &str) -> Result<Self, Problem> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_timeout(PATIENCE)
            .build();
        let exporter = exporter.map_err(|cause| Problem {
            code: "SP-CONFIG".to_owned(),
            detail: "the configuration is wrong at telemetry.otlp_endpoint".to_owned(),
            cause: Some(suanpan_server::chain(&cause)),
            remedy:
                "write the base address of a collector, such as http://127.0.0.1:4318, or nothing"
                    .to_owned(),
            exit: Problem::SETUP,
        })?;
        let resource = Resource::builder()
            .with_service_name(service.to_owned())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // Neither places in our source nor threads: nobody who runs it looks for these.
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("suanpan"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
    }

    /// Sends the rest. It blocks for as long as the collector takes, some seconds at most.
    pub(crate) fn finish(self) {
        if let Err(error) = self.0.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(error = suanpan_server::chain(&error), "not all traces were sent");
        }
    }
}

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(5);
