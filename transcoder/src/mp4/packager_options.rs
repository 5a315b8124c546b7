//! Options of a packager.

use super::video_epoch::Targets;
use crate::ts::clock::TICKS_PER_SECOND;
use crate::{Error, ErrorKind};

/// Options of one [`Packager`](super::Packager).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagerOptions {
    /// Service id of the program; 0 is the first whose PMT comes.
    pub program: u16,
    /// How long segments are, in milliseconds, where random access points allow it: a segment
    /// ends at the last one within it, and where a group of pictures is longer, with the group.
    pub segment_ms: u32,
    /// How long parts are at most, in milliseconds.
    pub part_ms: u32,
    /// How long segments are at most, in milliseconds: one whose group of pictures is longer ends
    /// within it, and the next begins with a picture that needs those before it.
    pub longest_ms: u32,
}

impl Default for PackagerOptions {
    fn default() -> Self {
        Self {
            program: 0,
            segment_ms: 2000,
            part_ms: 500,
            longest_ms: 30_000,
        }
    }
}

impl PackagerOptions {
    /// Accepted segment durations, in milliseconds.
    pub const SEGMENT_MS: std::ops::RangeInclusive<u32> = 500..=20_000;
    /// Accepted part durations, in milliseconds: from four frames of 25 a second on, parts of
    /// whole frames are 85 % of it or longer.
    pub const PART_MS: std::ops::RangeInclusive<u32> = 200..=5000;
    /// Accepted longest durations of segments, in milliseconds.
    pub const LONGEST_MS: std::ops::RangeInclusive<u32> = 500..=30_000;

    /// Say which option is out of its range, if one is.
    pub fn validate(&self) -> Result<(), Error> {
        let checks = [
            ("segment_ms", self.segment_ms, Self::SEGMENT_MS),
            ("part_ms", self.part_ms, Self::PART_MS),
            ("longest_ms", self.longest_ms, Self::LONGEST_MS),
        ];
        for (name, value, range) in checks {
            if !range.contains(&value) {
                let text = format!(
                    "{name} {value} is not possible; use {} to {}",
                    range.start(),
                    range.end()
                );
                return Err(Error::new(ErrorKind::InvalidArgument, text));
            }
        }
        Ok(())
    }

    pub(super) fn targets(&self) -> Targets {
        let ticks = |ms: u32| i64::from(ms) * TICKS_PER_SECOND / 1000;
        Targets {
            segment: ticks(self.segment_ms),
            part: ticks(self.part_ms),
            longest: ticks(self.longest_ms.max(self.segment_ms)),
        }
    }
}
