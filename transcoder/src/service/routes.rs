//! Paths, and what each does. The OpenAPI document is made of the same lines.

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, MatchedPath, Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracing::debug;
use utoipa::{IntoParams, ToSchema};

use super::options::RemuxOptions;
use super::problem::{Kind, Problem, one_line};
use super::server::ArrivedAt;
use super::session::{Answer, Call};
use super::sessions::Visit;
use super::settings::{Address, Advertise};
use super::{Shared, auth, body, openapi, points, stream};
use crate::{Stats, versions};

/// Media type of streams and their pieces.
const MPEG_TS: &str = "video/mp2t";

/// Largest JSON of options.
const MAX_OPTIONS_BYTES: usize = 16 << 10;

type Id = Result<Path<String>, PathRejection>;
type Seq = Result<Query<Sequence>, QueryRejection>;

/// Every path of the service.
pub(super) fn router(shared: Shared) -> Router {
    let guarded = Router::new()
        .route("/v1", get(info))
        .route("/v1/remuxers", post(open))
        .route("/v1/remuxers/{id}", get(stats).delete(delete))
        .route("/v1/remuxers/{id}/process", post(process))
        .route("/v1/remuxers/{id}/finish", post(finish))
        .route("/v1/remux", post(remux))
        .route_layer(middleware::from_fn_with_state(
            shared.clone(),
            auth::require,
        ));
    Router::new()
        .merge(guarded)
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(document))
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_such_path)
        .layer(middleware::from_fn_with_state(shared.clone(), counted))
        .with_state(shared)
}

/// What runs here, and how full it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServiceInfo {
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

/// A remuxer that was opened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Opened {
    /// Names the remuxer. It cannot be guessed.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    id: String,
}

/// State of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok` or `ready`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Which call of a remuxer it is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Sequence {
    /// Counts the process and finish calls of a remuxer, from 0. The latest number again gets
    /// the same answer and is not done twice; every other number but the next is refused.
    seq: u64,
}

/// What runs here
///
/// The way to find out whether the service is there, new enough, and takes the token.
#[utoipa::path(
    get, path = "/v1", operation_id = "getService", tag = "service", security(("token" = [])),
    responses(
        (status = 200, description = "What runs here", body = ServiceInfo),
        (status = 401, response = openapi::Unauthorized),
    )
)]
pub(super) async fn info(State(shared): State<Shared>) -> Json<ServiceInfo> {
    Json(ServiceInfo {
        service: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        api: 1,
        versions: versions(),
        open_remuxers: shared.sessions.places().taken(),
        max_remuxers: shared.sessions.places().capacity(),
        max_body_bytes: shared.settings.max_body,
    })
}

/// Open a remuxer
///
/// It converts one stream, in calls of `process` and a last one of `finish`. Delete it when done:
/// one that is not used is taken away after the idle timeout.
#[utoipa::path(
    post, path = "/v1/remuxers", operation_id = "openRemuxer", tag = "remuxers",
    security(("token" = [])),
    request_body(content = Option<RemuxOptions>, description = "Options; no body takes the defaults"),
    responses(
        (status = 201, description = "Opened", body = Opened,
            headers(("Location" = String, description = "URL of the remuxer; absolute with --advertise"))),
        (status = 400, response = openapi::Refused),
        (status = 401, response = openapi::Unauthorized),
        (status = 408, response = openapi::Refused),
        (status = 413, response = openapi::Refused),
        (status = 503, response = openapi::Unavailable),
    )
)]
pub(super) async fn open(
    State(shared): State<Shared>,
    Extension(arrived): Extension<ArrivedAt>,
    body: Body,
) -> Result<Response, Problem> {
    let json = body::whole(body, MAX_OPTIONS_BYTES, shared.settings.body_timeout).await?;
    let options = if json.trim_ascii().is_empty() {
        RemuxOptions::default()
    } else {
        // By way of a map: an array would be taken for the fields in their order.
        serde_json::from_slice(&json)
            .and_then(|fields: Option<Map<String, Value>>| {
                RemuxOptions::deserialize(Value::Object(fields.unwrap_or_default()))
            })
            .map_err(|why| Problem::new(Kind::BadRequest, one_line(&format!("options: {why}"))))?
    };
    let options = options.try_into()?;
    shared.admit()?;
    let id = shared
        .sessions
        .open(options)
        .inspect_err(|_| shared.metrics.refused.inc())?;
    debug!("a remuxer was opened");
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
/// Any split of a stream gives the same output, and no content is an error.
#[utoipa::path(
    post, path = "/v1/remuxers/{id}/process", operation_id = "process", tag = "remuxers",
    security(("token" = [])),
    params(("id" = String, Path, description = "From the answer to `POST /v1/remuxers`"), Sequence),
    request_body(content = openapi::MpegTs, content_type = "video/mp2t", description = "Bytes of the stream"),
    responses(
        (status = 200, description = "What can leave, which may be nothing", body = openapi::MpegTs,
            content_type = "video/mp2t",
            headers(("Xg2g-Points" = String, description = "JSON array of `Point`; absent without any"))),
        (status = 400, response = openapi::Refused),
        (status = 401, response = openapi::Unauthorized),
        (status = 404, response = openapi::Refused),
        (status = 408, response = openapi::Refused),
        (status = 409, response = openapi::Refused),
        (status = 413, response = openapi::Refused),
        (status = 500, response = openapi::Refused),
        (status = 503, response = openapi::Unavailable),
    )
)]
pub(super) async fn process(
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
/// Gives what was still held. A `process` afterwards is 409 `Finished`.
#[utoipa::path(
    post, path = "/v1/remuxers/{id}/finish", operation_id = "finish", tag = "remuxers",
    security(("token" = [])),
    params(("id" = String, Path, description = "From the answer to `POST /v1/remuxers`"), Sequence),
    responses(
        (status = 200, description = "The rest", body = openapi::MpegTs, content_type = "video/mp2t",
            headers(("Xg2g-Points" = String, description = "JSON array of `Point`; absent without any"))),
        (status = 400, response = openapi::Refused),
        (status = 401, response = openapi::Unauthorized),
        (status = 404, response = openapi::Refused),
        (status = 409, response = openapi::Refused),
        (status = 500, response = openapi::Refused),
        (status = 503, response = openapi::Unavailable),
    )
)]
pub(super) async fn finish(
    State(shared): State<Shared>,
    id: Id,
    seq: Seq,
) -> Result<Response, Problem> {
    let visit = enter(&shared, id)?;
    let Query(Sequence { seq }) = seq?;
    visit.call(seq, Call::Finish).await.map(with_points)
}

/// Counters of a stream
#[utoipa::path(
    get, path = "/v1/remuxers/{id}", operation_id = "getRemuxer", tag = "remuxers",
    security(("token" = [])),
    params(("id" = String, Path, description = "From the answer to `POST /v1/remuxers`")),
    responses(
        (status = 200, description = "Counters since it was opened", body = Stats),
        (status = 401, response = openapi::Unauthorized),
        (status = 404, response = openapi::Refused),
        (status = 409, response = openapi::Refused),
        (status = 500, response = openapi::Refused),
    )
)]
pub(super) async fn stats(State(shared): State<Shared>, id: Id) -> Result<Json<Stats>, Problem> {
    enter(&shared, id)?.stats().await.map(Json)
}

/// Give a remuxer back
///
/// A call that is inside still completes.
#[utoipa::path(
    delete, path = "/v1/remuxers/{id}", operation_id = "deleteRemuxer", tag = "remuxers",
    security(("token" = [])),
    params(("id" = String, Path, description = "From the answer to `POST /v1/remuxers`")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, response = openapi::Unauthorized),
        (status = 404, response = openapi::Refused),
    )
)]
pub(super) async fn delete(State(shared): State<Shared>, id: Id) -> Result<StatusCode, Problem> {
    let Path(id) = id.map_err(|_| nothing_there())?;
    shared.sessions.remove(&id)?;
    debug!("a remuxer was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Convert a whole stream
///
/// The answer's body begins while the request's still arrives: read while you write, as curl
/// and ffmpeg do. The remuxer lives as long as the connection.
#[utoipa::path(
    post, path = "/v1/remux", operation_id = "remux", tag = "stream", security(("token" = [])),
    params(RemuxOptions),
    request_body(content = openapi::MpegTs, content_type = "video/mp2t", description = "The stream"),
    responses(
        (status = 200, description = "The converted stream", body = openapi::MpegTs,
            content_type = "video/mp2t"),
        (status = 400, response = openapi::Refused),
        (status = 401, response = openapi::Unauthorized),
        (status = 408, response = openapi::Refused),
        (status = 503, response = openapi::Unavailable),
    )
)]
pub(super) async fn remux(
    State(shared): State<Shared>,
    options: Result<Query<RemuxOptions>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let Query(options) = options?;
    let options = options.try_into()?;
    shared.admit()?;
    let remuxer = shared
        .sessions
        .start(options)
        .inspect_err(|_| shared.metrics.refused.inc())?;
    let output = stream::converted(body, remuxer, shared.settings.idle_timeout).await?;
    Ok(mpeg_ts(output))
}

/// Whether the process serves
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "service",
    responses((status = 200, description = "It does", body = Health))
)]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether a remuxer can be opened
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "service",
    responses(
        (status = 200, description = "One can", body = Health),
        (status = 503, response = openapi::Unavailable),
    )
)]
pub(super) async fn readyz(State(shared): State<Shared>) -> Result<Json<Health>, Problem> {
    shared.admit()?;
    shared.sessions.require_room()?;
    Ok(Json(Health { status: "ready" }))
}

/// Counters of the service, in Prometheus's text format
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "service",
    responses((status = 200, description = "Counters", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(shared): State<Shared>) -> Result<Response, Problem> {
    let places = shared.sessions.places();
    let text = shared
        .metrics
        .text(places.taken(), places.capacity())
        .map_err(|why| Problem::new(Kind::Internal, why.to_string()))?;
    Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}

async fn document() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, openapi::json()).into_response()
}

/// All that there are; the target `*` stands for the service itself (RFC 9112, 3.2.4).
const METHODS: &str = "GET,HEAD,POST,DELETE";

async fn no_such_path(request: Request) -> Response {
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, METHODS)]).into_response();
    }
    nothing_there().into_response()
}

/// Both answers get their `Allow` from the router.
async fn wrong_method(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Problem::new(
        Kind::MethodNotAllowed,
        one_line(&format!("{} is not possible here", request.method())),
    )
    .into_response()
}

/// Where methods are told, OPTIONS is one of them (RFC 9110, 9.3.7). For answers of the router: it
/// tells them outside of every layer.
pub(super) fn with_options(mut response: Response) -> Response {
    let told = response
        .headers()
        .get(header::ALLOW)
        .and_then(|methods| HeaderValue::try_from([methods.as_bytes(), b",OPTIONS"].concat()).ok());
    if let Some(told) = told {
        response.headers_mut().insert(header::ALLOW, told);
    }
    response
}

async fn counted(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = match request.method().as_str() {
        method @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS") => method.to_owned(),
        _ => "other".to_owned(),
    };
    let response = next.run(request).await;
    shared.metrics.answered(
        &method,
        route.as_ref().map_or("other", MatchedPath::as_str),
        response.status().as_str(),
    );
    response
}

fn enter(shared: &Shared, id: Id) -> Result<Visit, Problem> {
    let Path(id) = id.map_err(|_| nothing_there())?;
    shared.sessions.enter(&id)
}

fn nothing_there() -> Problem {
    Problem::new(Kind::NotFound, "nothing is here; see /openapi.json")
}

fn with_points(answer: Answer) -> Response {
    let mut response = mpeg_ts(Body::from(answer.output));
    if !answer.points.is_empty()
        && let Ok(value) = HeaderValue::from_maybe_shared(answer.points)
    {
        response
            .headers_mut()
            .insert(HeaderName::from_static(points::HEADER), value);
    }
    response
}

fn mpeg_ts(body: Body) -> Response {
    ([(header::CONTENT_TYPE, MPEG_TS)], body).into_response()
}
