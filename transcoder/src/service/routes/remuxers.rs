//! `/v1/remuxers`: a stream as one request per chunk.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracing::debug;
use utoipa::{IntoParams, ToSchema};

use super::mpeg_ts::{MpegTs, mpeg_ts};
use crate::Stats;
use crate::service::listen::ArrivedAt;
use crate::service::options::RemuxOptions;
use crate::service::problem::{self, Kind, Problem, nothing_there, one_line};
use crate::service::remuxers::RequestGuard;
use crate::service::sequenced_remuxer::{Call, CallOutput};
use crate::service::settings::{Address, Advertise};
use crate::service::state::Shared;
use crate::service::{body, points};

/// Longest JSON of options.
const MAX_OPTIONS_BYTES: usize = 16 << 10;

type Id = Result<Path<String>, PathRejection>;
type Seq = Result<Query<Sequence>, QueryRejection>;

/// An opened remuxer.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct Opened {
    /// Id of the remuxer. It cannot be guessed.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    id: String,
}

/// Number of a call.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct Sequence {
    /// Number of this `process` or `finish` call of the remuxer, from 0. Repeating the latest
    /// number returns the same response without converting twice. Any other number than the next
    /// is refused.
    seq: u64,
}

/// Open a remuxer
///
/// A remuxer converts one stream, by `process` calls and a final `finish`. Delete it afterwards; an
/// unused remuxer is freed after the idle timeout.
#[utoipa::path(
    post, path = "/v1/remuxers", operation_id = "openRemuxer", tag = "remuxers",
    security(("token" = [])),
    request_body(content = Option<RemuxOptions>, description = "Options; without a body, the defaults"),
    responses(
        (status = 201, description = "Opened", body = Opened,
            headers(("Location" = String, description = "URL of the remuxer; absolute with --advertise"))),
        (status = 400, response = problem::Refused),
        (status = 401, response = problem::Unauthorized),
        (status = 408, response = problem::Refused),
        (status = 413, response = problem::Refused),
        (status = 503, response = problem::Unavailable),
    )
)]
pub(in super::super) async fn open(
    State(shared): State<Shared>,
    Extension(arrived): Extension<ArrivedAt>,
    body: Body,
) -> Result<Response, Problem> {
    let json = body::whole(body, MAX_OPTIONS_BYTES, shared.settings.body_timeout).await?;
    let options = if json.trim_ascii().is_empty() {
        RemuxOptions::default()
    } else {
        // By way of a map: serde would accept an array as the fields in their order.
        serde_json::from_slice(&json)
            .and_then(|fields: Option<Map<String, Value>>| {
                RemuxOptions::deserialize(Value::Object(fields.unwrap_or_default()))
            })
            .map_err(|why| Problem::new(Kind::BadRequest, one_line(&format!("options: {why}"))))?
    };
    let options = options.try_into()?;
    shared.admit()?;
    let id = shared
        .remuxers
        .open(options)
        .inspect_err(|_| shared.metrics.refused.inc())?;
    debug!("remuxer opened");
    let location = match (&shared.settings.advertise, arrived.0) {
        (Some(Advertise::Url(url)), _) => format!("{url}/v1/remuxers/{id}"),
        (Some(Advertise::Auto), Address::Tcp(address)) => {
            format!("http://{address}/v1/remuxers/{id}")
        }
        _ => format!("/v1/remuxers/{id}"),
    };
    let opened = Opened { id: id.to_string() };
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(opened),
    )
        .into_response())
}

/// Convert the next bytes of a stream
///
/// Any split of a stream gives the same output. No content is an error.
#[utoipa::path(
    post, path = "/v1/remuxers/{id}/process", operation_id = "process", tag = "remuxers",
    security(("token" = [])),
    params(("id" = String, Path, description = "Id from the response to `POST /v1/remuxers`"), Sequence),
    request_body(content = MpegTs, content_type = "video/mp2t", description = "Next bytes of the stream"),
    responses(
        (status = 200, description = "Output that is ready; may be empty", body = MpegTs,
            content_type = "video/mp2t",
            headers(("Xg2g-Points" = String, description = "JSON array of `Point`; absent without points"))),
        (status = 400, response = problem::Refused),
        (status = 401, response = problem::Unauthorized),
        (status = 404, response = problem::Refused),
        (status = 408, response = problem::Refused),
        (status = 409, response = problem::Refused),
        (status = 413, response = problem::Refused),
        (status = 500, response = problem::Refused),
        (status = 503, response = problem::Unavailable),
    )
)]
pub(in super::super) async fn process(
    State(shared): State<Shared>,
    id: Id,
    seq: Seq,
    body: Body,
) -> Result<Response, Problem> {
    let visit = enter(&shared, id)?;
    let Query(Sequence { seq }) = seq?;
    let settings = &shared.settings;
    let input = body::whole(body, settings.max_body, settings.body_timeout).await?;
    visit.call(seq, Call::Process(input)).await.map(with_points)
}

/// End a stream
///
/// Returns the rest of the output. A later `process` is refused with 409 `Finished`.
#[utoipa::path(
    post, path = "/v1/remuxers/{id}/finish", operation_id = "finish", tag = "remuxers",
    security(("token" = [])),
    params(("id" = String, Path, description = "Id from the response to `POST /v1/remuxers`"), Sequence),
    responses(
        (status = 200, description = "Rest of the output", body = MpegTs, content_type = "video/mp2t",
            headers(("Xg2g-Points" = String, description = "JSON array of `Point`; absent without points"))),
        (status = 400, response = problem::Refused),
        (status = 401, response = problem::Unauthorized),
        (status = 404, response = problem::Refused),
        (status = 409, response = problem::Refused),
        (status = 500, response = problem::Refused),
        (status = 503, response = problem::Unavailable),
    )
)]
pub(in super::super) async fn finish(
    State(shared): State<Shared>,
    id: Id,
    seq: Seq,
) -> Result<Response, Problem> {
    let visit = enter(&shared, id)?;
    let Query(Sequence { seq }) = seq?;
    visit.call(seq, Call::Finish).await.map(with_points)
}

/// Counters of a remuxer
#[utoipa::path(
    get, path = "/v1/remuxers/{id}", operation_id = "getRemuxer", tag = "remuxers",
    security(("token" = [])),
    params(("id" = String, Path, description = "Id from the response to `POST /v1/remuxers`")),
    responses(
        (status = 200, description = "Counters since the remuxer was opened", body = Stats),
        (status = 401, response = problem::Unauthorized),
        (status = 404, response = problem::Refused),
        (status = 409, response = problem::Refused),
        (status = 500, response = problem::Refused),
    )
)]
pub(in super::super) async fn stats(
    State(shared): State<Shared>,
    id: Id,
) -> Result<Json<Stats>, Problem> {
    enter(&shared, id)?.stats().await.map(Json)
}

/// Delete a remuxer
///
/// A call that is running still completes.
#[utoipa::path(
    delete, path = "/v1/remuxers/{id}", operation_id = "deleteRemuxer", tag = "remuxers",
    security(("token" = [])),
    params(("id" = String, Path, description = "Id from the response to `POST /v1/remuxers`")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, response = problem::Unauthorized),
        (status = 404, response = problem::Refused),
    )
)]
pub(in super::super) async fn delete(
    State(shared): State<Shared>,
    id: Id,
) -> Result<StatusCode, Problem> {
    let Path(id) = id.map_err(|_| nothing_there())?;
    shared.remuxers.remove(&id)?;
    debug!("remuxer deleted");
    Ok(StatusCode::NO_CONTENT)
}

fn enter(shared: &Shared, id: Id) -> Result<RequestGuard, Problem> {
    let Path(id) = id.map_err(|_| nothing_there())?;
    shared.remuxers.in_use(&id)
}

fn with_points(output: CallOutput) -> Response {
    let mut response = mpeg_ts(Body::from(output.bytes));
    if !output.points.is_empty()
        && let Ok(value) = HeaderValue::from_maybe_shared(output.points)
    {
        response
            .headers_mut()
            .insert(HeaderName::from_static(points::HEADER), value);
    }
    response
}
