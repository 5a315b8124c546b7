//! Version, health and metrics of the service.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::problem::{self, Kind, Problem};
use crate::service::state::Shared;
use crate::versions;

/// Versions and load of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct ServiceInfo {
    /// Always `xg2g-transcoder`.
    #[schema(example = "xg2g-transcoder")]
    service: &'static str,
    /// Version of the service.
    version: &'static str,
    /// Version of this HTTP interface.
    #[schema(example = 1)]
    api: u32,
    /// Component -> version, codecs included.
    versions: std::collections::BTreeMap<&'static str, String>,
    /// Number of open remuxers.
    open_remuxers: usize,
    /// Maximum number of open remuxers.
    max_remuxers: usize,
    /// Maximum body size of a `process` request, in bytes.
    max_body_bytes: usize,
}

/// Status of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Health {
    /// `ok` or `ready`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Versions and load of the service
///
/// Use it to check that the service is reachable, new enough, and accepts the token.
#[utoipa::path(
    get, path = "/v1", operation_id = "getService", tag = "service", security(("token" = [])),
    responses(
        (status = 200, description = "Versions and load", body = ServiceInfo),
        (status = 401, response = problem::Unauthorized),
    )
)]
pub(in super::super) async fn info(State(shared): State<Shared>) -> Json<ServiceInfo> {
    Json(ServiceInfo {
        service: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        api: 1,
        versions: versions(),
        open_remuxers: shared.remuxers.slots().taken(),
        max_remuxers: shared.remuxers.slots().capacity(),
        max_body_bytes: shared.settings.max_body,
    })
}

/// Check that the process serves requests
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "service",
    responses((status = 200, description = "The process serves requests", body = Health))
)]
pub(in super::super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Check that a remuxer can be opened
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "service",
    responses(
        (status = 200, description = "A remuxer can be opened", body = Health),
        (status = 503, response = problem::Unavailable),
    )
)]
pub(in super::super) async fn readyz(
    State(shared): State<Shared>,
) -> Result<Json<Health>, Problem> {
    shared.admit()?;
    shared.remuxers.require_room()?;
    Ok(Json(Health { status: "ready" }))
}

/// Metrics of the service in Prometheus's text format
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "service",
    responses((status = 200, description = "Metrics", body = String, content_type = "text/plain"))
)]
pub(in super::super) async fn metrics(State(shared): State<Shared>) -> Result<Response, Problem> {
    let slots = shared.remuxers.slots();
    let text = shared
        .metrics
        .text(slots.taken(), slots.capacity())
        .map_err(|why| Problem::new(Kind::Internal, why.to_string()))?;
    Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}
