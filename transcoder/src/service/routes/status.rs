//! What runs here, whether it is well, and its counters.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::problem::{self, Kind, Problem};
use crate::service::state::Shared;
use crate::versions;

/// What runs here, and how full it is.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct ServiceInfo {
    /// Always `xg2g-transcoder`.
    #[schema(example = "xg2g-transcoder")]
    service: &'static str,
    /// Version of the service.
    version: &'static str,
    /// Version of this interface.
    #[schema(example = 1)]
    api: u32,
    /// Components and their versions, the codecs' among them.
    versions: std::collections::BTreeMap<&'static str, String>,
    /// Remuxers that are open.
    open_remuxers: usize,
    /// Remuxers that may be open.
    max_remuxers: usize,
    /// Largest body of a `process` request.
    max_body_bytes: usize,
}

/// State of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Health {
    /// `ok` or `ready`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// What runs here
///
/// The way to find out whether the service is there, new enough, and takes the token.
#[utoipa::path(
    get, path = "/v1", operation_id = "getService", tag = "service", security(("token" = [])),
    responses(
        (status = 200, description = "What runs here", body = ServiceInfo),
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

/// Whether the process serves
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "service",
    responses((status = 200, description = "It does", body = Health))
)]
pub(in super::super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether a remuxer can be opened
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "service",
    responses(
        (status = 200, description = "One can", body = Health),
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

/// Counters of the service, in Prometheus's text format
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "service",
    responses((status = 200, description = "Counters", body = String, content_type = "text/plain"))
)]
pub(in super::super) async fn metrics(State(shared): State<Shared>) -> Result<Response, Problem> {
    let slots = shared.remuxers.slots();
    let text = shared
        .metrics
        .text(slots.taken(), slots.capacity())
        .map_err(|why| Problem::new(Kind::Internal, why.to_string()))?;
    Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}
