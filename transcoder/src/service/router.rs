//! The paths of the service, and the rules for all of them.

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::problem::{Kind, Problem, nothing_there, one_line};
use super::routes::{remux, remuxers, status};
use super::state::Shared;
use super::{auth, openapi};

/// Returns the router of every path.
pub(super) fn router(shared: Shared) -> Router {
    let guarded = Router::new()
        .route("/v1", get(status::info))
        .route("/v1/remuxers", post(remuxers::open))
        .route(
            "/v1/remuxers/{id}",
            get(remuxers::stats).delete(remuxers::delete),
        )
        .route("/v1/remuxers/{id}/process", post(remuxers::process))
        .route("/v1/remuxers/{id}/finish", post(remuxers::finish))
        .route("/v1/remux", post(remux::remux))
        .route_layer(middleware::from_fn_with_state(
            shared.clone(),
            auth::require,
        ));
    Router::new()
        .merge(guarded)
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .route("/openapi.json", get(document))
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_such_path)
        .layer(middleware::from_fn_with_state(shared.clone(), counted))
        .with_state(shared)
}

async fn document() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, openapi::json()).into_response()
}

/// Every method of the service. The target `*` is the service itself (RFC 9112, 3.2.4).
const METHODS: &str = "GET,HEAD,POST,DELETE";

async fn no_such_path(request: Request) -> Response {
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, METHODS)]).into_response();
    }
    nothing_there().into_response()
}

/// The router adds `Allow` to both responses.
async fn wrong_method(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Problem::new(
        Kind::MethodNotAllowed,
        one_line(&format!(
            "{} is not supported here; see the Allow header",
            request.method()
        )),
    )
    .into_response()
}

/// Adds OPTIONS to the methods of an `Allow` header (RFC 9110, 9.3.7). The router adds that header
/// outside of every layer.
pub(super) fn with_options(mut response: Response) -> Response {
    let methods = response
        .headers()
        .get(header::ALLOW)
        .and_then(|methods| HeaderValue::try_from([methods.as_bytes(), b",OPTIONS"].concat()).ok());
    if let Some(methods) = methods {
        response.headers_mut().insert(header::ALLOW, methods);
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
    shared.metrics.count_response(
        &method,
        route.as_ref().map_or("other", MatchedPath::as_str),
        response.status().as_str(),
    );
    response
}
