//! The bearer token of a request (RFC 6750).

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Kind, Problem};
use super::state::Shared;

/// Lets a request through that brings the token, if one is set.
pub(super) async fn require(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = &shared.token else {
        return next.run(request).await;
    };
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| bearer(value.as_bytes()));
    match given {
        Some(given) if token.is(given) => next.run(request).await,
        Some(_) => refused("the token is wrong"),
        None => refused("a token is needed: send Authorization: Bearer TOKEN"),
    }
}

/// The credentials of a header whose scheme is Bearer, in any case (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, credentials) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| credentials.trim_ascii())
}

fn refused(detail: &str) -> Response {
    Problem::new(Kind::Unauthorized, detail).into_response()
}
