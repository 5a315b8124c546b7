//! Places in an elementary stream, by the time that its sound takes.

use crate::ts::clock::TICKS_PER_SECOND;

/// A place in the elementary stream, in the time that its sound takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    /// Ticks before the samples that are counted.
    base_90k: i64,
    samples: u64,
    sample_rate_hz: u32,
}

/// Samples per channel, and their rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duration {
    pub(super) samples: u32,
    pub(super) sample_rate_hz: u32,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            base_90k: 0,
            samples: 0,
            sample_rate_hz: 1,
        }
    }
}

impl Position {
    pub(super) fn ticks_90k(&self) -> i64 {
        self.base_90k + self.samples as i64 * TICKS_PER_SECOND / i64::from(self.sample_rate_hz)
    }

    /// Go on by `times` durations.
    pub(super) fn advance(&mut self, duration: Duration, times: u64) {
        if self.sample_rate_hz != duration.sample_rate_hz {
            *self = Self {
                base_90k: self.ticks_90k(),
                samples: 0,
                sample_rate_hz: duration.sample_rate_hz,
            };
        }
        self.samples += u64::from(duration.samples) * times;
    }
}

impl Duration {
    pub(super) fn ticks_90k(self) -> i64 {
        i64::from(self.samples) * TICKS_PER_SECOND / i64::from(self.sample_rate_hz)
    }
}
