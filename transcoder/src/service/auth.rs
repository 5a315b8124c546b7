//! The bearer token of a request (RFC 6750).

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Kind, Problem};
use super::state::Shared;

/// Refuses a request without the token, if the service has one.
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
        None => refused("a token is required: send Authorization: Bearer TOKEN"),
    }
}

/// Returns the credentials of a header with the scheme Bearer, in any case (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, credentials) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| credentials.trim_ascii())
}

fn refused(detail: &str) -> Response {
    Problem::new(Kind::Unauthorized, detail).into_response()
}
