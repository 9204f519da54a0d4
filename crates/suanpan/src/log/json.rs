//! An object a line, with the same names everywhere: docs/operations/observability.md lists them.
//!
//! What the spans around an event say (which request, which order) stands beside
//! what the event says, so that one search for an id finds every line.

use std::fmt;

use serde_json::{Map, Value, json};
use suanpan_server::outside::{Clock as _, SystemClock};
use suanpan_server::timeline;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// For machines.
pub(super) struct Objects {
    pub(super) clock: SystemClock,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for Objects {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut object = Map::new();
        // From the outermost inwards: the nearest word counts.
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let said = extensions.get::<FormattedFields<JsonFields>>();
            let said = said.and_then(|said| serde_json::from_str::<Map<_, _>>(said).ok());
            object.extend(said.unwrap_or_default());
        }
        event.record(&mut Facts(&mut object));
        let metadata = event.metadata();
        object.insert("timestamp".to_owned(), json!(timeline::utc(self.clock.now_micros())));
        object.insert("level".to_owned(), json!(metadata.level().as_str()));
        object.insert("target".to_owned(), json!(metadata.target()));
        writeln!(writer, "{}", Value::Object(object))
    }
}

/// The fields of an event.
struct Facts<'a>(&'a mut Map<String, Value>);

impl Facts<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Facts<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, text: &str) {
        self.put(field, text);
    }

    fn record_error(&mut self, field: &Field, error: &(dyn std::error::Error + 'static)) {
        self.put(field, suanpan_server::chain(error));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}
