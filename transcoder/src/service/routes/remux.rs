//! `POST /v1/remux`: a whole stream in one request; output flows while input arrives.
//!
//! The response body drives the stream: input is read only when the client's socket accepts output.
//! So a slow reader slows its own writing, and nothing is queued. When the connection ends, the body
//! is dropped, and the remuxer with it.

use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use tracing::debug;

use super::mpeg_ts::{MpegTs, mpeg_ts};
use crate::service::body;
use crate::service::options::RemuxOptions;
use crate::service::problem::{self, Problem};
use crate::service::remuxers::SharedRemuxer;
use crate::service::sequenced_remuxer::Call;
use crate::service::state::Shared;

/// Convert a whole stream
///
/// The response body begins while the request body still arrives: read while you write, as curl
/// and ffmpeg do. The remuxer lives as long as the connection.
#[utoipa::path(
    post, path = "/v1/remux", operation_id = "remux", tag = "stream", security(("token" = [])),
    params(RemuxOptions),
    request_body(content = MpegTs, content_type = "video/mp2t", description = "The stream"),
    responses(
        (status = 200, description = "The converted stream", body = MpegTs,
            content_type = "video/mp2t"),
        (status = 400, response = problem::Refused),
        (status = 401, response = problem::Unauthorized),
        (status = 408, response = problem::Refused),
        (status = 503, response = problem::Unavailable),
    )
)]
pub(in super::super) async fn remux(
    State(shared): State<Shared>,
    options: Result<Query<RemuxOptions>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let Query(options) = options?;
    let options = options.try_into()?;
    shared.admit()?;
    let remuxer = shared
        .remuxers
        .start(options)
        .inspect_err(|_| shared.metrics.refused.inc())?;
    let output = converted(body, remuxer, shared.settings.idle_timeout).await?;
    Ok(mpeg_ts(output))
}

/// Input that is converted before its output is sent. It bounds the output that is held, however
/// much input arrives at once and however much audio is in it.
const PIECE_BYTES: usize = 32 << 10;

/// The state of a stream.
enum Pump {
    /// Bytes that were read and have to be converted.
    Ready(Bytes, Source),
    Reading(Source),
    Ended,
}

struct Source {
    body: Body,
    remuxer: SharedRemuxer,
    /// Time after which a client that sends nothing is given up.
    idle: Duration,
}

/// Returns the converted stream. Waits for the first input, so that a client that sends none gets
/// an HTTP status.
async fn converted(
    mut body: Body,
    remuxer: SharedRemuxer,
    idle: Duration,
) -> Result<Body, Problem> {
    let first = body::next(&mut body, idle).await?;
    let source = Source {
        body,
        remuxer,
        idle,
    };
    Ok(Body::from_stream(pump(match first {
        Some(input) => Pump::Ready(input, source),
        None => Pump::Ended,
    })))
}

fn pump(start: Pump) -> impl Stream<Item = Result<Bytes, Broken>> {
    try_unfold(start, |mut state| async move {
        loop {
            let (output, next) = step(state).await.map_err(|why| {
                debug!(?why, "stream ended early");
                Broken
            })?;
            match next {
                Pump::Ended if output.is_empty() => return Ok(None),
                next if output.is_empty() => state = next,
                next => return Ok(Some((output, next))),
            }
        }
    })
}

async fn step(state: Pump) -> Result<(Bytes, Pump), Problem> {
    match state {
        Pump::Ready(mut input, source) => {
            let piece = input.split_to(input.len().min(PIECE_BYTES));
            let output = source.remuxer.call(Call::Process(piece)).await?.bytes;
            let next = if input.is_empty() {
                Pump::Reading(source)
            } else {
                Pump::Ready(input, source)
            };
            Ok((output, next))
        }
        Pump::Reading(mut source) => match body::next(&mut source.body, source.idle).await? {
            Some(input) => Ok((Bytes::new(), Pump::Ready(input, source))),
            None => Ok((source.remuxer.call(Call::Finish).await?.bytes, Pump::Ended)),
        },
        Pump::Ended => Ok((Bytes::new(), Pump::Ended)),
    }
}

/// The error that ends a body without its last chunk, so that the client notices.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the stream ended early")
    }
}

impl std::error::Error for Broken {}
