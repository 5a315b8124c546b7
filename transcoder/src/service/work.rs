//! Where conversions run, so that none keeps the event loop from the other connections.

use super::problem::{Kind, Problem};

/// Inputs up to this size are converted where they arrive: docs/design/transcoder-service.md
/// has the measurements.
const INLINE_BYTES: usize = 8 << 10;

/// Runs a conversion of `input_bytes`, if it is not a short one on a thread for it: one for each
/// core, see [`runtime`](super::runtime). It runs to its end even if nobody waits any more.
pub(super) async fn convert<T: Send + 'static>(
    input_bytes: usize,
    conversion: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if input_bytes <= INLINE_BYTES {
        return Ok(conversion());
    }
    tokio::task::spawn_blocking(conversion)
        .await
        .map_err(|_| Problem::new(Kind::Stopping, "the service is ending"))
}
