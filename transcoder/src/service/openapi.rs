//! The OpenAPI document, generated from the types and the annotations of the routes.

use std::sync::LazyLock;

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::problem::{ProblemBody, Refused, Unauthorized, Unavailable};
use super::routes::mpeg_ts::MpegTs;
use super::routes::{remux, remuxers, status};
use super::{options, points};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "xg2g-transcoder",
        description = "Converts the audio of live MPEG transport streams to AAC; everything else \
            passes unchanged. Errors are `application/problem+json` (RFC 9457) with a `kind`.",
    ),
    paths(
        status::info,
        remuxers::open,
        remuxers::process,
        remuxers::finish,
        remuxers::stats,
        remuxers::delete,
        remux::remux,
        status::healthz,
        status::readyz,
        status::metrics,
    ),
    components(
        schemas(options::RemuxOptions, MpegTs, points::Body, ProblemBody),
        responses(Refused, Unauthorized, Unavailable)
    ),
    modifiers(&Token)
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some("Required when the service has a token".into());
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Returns the document as JSON.
pub(super) fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(document);
    &JSON
}

/// Generates the document as JSON.
pub fn document() -> String {
    let mut json = Document::openapi()
        .to_pretty_json()
        .unwrap_or_else(|why| format!("{{\"error\":\"{why}\"}}"));
    json.push('\n');
    json
}
