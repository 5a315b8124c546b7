//! Streams as bodies of requests and responses.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

/// Media type of streams and their chunks.
const MPEG_TS: &str = "video/mp2t";

/// Bytes of an MPEG transport stream (ISO/IEC 13818-1), split anywhere
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(in super::super) struct MpegTs(#[allow(dead_code, reason = "a schema")] String);

/// Returns a response with a stream as its body.
pub(super) fn mpeg_ts(body: Body) -> Response {
    ([(header::CONTENT_TYPE, MPEG_TS)], body).into_response()
}
