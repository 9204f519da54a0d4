//! `suanpan api`: the OpenAPI document of this binary, or a list of its endpoints for people.

use suanpan_server::http::openapi;

use crate::cli::Api;
use crate::talk::{self, Paint};

/// Prints the document, or one line an endpoint.
pub(crate) fn run(arguments: &Api) {
    if arguments.json {
        return talk::out(openapi::text().trim_end());
    }
    let paint = Paint::stdout();
    for (tag, endpoints) in openapi::endpoints() {
        talk::out(paint.bold(&tag));
        for endpoint in endpoints {
            let method = paint.cyan(&talk::padded(endpoint.method, 7));
            talk::out(format_args!(
                "  {method}{} {}",
                talk::padded(&endpoint.path, 44),
                endpoint.summary
            ));
        }
    }
    talk::out(paint.dim("suanpan api --json > openapi.json · GET /openapi.json"));
}
