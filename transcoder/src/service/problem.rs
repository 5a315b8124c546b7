//! Refusals: one table from what went wrong to the HTTP status, and the body that says so
//! (RFC 9457).

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{ToResponse, ToSchema};

use crate::{Error, ErrorKind};

/// Media type of every refusal.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// What a client decides by. The first are those of [`ErrorKind`], the others the service's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(super) enum Kind {
    /// A defect of the service.
    Internal,
    /// Never sent: outputs have no fixed size here.
    OutputTooSmall,
    /// An option is out of its range.
    InvalidArgument,
    /// An earlier call of this remuxer failed by a defect, or had too much sound; open another.
    Poisoned,
    /// A codec could not be set up.
    Codec,
    /// The stream was finished before.
    Finished,
    /// Too many requests for one remuxer are under way.
    Busy,
    /// No such path, or no such remuxer: never opened, deleted, or idle for too long.
    NotFound,
    /// The token is missing or wrong.
    Unauthorized,
    /// The body is larger than the service takes.
    TooLarge,
    /// `seq` is neither the next number nor the last one again.
    BadSequence,
    /// Every remuxer is in use.
    Full,
    /// The service is ending; open the remuxer elsewhere.
    Stopping,
    /// The request cannot be understood.
    BadRequest,
    /// The path is there, but not with this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    Timeout,
}

impl Kind {
    /// The status that goes with it.
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

    /// Seconds after which another attempt makes sense: a slot becomes free when a viewer
    /// leaves; a service that stops is replaced or stays away.
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
    /// Makes a refusal; `detail` is one line for a user.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// What a client decides by.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }
}

/// The body of a refusal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// Always `about:blank`: the status says what kind of problem it is for HTTP.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    about: &'static str,
    /// The status in words.
    #[schema(example = "Conflict")]
    title: &'static str,
    /// The status.
    #[schema(example = 409, minimum = 400, maximum = 599)]
    status: u16,
    /// One line for a user: what is wrong, and what to do.
    detail: String,
    /// What a client decides by.
    kind: Kind,
}

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
        // Its own text begins with what axum was about to do.
        let cause = std::error::Error::source(&rejection);
        let text = cause.map_or_else(|| rejection.body_text(), ToString::to_string);
        Self::new(Kind::BadRequest, one_line(&text))
    }
}

/// The refusal of a path or an id that is none.
pub(super) fn nothing_there() -> Problem {
    Problem::new(Kind::NotFound, "nothing is here; see /openapi.json")
}

/// A text of another's making as one line of bounded length.
pub(super) fn one_line(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_CHARS)
        .collect()
}
