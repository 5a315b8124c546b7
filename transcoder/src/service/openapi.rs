//! The OpenAPI document, made of the types and of the lines above each route.

use std::sync::LazyLock;

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi, ToResponse, ToSchema};

use super::problem::ProblemBody;
use super::{options, points, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "xg2g-transcoder",
        description = "Converts the audio of live MPEG transport streams to AAC; everything else \
            passes as it came. Errors are `application/problem+json` (RFC 9457) with a `kind`.",
    ),
    paths(
        routes::info,
        routes::open,
        routes::process,
        routes::finish,
        routes::stats,
        routes::delete,
        routes::remux,
        routes::healthz,
        routes::readyz,
        routes::metrics,
    ),
    components(
        schemas(options::RemuxOptions, MpegTs, points::Body, ProblemBody),
        responses(Refused, Unauthorized, Unavailable)
    ),
    modifiers(&Token)
)]
struct Document;

/// Bytes of an MPEG transport stream (ISO/IEC 13818-1), cut anywhere
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(super) struct MpegTs(#[allow(dead_code, reason = "a schema")] String);

/// Refused: the kind and the detail say why
#[derive(ToResponse)]
#[response(content_type = "application/problem+json")]
pub(super) struct Refused(#[allow(dead_code, reason = "a schema")] ProblemBody);

/// The token is missing or wrong
#[derive(ToResponse)]
#[response(
    content_type = "application/problem+json",
    headers(("WWW-Authenticate" = String, description = "Bearer"))
)]
pub(super) struct Unauthorized(#[allow(dead_code, reason = "a schema")] ProblemBody);

/// Every remuxer is in use, or the service is ending
#[derive(ToResponse)]
#[response(
    content_type = "application/problem+json",
    headers(("Retry-After" = u16, description = "Seconds"))
)]
pub(super) struct Unavailable(#[allow(dead_code, reason = "a schema")] ProblemBody);

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some("Needed when the service has a token".into());
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The document as JSON.
pub(super) fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(document);
    &JSON
}

/// Writes the document anew.
pub fn document() -> String {
    let mut json = Document::openapi()
        .to_pretty_json()
        .unwrap_or_else(|why| format!("{{\"error\":\"{why}\"}}"));
    json.push('\n');
    json
}
