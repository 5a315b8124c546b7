//! Refusals: the table from kinds of errors to HTTP statuses, and the problem body (RFC 9457).

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{ToResponse, ToSchema};

use crate::{Error, ErrorKind};

/// Media type of every refusal.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// Kind of an error, for programs. The first are those of the library, the others the service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(super) enum Kind {
    /// A bug in the service.
    Internal,
    /// Never sent: outputs have no fixed size in the service.
    OutputTooSmall,
    /// An option is out of its range.
    InvalidArgument,
    /// An earlier call of this remuxer failed because of a bug or too much audio; open another.
    Poisoned,
    /// A codec could not be set up.
    Codec,
    /// The stream is finished.
    Finished,
    /// Too many requests of one remuxer are running.
    Busy,
    /// No such path, or no such remuxer: never opened, deleted, or idle for too long.
    NotFound,
    /// The token is missing or wrong.
    Unauthorized,
    /// The body is larger than the service accepts.
    TooLarge,
    /// `seq` is neither the next number nor the latest one.
    BadSequence,
    /// Every remuxer is in use.
    Full,
    /// The service is stopping; open the remuxer on another one.
    Stopping,
    /// The request is invalid.
    BadRequest,
    /// The path does not support this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    Timeout,
}

impl Kind {
    /// Returns the HTTP status.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Internal | Self::OutputTooSmall | Self::Poisoned | Self::Codec => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::InvalidArgument | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Finished | Self::Busy | Self::BadSequence => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Full | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the seconds after which a retry makes sense: a slot becomes free when a viewer
    /// leaves, and a service that stops may be replaced.
    fn retry_after_s(self) -> Option<u16> {
        matches!(self, Self::Full | Self::Stopping).then_some(5)
    }
}

impl From<ErrorKind> for Kind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Internal => Self::Internal,
            ErrorKind::OutputTooSmall => Self::OutputTooSmall,
            ErrorKind::InvalidArgument => Self::InvalidArgument,
            ErrorKind::Poisoned => Self::Poisoned,
            ErrorKind::Codec => Self::Codec,
            ErrorKind::Finished => Self::Finished,
            ErrorKind::Busy => Self::Busy,
        }
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
}

impl Problem {
    /// Creates a refusal. `detail` is one line for a user.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// Returns the kind.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }
}

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// Always `about:blank`: the status is the type of the problem.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    about: &'static str,
    /// Reason phrase of the HTTP status.
    #[schema(example = "Conflict")]
    title: &'static str,
    /// HTTP status.
    #[schema(example = 409, minimum = 400, maximum = 599)]
    status: u16,
    /// One line for a user: the problem, then the fix.
    detail: String,
    /// Kind of the error, for programs.
    kind: Kind,
}

/// Refused: `kind` and `detail` give the reason
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

/// Every remuxer is in use, or the service is stopping
#[derive(ToResponse)]
#[response(
    content_type = "application/problem+json",
    headers(("Retry-After" = u16, description = "Seconds"))
)]
pub(super) struct Unavailable(#[allow(dead_code, reason = "a schema")] ProblemBody);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let body = ProblemBody {
            about: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.detail,
            kind: self.kind,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.kind.retry_after_s() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"xg2g-transcoder\""),
            );
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error.kind().into(), error.to_string())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        // The text of the rejection itself is axum's; the source is the reason.
        let cause = std::error::Error::source(&rejection);
        let text = cause.map_or_else(|| rejection.body_text(), ToString::to_string);
        Self::new(Kind::BadRequest, one_line(&text))
    }
}

/// Returns the refusal of an unknown path or an invalid id.
pub(super) fn nothing_there() -> Problem {
    Problem::new(Kind::NotFound, "no such path; see /openapi.json")
}

/// Returns a foreign text as one line of limited length.
pub(super) fn one_line(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_CHARS)
        .collect()
}
