//! Logs: text on a terminal, JSON elsewhere, always on standard error.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::settings::{LogFormat, Settings, StartError};

/// Sets up logging for the process. A panic is logged, too.
pub fn configure(settings: &Settings) -> Result<(), StartError> {
    let terminal = stderr().is_terminal();
    let text = settings
        .log_format
        .map_or(terminal, |format| format == LogFormat::Text);
    let builder = tracing_subscriber::fmt()
        .with_max_level(settings.log_level)
        .with_writer(stderr)
        .with_ansi(terminal)
        .with_target(false);
    let set = if text {
        builder.try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    set.map_err(|why| StartError(why.to_string()))?;
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let payload = panic.payload();
        let reason = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(at, reason, "internal error; please report it");
    }));
    Ok(())
}

/// A limit of one log line per second for an event that may happen often.
pub(super) struct LogLimit(Mutex<(Option<Instant>, u64)>);

impl LogLimit {
    const PAUSE: Duration = Duration::from_secs(1);

    /// Returns a limit for an event that has not happened yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// Counts the event. Returns the count since the last log line when it may be logged now.
    pub(super) fn now(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (logged, times) = &mut *state;
        *times += 1;
        let now = Instant::now();
        if logged.is_some_and(|at| now.duration_since(at) < Self::PAUSE) {
            return None;
        }
        *logged = Some(now);
        Some(std::mem::take(times))
    }
}
