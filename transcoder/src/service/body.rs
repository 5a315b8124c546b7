//! Request bodies, read within limits of size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::time::timeout;

use super::problem::{Kind, Problem};

/// Most that is allocated because a client announces it. A chunk of live television is shorter.
const TRUSTED_LENGTH_BYTES: u64 = 256 << 10;

/// Reads a whole body of at most `limit_bytes` that arrives within `deadline`.
pub(super) async fn whole(
    body: Body,
    limit_bytes: usize,
    deadline: Duration,
) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Kind::TooLarge,
            format!("the body is longer than {limit_bytes} bytes; send it in several requests"),
        )
    };
    if body.size_hint().lower() > limit_bytes as u64 {
        return Err(too_large());
    }
    timeout(deadline, gather(body, limit_bytes))
        .await
        .map_err(|_| late("the body", deadline))??
        .ok_or_else(too_large)
}

/// Reads the next bytes of a body that is a stream; `None` at its end.
pub(super) async fn next(body: &mut Body, deadline: Duration) -> Result<Option<Bytes>, Problem> {
    timeout(deadline, frame(body))
        .await
        .map_err(|_| late("the stream's next byte", deadline))?
}

/// Reads a whole body; `None` when it is longer than `limit_bytes`.
async fn gather(mut body: Body, limit_bytes: usize) -> Result<Option<Bytes>, Problem> {
    let declared = body.size_hint().lower().min(TRUSTED_LENGTH_BYTES);
    let mut whole = BytesMut::with_capacity(declared as usize);
    while let Some(data) = frame(&mut body).await? {
        // Copied, not kept as received: a chunk of one byte would hold a whole read buffer.
        if whole.len() + data.len() > limit_bytes {
            return Ok(None);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Some(whole.freeze()))
}

async fn frame(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| Problem::new(Kind::BadRequest, "the body ended before it was complete"))?;
        if let Ok(data) = frame.into_data()
            && !data.is_empty()
        {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn late(what: &str, deadline: Duration) -> Problem {
    Problem::new(
        Kind::Timeout,
        format!("{what} did not arrive within {} s", deadline.as_secs_f64()),
    )
}
