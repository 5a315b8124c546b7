//! `POST /v1/remux`: a whole stream in one request, in and out at once.
//!
//! The answer's body is what drives it: bytes are taken from the client only when its socket
//! takes bytes, so that a slow reader slows its own writing and nothing is queued. When the
//! connection ends, the body is dropped, and the remuxer with it.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use tracing::debug;

use super::body;
use super::problem::Problem;
use super::session::Call;
use super::sessions::Running;

/// Input that is converted before its output leaves: whatever the network brought at once, and
/// however much sound is in it, little is held.
const PIECE_BYTES: usize = 32 << 10;

/// A stream under way.
enum Pump {
    /// Bytes that were read, and are to be converted.
    Ready(Bytes, Source),
    Reading(Source),
    Ended,
}

struct Source {
    body: Body,
    remuxer: Running,
    /// A client who sends nothing for so long has gone.
    idle: Duration,
}

/// The converted stream. Waits for the source's first bytes, so that a client who sends none
/// gets a status.
pub(super) async fn converted(
    mut body: Body,
    remuxer: Running,
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
                debug!(?why, "a stream ended early");
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
            let output = source.remuxer.call(Call::Process(piece)).await?.output;
            let next = if input.is_empty() {
                Pump::Reading(source)
            } else {
                Pump::Ready(input, source)
            };
            Ok((output, next))
        }
        Pump::Reading(mut source) => match body::next(&mut source.body, source.idle).await? {
            Some(input) => Ok((Bytes::new(), Pump::Ready(input, source))),
            None => Ok((source.remuxer.call(Call::Finish).await?.output, Pump::Ended)),
        },
        Pump::Ended => Ok((Bytes::new(), Pump::Ended)),
    }
}

/// Ends a body without its end, so that the client knows.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the stream ended early")
    }
}

impl std::error::Error for Broken {}
